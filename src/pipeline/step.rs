//! One step of a worker: reads consecutive parts, scores their records, and passes the scores on.

use std::io;
use std::ops::{ControlFlow, Range};
use std::time::Instant;

use super::output_block::OutputBlock;
use super::run::PipelineRun;
use super::step_progress::StepProgress;
use super::worker::WorkerState;
use crate::aggregation::{Aggregator, ScoreBuffer};
use crate::dataset::{Dataset, LentRecord, Position, ReadOutcome};
use crate::error::{
    BadRecord, Cause, EndsRun, Error, Failure, Interrupted, Panicked, RejectedRecord, Skipped,
};
use crate::execution::Flow;
use crate::panics;
use crate::sink::{RecordOutcome, Room, Sink};
use crate::stop::Cancel;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Task;

impl<D, T, S, A> PipelineRun<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// Reads the parts of some units, scores their records, and passes the scores to the collector.
    pub(super) fn step_through(
        &self,
        number: usize,
        worker: &mut WorkerState<S, A>,
        units: Range<usize>,
    ) -> Flow {
        let parts = self.partition.parts(units.clone());
        let wanted = parts.len() as u64;
        if !self.has_room(worker, wanted) {
            return Flow::Stop;
        }
        let mut aggregator = self.collector.state_of_step(worker);
        let mut step = self.collector.begin_step(worker);
        let mut buffer = ScoreBuffer::for_scores(parts.len());
        let index_in_input = |index| self.pipeline.dataset.index_in_input(index);
        let mut output = self.output_block(&index_in_input);
        let mut written = Ok(());
        let waits = self.pipeline.limit.waits();
        let wants_records = self.pipeline.sink.is_some_and(Sink::wants_records);
        let read = self.pipeline.dataset.read(parts.clone(), |at, mut record| {
            if !self.goes_on(at.index) {
                step.refused = true;
                return ControlFlow::Break(());
            }
            let rejected = record.as_mut().err().and_then(BadRecord::take_record);
            let lent = wants_records.then(|| self.lent(&record, rejected.as_ref()));
            let lent = lent.flatten();
            let scored = if waits {
                let Some(scored) = self.score_when_permitted(worker, at, record) else {
                    step.refused = true;
                    return ControlFlow::Break(());
                };
                scored
            } else {
                self.score(worker, at, record)
            };
            if step.first.is_none() {
                step.begin(at.index, self.collector.observes_directly(at.index));
            }
            step.records.end = at.index + 1;
            match scored {
                Ok(score) => {
                    if let Some(output) = &mut output {
                        written = output.add(at.index, RecordOutcome::Scored(&score), lent);
                    }
                    match &mut aggregator {
                        Some(aggregator) if step.directly => {
                            buffer.push(aggregator, at.index, score);
                        }
                        _ => step.scores.push(score),
                    }
                }
                Err(cause) if cause.is::<EndsRun>() => return self.end_with(*cause, at, &mut step),
                Err(cause) => {
                    written = self.without_score(number, at, *cause, lent, &mut step, &mut output);
                }
            }
            if let Some(output) = &mut output
                && written.is_ok()
                && worker.watch.is_time_to_pass_on()
            {
                written = self.write_early(&mut step, output);
            }
            match written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        worker.watch.pause();
        aggregator.iter_mut().for_each(|state| buffer.flush(state));
        let (refused, end, kept) = (step.refused, step.records.end, step.kept());
        self.collector
            .take_in(worker, units.start, aggregator, step);
        // The room of records whose scores are kept is freed later, when their turn comes.
        self.collector.give_back(wanted.saturating_sub(kept));
        let written = self.write_rest(output, written);
        (self.pipeline.progress)(self.pipeline.dataset.size(parts));
        self.next_flow(worker, read, written, refused, end)
    }

    /// An empty block for the sink, if there is one.
    fn output_block<'o>(
        &'o self,
        index_in_input: &'o dyn Fn(u64) -> u64,
    ) -> Option<OutputBlock<'o, S>> {
        let may_halt = self.collector.frontier.may_halt();
        (self.pipeline.sink).map(|sink| OutputBlock::new(sink, index_in_input, may_halt))
    }

    /// The unchanged record that is lent to the sink.
    fn lent<'r>(
        &self,
        record: &Result<&'r D::Record<'_>, BadRecord>,
        rejected: Option<&'r RejectedRecord>,
    ) -> Option<LentRecord<'r>> {
        match record {
            Ok(record) => self.pipeline.dataset.lend(record),
            Err(_) => rejected.and_then(LentRecord::rejected),
        }
    }

    /// Ends the run with the error that a task has met.
    #[cold]
    fn end_with(&self, cause: Cause, at: Position, step: &mut StepProgress<S>) -> ControlFlow<()> {
        step.leave_out(at.index);
        if let Ok(ends) = cause.downcast::<EndsRun>() {
            self.give_up(ends.0);
        }
        ControlFlow::Break(())
    }

    /// Takes in a record that has no score, because it has failed or was skipped.
    #[cold]
    fn without_score(
        &self,
        number: usize,
        at: Position,
        cause: Cause,
        lent: Option<LentRecord<'_>>,
        step: &mut StepProgress<S>,
        output: &mut Option<OutputBlock<'_, S>>,
    ) -> io::Result<()> {
        let mut written = Ok(());
        let mut add = |outcome| {
            if let Some(output) = output {
                written = output.add(at.index, outcome, lent);
            }
        };
        match cause.downcast::<Skipped>() {
            Ok(skipped) => {
                add(RecordOutcome::Skipped(&skipped));
                step.skip(at.index);
            }
            Err(cause) => {
                let place = self.pipeline.dataset.place(at);
                let failure = Failure::new(at.index, place, number, cause).in_line(at.column);
                let named = failure
                    .clone()
                    .with_index(self.pipeline.dataset.index_in_input(at.index));
                if let Some(sink) = self.pipeline.sink
                    && failure.is_last()
                {
                    // This comes before the record is handed on: another worker may already have handed on a record after
                    // it, which would otherwise be written before this failure is judged.
                    sink.end_at(at.index + 1);
                }
                add(RecordOutcome::Failed(&named));
                self.collector.fail(step, failure);
            }
        }
        written
    }

    /// Passes scores to the sink in the middle of a step, so that they are not lost if the next record never
    /// ends. If a failure may halt the run, the records must be judged first, which is possible only if every
    /// record before them is done.
    fn write_early(
        &self,
        step: &mut StepProgress<S>,
        output: &mut OutputBlock<'_, S>,
    ) -> io::Result<()> {
        if output.waits_for_judgement() {
            if !self.collector.can_be_judged(step) {
                return Ok(());
            }
            self.collector.report_done(step, None);
            self.end_sink();
        }
        output.finish()
    }

    /// Passes the remaining scores of a step to the sink, unless the sink has failed. Returns whether the
    /// sink has room for more.
    fn write_rest(
        &self,
        output: Option<OutputBlock<'_, S>>,
        written: io::Result<()>,
    ) -> io::Result<Room> {
        let Some(mut output) = output else {
            return Ok(Room::Free);
        };
        self.end_sink();
        written?;
        output.finish()?;
        Ok(output.room)
    }

    /// Informs the sink where the answer ends, if failures have ended it.
    fn end_sink(&self) {
        if let (Some(sink), Some(end)) = (self.pipeline.sink, self.collector.frontier.halt()) {
            sink.end_at(end);
        }
    }

    /// Returns what the executor is to do after a step that ended before record `end`.
    fn next_flow(
        &self,
        worker: &mut WorkerState<S, A>,
        read: Result<ReadOutcome, Error>,
        written: io::Result<Room>,
        refused: bool,
        end: u64,
    ) -> Flow {
        let (reading, room) = match (read, written) {
            (Err(error), _) => return self.give_up(error),
            (_, Err(error)) => return self.give_up(Error::Output(error)),
            (Ok(reading), Ok(room)) => (reading, room),
        };
        worker.input += reading.waited;
        // If a stream was closed because the run is to stop, it looks as if it had ended.
        let stopped = reading.ended && self.token.is_some_and(Cancel::is_cancelled);
        if reading.ended && !stopped {
            self.stream_ended.store(true, Relaxed);
        }
        if refused || stopped {
            self.record_refused.store(true, Relaxed);
        }
        if refused || reading.ended {
            // No more records come, so no worker needs to wait for room for them.
            self.close_room();
            Flow::Stop
        } else if self.is_ahead(end) || room == Room::Full {
            Flow::Pause
        } else {
            Flow::Go
        }
    }

    /// Whether the record with this index is to be scored.
    #[inline]
    fn goes_on(&self, index: u64) -> bool {
        if self.token.is_some_and(Cancel::is_cancelled) {
            self.collector.frontier.stop();
        }
        self.collector.frontier.may_start(index)
    }

    /// Scores one record as soon as it may be started; returns `None` if the run is stopped before the record
    /// is done. This function is separate from [`score`](PipelineRun::score), because carrying a permit
    /// through the loop of a run that needs none costs more than scoring the cheapest records.
    #[inline(never)]
    fn score_when_permitted<'r>(
        &self,
        worker: &mut WorkerState<S, A>,
        at: Position,
        record: Result<&D::Record<'r>, BadRecord>,
    ) -> Option<Result<S, Box<Cause>>> {
        let task = &self.pipeline.task;
        let _permit = if let Ok(unscored) = &record {
            // A score that is known already needs no permit.
            match panics::caught(|| task.recall(at.index, unscored)) {
                Ok(None) => {}
                Ok(Some(known)) => return Some(self.scored_by(worker, at, record, |_| known)),
                Err(panicked) => {
                    let failed = |_: &D::Record<'r>| Err::<S, Panicked>(*panicked);
                    return Some(self.scored_by(worker, at, record, failed));
                }
            }
            worker.watch.pause();
            let began = Instant::now();
            let weight = self.pipeline.weigh.map_or(1, |weigh| weigh(unscored));
            let permit = self.permits.acquire(weight, || !self.goes_on(at.index));
            worker.limited += began.elapsed();
            Some(permit?)
        } else {
            None
        };
        let scored = self.scored_by(worker, at, record, |record: &D::Record<'r>| {
            task.score_at(at.index, record)
        });
        let interrupted = matches!(&scored, Err(cause) if cause.is::<Interrupted>());
        (!interrupted).then_some(scored)
    }

    /// Scores one record, unless its score is known already.
    #[inline(always)]
    fn score<'r>(
        &self,
        worker: &mut WorkerState<S, A>,
        at: Position,
        record: Result<&D::Record<'r>, BadRecord>,
    ) -> Result<S, Box<Cause>> {
        let task = &self.pipeline.task;
        self.scored_by(worker, at, record, |record: &D::Record<'r>| {
            match task.recall(at.index, record) {
                None => task.score_at(at.index, record),
                Some(known) => known,
            }
        })
    }

    /// Scores one record by `score`. If it panics, only this record fails, and the run goes on.
    ///
    /// This function is inlined into the loop over the records, where a call would cost as much as the
    /// cheapest tasks. The cause of a failure is boxed so that it shares no memory with a small score.
    /// Otherwise, such a score would be written as four bytes and read as eight, which stalls the read for
    /// about ten cycles.
    #[inline(always)]
    fn scored_by<'r, E: Into<Cause>>(
        &self,
        worker: &mut WorkerState<S, A>,
        at: Position,
        record: Result<&D::Record<'r>, BadRecord>,
        score: impl FnOnce(&D::Record<'r>) -> Result<S, E>,
    ) -> Result<S, Box<Cause>> {
        worker.records += 1;
        let spent = record.as_ref().ok();
        let spent = spent.and_then(|record| self.pipeline.dataset.time_elsewhere(record));
        if spent.is_none() {
            worker.watch.start(at);
        }
        let scored = match record {
            // After a panic, no later call of the task sees data that this call has left half-done, except
            // for data that calls share. The task must protect such data itself, because threads share it as
            // well.
            Ok(record) => match panics::caught(|| score(record)) {
                Ok(Ok(score)) => Ok(score),
                Ok(Err(error)) => Err(Box::new(error.into())),
                Err(panicked) => Err(Box::new(Cause::from(*panicked))),
            },
            Err(bad) => Err(Box::new(Cause::from(bad))),
        };
        match spent {
            None => worker.watch.end(),
            Some(time) => worker.watch.end_after(at, time),
        }
        scored
    }
}
