//! Quantiles between two neighbouring scores.

/// Returns the place of the `q`-quantile among `count` sorted scores: the rank of the score at or below it, counted
/// from 0, and the distance from there to the next score, which is less than 1.
///
/// The place is `q·(count − 1)`, computed in `f64`. This is the default of R (type 7) and NumPy (Hyndman and Fan,
/// *Sample quantiles in statistical packages*, 1996).
pub(super) fn place(q: f64, count: u64) -> (u64, f64) {
    let last = count.saturating_sub(1);
    let place = q * last as f64;
    let rank = place.floor();
    // A count beyond 2⁵³ may be rounded up.
    match rank as u64 {
        rank if rank >= last => (last, 0.0),
        below => (below, place - rank),
    }
}

/// Interpolates linearly between two neighbouring scores. `share` is the distance from `low`, at least 0 and less
/// than 1.
///
/// The operations are those of NumPy, in the same order, so the bits are the same. The answer differs where NumPy's
/// operations overflow or give NaN although there is an answer: between two numbers whose difference is greater than
/// `f64::MAX`, and next to an infinity. Every place between a number and an infinity has the value of the infinity.
/// Every place between −∞ and +∞ has the value NaN.
pub(super) fn between(low: f64, high: f64, share: f64) -> f64 {
    if share == 0.0 || low.to_bits() == high.to_bits() {
        return low;
    }
    if low.is_infinite() || high.is_infinite() {
        return match (low.is_infinite(), high.is_infinite()) {
            // The sum of −∞ and +∞ would be a NaN whose sign differs between machines.
            (true, true) => f64::NAN,
            (true, false) => low,
            _ => high,
        };
    }
    let width = high - low;
    if width.is_infinite() {
        low * (1.0 - share) + high * share
    } else if share >= 0.5 {
        high - width * (1.0 - share)
    } else {
        low + width * share
    }
}
