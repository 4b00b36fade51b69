//! The best and the worst records together with their texts, which are put by as the records pass,
//! since a stream cannot be read twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Scored;
use crate::aggregation::{Aggregator, Bottom, Ranked, Top};
use crate::dataset::At;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is shown of a record: where it stands, and the text that was scored.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) at: At,
    pub(super) text: String,
}

/// What is shown of the records on the podiums, by their index.
pub(super) type ShownByIndex = HashMap<u64, Arc<Shown>>;

/// The main scores that a record must reach to be among the best or the worst, as far as is known:
/// of any other the text need not be copied.
///
/// Each is the bar of some worker's podium, so whatever the order they are told in, no record of the
/// final podium stays below. They are of the scores observed, never of those merely worked out, which
/// a run that stops may yet leave out.
#[derive(Debug)]
pub(super) struct Bars {
    /// As the bits of an `f64`.
    best: AtomicU64,
    worst: AtomicU64,
}

impl Bars {
    /// The bars of podiums with so many places.
    pub(super) fn new(places: usize) -> Self {
        Bars {
            best: AtomicU64::new(Top::new(places).bar().to_bits()),
            worst: AtomicU64::new(Bottom::new(places).bar().to_bits()),
        }
    }

    /// The bar of the best and that of the worst, to be [set](Bars::set) in another process.
    pub(super) fn both(&self) -> (f64, f64) {
        (self.best(), self.worst())
    }

    /// Takes over the bars of another process.
    pub(super) fn set(&self, (best, worst): (f64, f64)) {
        self.best.store(best.to_bits(), Relaxed);
        self.worst.store(worst.to_bits(), Relaxed);
    }

    fn best(&self) -> f64 {
        f64::from_bits(self.best.load(Relaxed))
    }

    fn worst(&self) -> f64 {
        f64::from_bits(self.worst.load(Relaxed))
    }

    pub(super) fn are_reached(&self, score: f64) -> bool {
        score >= self.best() || score <= self.worst()
    }

    /// A bar that is lowered again by a worker who looked a moment ago costs a few texts, no more.
    fn raise(&self, best: f64, worst: f64) {
        if best > self.best() {
            self.best.store(best.to_bits(), Relaxed);
        }
        if worst < self.worst() {
            self.worst.store(worst.to_bits(), Relaxed);
        }
    }
}

/// The records with the highest and with the lowest main score, and what is shown of them.
#[derive(Clone)]
pub(super) struct Podiums {
    main: usize,
    places: usize,
    best: Top,
    worst: Bottom,
    /// Of those on the podiums, and of some that were.
    shown: ShownByIndex,
    bars: Arc<Bars>,
}

impl Podiums {
    /// Podiums with so many places, by the scores in the column `main`.
    pub(super) fn new(places: usize, main: usize, bars: Arc<Bars>) -> Self {
        Podiums {
            main,
            places,
            best: Top::new(places),
            worst: Bottom::new(places),
            shown: HashMap::new(),
            bars,
        }
    }

    /// Takes in a record that had reached the bars when it was scored.
    fn admit(&mut self, index: u64, score: f64, shown: &Arc<Shown>) {
        if score >= self.best.bar() || score <= self.worst.bar() {
            self.best.observe(index, &score);
            self.worst.observe(index, &score);
            self.shown.insert(index, Arc::clone(shown));
            self.settle();
        }
    }

    fn drop_fallen(&mut self) {
        let best = self.best.clone().finish();
        let worst = self.worst.clone().finish();
        let standing = best.iter().chain(&worst).map(|ranked| ranked.index);
        let standing: HashSet<u64> = standing.collect();
        self.shown.retain(|index, _| standing.contains(index));
    }

    /// After records have come: not at each of them, as it looks at all.
    fn settle(&mut self) {
        if self.shown.len() / 3 > self.places {
            self.drop_fallen();
        }
        self.bars.raise(self.best.bar(), self.worst.bar());
    }
}

impl Aggregator<Scored> for Podiums {
    type Output = (Vec<Ranked>, Vec<Ranked>, ShownByIndex);
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, scored: &Scored) {
        // A record of which nothing is shown has not reached the bars, or has no score.
        if let Some(shown) = &scored.shown
            && let Some(score) = scored.cells()[self.main].number()
        {
            self.admit(index, score, shown);
        }
    }

    fn merge(&mut self, later: Self) {
        self.best.merge(later.best);
        self.worst.merge(later.worst);
        self.shown.extend(later.shown);
        self.settle();
    }

    fn finish(mut self) -> Self::Output {
        self.drop_fallen();
        (self.best.finish(), self.worst.finish(), self.shown)
    }
}

#[cfg(test)]
mod tests {
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

    /// The records ranked, by the best or by the worst first.
    fn ranked(scores: &[f64], places: usize, best: bool) -> Vec<(u64, u64)> {
        let mut all: Vec<_> = (0..)
            .zip(scores)
            .filter(|(_, score)| !score.is_nan())
            .collect();
        all.sort_by(|(_, a), (_, b)| if best { b.total_cmp(a) } else { a.total_cmp(b) });
        all.truncate(places);
        all.into_iter()
            .map(|(index, score)| (index, score.to_bits()))
            .collect()
    }

    proptest! {
        /// Workers hold scores for a while before they are observed, and at a stop the last ones of
        /// all never are.
        #[test]
        fn whoever_stands_in_the_end_is_shown(
            records in proptest::collection::vec((score(), 0_usize..3, any::<u8>()), 0..120),
            places in 0_usize..6,
            held in 0_usize..5,
            left_out in 0_usize..20,
        ) {
            let bars = Arc::new(Bars::new(places));
            let root = Podiums::new(places, 0, Arc::clone(&bars));
            let observed = records.len().saturating_sub(left_out);
            let mut workers = vec![(root.fork(), VecDeque::new()); 3];
            let all_but = |podiums: &mut Podiums, queue: &mut VecDeque<_>, held| {
                while queue.len() > held {
                    match queue.pop_front() {
                        Some((index, score, Some(shown))) if index < observed as u64 => {
                            podiums.admit(index, score, &shown);
                        }
                        _ => {}
                    }
                }
            };
            let mut in_any_order: Vec<_> = records.iter().enumerate().collect();
            in_any_order.sort_by_key(|(_, record)| record.2);
            for (index, (score, worker, _)) in in_any_order {
                let at = At { index: index as u64, file: 0, line: 1, fetched: false };
                let shown = bars.are_reached(*score).then(|| Arc::new(Shown { at, text: index.to_string() }));
                let (podiums, queue) = &mut workers[*worker];
                queue.push_back((at.index, *score, shown));
                all_but(podiums, queue, held);
            }
            let mut root = root;
            for (mut podiums, mut queue) in workers {
                all_but(&mut podiums, &mut queue, 0);
                prop_assert!(podiums.shown.len() <= 3 * places + 3);
                root.merge(podiums);
            }
            let (best, worst, shown) = root.finish();
            let scores: Vec<f64> = records[..observed].iter().map(|record| record.0).collect();
            for (found, highest) in [(best, true), (worst, false)] {
                for found in &found {
                    let number = found.index.to_string();
                    prop_assert_eq!(Some(&number), shown.get(&found.index).map(|shown| &shown.text));
                }
                let found: Vec<_> = found.iter().map(|found| (found.index, found.score.to_bits())).collect();
                prop_assert_eq!(found, ranked(&scores, places, highest));
            }
        }
    }
}
