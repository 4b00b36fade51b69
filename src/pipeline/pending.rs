//! Scores that do not count yet, because a record before them is not done.

use std::ops::Range;

use crate::aggregation::Aggregator;

/// The scores of consecutive records.
pub(super) struct ScoredRecords<S> {
    pub(super) records: Range<u64>,
    /// The indices of the records that failed or were skipped and so have no score, in ascending order.
    pub(super) without_score: Vec<u64>,
    /// The scores of all other records, in order.
    pub(super) scores: Vec<S>,
}

impl<S> ScoredRecords<S> {
    /// Lets an aggregator observe the scores of the records before record `end`.
    pub(super) fn observe<A: Aggregator<S>>(&self, aggregator: &mut A, end: u64) {
        let end = self.records.end.min(end);
        let (mut next, mut place) = (self.records.start, 0);
        for stop in self.without_score.iter().copied().chain([end]) {
            let stop = stop.min(end);
            let count = stop.saturating_sub(next) as usize;
            if count > 0 {
                aggregator.observe_slice(next, &self.scores[place..place + count]);
            }
            place += count;
            next = next.max(stop + 1);
        }
    }
}

/// Scores of records that a worker has done before their turn.
pub(super) enum PendingScores<S, A> {
    Scores(ScoredRecords<S>),
    /// The partial of a block. The partial counts either as a whole or not at all.
    Partial {
        records: Range<u64>,
        block: usize,
        state: A,
    },
}

impl<S, A> PendingScores<S, A> {
    pub(super) fn records(&self) -> &Range<u64> {
        match self {
            PendingScores::Scores(scores) => &scores.records,
            PendingScores::Partial { records, .. } => records,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An aggregator that keeps each observed slice, with the index of its first record.
    #[derive(Clone, Default)]
    struct Slices(Vec<(u64, Vec<u64>)>);

    impl Aggregator<u64> for Slices {
        type Output = Vec<(u64, Vec<u64>)>;

        fn observe(&mut self, index: u64, score: &u64) {
            self.0.push((index, vec![*score]));
        }

        fn observe_slice(&mut self, first: u64, scores: &[u64]) {
            self.0.push((first, scores.to_vec()));
        }

        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }

        fn finish(self) -> Self::Output {
            self.0
        }
    }

    #[test]
    fn scores_up_to_any_end_are_observed_around_every_failure() {
        const RECORDS: Range<u64> = 5..11;
        for failing in 0..1_u32 << 6 {
            let fails = |record: &u64| failing >> (record - RECORDS.start) & 1 == 1;
            let scores = ScoredRecords {
                records: RECORDS,
                without_score: RECORDS.filter(fails).collect(),
                scores: RECORDS.filter(|record| !fails(record)).collect(),
            };
            for end in 0..RECORDS.end + 3 {
                let mut observed = Slices::default();
                scores.observe(&mut observed, end);
                for (first, scores) in &observed.0 {
                    assert!(!scores.is_empty(), "an empty slice was observed");
                    assert!((*first..).zip(scores).all(|(index, score)| index == *score));
                }
                let observed: Vec<u64> = observed
                    .0
                    .into_iter()
                    .flat_map(|(_, slice)| slice)
                    .collect();
                let expected = RECORDS.filter(|record| *record < end && !fails(record));
                assert!(
                    observed.iter().copied().eq(expected),
                    "{observed:?} before {end}"
                );
            }
        }
    }
}
