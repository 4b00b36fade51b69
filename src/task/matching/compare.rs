//! The measures: one record against one text of the reference.
//!
//! Every function takes a cutoff and gives 0 where the score is less. That is not only for speed:
//! the search raises the cutoff as it goes, and rounding at the cutoff is part of the result. The
//! order of the arithmetic is RapidFuzz's throughout.

use super::Measure;
use super::alphabet::Symbol;
use super::bounds::{Pair, TokenPair};
use super::jaro;
use super::lcs;
use super::levenshtein::{self, Column};
use super::needle::Needle;
use super::partial;
use super::pattern::Pattern;
use super::query::Query;
use super::reference::{Reference, Tokens};
use super::rounding::{allowed, similarity};
use super::side_by_side::{SIDES, SideBySide};
use super::token_measures::{partial_token_ratio, token_ratio};

/// Working memory, used again for every pair.
#[derive(Debug)]
pub(super) struct Desk<S> {
    pub(super) state: Vec<u64>,
    pub(super) sides: SideBySide,
    /// The places of a pattern that count.
    pub(super) keep: Vec<u64>,
    columns: Vec<Column>,
    jaro: jaro::Desk,
    partial: partial::Desk,
    spare: Needle<S>,
    /// The different tokens of a text put together, where one stands twice.
    pub(super) joined: Vec<S>,
    /// How many times symbols were compared. It stands still where a bound has shown that the score
    /// is below the cutoff.
    pub(super) comparisons: u64,
}

impl<S: Symbol> Desk<S> {
    pub(super) fn new(reference: &Reference<S>, measure: Measure) -> Self {
        let partial = measure.is_partial();
        let alphabet = if partial {
            reference.alphabet.size()
        } else {
            0
        };
        Desk {
            state: Vec::new(),
            sides: SideBySide::default(),
            keep: Vec::new(),
            columns: Vec::new(),
            jaro: jaro::Desk::default(),
            partial: partial::Desk::default(),
            spare: Needle::new(alphabet, partial),
            joined: Vec::new(),
            comparisons: 0,
        }
    }
}

/// Insertions and deletions alone, from 0 to 1.
pub(super) fn indel<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let lengths = pattern.length + text.len();
    if pattern.length.abs_diff(text.len()) > allowed(lengths, cutoff) {
        return 0.0;
    }
    desk.comparisons += 1;
    let common = lcs::length(pattern, text, &mut desk.state);
    similarity(lengths - 2 * common, lengths, cutoff)
}

/// The same for many texts, without a cutoff.
pub(super) fn indels<'t, S: Symbol>(
    pattern: &Pattern,
    texts: impl ExactSizeIterator<Item = &'t [S]>,
    desk: &mut Desk<S>,
    scores: &mut Vec<f64>,
) {
    for_each_group(texts, |group| {
        let texts = filled(group);
        let common = desk.sides.lengths(pattern, texts, &mut desk.state);
        scores.extend(group.iter().zip(common).map(|(text, common)| {
            let lengths = pattern.length + text.len();
            similarity(lengths - 2 * common, lengths, 0.0)
        }));
    });
}

/// Calls `compare` with as many texts at a time as are compared side by side, and at the end with
/// those that are left.
fn for_each_group<'t, S: Symbol>(
    mut texts: impl ExactSizeIterator<Item = &'t [S]>,
    mut compare: impl FnMut(&[&'t [S]]),
) {
    while texts.len() > 0 {
        let mut group: [&[S]; SIDES] = [&[]; SIDES];
        let length = texts.len().min(SIDES);
        group
            .iter_mut()
            .zip(&mut texts)
            .for_each(|(place, text)| *place = text);
        compare(&group[..length]);
    }
}

/// As many texts as are compared side by side; where there are fewer, the first one stands for those
/// that are missing.
fn filled<'t, S: Symbol>(group: &[&'t [S]]) -> [&'t [S]; SIDES] {
    std::array::from_fn(|side| *group.get(side).unwrap_or(&group[0]))
}

/// `fuzz.ratio`.
pub(super) fn ratio<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    indel(pattern, text, cutoff / 100.0, desk) * 100.0
}

