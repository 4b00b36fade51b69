//! The records of a dataset, each with the answer of its call.

use std::cell::Cell;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::CallControl;
use super::renumbered::Renumbered;
use super::surroundings::CallSurroundings;
use super::tally::CallTally;
use super::window::{AnsweredEntry, CallWindow, TICK, TakenAnswers};
use crate::dataset::{Dataset, LentRecord, Position, ReadOutcome};
use crate::error::{BadRecord, Cause, Error, Interrupted, Place};
use crate::stop::{Cancel, StopReason};
use crate::sync::{Mutex, lock};

/// The records of a dataset, each with the answer of its call. It is a stream of [`AwaitedRecord`]s in the order of the
/// records.
pub struct Awaited<'a, D, O, S> {
    pub(super) records: &'a D,
    pub(super) window: &'a CallWindow<O, S>,
    pub(super) around: CallSurroundings<'a, O, S>,
    pub(super) stop: &'a Cancel,
    pub(super) tally: &'a Mutex<CallTally>,
    pub(super) control: CallControl,
    /// The indices of records, if they are visited as they are answered.
    pub(super) renumbered: Option<Mutex<Renumbered>>,
}

/// A record with the answer of its call.
pub struct AwaitedRecord<O, S> {
    record: Arc<O>,
    outcome: Cell<Option<Result<S, Cause>>>,
    in_flight: Duration,
    index: u64,
    /// Whether the record has no score, as far as is known.
    has_failed: Cell<bool>,
}

impl<O, S> AwaitedRecord<O, S> {
    /// The record.
    pub fn record(&self) -> &O {
        &self.record
    }

    /// Takes the score, or the reason why there is none. This can be done only once.
    ///
    /// # Errors
    ///
    /// Returns the reason why the record has no score.
    pub fn take(&self) -> Result<S, Cause> {
        let outcome = self.outcome.take();
        outcome.unwrap_or_else(|| Err(Interrupted.into()))
    }

    /// The index of the record in the dataset, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Notes whether a further step for this record has failed.
    pub(crate) fn set_failed(&self, has_failed: bool) {
        self.has_failed.set(has_failed);
    }

    /// The time in flight of all calls for this record.
    pub fn in_flight(&self) -> Duration {
        self.in_flight
    }
}

impl<D, O, S> Awaited<'_, D, O, S> {
    /// The numbers of the calls so far.
    pub fn tally(&self) -> CallTally {
        let mut tally = lock(self.tally).clone();
        tally.spent = self.control.spent();
        tally
    }

    /// Visits records with their answers.
    fn visit<V>(&self, mut answered: Vec<AnsweredEntry<O, S>>, mut visit: V)
    where
        V: FnMut(Position, Result<&AwaitedRecord<O, S>, BadRecord>) -> ControlFlow<()>,
    {
        if let Some(check) = self.around.check
            && let Some(first) = answered.first().map(|record| record.at.index)
        {
            let outcome = |record: &mut AnsweredEntry<O, S>| {
                let interrupted = || Err(Cause::from(Interrupted));
                record.outcome.take().unwrap_or_else(interrupted)
            };
            let mut outcomes: Vec<_> = answered.iter_mut().map(outcome).collect();
            check(first, &mut outcomes, &|| self.stop.is_cancelled());
            for (record, outcome) in answered.iter_mut().zip(outcomes) {
                record.outcome = Some(outcome);
            }
        }
        // A line end follows each record of a text.
        let bytes = answered.iter().map(|record| match record.bytes {
            0 => 0,
            bytes => bytes as u64 + 1,
        });
        (self.around.progress)(bytes.sum());
        for answered in answered {
            let flow = match answered.record {
                Ok(record) => {
                    let has_failed = !matches!(answered.outcome, Some(Ok(_)));
                    let record = AwaitedRecord {
                        record,
                        outcome: Cell::new(answered.outcome),
                        in_flight: answered.in_flight,
                        index: answered.index,
                        has_failed: Cell::new(has_failed),
                    };
                    let flow = visit(answered.at, Ok(&record));
                    if let Some(renumbered) = &self.renumbered {
                        lock(renumbered).note(
                            answered.at.index,
                            record.index,
                            record.in_flight,
                            record.has_failed.get(),
                        );
                    }
                    flow
                }
                Err(bad) => visit(answered.at, Err(bad)),
            };
            if flow.is_break() {
                return;
            }
        }
    }
}

impl<D, O, S> Dataset for Awaited<'_, D, O, S>
where
    D: Dataset,
    O: Send + Sync,
    S: Send,
{
    type Record<'r> = AwaitedRecord<O, S>;

    fn parts(&self) -> usize {
        usize::MAX
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn close(&self) {
        self.window.close(true);
        self.records.close();
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&AwaitedRecord<O, S>, BadRecord>) -> ControlFlow<()>,
    {
        /// Notes the end of a visit, also if the visit panics.
        struct Visiting<'w, O, S>(&'w CallWindow<O, S>);

        impl<O, S> Drop for Visiting<'_, O, S> {
            fn drop(&mut self) {
                self.0.visited();
            }
        }

        let began = Instant::now();
        let most = parts.len().max(1);
        let memory = self.around.memory;
        let confirm = |at| memory.map_or(Ok(true), |memory| memory.wait(at, TICK));
        let stop = || self.stop.is_cancelled();
        let taken = self.window.take_done(most, stop, confirm);
        let waited = began.elapsed();
        let ended = match taken {
            TakenAnswers::Records(records) => {
                let _visiting = Visiting(self.window);
                self.visit(records, visit);
                false
            }
            TakenAnswers::Ended => true,
        };
        if ended && let Some(error) = self.window.take_error() {
            return Err(error);
        }
        if ended && self.stop.is_cancelled() {
            // The thread that reads the records may wait for an input that is silent.
            self.close();
        }
        if ended && lock(self.tally).is_spent {
            self.stop.cancel_with(StopReason::Budget);
            self.close();
        }
        Ok(ReadOutcome { waited, ended })
    }

    fn time_elsewhere(&self, record: &AwaitedRecord<O, S>) -> Option<Duration> {
        Some(record.in_flight)
    }

    fn lend<'r>(&self, record: &'r AwaitedRecord<O, S>) -> Option<LentRecord<'r>> {
        self.around.lend.and_then(|lend| lend(&record.record))
    }

    fn place(&self, at: Position) -> Option<Place> {
        self.records.place(at)
    }

    fn index_in_input(&self, index: u64) -> u64 {
        let renumbered = self.renumbered.as_ref();
        let renumbered = renumbered.and_then(|renumbered| lock(renumbered).index(index));
        self.records.index_in_input(renumbered.unwrap_or(index))
    }
}

impl<O: fmt::Debug, S> fmt::Debug for AwaitedRecord<O, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitedRecord")
            .field("record", &self.record)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
