//! The best and the worst records with their texts. The texts are copied as the records are read, since a stream
//! cannot be read twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Scored;
use super::plain_place::PlainPlace;
use super::scorer::Cells;
use super::thresholds::Thresholds;
use crate::aggregation::{Aggregator, Bottom, Kind, Ranked, Shift, State, StateError, Top};
use crate::dataset::Position;
use crate::error::Place;

/// One of the best or worst records.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Example {
    /// Index of the record, counted from 0.
    pub index: u64,
    /// The main score of the record.
    pub score: f64,
    /// The file and line of the record. The canonical bytes of an answer do not contain them, so that copies of a
    /// file give the same answer.
    #[serde(skip)]
    pub place: Option<Place>,
    /// The text that was scored. The canonical bytes of an answer do not contain it.
    #[serde(skip)]
    pub text: String,
    /// The best match of the record, if the scorer has a reference. The canonical bytes of an answer do not contain
    /// it.
    #[serde(skip)]
    pub matched: Option<ExampleMatch>,
}

/// The best match of a record in a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExampleMatch {
    /// The line of the reference, from 1, in which the matched record begins.
    pub line: u64,
    /// The matched text.
    pub text: String,
}

impl ExampleMatch {
    fn of(cells: &Cells) -> Option<Self> {
        let quote = cells.best_match()?;
        Some(ExampleMatch {
            line: quote.line(),
            text: quote.value().as_text()?.into_owned(),
        })
    }
}

/// A record that may become one of the best or worst: its position, and the text that was scored.
#[derive(Debug, PartialEq)]
pub(super) struct ExampleCandidate {
    pub(super) at: Position,
    pub(super) text: String,
    pub(super) matched: Option<ExampleMatch>,
}

impl ExampleCandidate {
    /// A record with this text and these cells.
    pub(super) fn of(at: Position, text: String, cells: &Cells) -> Self {
        let matched = ExampleMatch::of(cells);
        ExampleCandidate { at, text, matched }
    }
}

/// The records with the highest and with the lowest main score, with their places and texts. `P` gives the
/// file and line of a position.
#[derive(Clone)]
pub(super) struct Leaderboard<P> {
    size: usize,
    best: Top,
    worst: Bottom,
    /// The entries of the records on the leaderboard, by the index of the record. Some records that have left the
    /// leaderboard may still have an entry.
    entries: HashMap<u64, LeaderboardEntry>,
    thresholds: Arc<Thresholds>,
    place: P,
}

/// The data of a record that the answer shows.
#[derive(Clone)]
struct LeaderboardEntry {
    place: Option<Place>,
    candidate: Arc<ExampleCandidate>,
}

impl<P> Leaderboard<P> {
    /// Creates an empty leaderboard for the `size` best and the `size` worst records.
    pub(super) fn new(size: usize, thresholds: Arc<Thresholds>, place: P) -> Self {
        Leaderboard {
            size,
            best: Top::new(size),
            worst: Bottom::new(size),
            entries: HashMap::new(),
            thresholds,
            place,
        }
    }

    /// Adds a record whose main score had reached a threshold when the record was scored.
    fn admit(&mut self, index: u64, score: f64, candidate: &Arc<ExampleCandidate>)
    where
        P: Fn(Position) -> Option<Place>,
    {
        if score >= self.best.threshold() || score <= self.worst.threshold() {
            self.best.observe(index, &score);
            self.worst.observe(index, &score);
            let place = (self.place)(candidate.at);
            let candidate = Arc::clone(candidate);
            self.entries
                .insert(index, LeaderboardEntry { place, candidate });
            self.settle();
        }
    }

    /// The indices of the records on the leaderboard.
    fn ranked(&self) -> HashSet<u64> {
        let best = self.best.clone().finish();
        let worst = self.worst.clone().finish();
        best.iter().chain(&worst).map(|one| one.index).collect()
    }

    /// Drops the entries of records that have left the leaderboard.
    fn drop_others(&mut self) {
        let ranked = self.ranked();
        self.entries.retain(|index, _| ranked.contains(index));
    }

