//! A wide signed integer to which numbers are added. It consists of the limbs in use, each of which
//! has room for thousands of additions before carries must be moved.

/// Number of bits by which the weights of neighbouring limbs differ.
pub(super) const LIMB_BITS: u32 = 32;

/// Number of additions after which carries must be moved. One addition changes a limb by at most
/// 2⁵² (the high part of a 53-bit significand shifted by one bit), and a limb begins within ±2³³,
/// so 2,047 additions still fit in an `i64`.
const ADDS_BETWEEN_CARRIES: u16 = 2_000;

/// The integer `Σ limbs[i] · 2^(32·(base + i))`, where each limb is signed and may overlap the next
/// (Neal's small superaccumulator, with only the limbs in use).
#[derive(Debug, Clone, Default)]
pub(super) struct Superaccumulator {
    limbs: Vec<i64>,
    base: u16,
    /// Number of additions that remain before carries must be moved.
    room: u16,
}

impl Superaccumulator {
    /// Adds `significand · 2^position`, for a signed significand of 54 bits.
    #[inline]
    pub(super) fn add(&mut self, significand: i64, position: u32) {
        let shift = position % LIMB_BITS;
        let [low, high] = self.limbs_at((position / LIMB_BITS) as usize);
        *low += low_half(significand << shift);
        *high += significand >> (LIMB_BITS - shift);
    }

    /// Adds `product · 2^position`, for a product of two significands (108 bits with its sign), or
    /// for any number if the position is that of a limb.
    #[inline]
    pub(super) fn add_product(&mut self, product: i128, position: u32) {
        let shift = position % LIMB_BITS;
        let [first, second, third, fourth] = self.limbs_at((position / LIMB_BITS) as usize);
        let above_first = product >> (LIMB_BITS - shift);
        *first += low_half((product as i64) << shift);
        *second += low_half(above_first as i64);
        *third += low_half((above_first >> LIMB_BITS) as i64);
        *fourth += (above_first >> (2 * LIMB_BITS)) as i64;
    }

    /// Adds `words · 2^position`, for signed words, lowest first.
    pub(super) fn add_words(&mut self, words: &[u64], position: u32) {
        let (limb, shift) = (position / LIMB_BITS * LIMB_BITS, position % LIMB_BITS);
        for (place, &word) in (0_u32..).zip(words) {
            let top = place as usize + 1 == words.len();
            let word = if top {
                i128::from(word as i64)
            } else {
                i128::from(word)
            };
            self.add_product(word << shift, limb + u64::BITS * place);
        }
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, mut other: Superaccumulator) {
        if other.limbs.len() > self.limbs.len() {
            std::mem::swap(self, &mut other);
        }
        if other.limbs.is_empty() {
            return;
        }
        self.carry();
        other.carry();
        self.cover(other.base as usize, other.limbs.len());
        let offset = (other.base - self.base) as usize;
        for (limb, addend) in self.limbs[offset..].iter_mut().zip(&other.limbs) {
            *limb += addend;
        }
        // After a carry, the sum of two limbs is smaller than what a single addition may add.
        self.room = ADDS_BETWEEN_CARRIES - 1;
    }

    /// Adds another sum, if there is one.
    pub(super) fn merge_boxed(
        this: &mut Option<Box<Superaccumulator>>,
        other: Option<Box<Superaccumulator>>,
    ) {
        match (this, other) {
            (Some(window), Some(other)) => window.merge(*other),
            (window @ None, other) => *window = other,
            (Some(_), None) => {}
        }
    }

    /// Whether nothing was ever added.
    pub(super) fn is_empty(&self) -> bool {
        self.limbs.is_empty()
    }

    /// Returns the limbs in use, lowest first.
    pub(super) fn limbs(&self) -> &[i64] {
        &self.limbs
    }

    /// Returns the position of the lowest limb, which weighs `2^(32 · base)`.
    pub(super) fn base(&self) -> u16 {
        self.base
    }

    /// Returns the `N` limbs from `first` on, with room for one addition.
    #[inline]
    fn limbs_at<const N: usize>(&mut self, first: usize) -> &mut [i64; N] {
        let offset = first.wrapping_sub(self.base as usize);
        if self.room == 0 || offset >= self.limbs.len() || self.limbs.len() - offset < N {
            self.make_room(first, N);
        }
        self.room -= 1;
        let offset = first - self.base as usize;
        self.limbs[offset..]
            .first_chunk_mut()
            .expect("`make_room` covered these limbs")
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, first: usize, count: usize) {
        if self.room == 0 {
            self.carry();
        }
        self.cover(first, count);
    }

    /// Adds limbs at either end until these limbs are included. Memory is allocated for exactly
    /// these limbs, because there are many small superaccumulators, and each grows only a few
    /// times.
    fn cover(&mut self, first: usize, count: usize) {
        if self.limbs.is_empty() {
            self.base = first as u16;
        }
        let below = (self.base as usize).saturating_sub(first);
        let end = self.base as usize + self.limbs.len();
        let above = (first + count).saturating_sub(end);
        self.limbs.reserve_exact(below + above);
        self.limbs.splice(0..0, std::iter::repeat_n(0, below));
        self.limbs.resize(self.limbs.len() + above, 0);
        self.base -= below as u16;
    }

    /// Moves the bits above the lowest 32 of each limb into the next limb. The top limb keeps the
    /// sign; otherwise, a sum of small negative values would carry −1 through every limb up to the
    /// largest exponent.
    fn carry(&mut self) {
        self.room = ADDS_BETWEEN_CARRIES;
        let mut carry = 0;
        let Some((top, lower)) = self.limbs.split_last_mut() else {
            return;
        };
        for limb in lower {
            let total = *limb + carry;
            *limb = low_half(total);
            carry = total >> LIMB_BITS;
        }
        *top += carry;
        while let Some(top) = self.limbs.last_mut()
            && top.unsigned_abs() >> LIMB_BITS != 0
        {
            let above = *top >> LIMB_BITS;
            *top = low_half(*top);
            self.limbs.reserve_exact(1);
            self.limbs.push(above);
        }
    }
}

/// Returns the low 32 bits, as a limb.
#[inline]
fn low_half(bits: i64) -> i64 {
    i64::from(bits as u32)
}
