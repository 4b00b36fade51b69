//! Generates pseudo-random cases, which are the same in every run of the tests.

use std::collections::BTreeSet;
use std::time::Duration;

use manyhands::prelude::*;

use super::case::{Case, LINE_BYTES, SOURCES, Setup, Stop};

/// A generator of pseudo-random numbers, which are the same in every run of the tests.
pub struct Random(pub u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_in(&mut self, end: u64) -> bool {
        self.below(end) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Returns the time that the task takes for each of `records` records.
    fn pauses(&mut self, records: u64, failing: &BTreeSet<u64>) -> Vec<Duration> {
        // On average, one in `rarely` records takes some time. The time of failing records is chosen separately.
        let rarely = self.of(&[1, 1, 8, 30]);
        let most = self.of(&[60, 300, 1_000]);
        let failing_most = self.of(&[1, 300, 1_000]);
        let mut pauses = Vec::new();
        for record in 0..records {
            let most = match failing.contains(&record) {
                true => failing_most,
                false if self.one_in(rarely) => most,
                false => 1,
            };
            pauses.push(Duration::from_micros(self.below(most)));
        }
        pauses
    }

    pub fn case<'s>(&mut self, all_setups: &'s [Setup]) -> Case<'s> {
        let records = self.of(&[3, 20, 60, 60, 400]);
        let period = self.of(&[3, 10, 40]);
        let failing: BTreeSet<u64> = (0..records).filter(|_| self.one_in(period)).collect();
        let period = self.of(&[2, 5, 30, 1_000]);
        let skipping: BTreeSet<u64> = (0..records)
            .filter(|record| !failing.contains(record) && self.one_in(period))
            .collect();
        let record = self.below(records);
        let micros = self.below(20_000);
        let at_most = self.below(8);
        Case {
            records,
            on_failure: self.of(&[
                OnFailure::Stop,
                OnFailure::Skip { at_most: 0 },
                OnFailure::Skip { at_most },
                OnFailure::SkipShare {
                    at_most: at_most as f64 / 1_000.0,
                },
                OnFailure::SKIP,
            ]),
            setup: &all_setups[self.below(all_setups.len() as u64) as usize],
            source: self.of(&SOURCES),
            part_bytes: self.of(&[3, LINE_BYTES, 20, 200]),
            limit: self.of(&[
                Limit::none(),
                Limit::in_flight(3),
                Limit::in_flight(5).per_second(1e5),
                Limit::none().budget(3),
            ]),
            stop: self.of(&[
                Stop::Never,
                Stop::Never,
                Stop::FarDeadline,
                Stop::At(record),
                Stop::Deadline(Duration::from_micros(micros)),
            ]),
            commutative: self.one_in(2),
            gates: None,
            pauses: self.pauses(records, &failing),
            failing,
            skipping,
        }
    }
}