    /// Updates the thresholds, and drops the entries of records that have left the leaderboard. Call it after adding
    /// records. Dropping visits all entries, so nothing is dropped until there are more than `3 * size`.
    fn settle(&mut self) {
        if self.entries.len() / 3 > self.size {
            self.drop_others();
        }
        self.thresholds.raise(&self.best, &self.worst);
    }
}

impl<P> Aggregator<Scored> for Leaderboard<P>
where
    P: Fn(Position) -> Option<Place> + Clone + Send + Sync,
{
    /// The best records, best first, and the worst records, worst first.
    type Output = (Vec<Example>, Vec<Example>);
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, scored: &Scored) {
        // A record that has not reached a threshold, or has no main score, is not a candidate.
        if let (Some(candidate), Some(score)) = (&scored.candidate, scored.main()) {
            self.admit(index, score, candidate);
        }
    }

    fn merge(&mut self, later: Self) {
        self.best.merge(later.best);
        self.worst.merge(later.worst);
        self.entries.extend(later.entries);
        self.settle();
    }

    fn finish(self) -> Self::Output {
        let entries = self.entries;
        let example = |ranked: Ranked| {
            let entry = entries.get(&ranked.index)?;
            Some(Example {
                index: ranked.index,
                score: ranked.score,
                place: entry.place.clone(),
                text: entry.candidate.text.clone(),
                matched: entry.candidate.matched.clone(),
            })
        };
        let (best, worst) = (self.best.finish(), self.worst.finish());
        let examples = |ranked: Vec<Ranked>| ranked.into_iter().filter_map(example).collect();
        (examples(best), examples(worst))
    }
}

/// An entry of the leaderboard, as plain data.
#[derive(Serialize, Deserialize)]
pub(super) struct PlainEntry {
    index: u64,
    place: Option<PlainPlace>,
    text: String,
    matched: Option<ExampleMatch>,
}

impl<P: Clone> State for Leaderboard<P> {
    /// The best records, the worst records, and the entries of both by the index of the record.
    type Plain = (
        <Top as State>::Plain,
        <Bottom as State>::Plain,
        Vec<PlainEntry>,
    );

    fn kind(&self) -> Kind {
        let sides = [self.best.kind(), self.worst.kind()];
        Kind::new("leaderboard", 2).around(sides)
    }

    fn into_plain(mut self) -> Self::Plain {
        self.drop_others();
        let entries = self.entries.into_iter();
        let mut entries: Vec<PlainEntry> = entries
            .map(|(index, entry)| PlainEntry {
                index,
                place: entry.place.as_ref().map(PlainPlace::from),
                text: entry.candidate.text.clone(),
                matched: entry.candidate.matched.clone(),
            })
            .collect();
        entries.sort_unstable_by_key(|entry| entry.index);
        (self.best.into_plain(), self.worst.into_plain(), entries)
    }

    fn restore(&self, (best, worst, entries): Self::Plain) -> Result<Self, StateError> {
        if !entries.is_sorted_by(|earlier, later| earlier.index < later.index) {
            return Err(StateError::Impossible("entries out of order"));
        }
        if best.len() != worst.len() {
            let reason = "other numbers of best and worst records";
            return Err(StateError::Impossible(reason));
        }
        let entries = entries.into_iter().map(|entry| {
            let candidate = Arc::new(ExampleCandidate {
                at: Position::default(),
                text: entry.text,
                matched: entry.matched,
            });
            let place = entry.place.map(Place::from);
            (entry.index, LeaderboardEntry { place, candidate })
        });
        let restored = Leaderboard {
            size: self.size,
            best: self.best.restore(best)?,
            worst: self.worst.restore(worst)?,
            entries: entries.collect(),
            // The records of another run do not affect the thresholds of this leaderboard until they are merged
            // into it.
            thresholds: Arc::new(Thresholds::new(self.size)),
            place: self.place.clone(),
        };
        let ranked = restored.ranked();
        let entered = restored.entries.len();
        if entered != ranked.len() || !ranked.iter().all(|one| restored.entries.contains_key(one)) {
            return Err(StateError::Impossible("other entries than ranked records"));
        }
        Ok(restored)
    }
}

