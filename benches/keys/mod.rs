//! Generates records whose keys have a given number of values and a given skew.

use rayon::prelude::*;

/// Returns a pseudo-random number that depends on `place` alone. The function is SplitMix64 (Steele, Lea and Flood,
/// *Fast splittable pseudorandom number generators*, 2014).
fn mixed(place: u64) -> u64 {
    let mut bits = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Returns a number from 0 (included) to 1 (excluded).
fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns records with `keys` different keys. With `zipf`, the n-th key is about 1/n times as likely as the first.
/// Otherwise all keys are equally likely.
pub fn records(count: usize, keys: u64, zipf: bool) -> Vec<(u64, f64)> {
    let record = |place: usize| {
        let at = fraction(mixed(2 * place as u64));
        let rank = if zipf {
            // This is the continuous power law that has the same tail as the law of Zipf.
            (keys as f64 + 1.0).powf(at) as u64 - 1
        } else {
            (at * keys as f64) as u64
        };
        let score = fraction(mixed(2 * place as u64 + 1)) * 2.0 - 1.0;
        // The bits of the rank are mixed, so that neighbouring ranks do not get neighbouring keys.
        (mixed(rank), score)
    };
    (0..count).into_par_iter().map(record).collect()
}
