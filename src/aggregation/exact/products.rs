//! The exact sum of products.

use std::mem;

use super::{
    LAST_FINITE, NO_BASE, PATIENCE, REACH, Superaccumulator, UNIT_EXPONENT, Wide, any_significand,
    base_for, exponent_field, is_normal, significand, words,
};

/// The sum of the products of any number of pairs of finite `f64` values, without rounding; a
/// square is the product of a value with itself.
///
/// Products are computed as integers of 106 bits. A fused multiply-add could not be used instead,
/// because the remainder that it computes underflows for factors below about 2⁻⁴⁸⁵. Pairs with a
/// NaN or an infinity are left out; a caller that needs them counts them separately, as
/// [`ExactSum`](super::ExactSum) does.
///
/// A state takes 40 bytes, and more on the heap once products lie outside a range of 64 octaves.
///
/// ```
/// use manyhands::aggregation::exact::ExactProducts;
///
/// let mut products = ExactProducts::new();
/// for (left, right) in [(1e200, 1e-200), (3.0, -4.0)] {
///     products.add(left, right);
/// }
/// assert_eq!(products.value(), -11.0);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ExactProducts {
    /// The sum of the products within reach of `base`, in units of `2^(2·UNIT_EXPONENT + base)`.
    /// One product takes at most 106 + 63 bits and a sign.
    near: [u64; 3],
    /// The sum of all other products, and of the amounts that outgrew `near`.
    far: Option<Box<Superaccumulator>>,
    /// The least sum of exponent fields within reach.
    base: u16,
    /// Number of products below the reach since the reach was last moved.
    missed: u8,
}

/// The largest sum of exponent fields.
const LAST_SUM: u32 = 2 * LAST_FINITE;

impl ExactProducts {
    /// Creates the sum of no products.
    pub fn new() -> ExactProducts {
        ExactProducts {
            near: [0; 3],
            far: None,
            base: NO_BASE,
            missed: 0,
        }
    }

    /// Returns the sum of these products.
    pub(super) fn far_from(products: Superaccumulator) -> ExactProducts {
        ExactProducts {
            far: (!products.is_empty()).then(|| Box::new(products)),
            ..ExactProducts::new()
        }
    }

    /// Adds the product of two values.
    #[inline]
    pub fn add(&mut self, left: f64, right: f64) {
        let (left, right) = (left.to_bits(), right.to_bits());
        let (above, below) = (exponent_field(left), exponent_field(right));
        let offset = (above + below).wrapping_sub(u32::from(self.base));
        if offset < REACH && is_normal(above) && is_normal(below) {
            let product = i128::from(significand(left)) * i128::from(significand(right));
            self.add_near(product, offset);
        } else if left << 1 != 0 && right << 1 != 0 {
            // The state is passed by value, because a state whose address is taken cannot stay in
            // registers.
            *self = mem::take(self).with_far(left, right);
        }
    }

    #[inline]
    fn add_near(&mut self, product: i128, offset: u32) {
        self.near = words::add(self.near, shifted(product, offset));
        if words::outgrown(self.near) {
            *self = mem::take(self).settled();
        }
    }

    #[cold]
    #[inline(never)]
    fn with_far(mut self, left: u64, right: u64) -> ExactProducts {
        let exponent = exponent_field(left) + exponent_field(right);
        if exponent_field(left) > LAST_FINITE || exponent_field(right) > LAST_FINITE {
            return self;
        }
        let product = i128::from(any_significand(left)) * i128::from(any_significand(right));
        if self.base == NO_BASE || exponent >= u32::from(self.base) + REACH {
            self.raise(base_for(exponent, LAST_SUM));
        } else if exponent < u32::from(self.base) {
            self.missed += 1;
            if self.missed == PATIENCE {
                self.settle();
                self.missed = 0;
                self.base = base_for(exponent, LAST_SUM);
            }
        }
        let offset = exponent.wrapping_sub(u32::from(self.base));
        if offset < REACH {
            self.add_near(product, offset);
        } else {
            self.far
                .get_or_insert_default()
                .add_product(product, exponent);
        }
        self
    }

    /// Moves the reach up to this base.
    fn raise(&mut self, base: u16) {
        if self.base != NO_BASE {
            let up = u32::from(base - self.base);
            match words::exactly_shifted_down(self.near, up) {
                Some(near) => self.near = near,
                None => self.settle(),
            }
        }
        self.base = base;
        self.missed = 0;
    }

    /// Moves the sum in `near` to the superaccumulator.
    fn settle(&mut self) {
        let near = mem::take(&mut self.near);
        self.far
            .get_or_insert_default()
            .add_words(&near, u32::from(self.base));
    }

    #[cold]
    #[inline(never)]
    fn settled(mut self) -> ExactProducts {
        self.settle();
        self
    }

    /// Adds another sum of products.
    pub fn merge(&mut self, mut other: ExactProducts) {
        if other.base != NO_BASE {
            if self.base == NO_BASE {
                self.base = other.base;
            }
            let base = self.base.max(other.base);
            self.raise(base);
            other.raise(base);
            self.near = words::add(self.near, other.near);
            if words::outgrown(self.near) {
                self.settle();
            }
        }
        Superaccumulator::merge_boxed(&mut self.far, other.far);
    }

    /// Returns the sum of products, rounded once to the nearest `f64`, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.wide().round()
    }

    /// The sum of products.
    pub(in crate::aggregation) fn wide(&self) -> Wide {
        let near = Wide::of_words(&self.near, i32::from(self.base) + 2 * UNIT_EXPONENT);
        match &self.far {
            Some(far) => near.plus(&Wide::of(far, 2 * UNIT_EXPONENT)),
            None => near,
        }
    }
}

/// Returns `product · 2^offset`. The offset must be within reach.
#[inline]
fn shifted(product: i128, offset: u32) -> [u64; 3] {
    let (low, high) = (product as u64, (product >> 64) as i64);
    let (left, right) = (offset % 64, !offset % 64);
    [
        low << left,
        (high << left) as u64 | low >> 1 >> right,
        (high >> 1 >> right) as u64,
    ]
}

impl Default for ExactProducts {
    fn default() -> ExactProducts {
        ExactProducts::new()
    }
}

#[cfg(test)]
mod tests {
    use super::ExactProducts;

    #[test]
    fn the_reach_comes_back_from_a_product_far_too_large() {
        let (mut state, mut without) = (ExactProducts::default(), ExactProducts::default());
        state.add(1e30, 1.0);
        for _ in 0..100 {
            state.add(1.0, 1.0);
            without.add(1.0, 1.0);
        }
        assert_eq!(state.base, without.base);
    }
}
