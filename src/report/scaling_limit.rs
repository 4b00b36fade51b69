//! Up to how many workers a run becomes faster.

use std::time::Duration;

use super::Timing;
use crate::execution::WORTH_WAKING;

/// Up to how many workers a run would become faster, and what limits it beyond that number.
///
/// With this number of workers, the [work](Timing::work) of each worker takes as long as the floor, which is
/// the longest of the times that no number of workers makes shorter. With more workers, the floor takes more
/// than half of the run (Amdahl, 1967), or the whole run if the floor is the longest record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScalingLimit {
    /// The approximate number of workers; at least 1.
    pub workers: usize,
    /// The length of the floor.
    pub time: Duration,
    /// Which of the possible times is the floor.
    pub floor: Floor,
}

/// A time that no number of workers makes shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Floor {
    /// The time of the longest record.
    LongestRecord,
    /// The time in which one thread works alone: before the other workers are awake, and while it computes the
    /// answer.
    OneThread,
    /// The time to wake one more worker.
    Waking,
}

impl Timing {
    /// The time in which one thread works alone: before the other workers are awake, and after the last
    /// record, when it computes the answer.
    pub fn serial(&self) -> Duration {
        let others = self.workers.iter().skip(1).filter(|worker| worker.began());
        let joined = others.map(|worker| worker.from).min();
        let began = self.workers.first().map(|first| first.from);
        let beginning = joined.unwrap_or_default();
        let last = self.workers.iter().map(|worker| worker.until).max();
        beginning.saturating_sub(began.unwrap_or_default())
            + self.wall.saturating_sub(last.unwrap_or_default())
    }

    /// Up to how many workers the run would become faster.
    pub fn scaling_limit(&self) -> ScalingLimit {
        let (mut time, mut floor) = (WORTH_WAKING, Floor::Waking);
        for (other, name) in [
            (self.serial(), Floor::OneThread),
            (self.span(), Floor::LongestRecord),
        ] {
            if other >= time {
                (time, floor) = (other, name);
            }
        }
        ScalingLimit {
            workers: (self.work().div_duration_f64(time) as usize).max(1),
            time,
            floor,
        }
    }
}