/// Levenshtein's distance, or with `SWAPS` the optimal string alignment, as a similarity from 0 to
/// 1.
pub(super) fn levenshtein<const SWAPS: bool, S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let largest = pattern.length.max(text.len());
    let at_most = allowed(largest, cutoff);
    if pattern.length.abs_diff(text.len()) > at_most {
        return 0.0;
    }
    desk.comparisons += 1;
    let columns = &mut desk.columns;
    let distance = levenshtein::distance::<SWAPS, S>(pattern, text, at_most, columns);
    if distance > largest {
        return 0.0;
    }
    similarity(distance, largest, cutoff)
}

/// Levenshtein's similarities for many texts; 0 may be given for what is less than
/// `cutoff`.
pub(super) fn levenshteins<'t, S: Symbol>(
    pattern: &Pattern,
    texts: impl ExactSizeIterator<Item = &'t [S]>,
    cutoff: f64,
    desk: &mut Desk<S>,
    scores: &mut Vec<f64>,
) {
    for_each_group(texts, |group| {
        match desk.sides.distances(pattern, filled(group)) {
            Some(distances) => {
                scores.extend(group.iter().zip(distances).map(|(text, distance)| {
                    similarity(distance, pattern.length.max(text.len()), 0.0)
                }))
            }
            None => {
                let texts = group.iter();
                scores
                    .extend(texts.map(|text| levenshtein::<false, S>(pattern, text, cutoff, desk)));
            }
        }
    });
}

/// Jaro's similarity, or with `PREFIX` Winkler's.
pub(super) fn jaro<const PREFIX: bool, S: Symbol>(
    text: &Needle<S>,
    other: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    desk.comparisons += 1;
    let desk = &mut desk.jaro;
    if PREFIX {
        jaro::jaro_winkler(&text.pattern, &text.symbols, other, cutoff, desk)
    } else {
        jaro::jaro(&text.pattern, &text.symbols, other, cutoff, desk)
    }
}

/// `fuzz.partial_ratio`.
pub(super) fn partial<S: Symbol>(
    text: &Needle<S>,
    other: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    desk.comparisons += 1;
    partial::partial(text, other, cutoff, &mut desk.spare, &mut desk.partial)
}

/// What the scores of tokens count for beside the others.
const TOKENS_WEIGHT: f64 = 0.95;
/// From this ratio of lengths on the shorter text is looked for in the longer one.
const UNEVEN: f64 = 1.5;
/// What finding it there counts for, …
const PARTIAL_WEIGHT: f64 = 0.9;
/// … and from beyond which ratio of lengths on it counts for how much.
const VERY_UNEVEN: (f64, f64) = (8.0, 0.6);

/// `fuzz.WRatio`.
pub(super) fn weighted<S: Symbol>(
    query: &Query<S>,
    text: &[S],
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let (here, there) = (query.text.length(), text.len());
    if cutoff > 100.0 || here == 0 || there == 0 {
        return 0.0;
    }
    let whole = ratio(&query.text.pattern, text, cutoff, desk);
    let Some(weight) = weight_of_part(here, there) else {
        let cutoff = cutoff.max(whole) / TOKENS_WEIGHT;
        let tokens = token_ratio(query, other, cutoff, desk);
        return whole.max(tokens * TOKENS_WEIGHT);
    };
    let needed = cutoff.max(whole) / weight;
    let part = partial(&query.text, text, needed, desk);
    let best = whole.max(part * weight);
    // Divided by what has been divided before, and not by the second weight: so does RapidFuzz.
    let needed = needed.max(best) / TOKENS_WEIGHT;
    let tokens = partial_token_ratio(query, other, needed, desk);
    best.max(tokens * TOKENS_WEIGHT * weight)
}

/// The most that `fuzz.WRatio` can be.
pub(super) fn most_weighted(text: Pair, tokens: TokenPair) -> f64 {
    if text.here == 0 || text.there == 0 {
        return 0.0;
    }
    let whole = text.ratio();
    match weight_of_part(text.here, text.there) {
        None => whole.max(tokens.token_ratio() * TOKENS_WEIGHT),
        Some(weight) => {
            let tokens = tokens.partial_token_ratio() * TOKENS_WEIGHT;
            whole.max(text.partial() * weight).max(tokens * weight)
        }
    }
}

/// What finding the shorter text in the longer one counts for, where it is looked for there.
fn weight_of_part(here: usize, there: usize) -> Option<f64> {
    let uneven = here.max(there) as f64 / here.min(there) as f64;
    if uneven < UNEVEN {
        None
    } else if uneven <= VERY_UNEVEN.0 {
        Some(PARTIAL_WEIGHT)
    } else {
        Some(VERY_UNEVEN.1)
    }
}
