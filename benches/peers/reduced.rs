//! This aggregator computes a total. It is written as a user would write an aggregator, and does no more than the
//! code of the other contenders.

use manyhands::aggregation::Aggregator;

use crate::contenders::Workload;

/// An aggregator whose state is the total of the scores of a workload.
pub struct Reduced<W: Workload>(W::Score);

impl<W: Workload> Reduced<W> {
    pub fn of(workload: &W) -> Self {
        Reduced(workload.nothing())
    }
}

impl<W: Workload> Clone for Reduced<W> {
    fn clone(&self) -> Self {
        Reduced(self.0.clone())
    }
}

impl<W: Workload> Aggregator<W::Score> for Reduced<W> {
    type Output = W::Score;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _: u64, score: &W::Score) {
        W::add(&mut self.0, score);
    }

    fn merge(&mut self, later: Self) {
        W::add(&mut self.0, &later.0);
    }

    fn finish(self) -> W::Score {
        self.0
    }
}
