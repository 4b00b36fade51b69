//! One run of a pipeline: what each worker does with the units it is handed.

use std::io;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::Pipeline;
use super::piece::Piece;
use crate::aggregation::{Aggregator, Blocks, MergeTree};
use crate::dataset::Dataset;
use crate::error::{BadRecord, Cause, Error, Failure, OnFailure, Panicked};
use crate::execution::Flow;
use crate::report::{Report, WorkerTiming};
use crate::sink::Room;
use crate::sync::{Mutex, into_inner, lock};
use crate::task::Task;

/// Partials of an aggregator that is not commutative: this many, or one for each part if there
/// are fewer. Their number fixes the tree along which they merge, so it follows from the data
/// alone.
const PARTIALS: usize = 1024;
/// Progress is told and scores are passed on at least this often over the whole dataset, …
const STEPS: usize = 512;
/// … but not so often that it costs more than cheap records, nor so seldom that scores pile up.
const STEP_UNITS: (usize, usize) = (64, 1024);

/// One run of a pipeline, seen by all its workers.
pub(super) struct Run<'a, 'p, D: ?Sized, T, S, A> {
    pipeline: &'a Pipeline<'p, D, T, S>,
    /// The identity: it observes nothing, and in the end takes in what the workers have gathered.
    root: A,
    /// How many parts the dataset has.
    parts: usize,
    /// How many units of work: parts, or blocks of parts where partials are kept apart.
    pub(super) units: usize,
    workers: Vec<Mutex<Worker<A>>>,
    partials: MergeTree<S, A>,
    error: OnceLock<Error>,
    /// How many units have been run.
    ran: AtomicUsize,
}

/// What one worker has gathered.
struct Worker<A> {
    /// Nothing yet until the first record: an idle worker costs no state.
    aggregator: Option<A>,
    scored: u64,
    failed: u64,
    failures: Vec<Failure>,
    busy: Duration,
    read: Duration,
}

/// What all workers have gathered together.
pub(super) struct Outcome<A> {
    pub(super) aggregator: A,
    pub(super) scored: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<Failure>,
    pub(super) read: Duration,
    pub(super) workers: Vec<WorkerTiming>,
}

