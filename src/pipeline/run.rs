//! One run of a pipeline: what each worker does with the units that it receives.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::Pipeline;
use super::collector::Collector;
use super::lookahead::{
    in_flight_anyway, is_too_far, scores_that_may_wait, step_of, step_of_outstanding,
};
use super::order::Order;
use super::outstanding::Outstanding;
use super::worker::WorkerState;
use crate::aggregation::{Aggregator, BlockPartition};
use crate::dataset::Dataset;
use crate::error::Error;
use crate::execution::{Flow, Pace};
use crate::limit::Permits;
use crate::panics;
use crate::stop::Cancel;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};
use crate::task::Task;

/// One run of a pipeline, shared by all its workers.
pub(super) struct PipelineRun<'a, 'p, D: Dataset + ?Sized, T, S, A> {
    pub(super) pipeline: &'a Pipeline<'p, D, T, S>,
    pub(super) token: Option<&'a Cancel>,
    pub(super) permits: Permits,
    /// The units of work: single parts of the dataset, or blocks of parts if each block has a partial.
    pub(super) partition: BlockPartition,
    pub(super) workers: Vec<Mutex<WorkerState<S, A>>>,
    pub(super) collector: Collector<S, A>,
    began: Instant,
    /// Whether the run was started inside a task, so that panics in it are returned instead of printed.
    reports_panics: bool,
    /// The first error that ended the run.
    pub(super) error: OnceLock<Error>,
    pub(super) units_run: AtomicUsize,
    /// Whether the stream has ended.
    pub(super) stream_ended: AtomicBool,
    /// Whether a record was left out because the run was stopped.
    pub(super) record_refused: AtomicBool,
    /// The largest number of records in one call of the executor so far.
    longest_portion: AtomicU64,
}

