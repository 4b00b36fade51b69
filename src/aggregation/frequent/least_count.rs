//! How many records a key must have, as fractions of the share.

/// Number of bits behind the point of a fraction of the records.
const FRACTION_BITS: u32 = 48;

/// An eighth of the share. A count is compared with a multiple of it without rounding: if two counts
/// are too low for two numbers of records, their sum is too low for the sum of these numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeastCount {
    /// An eighth of the share in units of 2⁻⁴⁸, rounded down.
    eighth: u64,
}

impl LeastCount {
    pub(super) fn new(share: f64) -> LeastCount {
        LeastCount {
            eighth: (share / 8.0 * (1_u64 << FRACTION_BITS) as f64) as u64,
        }
    }

    /// Whether this count is at least `eighths` eighths of the share of the records. `eighths` must
    /// be at most 8.
    #[inline]
    pub(super) fn is_reached(self, eighths: u64, count: u64, records: u64) -> bool {
        let least = u128::from(eighths * self.eighth) * u128::from(records);
        u128::from(count) << FRACTION_BITS >= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_the_share_is_reached_at_the_exact_count() {
        let half = LeastCount::new(0.5);
        for (eighths, records, least) in [(8, 10, 5), (4, 10, 3), (4, 8, 2), (1, 160, 10)] {
            assert!(half.is_reached(eighths, least, records));
            assert!(!half.is_reached(eighths, least - 1, records));
        }
        let most = LeastCount::new(1.0);
        assert!(most.is_reached(8, u64::MAX, u64::MAX));
        assert!(!most.is_reached(8, u64::MAX - 1, u64::MAX));
    }
}
