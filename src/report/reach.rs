//! How many workers would still make a run faster.

use std::time::Duration;

use super::Timing;
use crate::execution::WORTH_WAKING;

/// Up to how many workers a run would become faster, and what decides from there on.
///
/// So many workers take the [work](Timing::work) down to the floor: the longest of what no number of
/// workers makes shorter. Beyond, more than half of the time is that floor (Amdahl, 1967), or all of it
/// where it is the longest record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reach {
    /// About so many workers; at least 1.
    pub workers: usize,
    /// How long the floor is.
    pub time: Duration,
    /// What it is.
    pub floor: Floor,
}

/// What no number of workers makes shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Floor {
    /// The longest record.
    LongestRecord,
    /// What one thread does by itself: the beginning, before the others are awake, and the answer.
    OneThread,
    /// Waking one more worker.
    Waking,
}

impl Timing {
    /// What one thread does by itself: it begins alone, and after the last record it works out the
    /// answer.
    pub fn alone(&self) -> Duration {
        let others = self.workers.iter().skip(1).filter(|worker| worker.began());
        let joined = others.map(|worker| worker.from).min();
        let began = self.workers.first().map(|first| first.from);
        let beginning = joined.unwrap_or_default();
        let last = self.workers.iter().map(|worker| worker.until).max();
        beginning.saturating_sub(began.unwrap_or_default())
            + self.wall.saturating_sub(last.unwrap_or_default())
    }

    /// Up to how many workers the run would become faster.
    pub fn reach(&self) -> Reach {
        let (mut time, mut floor) = (WORTH_WAKING, Floor::Waking);
        for (other, name) in [
            (self.alone(), Floor::OneThread),
            (self.span(), Floor::LongestRecord),
        ] {
            if other >= time {
                (time, floor) = (other, name);
            }
        }
        Reach {
            workers: (self.work().div_duration_f64(time) as usize).max(1),
            time,
            floor,
        }
    }
}
