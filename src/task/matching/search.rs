//! One record against the whole reference: the best matches, and nothing kept of the others.

use std::sync::{Mutex, PoisonError};

use super::alphabet::Symbol;
use super::compare::{self, Desk};
use super::query::Query;
use super::reference::{Collected, Reference};
use super::{Found, Matching, Measure, process, token_measures};

/// A prepared reference and what it takes to search it.
#[derive(Debug)]
pub(super) struct Search<S> {
    settings: Matching,
    reference: Reference<S>,
    /// Working memory that no worker has in its hands.
    spare: Mutex<Vec<Worktable<S>>>,
}

/// What a worker needs for one record.
#[derive(Debug)]
struct Worktable<S> {
    processed: String,
    query: Query<S>,
    desk: Desk<S>,
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

    /// The best matches of a text, best first, and how many texts were compared with it symbol by
    /// symbol.
    pub(super) fn find(&self, text: &str) -> (Vec<Found>, u64) {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let measure = self.settings.measure;
        let kept = spare().pop();
        let mut table = kept.unwrap_or_else(|| Worktable {
            processed: String::new(),
            query: Query::new(&self.reference, measure),
            desk: Desk::new(&self.reference, measure),
        });
        let text = if self.settings.process {
            process::process(text, &mut table.processed);
            &table.processed
        } else {
            text
        };
        table.query.set(text, &self.reference, measure);
        let found = self.find_by_measure(&table.query, &mut table.desk);
        if table.query.bytes() <= KEPT_BYTES {
            spare().push(table);
        }
        found
    }

    /// Picks the measure once, and not for every pair.
    fn find_by_measure(&self, query: &Query<S>, desk: &mut Desk<S>) -> (Vec<Found>, u64) {
        let reference = &self.reference;
        let pattern = &query.text.pattern;
        match self.settings.measure {
            Measure::Ratio => self.find_with(desk, |index, cutoff, desk| {
                compare::ratio(pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Indel => self.find_with(desk, |index, cutoff, desk| {
                compare::indel(pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Levenshtein => self.find_with(desk, |index, cutoff, desk| {
                compare::levenshtein::<false, S>(pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Osa => self.find_with(desk, |index, cutoff, desk| {
                compare::levenshtein::<true, S>(pattern, reference.text(index), cutoff, desk)
            }),
            Measure::Jaro => self.find_with(desk, |index, cutoff, desk| {
                compare::jaro::<false, S>(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::JaroWinkler => self.find_with(desk, |index, cutoff, desk| {
                compare::jaro::<true, S>(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::Partial => self.find_with(desk, |index, cutoff, desk| {
                compare::partial(&query.text, reference.text(index), cutoff, desk)
            }),
            Measure::TokenSort => self.find_with(desk, |index, cutoff, desk| {
                token_measures::token_sort(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::TokenSet => self.find_with(desk, |index, cutoff, desk| {
                token_measures::token_set(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::TokenRatio => self.find_with(desk, |index, cutoff, desk| {
                token_measures::token_ratio(query, reference.tokens(index), cutoff, desk)
            }),
            Measure::Wratio => self.find_with(desk, |index, cutoff, desk| {
                let (text, tokens) = (reference.text(index), reference.tokens(index));
                compare::weighted(query, text, tokens, cutoff, desk)
            }),
        }
    }

    fn find_with(
        &self,
        desk: &mut Desk<S>,
        score: impl Fn(usize, f64, &mut Desk<S>) -> f64,
    ) -> (Vec<Found>, u64) {
        let mut compared = 0;
        let mut counted = |index: usize, cutoff: f64| {
            let before = desk.comparisons;
            let score = score(index, cutoff, desk);
            compared += u64::from(desk.comparisons != before);
            score
        };
        let found = match self.settings.best {
            0 => Vec::new(),
            1 => self.best_one(&mut counted).into_iter().collect(),
            several => self.best_few(several, &mut counted),
        };
        (found, compared)
    }

    /// RapidFuzz's `extractOne`: each score that is larger than all before is the cutoff for those
    /// that come after, so that of equals the first one wins.
    fn best_one(&self, score: &mut impl FnMut(usize, f64) -> f64) -> Option<Found> {
        let most = self.settings.measure.most();
        let mut best: Option<Found> = None;
        let mut cutoff = self.settings.cutoff;
        for index in 0..self.len() {
            let score = score(index, cutoff);
            if score >= cutoff && best.is_none_or(|best| score > best.score) {
                best = Some(Found { index, score });
                cutoff = score;
                if score == most {
                    break;
                }
            }
        }
        best
    }

    /// RapidFuzz's `extract`: the largest scores, of equals the first ones.
    ///
    /// There every score is worked out at the cutoff that was asked for. Here the cutoff rises to
    /// just below the least of those that are wanted so far: near enough to rule others out, and far
    /// enough not to round any of them away.
    fn best_few(&self, several: usize, score: &mut impl FnMut(usize, f64) -> f64) -> Vec<Found> {
        const BELOW: f64 = 1.0 - 1e-9;
        let mut best: Vec<Found> = Vec::new();
        let mut cutoff = self.settings.cutoff;
        for index in 0..self.len() {
            let score = score(index, cutoff);
            if score < self.settings.cutoff {
                continue;
            }
            let place = best.partition_point(|found| found.score >= score);
            if place == several {
                continue;
            }
            best.truncate(several - 1);
            best.insert(place, Found { index, score });
            if let Some(least) = best.get(several - 1) {
                cutoff = self.settings.cutoff.max(least.score * BELOW);
            }
        }
        best
    }
}
