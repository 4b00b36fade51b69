//! Finds the best matches of one record in the whole reference.

use super::alphabet::Symbol;
use super::block_filter::{BlockFilter, FilterQuery};
use super::compare::{self, PairScratch};
use super::parallel::ScratchPool;
use super::pattern::Pattern;
use super::query::Query;
use super::reference::{Collected, Reference};
use super::select::{self, MatchCandidate};
use super::text_filter::TextFilter;
use super::top_scores::JUST_BELOW;
use super::upper_bounds::UpperBounds;
use super::{Found, Matching, Measure, Pairs, parallel, process, token_measures, weighted};
use crate::sync::{Mutex, lock};

/// Number of texts that are compared before the others, in addition to the number of matches wanted.
const TRIED_FIRST: usize = 16;
/// Largest amount of memory that is kept between records, in bytes.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// A prepared reference, and the memory to search it.
#[derive(Debug)]
pub(super) struct Search<S> {
    settings: Matching,
    reference: Reference<S>,
    /// Memory for the search of a record; no worker is using this memory now.
    spare: Mutex<Vec<RecordScratch<S>>>,
    /// Memory for the comparison of pairs; no thread is using this memory now. Each thread that takes part in a
    /// search needs such memory.
    spare_pairs: Mutex<Vec<PairScratch<S>>>,
}

/// Memory with which the matches of one record are found.
#[derive(Debug)]
struct RecordScratch<S> {
    processed: String,
    query: Query<S>,
    pair: PairScratch<S>,
    filter: BlockFilter,
    bounds: UpperBounds,
}