impl<'a, 'p, D, T, S, A> PipelineRun<'a, 'p, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    pub(super) fn new(
        pipeline: &'a Pipeline<'p, D, T, S>,
        root: A,
        order: Order,
        workers: usize,
        began: Instant,
        token: Option<&'a Cancel>,
        permits: Permits,
    ) -> Self {
        let parts = pipeline.dataset.parts();
        PipelineRun {
            pipeline,
            token,
            permits,
            partition: match order {
                Order::Blocks => BlockPartition::into_blocks(parts),
                _ => BlockPartition::into_parts(parts),
            },
            workers: (0..workers)
                .map(|_| Mutex::new(WorkerState::new(began)))
                .collect(),
            collector: Collector::new(
                root,
                order,
                workers,
                pipeline.most_outstanding,
                pipeline.on_failure,
                token.is_some(),
            ),
            began,
            reports_panics: panics::is_in_task(),
            error: OnceLock::new(),
            units_run: AtomicUsize::new(0),
            stream_ended: AtomicBool::new(false),
            record_refused: AtomicBool::new(false),
            longest_portion: AtomicU64::new(0),
        }
    }

    /// The number of units of work.
    pub(super) fn unit_count(&self) -> usize {
        self.partition.blocks()
    }

    /// The pace of worker `number` in its last portion of a stream, if another process scored the records.
    pub(super) fn pace_elsewhere(&self, number: usize) -> Option<Pace> {
        lock(self.workers.get(number)?).pace_elsewhere
    }

    /// Runs a range of units as worker `number`.
    pub(super) fn units(&self, number: usize, units: Range<usize>) -> Flow {
        // This thread may be inside a task of this run or of another run, and execute these units while
        // that task waits.
        panics::with_in_task(self.reports_panics, || self.portion(number, units))
    }

    fn portion(&self, number: usize, units: Range<usize>) -> Flow {
        let began = Instant::now();
        // If an executor uses too many workers, this is detected at the end of the run, because these units
        // have not been run.
        let Some(worker) = self.workers.get(number) else {
            return Flow::Stop;
        };
        let mut worker = lock(worker);
        let closing = EndOnPanic(|| {
            self.collector.frontier.stop();
            self.close();
        });
        worker.from.get_or_insert(began - self.began);
        worker.watch.resume(began);
        self.units_run.fetch_add(units.len(), Relaxed);
        let records = worker.records;
        let mut flow = Flow::Go;
        let mut next = units.start;
        // A unit of a stream is only a number, not a particular record, so a worker may leave the rest of
        // its portion undone.
        let stream = self.pipeline.dataset.is_stream();
        let leaves = |flow| stream && (flow == Flow::Pause || self.collector.frontier.is_ending());
        while next < units.end && flow != Flow::Stop && !leaves(flow) {
            // The stopwatch counts records. Its count can be used for units only if each unit of this portion
            // has been one record so far.
            let one_each = worker.records - records == (next - units.start) as u64;
            let stretch = if one_each { worker.watch.stretch() } else { 1 };
            let end = units.end.min(next.saturating_add(self.step(stretch)));
            flow = self.step_through(number, &mut worker, next..end);
            next = end;
        }
        std::mem::forget(closing);
        let now = Instant::now();
        worker.busy += now - began;
        worker.until = now - self.began;
        let records = worker.records - records;
        let elsewhere = worker.watch.take_elsewhere();
        // The number of records counts here, since a stream may have had fewer records than were asked for.
        worker.pace_elsewhere =
            (!elsewhere.is_zero()).then(|| Pace::elsewhere(records as usize, elsewhere));
        self.longest_portion.fetch_max(records, Relaxed);
        if self.collector.frontier.is_ending() {
            self.close();
            Flow::Stop
        } else {
            flow
        }
    }

    /// The number of units in the next step, if the stopwatch times `stretch` units together.
    fn step(&self, stretch: usize) -> usize {
        let workers = self.workers.len();
        if self.collector.order == Order::Blocks {
            return 1;
        }
        // A single worker must score each record before it waits for the next one.
        if workers == 1 && self.pipeline.dataset.may_wait_with_records() {
            return 1;
        }
        match &self.collector.outstanding {
            Some(outstanding) => step_of_outstanding(outstanding.most(), workers),
            None => step_of(self.unit_count(), stretch, workers),
        }
    }

    /// Whether a worker whose step ended before record `end` is too far ahead of the earliest record in
    /// flight. Such a worker pauses. Alternatively, it could go on if its scores counted before their turn.
    /// But then all records before them would have to be scored even if the run is stopped, no matter how
    /// long that takes.
    pub(super) fn is_ahead(&self, end: u64) -> bool {
        let kept = match self.collector.keeps_scores() {
            true => scores_that_may_wait(size_of::<S>()),
            false => u64::MAX,
        };
        let frontier = &self.collector.frontier;
        let anyway = in_flight_anyway(self.workers.len(), self.longest_portion.load(Relaxed));
        let ahead = end.saturating_sub(frontier.next());
        is_too_far(ahead, kept.max(anyway), frontier.unjudged())
    }

    /// Waits until `records` more records may be taken. Returns false if no more records are to be taken.
    pub(super) fn has_room(&self, worker: &mut WorkerState<S, A>, records: u64) -> bool {
        let Some(outstanding) = &self.collector.outstanding else {
            // A single worker has passed on each score before it takes the next record. If this has stopped
            // the run, because the receiver is gone, the next record is not taken from the iterator.
            return !(self.pipeline.dataset.is_stream() && self.is_stopped());
        };
        let mut since = None;
        let room = outstanding.take(records, || {
            since.get_or_insert_with(Instant::now);
            self.collector.settle(worker);
        });
        worker.limited += since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
        // The token is checked only now, because room may have become free by passing on a score whose
        // receiver is gone, which has stopped the run. Records that must still be scored have already been
        // taken by other workers, and the records that the stream yields next come after them.
        let stopped = self.is_stopped();
        room && !stopped
    }

    /// Whether the token has stopped the run. If it has, no further record is started.
    fn is_stopped(&self) -> bool {
        let stopped = self.token.is_some_and(Cancel::is_cancelled);
        if stopped {
            self.collector.frontier.stop();
        }
        stopped
    }

    /// Ends every wait of a worker: for permits, for records, and for room.
    pub(super) fn close(&self) {
        self.permits.interrupt();
        self.pipeline.dataset.close();
        self.close_room();
    }

    /// Ends the waits for room.
    pub(super) fn close_room(&self) {
        self.collector
            .outstanding
            .iter()
            .for_each(Outstanding::close);
    }

    /// Ends the run with an error.
    pub(super) fn give_up(&self, error: Error) -> Flow {
        let _ = self.error.set(error);
        self.collector.frontier.stop();
        Flow::Stop
    }
}

