//! One record against the whole reference: the best matches, and nothing kept of the others.

use super::alphabet::Symbol;
use super::blocks::Common;
use super::bounds::{Pair, TokenPair};
use super::compare::{self, Desk};
use super::query::Query;
use super::reference::{Collected, Reference};
use super::sieve::{BELOW, Sieve, Sought};
use super::{Found, Matching, Measure, Pairs, process, token_measures};
use crate::sync::{Mutex, lock};

/// A prepared reference and what it takes to search it.
#[derive(Debug)]
pub(super) struct Search<S> {
    settings: Matching,
    reference: Reference<S>,
    /// Working memory that no worker has in its hands.
    spare: Mutex<Vec<Worktable<S>>>,
}

/// A text that may be among the best.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    index: usize,
    place: usize,
    /// The most that it can score.
    most: f64,
}

/// What a worker needs for one record.
#[derive(Debug)]
struct Worktable<S> {
    processed: String,
    query: Query<S>,
    desk: Desk<S>,
    sieve: Sieve,
    /// For each text of the reference, the most it can score.
    bounds: Vec<f64>,
    /// For each text of the reference, how many symbols the tokens in common have, each with a space.
    common: Vec<u32>,
    symbols: Common,
    /// What is in common with the texts whose tokens are sorted.
    sorted_symbols: Common,
}

/// What a worktable may keep between records, in bytes.
const KEPT_BYTES: usize = 16 << 20;