impl<P> Leaderboard<P> {
    /// Adds to the lines of the first `records` records, counted from index 0.
    pub(super) fn move_lines(&mut self, records: u64, lines: u64) {
        for (index, entry) in &mut self.entries {
            if *index < records
                && let Some(place) = &mut entry.place
            {
                place.line = place.line.saturating_add(lines);
            }
        }
    }
}

impl<P> Shift for Leaderboard<P> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        let entries = self.entries.into_iter().map(|(index, entry)| {
            let index = index.checked_add(by).ok_or(StateError::IndexOverflow)?;
            Ok((index, entry))
        });
        Ok(Leaderboard {
            best: self.best.shift(by)?,
            worst: self.worst.shift(by)?,
            entries: entries.collect::<Result<_, StateError>>()?,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn score() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => (-4_i32..4).prop_map(f64::from),
            2 => any::<f64>(),
            1 => prop_oneof![Just(f64::NAN), Just(-0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        ]
    }

    /// The index and the score's bits of each ranked record, with the best or the worst record first.
    fn ranked(scores: &[f64], size: usize, best: bool) -> Vec<(u64, u64)> {
        let mut all: Vec<_> = (0..)
            .zip(scores)
            .filter(|(_, score)| !score.is_nan())
            .collect();
        all.sort_by(|(_, a), (_, b)| if best { b.total_cmp(a) } else { a.total_cmp(b) });
        all.truncate(size);
        all.into_iter()
            .map(|(index, score)| (index, score.to_bits()))
            .collect()
    }

    fn line(at: Position) -> Option<Place> {
        let path = Arc::from(Path::new("in.jsonl"));
        let (line, column) = (at.index + 1, None);
        Some(Place { path, line, column })
    }

    proptest! {
        /// Workers keep scores for a while before the scores are observed. If a run stops, the last scores are not
        /// observed at all.
        #[test]
        fn every_ranked_record_has_its_text_and_its_place(
            records in proptest::collection::vec((score(), 0_usize..3, any::<u8>()), 0..120),
            size in 0_usize..6,
            pending in 0_usize..5,
            left_out in 0_usize..20,
        ) {
            let thresholds = Arc::new(Thresholds::new(size));
            let root = Leaderboard::new(size, Arc::clone(&thresholds), line);
            let observed = records.len().saturating_sub(left_out);
            let mut workers = vec![(root.fork(), VecDeque::new()); 3];
            let observe_all_but = |board: &mut Leaderboard<_>, queue: &mut VecDeque<_>, pending| {
                while queue.len() > pending {
                    match queue.pop_front() {
                        Some((index, score, Some(candidate))) if index < observed as u64 => {
                            board.admit(index, score, &candidate);
                        }
                        _ => {}
                    }
                }
            };
            let mut in_any_order: Vec<_> = records.iter().enumerate().collect();
            in_any_order.sort_by_key(|(_, record)| record.2);
            for (index, (score, worker, _)) in in_any_order {
                let at = Position { index: index as u64, file: 0, line: 1, ..Position::default() };
                let candidate = ExampleCandidate { at, text: index.to_string(), matched: None };
                let candidate = thresholds.reached_by(at.index, *score).then(|| Arc::new(candidate));
                let (board, queue) = &mut workers[*worker];
                queue.push_back((at.index, *score, candidate));
                observe_all_but(board, queue, pending);
            }
            let mut root = root;
            for (mut board, mut queue) in workers {
                observe_all_but(&mut board, &mut queue, 0);
                prop_assert!(board.entries.len() <= 3 * size + 3);
                root.merge(board);
            }
            let (best, worst) = root.finish();
            let scores: Vec<f64> = records[..observed].iter().map(|record| record.0).collect();
            for (found, highest) in [(best, true), (worst, false)] {
                for found in &found {
                    prop_assert_eq!(&found.text, &found.index.to_string());
                    let line = found.place.as_ref().map(|place| place.line);
                    prop_assert_eq!(line, Some(found.index + 1));
                }
                let found: Vec<_> = found.iter().map(|found| (found.index, found.score.to_bits())).collect();
                prop_assert_eq!(found, ranked(&scores, size, highest));
            }
        }
    }
}
