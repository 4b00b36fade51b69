//! What "but" does: valences before it weigh less, those after it more.
//!
//! The reference walks its list of valences and, for each value, changes the *first* element equal
//! to it, wherever the walk is. So equal values trade places in ways nobody intended, and the scores
//! depend on it. Zeros stay zeros and need not be here.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::rules::Valence;

/// A valence that is not zero, and the token it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weighted {
    pub(super) token: usize,
    pub(super) valence: Valence,
}

/// Up to this many valences, searching all of them beats keeping an index.
const FEW: usize = 256;

/// Reweighs the valences around the first "but", which is the token numbered `but`.
pub(super) fn contrast(valences: &mut [Weighted], but: usize) {
    if valences.len() <= FEW {
        contrast_by_search(valences, but);
    } else {
        contrast_by_index(valences, but);
    }
}

fn contrast_by_search(valences: &mut [Weighted], but: usize) {
    for at in 0..valences.len() {
        let value = valences[at].valence.value;
        // What lies beyond `at` cannot be the first equal.
        let equal = valences[..at]
            .iter()
            .position(|other| other.valence.value == value);
        reweigh(&mut valences[equal.unwrap_or(at)], but);
    }
}

/// The same in O(n log n): for every value, the places passed so far that hold it.
fn contrast_by_index(valences: &mut [Weighted], but: usize) {
    let mut places: HashMap<u64, BinaryHeap<Reverse<usize>>> = HashMap::new();
    for at in 0..valences.len() {
        let equals = places
            .entry(valences[at].valence.value.to_bits())
            .or_default();
        equals.push(Reverse(at));
        let Some(Reverse(first)) = equals.pop() else {
            continue;
        };
        reweigh(&mut valences[first], but);
        let value = valences[first].valence.value.to_bits();
        places.entry(value).or_default().push(Reverse(first));
    }
}

fn reweigh(weighted: &mut Weighted, but: usize) {
    weighted.valence.value *= if weighted.token < but { 0.5 } else { 1.5 };
    weighted.valence.is_integer = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_and_index_agree() {
        let mut state = 1_u64;
        for length in 0..400 {
            let mut valences: Vec<Weighted> = (0..length)
                .map(|at| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    // Few values, among them halves and three-halves of each other.
                    let value =
                        [0.5, 0.75, 1.0, 1.5, 2.25, 3.0, -1.0, -1.5][(state >> 61) as usize];
                    let valence = Valence {
                        value,
                        is_integer: value == 3.0,
                    };
                    Weighted {
                        token: 2 * at,
                        valence,
                    }
                })
                .collect();
            let mut others = valences.clone();
            // Odd, as the valences have the even tokens.
            let but = 2 * ((state >> 20) as usize % (length + 1)) + 1;
            contrast_by_search(&mut valences, but);
            contrast_by_index(&mut others, but);
            assert_eq!(valences, others);
        }
    }
}
