//! Jaro's and Winkler's similarities, with the first text as bit masks.
//!
//! Symbols match within a window of half the longer length; each takes the first place in the
//! pattern that is still free. Two matches out of order are half a transposition each. The formulas
//! and the order of their additions are RapidFuzz's, so that the last bit is the same.

use super::alphabet::Symbol;
use super::pattern::{Pattern, WORD};

/// What is kept between two texts.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The places of the pattern that are taken.
    taken: Vec<u64>,
    /// The places of the text that found one.
    matched: Vec<u32>,
}

/// One for `common` symbols in order, out of texts of these lengths.
fn similarity(lengths: (usize, usize), common: f64, in_order: f64) -> f64 {
    (common / lengths.0 as f64 + common / lengths.1 as f64 + in_order) / 3.0
}

/// Jaro's similarity; 0 where it is less than `cutoff`.
pub(super) fn jaro<S: Symbol>(
    pattern: &Pattern,
    symbols: &[S],
    text: &[S],
    cutoff: f64,
    desk: &mut Desk,
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
        // Number 0 stands for many, none of which is in the text.
        return f64::from(symbols[0] == text[0]);
    }
    let window = (lengths.0.max(lengths.1) / 2).saturating_sub(1);
    pair_up(pattern, text, window, desk);
    let common = desk.matched.len();
    if common == 0 || similarity(lengths, common as f64, 1.0) < cutoff {
        return 0.0;
    }
    let transpositions = out_of_order(symbols, text, desk) / 2;
    let in_order = (common as f64 - transpositions as f64) / common as f64;
    let similarity = similarity(lengths, common as f64, in_order);
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}

/// Finds for each symbol of the text, in turn, the first free place in the pattern that it matches.
fn pair_up<S: Symbol>(pattern: &Pattern, text: &[S], window: usize, desk: &mut Desk) {
    desk.taken.clear();
    desk.taken.resize(pattern.words, 0);
    desk.matched.clear();
    for (place, symbol) in text.iter().enumerate() {
        if !pattern.holds(*symbol) {
            continue;
        }
        let from = place.saturating_sub(window);
        let to = (place + window + 1).min(pattern.length);
        if from >= to {
            break;
        }
        let masks = pattern.masks(*symbol);
        let (first, last) = (from / WORD, (to - 1) / WORD);
        let found = (first..=last).find_map(|word| {
            let mut free = masks[word] & !desk.taken[word];
            if word == first {
                free &= !0 << (from % WORD);
            }
            if word == last {
                free &= !0 >> (WORD - 1 - (to - 1) % WORD);
            }
            (free != 0).then_some((word, free & free.wrapping_neg()))
        });
        if let Some((word, bit)) = found {
            desk.taken[word] |= bit;
            desk.matched.push(place as u32);
        }
    }
}

/// How many of the matched symbols differ, when those of either text stand in its order.
fn out_of_order<S: Symbol>(symbols: &[S], text: &[S], desk: &Desk) -> usize {
    let mut matched = desk.matched.iter();
    let mut differ = 0;
    for (word, taken) in desk.taken.iter().enumerate() {
        let mut taken = *taken;
        while taken != 0 {
            let place = word * WORD + taken.trailing_zeros() as usize;
            if let Some(other) = matched.next() {
                differ += usize::from(symbols[place] != text[*other as usize]);
            }
            taken &= taken - 1;
        }
    }
    differ
}

/// How many characters at the beginning count, at most.
const PREFIX: usize = 4;
/// What each of them adds, as a share of what is missing to 1.
const PREFIX_WEIGHT: f64 = 0.1;
/// Texts less alike than this gain nothing by their beginning.
const BOOST_ABOVE: f64 = 0.7;

/// Winkler's similarity; 0 where it is less than `cutoff`.
pub(super) fn jaro_winkler<S: Symbol>(
    pattern: &Pattern,
    symbols: &[S],
    text: &[S],
    cutoff: f64,
    desk: &mut Desk,
) -> f64 {
    let pairs = symbols.iter().zip(text).take(PREFIX);
    let prefix = pairs.take_while(|(one, other)| one == other).count();
    let weight = prefix as f64 * PREFIX_WEIGHT;
    let needed = if cutoff > BOOST_ABOVE {
        ((weight - cutoff) / (weight - 1.0)).max(BOOST_ABOVE)
    } else {
        cutoff
    };
    let mut similarity = jaro(pattern, symbols, text, needed, desk);
    if similarity > BOOST_ABOVE {
        similarity = (similarity + weight * (1.0 - similarity)).min(1.0);
    }
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}
