//! The similarities of Jaro and of Jaro and Winkler, for a record whose symbols are stored as bit masks.
//!
//! Two equal symbols match if the distance between their positions is less than about half the length of the longer
//! text. Each symbol of the reference's text is matched with the first position of the record that it can match and
//! that is still free. Two matches that are in the wrong order count as one transposition. The formulas, and the
//! order in which their terms are added, are those of RapidFuzz, so that the scores are equal to the last bit.

use super::alphabet::Symbol;
use super::pattern::{Pattern, WORD};

/// Scratch memory, reused from pair to pair.
#[derive(Debug, Default)]
pub(super) struct JaroScratch {
    /// A bit mask of the positions of the pattern that have a match.
    taken: Vec<u64>,
    /// The positions of the text that have a match.
    matched: Vec<u32>,
}

/// Jaro's formula for texts of these lengths with `common` matches, of which the share `in_order` is not
/// transposed.
fn similarity(lengths: (usize, usize), common: f64, in_order: f64) -> f64 {
    (common / lengths.0 as f64 + common / lengths.1 as f64 + in_order) / 3.0
}

/// Jaro's similarity; 0 if it is less than `cutoff`.
pub(super) fn jaro<S: Symbol>(
    pattern: &Pattern,
    symbols: &[S],
    text: &[S],
    cutoff: f64,
    scratch: &mut JaroScratch,
) -> f64 {
    let lengths = (symbols.len(), text.len());
    if cutoff > 1.0 {
        return 0.0;
    }
    if lengths == (0, 0) {
        return 1.0;
    }
    let shorter = lengths.0.min(lengths.1);
    if shorter == 0 || similarity(lengths, shorter as f64, 1.0) < cutoff {
        return 0.0;
    }
    if lengths == (1, 1) {
        // Equal numbers are equal symbols here: number 0 represents many symbols, but none of them is in the
        // text.
        return f64::from(symbols[0] == text[0]);
    }
    let window = (lengths.0.max(lengths.1) / 2).saturating_sub(1);
    assign_matches(pattern, text, window, scratch);
    let common = scratch.matched.len();
    if common == 0 || similarity(lengths, common as f64, 1.0) < cutoff {
        return 0.0;
    }
    let transpositions = out_of_order(symbols, text, scratch) / 2;
    let in_order = (common as f64 - transpositions as f64) / common as f64;
    let similarity = similarity(lengths, common as f64, in_order);
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}

/// Gives each symbol of the text, in order, the first free position of the pattern that it matches.
fn assign_matches<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    window: usize,
    scratch: &mut JaroScratch,
) {
    scratch.taken.clear();
    scratch.taken.resize(pattern.words, 0);
    scratch.matched.clear();
    for (index, symbol) in text.iter().enumerate() {
        if !pattern.contains(*symbol) {
            continue;
        }
        let from = index.saturating_sub(window);
        let to = (index + window + 1).min(pattern.length);
        if from >= to {
            break;
        }
        let masks = pattern.masks(*symbol);
        let (first, last) = (from / WORD, (to - 1) / WORD);
        let found = (first..=last).find_map(|word| {
            let mut free = masks[word] & !scratch.taken[word];
            if word == first {
                free &= !0 << (from % WORD);
            }
            if word == last {
                free &= !0 >> (WORD - 1 - (to - 1) % WORD);
            }
            (free != 0).then_some((word, free & free.wrapping_neg()))
        });
        if let Some((word, bit)) = found {
            scratch.taken[word] |= bit;
            scratch.matched.push(index as u32);
        }
    }
}

/// Lists the matched symbols of each text in the order of that text, and returns the number of places at which the
/// two lists differ.
fn out_of_order<S: Symbol>(symbols: &[S], text: &[S], scratch: &JaroScratch) -> usize {
    let mut matched = scratch.matched.iter();
    let mut differ = 0;
    for (word, taken) in scratch.taken.iter().enumerate() {
        let mut taken = *taken;
        while taken != 0 {
            let index = word * WORD + taken.trailing_zeros() as usize;
            if let Some(other) = matched.next() {
                differ += usize::from(symbols[index] != text[*other as usize]);
            }
            taken &= taken - 1;
        }
    }
    differ
}

/// Largest number of equal characters at the beginning that count.
const PREFIX: usize = 4;
/// Share of the distance to 1 that each equal character at the beginning adds.
const PREFIX_WEIGHT: f64 = 0.1;
/// Jaro's similarity above which an equal beginning counts.
const BOOST_ABOVE: f64 = 0.7;

/// Winkler's similarity; 0 if it is less than `cutoff`.
pub(super) fn jaro_winkler<S: Symbol>(
    pattern: &Pattern,
    symbols: &[S],
    text: &[S],
    cutoff: f64,
    scratch: &mut JaroScratch,
) -> f64 {
    let pairs = symbols.iter().zip(text).take(PREFIX);
    let prefix = pairs.take_while(|(one, other)| one == other).count();
    let weight = prefix as f64 * PREFIX_WEIGHT;
    let needed = if cutoff > BOOST_ABOVE {
        ((weight - cutoff) / (weight - 1.0)).max(BOOST_ABOVE)
    } else {
        cutoff
    };
    let mut similarity = jaro(pattern, symbols, text, needed, scratch);
    if similarity > BOOST_ABOVE {
        similarity = (similarity + weight * (1.0 - similarity)).min(1.0);
    }
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}
