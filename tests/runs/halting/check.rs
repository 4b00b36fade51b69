//! Checks that the report of a run has the right content.

use std::fmt;
use std::io::{Cursor, Write as _};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use manyhands::dataset::{Dataset, Records, TextStream};
use manyhands::prelude::*;
use manyhands::report::End;
use manyhands::sink::InOrder;

use super::case::{Case, Lines, Scoring, Shared, Source, Stop, Written, line};
use super::gates::Gate;

/// An aggregator that lists the indices of the observed scores, each as often as it was observed.
#[derive(Clone, Default)]
struct Indices<const COMMUTATIVE: bool>(Vec<u64>);

impl<const COMMUTATIVE: bool> Aggregator<u64> for Indices<COMMUTATIVE> {
    type Output = Vec<u64>;
    const COMMUTATIVE: bool = COMMUTATIVE;

    fn observe(&mut self, index: u64, score: &u64) {
        // No record has the largest possible index, so this value shows that index and score differ.
        self.0.push(if index == *score { index } else { u64::MAX });
    }

    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    fn finish(mut self) -> Vec<u64> {
        if COMMUTATIVE {
            self.0.sort_unstable();
        }
        self.0
    }
}

impl Case<'_> {
    /// Runs the case, and returns an error that says what is wrong with the report.
    pub fn check(&self) -> Result<(), String> {
        let checked = match self.commutative {
            true => self.check_with(Indices::<true>::default()),
            false => self.check_with(Indices::<false>::default()),
        };
        checked.map_err(|wrong| format!("{wrong}\n  in {self}"))
    }

    fn check_with(&self, indices: impl Aggregator<u64, Output = Vec<u64>>) -> Result<(), String> {
        // Tests run at the same time, and their tasks wait for other tasks. If several runs used the global pool
        // at once, the waiting tasks of one run could occupy the threads that another run needs.
        static AMBIENT: Mutex<()> = Mutex::new(());
        let _ambient = (self.setup.name == "ambient").then(|| AMBIENT.lock());

        let numbers = || 0..self.records;
        let text = || numbers().map(line).collect::<String>().into_bytes();
        match self.source {
            Source::Slice => self.check_over::<Vec<u64>>(&numbers().collect(), indices),
            Source::Range => self.check_over::<Range<usize>>(&(0..self.records as usize), indices),
            Source::Iterator => {
                self.check_over::<Records<_, Range<u64>>>(&Records::new(numbers()), indices)
            }
            Source::TextStream => self.check_over::<TextStream<'_>>(
                &TextStream::new("lines.jsonl", Cursor::new(text())),
                indices,
            ),
            Source::Files => {
                let mut file = tempfile::NamedTempFile::with_suffix(".jsonl").expect("a file");
                file.write_all(&text()).expect("room on the disk");
                let lines = TextFiles::open([file.path()]).expect("a file of lines");
                self.check_over::<TextFiles>(&lines.with_part_bytes(self.part_bytes), indices)
            }
        }
    }

    fn check_over<D>(
        &self,
        dataset: &D,
        indices: impl Aggregator<u64, Output = Vec<u64>>,
    ) -> Result<(), String>
    where
        D: Dataset + ?Sized,
        for<'s, 'c, 'r> Scoring<'s, 'c>: Task<D::Record<'r>, Score = u64>,
    {
        let shared = Shared {
            case: self,
            cancel: Cancel::new(),
            halted: Gate::default(),
            written: Mutex::default(),
        };
        let sink = Lines {
            shared: &shared,
            in_order: InOrder::new(Written(&shared.written)),
        };
        let run = || {
            let mut pipeline = Pipeline::new(dataset, Scoring(&shared))
                .executor(&*self.setup.executor)
                .on_failure(self.on_failure)
                .limit(self.limit)
                .scores(&sink);
            pipeline = match self.stop {
                Stop::Never => pipeline,
                Stop::FarDeadline => pipeline.deadline(Duration::from_secs(3_600)),
                Stop::Deadline(after) => pipeline.deadline(after),
                Stop::At(_) => pipeline.cancel(&shared.cancel),
            };
            pipeline.aggregate_so_far((Count::new(), indices))
        };
        let report = match &self.setup.pool {
            Some(pool) => pool.install(run),
            None => run(),
        };
        let report = report.map_err(|error| format!("the run failed: {error}"))?;
        let written = shared.written.lock().expect("nothing panics here");
        self.check_report(&report, &written)
    }

    fn check_report(&self, report: &Report<(u64, Vec<u64>)>, written: &[u8]) -> Result<(), String> {
        let (count, indices) = &report.value;
        let failed: Vec<u64> = self.failing.range(..report.records).copied().collect();
        let skipped = self.skipping.range(..report.records).count();
        let without_score =
            |record: &u64| self.failing.contains(record) || self.skipping.contains(record);
        let scored: Vec<u64> = (0..report.records)
            .filter(|record| !without_score(record))
            .collect();
        let reported: Vec<u64> = report
            .failures
            .iter()
            .map(|failure| failure.index)
            .collect();
        let lines = (0..report.records).map(|record| {
            if self.failing.contains(&record) {
                format!("{record} failed as {record}\n")
            } else if self.skipping.contains(&record) {
                format!("{record} skipped: it needs no score\n")
            } else {
                format!("{record}\n")
            }
        });
        let written = String::from_utf8_lossy(written);
        let equal = |what: &str, found: &dyn fmt::Debug, expected: &dyn fmt::Debug| {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            if found == expected {
                return Ok(());
            }
            let records = report.records;
            Err(format!(
                "{what} of {records} records: {found}, expected {expected}"
            ))
        };
        equal("scored", &report.scored, &scored.len())?;
        equal("failed", &report.failed, &failed.len())?;
        equal("skipped", &report.skipped, &skipped)?;
        let counted = report.scored + report.failed + report.skipped;
        equal("counted", &counted, &report.records)?;
        let kept = failed.len().min(Report::FAILURES_KEPT);
        equal("failures", &reported, &&failed[..kept])?;
        equal("count", count, &report.scored)?;
        equal("observed", indices, &scored)?;
        equal("written", &written, &lines.collect::<String>())?;
        self.check_end(report)
    }

    fn check_end(&self, report: &Report<(u64, Vec<u64>)>) -> Result<(), String> {
        let halting = self.halting();
        let right = match &report.end {
            End::Finished => report.records == self.records && halting.is_none(),
            End::Stopped(_) => {
                let could_be = matches!(self.stop, Stop::At(_) | Stop::Deadline(_));
                could_be && halting.is_none_or(|halting| report.records <= halting)
            }
            // The share of failures may turn out to be too large only at the end of the run.
            End::Halted(failure) => match halting {
                None => self.exceeds(&failure.index) && report.records == self.records,
                // A partial cannot be divided, so the answer may cover all records of the last partial.
                Some(halting) => {
                    let exactly = report.records == halting + 1;
                    failure.index == halting && (exactly || self.counts_by_blocks())
                }
            },
            _ => false,
        };
        if right {
            return Ok(());
        }
        let (end, records) = (&report.end, report.records);
        Err(format!(
            "{end:?} after {records} records, expected to be halted by {halting:?}"
        ))
    }

    fn counts_by_blocks(&self) -> bool {
        !self.commutative && self.source == Source::Files
    }

    /// Returns the index of the first failure that the policy does not allow, if there is one.
    fn halting(&self) -> Option<u64> {
        let mut failing = (1_u64..).zip(&self.failing);
        let too_many = failing.find(|(failed, index)| match self.on_failure {
            OnFailure::Skip { at_most } => *failed > at_most,
            OnFailure::SkipShare { at_most } => {
                let records = (*index + 1).max(OnFailure::GRACE);
                *failed as f64 > at_most * records as f64
            }
            _ => true,
        });
        too_many.map(|(_, index)| *index)
    }

    /// Whether the share of failures is too large at the end of the run, and `last` is the index of the last failure.
    fn exceeds(&self, last: &u64) -> bool {
        let OnFailure::SkipShare { at_most } = self.on_failure else {
            return false;
        };
        let share = self.failing.len() as f64 / self.records as f64;
        share > at_most && self.failing.last() == Some(last)
    }
}