impl<S: Symbol> Search<S> {
    pub(super) fn new(collected: Collected, settings: Matching) -> Self {
        Search {
            settings,
            reference: Reference::new(collected, settings.measure),
            spare: Mutex::default(),
            spare_pairs: Mutex::default(),
        }
    }

    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        self.reference.len()
    }

    /// The best matches of a text, best first, and the number of pairs that were compared and that were ruled out.
    pub(super) fn find(&self, text: &str) -> (Vec<Found>, Pairs) {
        let spare = || lock(&self.spare);
        let measure = self.settings.measure;
        let kept = spare().pop();
        let mut scratch = kept.unwrap_or_else(|| RecordScratch {
            processed: String::new(),
            query: Query::new(&self.reference, measure),
            pair: PairScratch::new(&self.reference, measure),
            filter: BlockFilter::default(),
            bounds: UpperBounds::default(),
        });
        let text = if self.settings.process {
            process::process(text, &mut scratch.processed);
            &scratch.processed
        } else {
            text
        };
        scratch.query.set(text, &self.reference, measure);
        let found = self.find_by_measure(&mut scratch);
        if scratch.query.bytes() <= MAX_KEPT_BYTES {
            spare().push(scratch);
        }
        found
    }

    /// Selects the measure once per record instead of once per pair.
    fn find_by_measure(&self, scratch: &mut RecordScratch<S>) -> (Vec<Found>, Pairs) {
        let reference = &self.reference;
        match self.settings.measure {
            Measure::Ratio => self.find_with(scratch, |query, position, cutoff, pair| {
                compare::ratio(&query.text.pattern, reference.text(position), cutoff, pair)
            }),
            Measure::Indel => self.find_with(scratch, |query, position, cutoff, pair| {
                compare::indel(&query.text.pattern, reference.text(position), cutoff, pair)
            }),
            Measure::Levenshtein => self.find_with(scratch, |query, position, cutoff, pair| {
                let text = reference.text(position);
                compare::levenshtein::<false, S>(&query.text.pattern, text, cutoff, pair)
            }),
            Measure::Osa => self.find_with(scratch, |query, position, cutoff, pair| {
                let text = reference.text(position);
                compare::levenshtein::<true, S>(&query.text.pattern, text, cutoff, pair)
            }),
            Measure::Jaro => self.find_with(scratch, |query, position, cutoff, pair| {
                compare::jaro::<false, S>(&query.text, reference.text(position), cutoff, pair)
            }),
            Measure::JaroWinkler => self.find_with(scratch, |query, position, cutoff, pair| {
                compare::jaro::<true, S>(&query.text, reference.text(position), cutoff, pair)
            }),
            Measure::Partial => self.find_with(scratch, |query, position, cutoff, pair| {
                compare::partial(&query.text, reference.text(position), cutoff, pair)
            }),
            Measure::TokenSort => self.find_with(scratch, |query, position, cutoff, pair| {
                token_measures::token_sort(query, reference.tokens(position), cutoff, pair)
            }),
            Measure::TokenSet => self.find_with(scratch, |query, position, cutoff, pair| {
                token_measures::token_set(query, reference.tokens(position), cutoff, pair)
            }),
            Measure::TokenRatio => self.find_with(scratch, |query, position, cutoff, pair| {
                token_measures::token_ratio(query, reference.tokens(position), cutoff, pair)
            }),
            Measure::Wratio => self.find_with(scratch, |query, position, cutoff, pair| {
                let (text, tokens) = (reference.text(position), reference.tokens(position));
                weighted::weighted(query, text, tokens, cutoff, pair)
            }),
        }
    }

    fn find_with(
        &self,
        scratch: &mut RecordScratch<S>,
        score: impl Fn(&Query<S>, usize, f64, &mut PairScratch<S>) -> f64 + Sync,
    ) -> (Vec<Found>, Pairs) {
        let wanted = self.settings.best.min(self.len());
        if wanted == 0 {
            (Vec::new(), Pairs::default())
        } else if self.settings.measure.reads_sets() {
            self.find_by_texts(scratch, wanted, score)
        } else {
            self.find_by_blocks(scratch, wanted, score)
        }
    }

    /// Filters the texts one by one, and then compares, in order, the texts that may be among the best.
    fn find_by_texts(
        &self,
        scratch: &mut RecordScratch<S>,
        wanted: usize,
        score: impl Fn(&Query<S>, usize, f64, &mut PairScratch<S>) -> f64 + Sync,
    ) -> (Vec<Found>, Pairs) {
        let RecordScratch {
            query,
            pair,
            bounds,
            ..
        } = scratch;
        bounds.compute(query, &self.reference, self.settings.measure);
        let bounds = &bounds.scores;
        let needed = self.needed_score(bounds, wanted, &mut |position, cutoff| {
            score(query, position, cutoff, pair)
        });
        let (found, compared) = if parallel::is_available() {
            let pool = ScratchPool {
                take: &|| self.take_pair_scratch(None),
                put_back: &|pair| lock(&self.spare_pairs).push(pair),
            };
            let counted = |pair: &mut PairScratch<S>, position: usize, cutoff: f64| {
                let before = pair.comparisons;
                let score = score(query, position, cutoff, pair);
                (score, pair.comparisons != before)
            };
            let filter = TextFilter {
                bounds,
                index: &|position| self.reference.index(position),
                cutoff: self.settings.cutoff,
                wanted,
            };
            let (positions, compared) = filter.finalists(needed, pool, &counted);
            let finalists = positions.into_iter();
            let finalists = finalists.map(|position| self.candidate(position, f64::INFINITY));
            let in_order = |position: usize, cutoff: f64| score(query, position, cutoff, pair);
            let finalists = finalists.collect();
            let found = select::best(self.settings, finalists, needed, wanted, in_order);
            (found, compared)
        } else {
            let mut compared = 0;
            let counted = |position: usize, cutoff: f64| {
                let before = pair.comparisons;
                let score = score(query, position, cutoff, pair);
                compared += u64::from(pair.comparisons != before);
                score
            };
            let promising = (0..self.len()).filter(|position| bounds[*position] >= needed);
            let promising = promising.map(|position| self.candidate(position, bounds[position]));
            let promising = promising.collect();
            let found = select::best(self.settings, promising, needed, wanted, counted);
            (found, compared)
        };
        let mut pairs = Pairs {
            compared,
            ..Pairs::default()
        };
        pairs.skipped.tokens = self.len() as u64 - compared;
        (found, pairs)
    }

    /// Filters the texts block by block, and then compares, in order, the texts that may be among the best.
    fn find_by_blocks(
        &self,
        scratch: &mut RecordScratch<S>,
        wanted: usize,
        score: impl Fn(&Query<S>, usize, f64, &mut PairScratch<S>) -> f64 + Sync,
    ) -> (Vec<Found>, Pairs) {
        let RecordScratch {
            query,
            pair,
            filter,
            ..
        } = scratch;
        let reference = &self.reference;
        let Matching {
            measure, cutoff, ..
        } = self.settings;
        let (text, symbols) = query.compared(measure);
        let filter_query = FilterQuery {
            measure,
            cutoff,
            wanted,
            length: text.length(),
            symbols,
        };
        let pattern = &text.pattern;
        let blocks = reference.compared_blocks(measure);
        let pool = ScratchPool {
            take: &|| self.take_pair_scratch(Some(pattern)),
            put_back: &|pair| lock(&self.spare_pairs).push(pair),
        };
        let pairs = filter.run(
            filter_query,
            blocks,
            pool,
            &|pair, positions, cutoff, scores| {
                let positions = positions.iter().map(|position| *position as usize);
                let texts = positions
                    .clone()
                    .map(|position| reference.compared(position, measure));
                match measure {
                    Measure::Indel => compare::indels(pattern, texts, pair, scores),
                    Measure::Ratio | Measure::TokenSort => {
                        compare::indels(pattern, texts, pair, scores);
                        scores.iter_mut().for_each(|score| *score *= 100.0);
                    }
                    Measure::Levenshtein => {
                        compare::levenshteins(pattern, texts, cutoff, pair, scores);
                    }
                    _ => scores
                        .extend(positions.map(|position| score(query, position, cutoff, pair))),
                }
            },
        );
        let finalists = filter
            .finalists()
            .map(|position| self.candidate(position as usize, f64::INFINITY));
        let in_order = |position: usize, cutoff: f64| score(query, position, cutoff, pair);
        let finalists = finalists.collect();
        let found = select::best(self.settings, finalists, cutoff, wanted, in_order);
        (found, pairs)
    }

    fn candidate(&self, position: usize, bound: f64) -> MatchCandidate {
        MatchCandidate {
            index: self.reference.index(position),
            position,
            bound,
        }
    }

    /// Memory to compare pairs, with the table of a pattern if the pattern is to be compared in SIMD lanes.
    fn take_pair_scratch(&self, pattern: Option<&Pattern>) -> PairScratch<S> {
        let spare = lock(&self.spare_pairs).pop();
        let mut pair =
            spare.unwrap_or_else(|| PairScratch::new(&self.reference, self.settings.measure));
        if let Some(pattern) = pattern {
            pair.lanes.set::<S>(pattern);
        }
        pair
    }

    /// A score that at least `wanted` texts reach, or a slightly lower score. Texts below this score need not be
    /// compared. It is found by comparing the texts with the highest bounds.
    fn needed_score(
        &self,
        bounds: &[f64],
        wanted: usize,
        score: &mut impl FnMut(usize, f64) -> f64,
    ) -> f64 {
        let cutoff = self.settings.cutoff;
        let tried = wanted.saturating_add(TRIED_FIRST);
        if tried >= self.len() {
            return cutoff;
        }
        let mut promising: Vec<usize> = (0..self.len()).collect();
        let by_bound = |one: &usize, other: &usize| bounds[*other].total_cmp(&bounds[*one]);
        promising.select_nth_unstable_by(tried, by_bound);
        let scores = promising[..tried].iter();
        let mut scores: Vec<f64> = scores.map(|position| score(*position, cutoff)).collect();
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
        let least = scores.get(wanted - 1);
        least.map_or(cutoff, |least| cutoff.max(least * JUST_BELOW))
    }
}
