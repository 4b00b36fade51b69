//! The measures that compare texts symbol by symbol: a record against one text, or several.
//!
//! Every function takes a cutoff and returns 0 if the score is less. The cutoff affects the result and not only
//! the speed: the search raises the cutoff as it proceeds, and scores at the cutoff are rounded as RapidFuzz
//! rounds them. The order of the arithmetic is RapidFuzz's throughout.

use super::Measure;
use super::alphabet::Symbol;
use super::jaro::{self, JaroScratch};
use super::lcs;
use super::levenshtein::{self, ColumnWord};
use super::partial::{self, PartialScratch};
use super::pattern::Pattern;
use super::prepared_text::PreparedText;
use super::reference::Reference;
use super::rounding::{allowed, similarity};
use super::simd::{LANES, LaneTable};

/// Scratch memory to compare pairs, reused from pair to pair.
#[derive(Debug)]
pub(super) struct PairScratch<S> {
    pub(super) state: Vec<u64>,
    pub(super) lanes: LaneTable,
    /// A bit mask of the positions of a pattern that are compared.
    pub(super) keep: Vec<u64>,
    columns: Vec<ColumnWord>,
    jaro: JaroScratch,
    partial: PartialScratch,
    prepared: PreparedText<S>,
    /// A text without its repeated tokens.
    pub(super) joined: Vec<S>,
    /// Number of comparisons of symbols. It does not change if a bound shows that a score is below the
    /// cutoff.
    pub(super) comparisons: u64,
}

impl<S: Symbol> PairScratch<S> {
    pub(super) fn new(reference: &Reference<S>, measure: Measure) -> Self {
        let partial = measure.is_partial();
        let alphabet = if partial {
            reference.alphabet.size()
        } else {
            0
        };
        PairScratch {
            state: Vec::new(),
            lanes: LaneTable::default(),
            keep: Vec::new(),
            columns: Vec::new(),
            jaro: JaroScratch::default(),
            partial: PartialScratch::default(),
            prepared: PreparedText::new(alphabet, partial),
            joined: Vec::new(),
            comparisons: 0,
        }
    }
}

/// The Indel similarity, from 0 to 1.
pub(super) fn indel<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    let lengths = pattern.length + text.len();
    if pattern.length.abs_diff(text.len()) > allowed(lengths, cutoff) {
        return 0.0;
    }
    scratch.comparisons += 1;
    let common = lcs::length(pattern, text, &mut scratch.state);
    similarity(lengths - 2 * common, lengths, cutoff)
}

/// Appends the Indel similarities for many texts, without a cutoff.
pub(super) fn indels<'t, S: Symbol>(
    pattern: &Pattern,
    texts: impl ExactSizeIterator<Item = &'t [S]>,
    scratch: &mut PairScratch<S>,
    scores: &mut Vec<f64>,
) {
    for_each_group(texts, |group| {
        let texts = filled(group);
        let common = scratch.lanes.lengths(pattern, texts, &mut scratch.state);
        scores.extend(group.iter().zip(common).map(|(text, common)| {
            let lengths = pattern.length + text.len();
            similarity(lengths - 2 * common, lengths, 0.0)
        }));
    });
}

/// Calls `compare` with groups of [`LANES`] texts; the last group may be smaller.
fn for_each_group<'t, S: Symbol>(
    mut texts: impl ExactSizeIterator<Item = &'t [S]>,
    mut compare: impl FnMut(&[&'t [S]]),
) {
    while texts.len() > 0 {
        let mut group: [&[S]; LANES] = [&[]; LANES];
        let length = texts.len().min(LANES);
        group
            .iter_mut()
            .zip(&mut texts)
            .for_each(|(slot, text)| *slot = text);
        compare(&group[..length]);
    }
}

/// Returns a text for each lane. If the group is smaller, its first text fills the remaining lanes.
fn filled<'t, S: Symbol>(group: &[&'t [S]]) -> [&'t [S]; LANES] {
    std::array::from_fn(|lane| *group.get(lane).unwrap_or(&group[0]))
}

/// `fuzz.ratio`.
pub(super) fn ratio<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    indel(pattern, text, cutoff / 100.0, scratch) * 100.0
}

/// Levenshtein's similarity, from 0 to 1; with `SWAPS`, the similarity by optimal string alignment.
pub(super) fn levenshtein<const SWAPS: bool, S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    let largest = pattern.length.max(text.len());
    let at_most = allowed(largest, cutoff);
    if pattern.length.abs_diff(text.len()) > at_most {
        return 0.0;
    }
    scratch.comparisons += 1;
    let columns = &mut scratch.columns;
    let distance = levenshtein::distance::<SWAPS, S>(pattern, text, at_most, columns);
    if distance > largest {
        return 0.0;
    }
    similarity(distance, largest, cutoff)
}

/// Appends Levenshtein's similarities for many texts. A score below `cutoff` may be given as 0.
pub(super) fn levenshteins<'t, S: Symbol>(
    pattern: &Pattern,
    texts: impl ExactSizeIterator<Item = &'t [S]>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
    scores: &mut Vec<f64>,
) {
    for_each_group(texts, |group| {
        match scratch.lanes.distances(pattern, filled(group)) {
            Some(distances) => {
                scores.extend(group.iter().zip(distances).map(|(text, distance)| {
                    similarity(distance, pattern.length.max(text.len()), 0.0)
                }))
            }
            None => scores.extend(
                group
                    .iter()
                    .map(|text| levenshtein::<false, S>(pattern, text, cutoff, scratch)),
            ),
        }
    });
}

/// Jaro's similarity, from 0 to 1; with `PREFIX`, Winkler's similarity.
pub(super) fn jaro<const PREFIX: bool, S: Symbol>(
    record: &PreparedText<S>,
    text: &[S],
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    scratch.comparisons += 1;
    let scratch = &mut scratch.jaro;
    if PREFIX {
        jaro::jaro_winkler(&record.pattern, &record.symbols, text, cutoff, scratch)
    } else {
        jaro::jaro(&record.pattern, &record.symbols, text, cutoff, scratch)
    }
}

/// `fuzz.partial_ratio`.
pub(super) fn partial<S: Symbol>(
    record: &PreparedText<S>,
    text: &[S],
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    scratch.comparisons += 1;
    let PairScratch {
        prepared, partial, ..
    } = scratch;
    partial::partial(record, text, cutoff, prepared, partial)
}
