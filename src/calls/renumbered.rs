//! The indices of records that were numbered again because they are visited as they are answered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Remembers the index in the dataset of those records that a report may name. The others are too many.
#[derive(Debug, Default)]
pub(super) struct Renumbered {
    /// The first records that have failed: their number as they were visited, and their index.
    failed: BTreeMap<u64, u64>,
    /// The last records that have failed, one of which may have ended the run.
    last_failed: VecDeque<(u64, u64)>,
    /// The records with the longest calls: the time, the number, and the index.
    slow: BTreeSet<(Duration, u64, u64)>,
}

impl Renumbered {
    /// How many of the first failures are remembered. A report lists fewer.
    const FIRST: usize = 1_000;
    /// How many of the last failures are remembered. When a failure ends a run, fewer records are being visited.
    const LAST: usize = 4_096;
    /// How many of the slowest records are remembered. A report lists fewer.
    const SLOW: usize = 64;

    /// Notes a record that has been visited.
    pub(super) fn note(&mut self, number: u64, index: u64, in_flight: Duration, has_failed: bool) {
        if has_failed {
            self.failed.insert(number, index);
            if self.failed.len() > Self::FIRST {
                self.failed.pop_last();
            }
            self.last_failed.push_back((number, index));
            if self.last_failed.len() > Self::LAST {
                self.last_failed.pop_front();
            }
        }
        let is_slow = self
            .slow
            .first()
            .is_none_or(|(shortest, ..)| in_flight > *shortest);
        if is_slow || self.slow.len() < Self::SLOW {
            self.slow.insert((in_flight, number, index));
            if self.slow.len() > Self::SLOW {
                self.slow.pop_first();
            }
        }
    }

    /// The index of the record with this number, if it is remembered.
    pub(super) fn index(&self, number: u64) -> Option<u64> {
        let failed = self.failed.get(&number).copied();
        let last = || {
            let last = self.last_failed.iter().find(|(other, _)| *other == number);
            last.map(|(_, index)| *index)
        };
        let slow = || {
            let slow = self.slow.iter().find(|(_, other, _)| *other == number);
            slow.map(|(_, _, index)| *index)
        };
        failed.or_else(last).or_else(slow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_may_name_is_remembered() {
        let mut renumbered = Renumbered::default();
        let records = 1_000_000;
        for number in 0..records {
            let time = Duration::from_micros(number * 7_919 % 1_000_003);
            renumbered.note(number, number * 3, time, number % 10 == 4);
        }
        let last_failed = records - 6;
        for number in [4, 14, 994, last_failed, last_failed - 1_000] {
            assert_eq!(renumbered.index(number), Some(number * 3), "{number}");
        }
        let mut slowest: Vec<u64> = (0..records).collect();
        slowest.sort_by_key(|number| std::cmp::Reverse(number * 7_919 % 1_000_003));
        for number in &slowest[..20] {
            assert_eq!(renumbered.index(*number), Some(number * 3), "{number}");
        }
        assert!(renumbered.failed.len() <= 1_000 && renumbered.slow.len() <= 64);
        assert_eq!(renumbered.index(500_001), None);
    }
}