/// Ends a run when a worker unwinds, so that no other worker waits for its records.
struct EndOnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for EndOnPanic<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::aggregation::Count;
    use crate::dataset::{Position, ReadOutcome};
    use crate::error::BadRecord;
    use crate::execution::{Executor, Work, execute_by};
    use crate::sync::into_inner;

    /// A stream that notes how many records each read asks for.
    struct AskedStream {
        left: Mutex<u64>,
        /// The largest number of records that one read finds in the stream.
        arrived: u64,
        /// The time in which another process has scored a record; `None` if the task scores it.
        spent: Option<Duration>,
        asked: Mutex<Vec<usize>>,
    }

    impl AskedStream {
        fn new(records: u64, arrived: u64, spent: Option<Duration>) -> Self {
            AskedStream {
                left: Mutex::new(records),
                arrived,
                spent,
                asked: Mutex::default(),
            }
        }
    }

    impl Dataset for AskedStream {
        type Record<'r> = ();

        fn parts(&self) -> usize {
            usize::MAX
        }

        fn is_stream(&self) -> bool {
            true
        }

        fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
        where
            V: FnMut(Position, Result<&(), BadRecord>) -> ControlFlow<()>,
        {
            let mut left = lock(&self.left);
            let read = (parts.len() as u64).min(self.arrived).min(*left);
            if read > 0 {
                lock(&self.asked).push(parts.len());
            }
            for index in 0..read {
                let at = Position {
                    index: 1000 - *left + index,
                    ..Position::default()
                };
                let _ = visit(at, Ok(&()));
            }
            *left -= read;
            Ok(ReadOutcome {
                ended: read == 0,
                ..ReadOutcome::default()
            })
        }

        fn time_elsewhere(&self, (): &()) -> Option<Duration> {
            self.spent
        }
    }

    /// Runs only worker 0 of two, by a clock according to which each call takes a second.
    struct BySlowClock;

    impl Executor for BySlowClock {
        fn workers(&self) -> usize {
            2
        }

        fn execute(&self, work: &Work<'_>) {
            let seconds = std::cell::Cell::new(0);
            let clock = || {
                seconds.set(seconds.get() + 1);
                Duration::from_secs(seconds.get())
            };
            execute_by(clock, work, 2);
        }
    }

    /// Going by the clock, the worker would ask for one record at a time, because each call includes a wait for the
    /// other process.
    #[test]
    fn the_time_that_another_process_spends_on_records_decides_how_many_are_asked_for() {
        let spent = Some(Duration::from_micros(10));
        for (arrived, spent, wanted) in [
            (u64::MAX, spent, [1, 8, 64, 100, 100]),
            // Each read finds only five records, and the next ones may be slower, so it asks for at most eight times
            // five.
            (5, spent, [1, 8, 40, 40, 40]),
            (u64::MAX, Some(Duration::from_secs(1)), [1; 5]),
            (u64::MAX, None, [1; 5]),
        ] {
            let stream = AskedStream::new(1000, arrived, spent);
            let report = Pipeline::new(&stream, |(): &()| 1.0)
                .executor(&BySlowClock)
                .aggregate(Count::new());
            assert_eq!(report.expect("it runs").value, 1000);
            assert_eq!(into_inner(stream.asked)[..5], wanted);
        }
    }
}