impl<'a, 'p, D, T, S, A> Run<'a, 'p, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    pub(super) fn new(pipeline: &'a Pipeline<'p, D, T, S>, root: A, workers: usize) -> Self {
        let parts = pipeline.dataset.parts();
        Run {
            pipeline,
            root,
            parts,
            units: if A::COMMUTATIVE {
                parts
            } else {
                parts.min(PARTIALS)
            },
            workers: (0..workers).map(|_| Mutex::new(Worker::new())).collect(),
            partials: MergeTree::new(),
            error: OnceLock::new(),
            ran: AtomicUsize::new(0),
        }
    }

    /// Runs a range of units as `worker`.
    pub(super) fn units(&self, worker: usize, units: Range<usize>) -> Flow {
        let began = Instant::now();
        // One worker too many is found out in the end, as all units that were not run.
        let Some(worker) = self.workers.get(worker) else {
            return Flow::Stop;
        };
        let mut worker = lock(worker);
        self.ran.fetch_add(units.len(), Relaxed);
        let step = if A::COMMUTATIVE {
            (self.units / STEPS).clamp(STEP_UNITS.0, STEP_UNITS.1)
        } else {
            1
        };
        let mut flow = Flow::Go;
        let mut next = units.start;
        while next < units.end && flow != Flow::Stop {
            let end = units.end.min(next + step);
            flow = self.parts(&mut worker, self.first_part(next)..self.first_part(end));
            if !A::COMMUTATIVE
                && let Some(partial) = worker.aggregator.take()
            {
                self.partials.insert(next, partial);
            }
            next = end;
        }
        worker.busy += began.elapsed();
        flow
    }

    /// The first part of a unit.
    fn first_part(&self, unit: usize) -> usize {
        if self.units == self.parts {
            return unit;
        }
        (unit as u128 * self.parts as u128 / self.units as u128) as usize
    }

    /// A state for one more worker. One worker alone has nobody to share with.
    fn state(&self) -> A {
        if A::COMMUTATIVE && self.workers.len() > 1 {
            self.root.fork()
        } else {
            self.root.clone()
        }
    }

    /// Reads parts, scores their records, and takes the scores in.
    fn parts(&self, worker: &mut Worker<A>, parts: Range<usize>) -> Flow {
        let Pipeline {
            dataset,
            sink,
            on_failure,
            ..
        } = *self.pipeline;
        let begun = worker.aggregator.take();
        let mut aggregator = begun.unwrap_or_else(|| self.state());
        let mut blocks = Blocks::of(parts.len());
        let mut piece = sink.map(Piece::new);
        let mut outcome = Ok(());
        let mut stopped = false;
        let read = dataset.read(parts.clone(), |at, record| {
            outcome = match self.score(record) {
                Ok(score) => {
                    worker.scored += 1;
                    let outcome = pass_on(piece.as_mut(), at.index, Ok(&score));
                    blocks.add(&mut aggregator, at.index, score);
                    outcome
                }
                Err(cause) => {
                    stopped = on_failure == OnFailure::Stop;
                    let failure = Failure::new(at.index, dataset.place(at), cause);
                    let outcome = pass_on(piece.as_mut(), at.index, Err(&failure));
                    worker.fail(failure);
                    outcome
                }
            };
            if stopped || outcome.is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        blocks.hand_on(&mut aggregator);
        worker.aggregator = Some(aggregator);
        let mut room = Room::Free;
        if let (Some(piece), Ok(())) = (&mut piece, &outcome) {
            outcome = piece.finish();
            room = piece.room;
        }
        (self.pipeline.progress)(dataset.extent(parts));
        match (read, outcome) {
            (Err(error), _) => self.give_up(error),
            (_, Err(error)) => self.give_up(Error::Output(error)),
            (Ok(read), Ok(())) => {
                worker.read += read;
                match room {
                    _ if stopped => Flow::Stop,
                    Room::Free => Flow::Go,
                    Room::Full => Flow::Rest,
                }
            }
        }
    }

    /// Scores one record; a panic costs that record, not the run.
    #[inline]
    fn score(&self, record: Result<&D::Record<'_>, BadRecord>) -> Result<S, Cause> {
        let record = record?;
        // The task is never called again with anything it may have left half-done but what it
        // shares itself, which is its own affair as it is among threads.
        match catch_unwind(AssertUnwindSafe(|| self.pipeline.task.score(record))) {
            Ok(score) => score.map_err(Into::into),
            Err(payload) => Err(Panicked::new(&*payload).into()),
        }
    }

    fn give_up(&self, error: Error) -> Flow {
        let _ = self.error.set(error);
        Flow::Stop
    }

    /// Combines what the workers have gathered.
    pub(super) fn into_outcome(self) -> Result<Outcome<A>, Error> {
        if let Some(error) = self.error.into_inner() {
            return Err(error);
        }
        let (ran, units) = (self.ran.into_inner(), self.units);
        let stops = self.pipeline.on_failure == OnFailure::Stop;
        let mut outcome = Outcome {
            aggregator: self.root,
            scored: 0,
            failed: 0,
            failures: Vec::new(),
            read: Duration::ZERO,
            workers: Vec::with_capacity(self.workers.len()),
        };
        if !A::COMMUTATIVE {
            outcome.aggregator = self.partials.finish(outcome.aggregator);
        }
        for worker in self.workers {
            outcome.add(into_inner(worker));
        }
        outcome.failures.sort_by_key(|failure| failure.index);
        outcome.failures.truncate(Report::FAILURES_KEPT);
        match outcome.failures.first() {
            Some(failure) if stops => Err(Error::Halted {
                failure: failure.clone(),
                scored: outcome.scored,
            }),
            _ if ran != units => Err(Error::Executor { ran, units }),
            _ => Ok(outcome),
        }
    }
}

impl<A> Worker<A> {
    fn new() -> Self {
        Worker {
            aggregator: None,
            scored: 0,
            failed: 0,
            failures: Vec::new(),
            busy: Duration::ZERO,
            read: Duration::ZERO,
        }
    }

    /// Counts a failure, and keeps it while there is room: a worker meets its records in order, so
    /// those it keeps are its first.
    #[cold]
    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < Report::FAILURES_KEPT {
            self.failures.push(failure);
        }
    }
}

impl<A> Outcome<A> {
    fn add<S>(&mut self, worker: Worker<A>)
    where
        A: Aggregator<S>,
    {
        if let Some(aggregator) = worker.aggregator {
            self.aggregator.merge(aggregator);
        }
        self.scored += worker.scored;
        self.failed += worker.failed;
        self.failures.extend(worker.failures);
        self.read += worker.read;
        let records = worker.scored + worker.failed;
        self.workers.push(WorkerTiming {
            busy: worker.busy,
            records,
        });
    }
}

/// Hands one score to the sink, if there is one.
#[inline]
fn pass_on<S>(
    piece: Option<&mut Piece<'_, S>>,
    index: u64,
    score: Result<&S, &Failure>,
) -> io::Result<()> {
    piece.map_or(Ok(()), |piece| piece.add(index, score))
}
