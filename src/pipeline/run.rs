//! One run of a pipeline: what each worker does with the units it is handed.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::Pipeline;
use super::frontier::{Done, Frontier};
use super::held::{Held, Scores};
use super::met::Met;
use super::piece::Piece;
use super::stopwatch::Stopwatch;
use crate::aggregation::{Aggregator, Blocks, MergeTree};
use crate::dataset::{At, Dataset, Reading};
use crate::error::{BadRecord, Cause, Error, Failure};
use crate::execution::Flow;
use crate::panics;
use crate::sink::Room;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};
use crate::task::Task;

/// Partials of an aggregator that is not commutative: this many, or one for each part if there
/// are fewer. Their number fixes the tree along which they merge, so it follows from the data
/// alone.
const PARTIALS: usize = 1024;
/// Progress is told and scores are passed on at least this often over the whole dataset, …
const STEPS: usize = 512;
/// … but not so often that it costs more than cheap records, nor so seldom that scores pile up.
const STEP_UNITS: (usize, usize) = (64, 1024);
/// Scores that wait for their turn may take about so many bytes, what they own besides not counted …
const WAITING_BYTES: usize = 32 << 20;
/// … at the least so many each, for the failures that come in their place.
const SCORE_BYTES: usize = 16;
/// Where scores are handed on in order, so many may wait: who takes them may be slow.
const WAITING: u64 = 1 << 14;
/// So many of the largest portions may be ahead for each worker, since as many are in flight
/// whatever is allowed.
const PORTIONS: u64 = 4;
/// So many failures may wait to be judged in the order of the records.
const FAILURES: u64 = 1 << 16;

/// How scores come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// In any order: each worker keeps one state.
    Any,
    /// In any order, and each step at once: whatever comes before it is then done even if the run is
    /// stopped, which may take as long as what the other workers have in their hands.
    AsDone,
    /// Each unit has a state, and the states merge in the order of the units.
    Units,
    /// One state observes them in the order of the records.
    Records,
}

/// One run of a pipeline, seen by all its workers.
pub(super) struct Run<'a, 'p, D: ?Sized, T, S, A> {
    pub(super) pipeline: &'a Pipeline<'p, D, T, S>,
    pub(super) order: Order,
    /// The identity: it observes nothing, and in the end takes in what the workers have gathered.
    pub(super) root: A,
    /// How many parts the dataset has.
    parts: usize,
    /// How many units of work: parts, or blocks of parts where partials are kept apart.
    pub(super) units: usize,
    began: Instant,
    pub(super) workers: Vec<Mutex<Worker<S, A>>>,
    pub(super) partials: MergeTree<S, A>,
    /// The state that observes everything in order.
    pub(super) in_order: Mutex<A>,
    pub(super) frontier: Frontier<Option<Scores<S>>>,
    pub(super) error: OnceLock<Error>,
    /// How many units have been run.
    pub(super) ran: AtomicUsize,
    /// Whether a stream has come to its end.
    pub(super) ended: AtomicBool,
    /// Whether a record was left out because the run was stopped.
    pub(super) cut: AtomicBool,
    /// The most records that a call has met.
    portion: AtomicU64,
    /// Whether panics are told by a task that this run is inside of.
    told: bool,
}

/// What one worker has gathered.
pub(super) struct Worker<S, A> {
    /// Nothing yet until the first record: an idle worker costs no state.
    pub(super) aggregator: Option<A>,
    /// What waits for its turn, in order.
    pub(super) held: VecDeque<Held<S, A>>,
    /// Records met.
    pub(super) met: u64,
    pub(super) busy: Duration,
    pub(super) input: Duration,
    pub(super) watch: Stopwatch,
    /// When it began and when it last did anything, since the run began.
    pub(super) from: Option<Duration>,
    pub(super) until: Duration,
    /// Places for scores, used again: fresh memory costs more than a cheap record.
    spares: Vec<Vec<S>>,
}