impl<S: Symbol> Search<S> {
    pub(super) fn new(collected: Collected, settings: Matching) -> Self {
        Search {
            settings,
            reference: Reference::new(collected, settings.measure),
            spare: Mutex::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.reference.len()
    }

    /// The best matches of a text, best first, and how many texts were compared with it.
    pub(super) fn find(&self, text: &str) -> (Vec<Found>, Pairs) {
        let spare = || lock(&self.spare);
        let measure = self.settings.measure;
        let kept = spare().pop();
        let mut table = kept.unwrap_or_else(|| Worktable {
            processed: String::new(),
            query: Query::new(&self.reference, measure),
            desk: Desk::new(&self.reference, measure),
            sieve: Sieve::default(),
            bounds: Vec::new(),
            common: Vec::new(),
            symbols: Common::default(),
            sorted_symbols: Common::default(),
        });
        let text = if self.settings.process {
            process::process(text, &mut table.processed);
            &table.processed
        } else {
            text
        };
        table.query.set(text, &self.reference, measure);
        let found = self.find_by_measure(&mut table);
        if table.query.bytes() <= KEPT_BYTES {
            spare().push(table);
        }
        found
    }

    /// Picks the measure once, and not for every pair.
    fn find_by_measure(&self, table: &mut Worktable<S>) -> (Vec<Found>, Pairs) {
        let reference = &self.reference;
        match self.settings.measure {
            Measure::Ratio => self.find_with(table, |query, index, cutoff, desk| {
                compare::ratio(&query.text.pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Indel => self.find_with(table, |query, index, cutoff, desk| {
                compare::indel(&query.text.pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Levenshtein => self.find_with(table, |query, index, cutoff, desk| {
                compare::levenshtein::<false, S>(
                    &query.text.pattern,
                    reference.text(index),
                    cutoff,
                    desk,
                )
            }),
            Measure::Osa => self.find_with(table, |query, index, cutoff, desk| {
                compare::levenshtein::<true, S>(
                    &query.text.pattern,
                    reference.text(index),
                    cutoff,
                    desk,
                )
            }),
            Measure::Jaro => self.find_with(table, |query, index, cutoff, desk| {
                compare::jaro::<false, S>(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::JaroWinkler => self.find_with(table, |query, index, cutoff, desk| {
                compare::jaro::<true, S>(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::Partial => self.find_with(table, |query, index, cutoff, desk| {
                compare::partial(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::TokenSort => self.find_with(table, |query, index, cutoff, desk| {
                token_measures::token_sort(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::TokenSet => self.find_with(table, |query, index, cutoff, desk| {
                token_measures::token_set(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::TokenRatio => self.find_with(table, |query, index, cutoff, desk| {
                token_measures::token_ratio(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::Wratio => self.find_with(table, |query, index, cutoff, desk| {
                let (text, tokens) = (reference.text(index), reference.tokens(index));
                compare::weighted(query, text, tokens, cutoff, desk)
            }),
        }
    }

    fn find_with(
        &self,
        table: &mut Worktable<S>,
        score: impl Fn(&Query<S>, usize, f64, &mut Desk<S>) -> f64,
    ) -> (Vec<Found>, Pairs) {
        let wanted = self.settings.best.min(self.len());
        if wanted == 0 {
            return (Vec::new(), Pairs::default());
        }
        if !self.settings.measure.reads_sets() {
            return self.find_in_blocks(table, wanted, score);
        }
        self.bound(table);
        let Worktable {
            query,
            desk,
            bounds,
            ..
        } = table;
        let cutoff = self.threshold(bounds, wanted, &mut |index, cutoff| {
            score(query, index, cutoff, desk)
        });
        let mut compared = 0;
        let counted = |index: usize, cutoff: f64| {
            let before = desk.comparisons;
            let score = score(query, index, cutoff, desk);
            compared += u64::from(desk.comparisons != before);
            score
        };
        let places = 0..self.len();
        let places = places.filter(|place| bounds[*place] >= cutoff);
        let candidates = places.map(|place| self.candidate(place, bounds[place]));
        let found = self.best(candidates.collect(), cutoff, wanted, counted);
        let mut pairs = Pairs {
            compared,
            ..Pairs::default()
        };
        pairs.skipped.tokens = self.len() as u64 - compared;
        (found, pairs)
    }

    /// Weighs what the blocks do not rule out, and compares in order what may be among the best.
    fn find_in_blocks(
        &self,
        table: &mut Worktable<S>,
        wanted: usize,
        score: impl Fn(&Query<S>, usize, f64, &mut Desk<S>) -> f64,
    ) -> (Vec<Found>, Pairs) {
        let Worktable {
            query, desk, sieve, ..
        } = table;
        let reference = &self.reference;
        let Matching {
            measure, cutoff, ..
        } = self.settings;
        let (needle, classes) = query.compared(measure);
        let sought = Sought {
            measure,
            cutoff,
            wanted,
            length: needle.length(),
            classes,
        };
        let pattern = &needle.pattern;
        desk.sides.set::<S>(pattern);
        let blocks = reference.compared_blocks(measure);
        let pairs = sieve.sift(sought, blocks, |indices, floor, scores| {
            let indices = indices.iter().map(|index| *index as usize);
            let texts = indices
                .clone()
                .map(|index| reference.compared(index, measure));
            match measure {
                Measure::Indel => compare::indels(pattern, texts, desk, scores),
                Measure::Ratio | Measure::TokenSort => {
                    compare::indels(pattern, texts, desk, scores);
                    scores.iter_mut().for_each(|score| *score *= 100.0);
                }
                Measure::Levenshtein => {
                    compare::levenshteins(pattern, texts, floor, desk, scores);
                }
                _ => scores.extend(indices.map(|index| score(query, index, floor, desk))),
            }
        });
        let candidates = sieve
            .finalists()
            .map(|place| self.candidate(place as usize, f64::INFINITY));
        let in_order = |place: usize, cutoff: f64| score(query, place, cutoff, desk);
        let found = self.best(candidates.collect(), cutoff, wanted, in_order);
        (found, pairs)
    }

    fn candidate(&self, place: usize, most: f64) -> Candidate {
        Candidate {
            index: self.reference.index(place),
            place,
            most,
        }
    }

    /// The best of some texts.
    fn best(
        &self,
        mut candidates: Vec<Candidate>,
        cutoff: f64,
        wanted: usize,
        score: impl FnMut(usize, f64) -> f64,
    ) -> Vec<Found> {
        candidates.sort_unstable_by_key(|candidate| candidate.index);
        if self.settings.best == 1 {
            let best = self.best_one(&candidates, cutoff, score);
            best.into_iter().collect()
        } else {
            best_few(&candidates, cutoff, wanted, score)
        }
    }

    /// Works out the most that each text can score, for measures that look at tokens in common.
    fn bound(&self, table: &mut Worktable<S>) {
        let Worktable {
            query,
            bounds,
            common,
            symbols,
            sorted_symbols,
            ..
        } = table;
        let (reference, measure) = (&self.reference, self.settings.measure);
        bounds.clear();
        common.resize(self.len(), 0);
        for token in &query.tokens {
            for holder in reference.holders(token.id) {
                common[*holder as usize] += token.length() as u32 + 1;
            }
        }
        if measure.reads_text() {
            let blocks = &reference.blocks;
            query.classes.in_common_with_all(blocks, symbols);
        }
        query
            .sorted_classes
            .in_common_with_all(&reference.sorted_blocks, sorted_symbols);
        let pair = |index: usize| {
            let (here, there) = (query.text.length(), reference.text(index).len());
            Pair::with_common(here, there, symbols.by_halves[index])
        };
        let token_pair = |index: usize| {
            let (here, there) = (query.sorted.length(), reference.tokens(index).sorted.len());
            TokenPair {
                sorted: Pair::with_common(here, there, sorted_symbols.by_halves[index]),
                crossing: Pair::with_common(here, there, sorted_symbols.crossing[index]),
                different: (query.different_length, reference.different_length(index)),
                common: common[index] as usize,
            }
        };
        let all = 0..self.len();
        match measure {
            Measure::TokenSet => bounds.extend(all.map(|index| token_pair(index).token_set())),
            Measure::TokenRatio => bounds.extend(all.map(|index| token_pair(index).token_ratio())),
            _ => bounds
                .extend(all.map(|index| compare::most_weighted(pair(index), token_pair(index)))),
        }
        for token in &query.tokens {
            for holder in reference.holders(token.id) {
                common[*holder as usize] = 0;
            }
        }
    }

    /// A score that is reached by as many texts as are wanted, or a little less than that: what is
    /// below it need not be looked at. Found among the texts that promise most.
    fn threshold(
        &self,
        bounds: &[f64],
        wanted: usize,
        score: &mut impl FnMut(usize, f64) -> f64,
    ) -> f64 {
        let cutoff = self.settings.cutoff;
        let tried = wanted.saturating_add(TRIED);
        if tried >= self.len() {
            return cutoff;
        }
        let mut promising: Vec<usize> = (0..self.len()).collect();
        let by_bound = |one: &usize, other: &usize| bounds[*other].total_cmp(&bounds[*one]);
        promising.select_nth_unstable_by(tried, by_bound);
        let scores = promising[..tried].iter().map(|index| score(*index, cutoff));
        let mut scores: Vec<f64> = scores.collect();
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
        let least = scores.get(wanted - 1);
        least.map_or(cutoff, |least| cutoff.max(least * BELOW))
    }

    /// RapidFuzz's `extractOne`: each score that is larger than all before is the cutoff for those
    /// that come after, so that of equals the first one wins.
    ///
    /// To begin with a cutoff just below the best score changes nothing: scores that are not the
    /// best only matter as cutoffs, and any that is not as near to the best as rounding will do.
    fn best_one(
        &self,
        candidates: &[Candidate],
        mut cutoff: f64,
        mut score: impl FnMut(usize, f64) -> f64,
    ) -> Option<Found> {
        let mut best: Option<Found> = None;
        for Candidate { index, place, most } in candidates.iter().copied() {
            if most < cutoff || best.is_some_and(|best| most <= best.score) {
                continue;
            }
            let score = score(place, cutoff);
            if score >= cutoff && best.is_none_or(|best| score > best.score) {
                best = Some(Found { index, score });
                cutoff = score;
                if score == self.settings.measure.most() {
                    break;
                }
            }
        }
        best
    }
}

/// RapidFuzz's `extract`: the largest scores, of equals the first ones.
///
/// There every score is worked out at the cutoff that was asked for. Here the cutoff rises to
/// just below the least of those that are wanted so far: near enough to rule others out, and far
/// enough not to round any of them away.
fn best_few(
    candidates: &[Candidate],
    mut cutoff: f64,
    wanted: usize,
    mut score: impl FnMut(usize, f64) -> f64,
) -> Vec<Found> {
    let mut best: Vec<Found> = Vec::new();
    for Candidate { index, place, most } in candidates.iter().copied() {
        let least = best.get(wanted - 1);
        if most < cutoff || least.is_some_and(|least| most <= least.score) {
            continue;
        }
        let score = score(place, cutoff);
        if score < cutoff {
            continue;
        }
        let place = best.partition_point(|found| found.score >= score);
        if place == wanted {
            continue;
        }
        best.truncate(wanted - 1);
        best.insert(place, Found { index, score });
        if let Some(least) = best.get(wanted - 1) {
            cutoff = cutoff.max(least.score * BELOW);
        }
    }
    best
}

/// How many texts are tried before the others, beside as many as are wanted.
const TRIED: usize = 16;
