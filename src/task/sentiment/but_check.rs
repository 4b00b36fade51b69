//! The rule for "but": valences before it are halved, and valences after it are multiplied by 1.5.
//!
//! The reference (`_but_check`) visits the values of its list one by one. For each value, it changes the *first*
//! element of the list that equals this value, which may be another element. So equal values affect each other.
//! This is probably a mistake in the reference, but the scores depend on it, so it is repeated here. A valence of zero
//! stays zero, so the list here leaves zeros out.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::rules::Valence;

/// A valence that is not zero, with the number of its token in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WordValence {
    pub(super) token: usize,
    pub(super) valence: Valence,
}

/// Number of valences up to which a linear search is faster than an index.
const MAX_LINEAR: usize = 256;

/// Reweighs the valences before and after the first "but", which is token number `but`.
pub(super) fn but_check(valences: &mut [WordValence], but: usize) {
    if valences.len() <= MAX_LINEAR {
        linear_search(valences, but);
    } else {
        indexed_search(valences, but);
    }
}

fn linear_search(valences: &mut [WordValence], but: usize) {
    for at in 0..valences.len() {
        let value = valences[at].valence.value;
        // An element after `at` cannot be the first equal element.
        let equal = valences[..at]
            .iter()
            .position(|other| other.valence.value == value);
        reweigh(&mut valences[equal.unwrap_or(at)], but);
    }
}

/// Does the same as [`linear_search`], but in O(n log n): for each value, an index has the earlier elements that equal
/// it.
fn indexed_search(valences: &mut [WordValence], but: usize) {
    let mut by_value: HashMap<u64, BinaryHeap<Reverse<usize>>> = HashMap::new();
    for at in 0..valences.len() {
        let equals = by_value
            .entry(valences[at].valence.value.to_bits())
            .or_default();
        equals.push(Reverse(at));
        let Some(Reverse(first)) = equals.pop() else {
            continue;
        };
        reweigh(&mut valences[first], but);
        let value = valences[first].valence.value.to_bits();
        by_value.entry(value).or_default().push(Reverse(first));
    }
}

fn reweigh(word: &mut WordValence, but: usize) {
    word.valence.value *= if word.token < but { 0.5 } else { 1.5 };
    word.valence.is_integer = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_and_indexed_search_agree() {
        let mut state = 1_u64;
        for length in 0..400 {
            let mut valences: Vec<WordValence> = (0..length)
                .map(|at| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    // There are few distinct values, and some values are 0.5 or 1.5 times another one.
                    let value =
                        [0.5, 0.75, 1.0, 1.5, 2.25, 3.0, -1.0, -1.5][(state >> 61) as usize];
                    let valence = Valence {
                        value,
                        is_integer: value == 3.0,
                    };
                    WordValence {
                        token: 2 * at,
                        valence,
                    }
                })
                .collect();
            let mut others = valences.clone();
            // The tokens with a valence have even numbers in this test. The number of "but" is odd, so it lies between
            // two tokens with a valence, and is never equal to the number of one.
            let but = 2 * ((state >> 20) as usize % (length + 1)) + 1;
            linear_search(&mut valences, but);
            indexed_search(&mut others, but);
            assert_eq!(valences, others);
        }
    }
}