impl<'a, 'p, D, T, S, A> Run<'a, 'p, D, T, S, A>
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
    ) -> Self {
        let parts = pipeline.dataset.parts();
        Run {
            pipeline,
            order,
            in_order: Mutex::new(root.clone()),
            root,
            parts,
            units: match order {
                Order::Units => parts.min(PARTIALS),
                _ => parts,
            },
            began,
            workers: (0..workers).map(|_| Mutex::new(Worker::new())).collect(),
            partials: MergeTree::new(),
            frontier: Frontier::new(pipeline.on_failure),
            error: OnceLock::new(),
            ran: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            portion: AtomicU64::new(0),
            told: panics::are_told(),
        }
    }

    /// Runs a range of units as `worker`.
    pub(super) fn units(&self, number: usize, units: Range<usize>) -> Flow {
        // The thread may be waiting inside a task, of this run or of another, and do this meanwhile.
        panics::as_told(self.told, || self.portion(number, units))
    }

    fn portion(&self, number: usize, units: Range<usize>) -> Flow {
        let began = Instant::now();
        // One worker too many is found out in the end, as all units that were not run.
        let Some(worker) = self.workers.get(number) else {
            return Flow::Stop;
        };
        let mut worker = lock(worker);
        worker.from.get_or_insert(began - self.began);
        self.ran.fetch_add(units.len(), Relaxed);
        let met = worker.met;
        let mut flow = Flow::Go;
        let mut next = units.start;
        while next < units.end && flow != Flow::Stop {
            let end = units.end.min(next.saturating_add(self.step()));
            flow = self.step_through(number, &mut worker, next..end);
            next = end;
        }
        let now = Instant::now();
        worker.busy += now - began;
        worker.until = now - self.began;
        self.portion.fetch_max(worker.met - met, Relaxed);
        if self.frontier.is_ending() {
            Flow::Stop
        } else {
            flow
        }
    }

    /// How many units make a step.
    fn step(&self) -> usize {
        match self.order {
            Order::Units => 1,
            // Whoever is alone must not take a record and wait for the next with it in its hands.
            _ if self.pipeline.dataset.is_stream() && self.workers.len() == 1 => 1,
            _ => (self.units / STEPS).clamp(STEP_UNITS.0, STEP_UNITS.1),
        }
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
        if self.workers.len() > 1 {
            self.root.fork()
        } else {
            self.root.clone()
        }
    }

    /// Reads the parts of some units, scores their records, and takes the scores in.
    fn step_through(&self, number: usize, worker: &mut Worker<S, A>, units: Range<usize>) -> Flow {
        let parts = self.first_part(units.start)..self.first_part(units.end);
        let mut aggregator = match self.order {
            Order::Units => Some(self.root.clone()),
            Order::Any | Order::AsDone => {
                Some(worker.aggregator.take().unwrap_or_else(|| self.state()))
            }
            Order::Records => None,
        };
        let mut met = Met::new(worker.spares.pop().unwrap_or_default());
        let mut blocks = Blocks::of(parts.len());
        let mut piece = self.pipeline.sink.map(Piece::new);
        let mut passed = Ok(());
        let read = self.pipeline.dataset.read(parts.clone(), |at, record| {
            if !self.goes_on(at.index) {
                met.refused = true;
                return ControlFlow::Break(());
            }
            if met.first.is_none() {
                met.begin(at.index, self.observes_directly(at.index));
            }
            let scored = self.score(worker, at, record);
            met.records.end = at.index + 1;
            let passed_now = match scored {
                Ok(score) => {
                    let passed = piece.as_mut().map(|piece| piece.add(at.index, Ok(&score)));
                    match &mut aggregator {
                        Some(aggregator) if met.directly => {
                            blocks.add(aggregator, at.index, score);
                        }
                        _ => met.scores.push(score),
                    }
                    passed
                }
                Err(cause) => {
                    let place = self.pipeline.dataset.place(at);
                    let failure = Failure::new(at.index, place, number, cause);
                    let passed = piece
                        .as_mut()
                        .map(|piece| piece.add(at.index, Err(&failure)));
                    self.frontier.failed(at.index);
                    met.fail(failure);
                    if met.directly && self.order == Order::Any {
                        // Every record before it is done, so it can be judged at once.
                        self.tell(&mut met, None);
                    }
                    passed
                }
            };
            passed = passed_now.unwrap_or(Ok(()));
            if passed.is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        worker.watch.pause();
        if let Some(aggregator) = &mut aggregator {
            blocks.hand_on(aggregator);
        }
        let refused = met.refused;
        let end = met.records.end;
        self.take_in(worker, units.start, aggregator, met);
        let mut room = Room::Free;
        if let (Some(piece), Ok(())) = (&mut piece, &passed) {
            passed = piece.finish();
            room = piece.room;
        }
        (self.pipeline.progress)(self.pipeline.dataset.extent(parts));
        match (read, passed) {
            (Err(error), _) => self.give_up(error),
            (_, Err(error)) => self.give_up(Error::Output(error)),
            (Ok(reading), Ok(())) => self.next_flow(worker, reading, refused, room, end),
        }
    }

    fn next_flow(
        &self,
        worker: &mut Worker<S, A>,
        reading: Reading,
        refused: bool,
        room: Room,
        end: u64,
    ) -> Flow {
        worker.input += reading.waited;
        if reading.ended {
            self.ended.store(true, Relaxed);
        }
        if refused {
            self.cut.store(true, Relaxed);
        }
        if refused || reading.ended {
            Flow::Stop
        } else if self.is_ahead(end) || room == Room::Full {
            Flow::Rest
        } else {
            Flow::Go
        }
    }

    /// Whether whoever has come to this record is too far ahead of the earliest in flight. It rests
    /// then. Letting scores count before their turn would keep everyone busy, but promise that all
    /// records before them are done even if the run is stopped, however long those turn out to take.
    fn is_ahead(&self, end: u64) -> bool {
        let ahead = end.saturating_sub(self.frontier.next());
        if ahead == 0 {
            return false;
        }
        let room = match self.order {
            Order::Any => (WAITING_BYTES / size_of::<S>().max(SCORE_BYTES)) as u64,
            Order::Records => WAITING,
            Order::AsDone | Order::Units => u64::MAX,
        };
        let in_flight = PORTIONS * self.workers.len() as u64 * self.portion.load(Relaxed);
        ahead > room.max(in_flight) || self.frontier.unjudged() > FAILURES
    }

    /// Whether a record is to be scored.
    #[inline]
    fn goes_on(&self, index: u64) -> bool {
        if self
            .pipeline
            .cancel
            .is_some_and(crate::stop::Cancel::is_cancelled)
        {
            self.frontier.stop();
        }
        self.frontier.may_start(index)
    }

    /// Whether the scores of a step that begins with this record count at once.
    fn observes_directly(&self, index: u64) -> bool {
        match self.order {
            Order::Any => self.frontier.next() == index,
            Order::Units => true,
            Order::AsDone | Order::Records => false,
        }
    }

    /// Scores one record; a panic costs that record, not the run.
    #[inline]
    fn score(
        &self,
        worker: &mut Worker<S, A>,
        at: At,
        record: Result<&D::Record<'_>, BadRecord>,
    ) -> Result<S, Cause> {
        worker.met += 1;
        worker.watch.start(at);
        let scored = record.map_err(Cause::from).and_then(|record| {
            // The task is never called again with anything it may have left half-done but what it
            // shares itself, which is its own affair as it is among threads.
            let scored = panics::caught(|| self.pipeline.task.score(record));
            scored.map_err(Cause::from)?.map_err(Into::into)
        });
        worker.watch.end();
        scored
    }

    /// Takes in what a step has come to.
    fn take_in(
        &self,
        worker: &mut Worker<S, A>,
        unit: usize,
        aggregator: Option<A>,
        mut met: Met<S>,
    ) {
        match (self.order, aggregator) {
            (Order::Units, Some(state)) => {
                if met.first.is_some() {
                    let records = met.records.clone();
                    worker.held.push_back(Held::Partial {
                        records,
                        unit,
                        state,
                    });
                    self.tell(&mut met, None);
                }
            }
            (Order::Records, _) => {
                if met.first.is_some() {
                    let scores = met.take_scores();
                    self.tell(&mut met, Some(scores));
                }
            }
            (_, aggregator) => {
                worker.aggregator = aggregator;
                if met.directly {
                    self.tell(&mut met, None);
                } else if met.first.is_some() {
                    worker.held.push_back(Held::Scores(met.take_scores()));
                    self.tell(&mut met, None);
                }
            }
        }
        if met.scores.capacity() > 0 {
            worker.spares.push(met.scores);
        }
        self.settle(worker);
    }

    /// Tells the frontier which records are done.
    fn tell(&self, met: &mut Met<S>, scores: Option<Scores<S>>) {
        if met.records.is_empty() {
            return;
        }
        let done = Done {
            failed: std::mem::take(&mut met.failed),
            whole: self.order == Order::Units,
            payload: scores,
        };
        let records = met.records.clone();
        met.records.start = met.records.end;
        self.frontier.complete(records, done, |scores, end| {
            if let Some(scores) = scores {
                scores.observe(&mut *lock(&self.in_order), end);
            }
        });
    }

    /// Lets count what has waited for its turn.
    fn settle(&self, worker: &mut Worker<S, A>) {
        let mut next = self.frontier.next();
        if self.order == Order::AsDone
            && let Some(last) = worker.held.back().map(|last| last.records().end)
            && last > next
            && self.frontier.commit(last)
        {
            next = last;
        }
        while let Some(first) = worker.held.front()
            && first.records().end <= next
            && let Some(held) = worker.held.pop_front()
        {
            self.count(worker, held, next);
        }
    }

    /// Lets count what was held, up to a record.
    pub(super) fn count(&self, worker: &mut Worker<S, A>, held: Held<S, A>, end: u64) {
        match held {
            Held::Scores(mut scores) => {
                let aggregator = worker.aggregator.get_or_insert_with(|| self.state());
                scores.observe(aggregator, end);
                scores.scores.clear();
                worker.spares.push(scores.scores);
            }
            Held::Partial { unit, state, .. } => self.partials.insert(unit, state),
        }
    }

    fn give_up(&self, error: Error) -> Flow {
        let _ = self.error.set(error);
        self.frontier.stop();
        Flow::Stop
    }
}

impl<S, A> Worker<S, A> {
    fn new() -> Self {
        Worker {
            aggregator: None,
            held: VecDeque::new(),
            met: 0,
            busy: Duration::ZERO,
            input: Duration::ZERO,
            watch: Stopwatch::new(),
            from: None,
            until: Duration::ZERO,
            spares: Vec::new(),
        }
    }
}
