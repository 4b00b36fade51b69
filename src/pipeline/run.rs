//! One run of a pipeline: what each worker does with the units it is handed.

use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::time::Instant;

use super::Pipeline;
use super::ahead::IN_HAND;
use super::frontier::Frontier;
use super::held::Scores;
use super::in_hand::{ClosingOnPanic, InHand};
use super::met::Met;
use super::piece::Piece;
use super::worker::Worker;
use crate::aggregation::{Aggregator, MergeTree, Partition, ScoreBuffer};
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Cause, Error, Failure, Interrupted, OnFailure};
use crate::execution::Flow;
use crate::limit::Permits;
use crate::panics;
use crate::sink::Room;
use crate::stop::Cancel;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};
use crate::task::Task;

/// How scores come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
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
pub(super) struct Run<'a, 'p, D: Dataset + ?Sized, T, S, A> {
    pub(super) pipeline: &'a Pipeline<'p, D, T, S>,
    pub(super) order: Order,
    /// The identity: it observes nothing, and in the end takes in what the workers have gathered.
    pub(super) root: A,
    /// The units of work: single parts of the dataset, or blocks of parts if each block has a partial.
    partition: Partition,
    began: Instant,
    pub(super) token: Option<&'a Cancel>,
    pub(super) permits: Permits,
    pub(super) workers: Vec<Mutex<Worker<S, A>>>,
    pub(super) partials: MergeTree<S, A>,
    /// The state that observes everything in order.
    pub(super) in_order: Mutex<A>,
    pub(super) frontier: Frontier<Option<Scores<S>>>,
    pub(super) error: OnceLock<Error>,
    /// Records taken, or about to be, where there may be only so many that are not handed on.
    pub(super) in_hand: Option<InHand>,
    /// How many units have been run.
    pub(super) ran: AtomicUsize,
    /// Whether a stream has come to its end.
    pub(super) ended: AtomicBool,
    /// Whether a record was left out because the run was stopped.
    pub(super) cut: AtomicBool,
    /// The most records that a call has met.
    pub(super) portion: AtomicU64,
    /// Whether anything can end the run before the last record. If nothing can, no score need wait for
    /// its turn.
    pub(super) may_end_early: bool,
    /// Whether panics are told by a task that this run is inside of.
    told: bool,
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
        token: Option<&'a Cancel>,
        permits: Permits,
    ) -> Self {
        let parts = pipeline.dataset.parts();
        let most = match order {
            Order::Records => pipeline.in_hand.or(Some(IN_HAND)),
            _ => pipeline.in_hand,
        };
        // One worker hands on each record before it takes the next.
        let in_hand = most.filter(|_| workers > 1).map(InHand::new);
        Run {
            pipeline,
            order,
            in_order: Mutex::new(root.clone()),
            root,
            partition: match order {
                Order::Units => Partition::into_blocks(parts),
                _ => Partition::into_parts(parts),
            },
            began,
            token,
            permits,
            may_end_early: token.is_some() || pipeline.on_failure != OnFailure::SKIP,
            workers: (0..workers)
                .map(|_| Mutex::new(Worker::new(began)))
                .collect(),
            partials: MergeTree::new(),
            frontier: Frontier::new(pipeline.on_failure),
            error: OnceLock::new(),
            in_hand,
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
        let closing = ClosingOnPanic(|| {
            self.frontier.stop();
            self.close();
        });
        worker.from.get_or_insert(began - self.began);
        worker.watch.resume(began);
        self.ran.fetch_add(units.len(), Relaxed);
        let met = worker.met;
        let mut flow = Flow::Go;
        let mut next = units.start;
        // Of a stream, where the numbers of the units say nothing, the rest may be left.
        let stream = self.pipeline.dataset.is_stream();
        let leaves = |flow| stream && (flow == Flow::Pause || self.frontier.is_ending());
        while next < units.end && flow != Flow::Stop && !leaves(flow) {
            // What a stretch of records says about units, if so far each was one record.
            let one_each = worker.met - met == (next - units.start) as u64;
            let stretch = if one_each { worker.watch.stretch() } else { 1 };
            let end = units.end.min(next.saturating_add(self.step(stretch)));
            flow = self.step_through(number, &mut worker, next..end);
            next = end;
        }
        std::mem::forget(closing);
        let now = Instant::now();
        worker.busy += now - began;
        worker.until = now - self.began;
        self.portion.fetch_max(worker.met - met, Relaxed);
        if self.frontier.is_ending() {
            self.close();
            Flow::Stop
        } else {
            flow
        }
    }

    /// The number of units of work.
    pub(super) fn unit_count(&self) -> usize {
        self.partition.blocks()
    }

    /// A state for one more worker. One worker alone has nobody to share with.
    pub(super) fn state(&self) -> A {
        if self.workers.len() > 1 {
            self.root.fork()
        } else {
            self.root.clone()
        }
    }

    /// Reads the parts of some units, scores their records, and takes the scores in.
    fn step_through(&self, number: usize, worker: &mut Worker<S, A>, units: Range<usize>) -> Flow {
        let parts = self.partition.parts(units.clone());
        let wanted = parts.len() as u64;
        if !self.has_room(worker, wanted) {
            return Flow::Stop;
        }
        let mut aggregator = match self.order {
            Order::Units => Some(self.root.clone()),
            Order::Any | Order::AsDone => {
                Some(worker.aggregator.take().unwrap_or_else(|| self.state()))
            }
            Order::Records => None,
        };
        let mut met = Met::new(worker.spares.pop().unwrap_or_default());
        let mut buffer = ScoreBuffer::for_scores(parts.len());
        let mut piece = self.pipeline.sink.map(|sink| {
            let judged = self.pipeline.on_failure != OnFailure::SKIP;
            Piece::new(sink, judged)
        });
        let mut passed = Ok(());
        let waits = self.pipeline.limit.waits();
        let read = self.pipeline.dataset.read(parts.clone(), |at, record| {
            if !self.goes_on(at.index) {
                met.refused = true;
                return ControlFlow::Break(());
            }
            let scored = if waits {
                let Some(scored) = self.score_when_permitted(worker, at, record) else {
                    met.refused = true;
                    return ControlFlow::Break(());
                };
                scored
            } else {
                self.score(worker, at, record)
            };
            if met.first.is_none() {
                met.begin(at.index, self.observes_directly(at.index));
            }
            met.records.end = at.index + 1;
            match scored {
                Ok(score) => {
                    if let Some(piece) = &mut piece {
                        passed = piece.add(at.index, Ok(&score));
                    }
                    match &mut aggregator {
                        Some(aggregator) if met.directly => {
                            buffer.push(aggregator, at.index, score);
                        }
                        _ => met.scores.push(score),
                    }
                }
                Err(cause) => {
                    let place = self.pipeline.dataset.place(at);
                    let failure = Failure::new(at.index, place, number, *cause);
                    if let Some(piece) = &mut piece {
                        passed = piece.add(at.index, Err(&failure));
                    }
                    self.frontier.failed(at.index);
                    met.fail(failure);
                    if met.directly && self.order == Order::Any {
                        // Every record before it is done, so it can be judged at once.
                        self.tell(&mut met, None);
                    }
                }
            }
            if let Some(piece) = &mut piece
                && passed.is_ok()
                && worker.watch.is_time_to_pass_on()
            {
                passed = self.pass_on(&mut met, piece);
            }
            if passed.is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        worker.watch.pause();
        if let Some(aggregator) = &mut aggregator {
            buffer.flush(aggregator);
        }
        let refused = met.refused;
        let end = met.records.end;
        let count = end - met.first.unwrap_or(end);
        let directly = met.directly;
        self.take_in(worker, units.start, aggregator, met);
        // What was observed as it came is handed on; of the rest, what was taken waits for its turn.
        self.give_back(wanted.saturating_sub(if directly { 0 } else { count }));
        let mut room = Room::Free;
        if let Some(piece) = &mut piece {
            self.end_sink();
            if passed.is_ok() {
                passed = piece.finish();
                room = piece.room;
            }
        }
        (self.pipeline.progress)(self.pipeline.dataset.size(parts));
        match (read, passed) {
            (Err(error), _) => self.give_up(error),
            (_, Err(error)) => self.give_up(Error::Output(error)),
            (Ok(reading), Ok(())) => self.next_flow(worker, reading, refused, room, end),
        }
    }

    /// Passes scores on in the middle of a step, so that they are not lost if the next record never ends.
    /// Where failures may end the run the records must have been judged, which they can be if all records
    /// before them are done.
    fn pass_on(&self, met: &mut Met<S>, piece: &mut Piece<'_, S>) -> io::Result<()> {
        if piece.waits_for_judgement() {
            if !met.directly || self.order != Order::Any {
                return Ok(());
            }
            self.tell(met, None);
            self.end_sink();
        }
        piece.finish()
    }

    /// Tells the sink where failures have ended the answer.
    fn end_sink(&self) {
        if let (Some(sink), Some(end)) = (self.pipeline.sink, self.frontier.halt()) {
            sink.end_at(end);
        }
    }

    fn next_flow(
        &self,
        worker: &mut Worker<S, A>,
        reading: ReadOutcome,
        refused: bool,
        room: Room,
        end: u64,
    ) -> Flow {
        worker.input += reading.waited;
        // A stream that was closed because the run is to stop looks as if it had ended.
        let stopped = reading.ended && self.token.is_some_and(Cancel::is_cancelled);
        if reading.ended && !stopped {
            self.ended.store(true, Relaxed);
        }
        if refused || stopped {
            self.cut.store(true, Relaxed);
        }
        if refused || reading.ended {
            // Whoever waits for room need not wait for records that will not come.
            self.in_hand.iter().for_each(InHand::close);
            Flow::Stop
        } else if self.is_ahead(end) || room == Room::Full {
            Flow::Pause
        } else {
            Flow::Go
        }
    }

    /// Whether a record is to be scored.
    #[inline]
    fn goes_on(&self, index: u64) -> bool {
        if self.token.is_some_and(Cancel::is_cancelled) {
            self.frontier.stop();
        }
        self.frontier.may_start(index)
    }

    /// Scores one record as soon as it may be started; nothing if the run is stopped before it is done.
    /// Apart from [`score`](Run::score), since to carry a permit past the records of a run that needs
    /// none costs more than to score the cheapest.
    #[inline(never)]
    fn score_when_permitted(
        &self,
        worker: &mut Worker<S, A>,
        at: Position,
        record: Result<&D::Record<'_>, BadRecord>,
    ) -> Option<Result<S, Box<Cause>>> {
        let _permit = if let Ok(unscored) = &record {
            worker.watch.pause();
            let began = Instant::now();
            let weight = self.pipeline.weigh.map_or(1, |weigh| weigh(unscored));
            let permit = self.permits.acquire(weight, || !self.goes_on(at.index));
            worker.limited += began.elapsed();
            Some(permit?)
        } else {
            None
        };
        let scored = self.score(worker, at, record);
        let interrupted = matches!(&scored, Err(cause) if cause.is::<Interrupted>());
        (!interrupted).then_some(scored)
    }

    /// Whether the scores of a step that begins with this record count at once.
    fn observes_directly(&self, index: u64) -> bool {
        match self.order {
            Order::Any => !self.may_end_early || self.frontier.counts_at_once(index),
            Order::Units => true,
            Order::AsDone | Order::Records => false,
        }
    }

    /// Scores one record; a panic costs that record, not the run.
    ///
    /// Part of the loop over the records, where a call would cost as much as the cheapest tasks. A cause
    /// is boxed so that it shares no place with a small score, which would be written as four bytes and
    /// read as eight: that waits until the write has come to the cache, some ten cycles.
    #[inline(always)]
    fn score(
        &self,
        worker: &mut Worker<S, A>,
        at: Position,
        record: Result<&D::Record<'_>, BadRecord>,
    ) -> Result<S, Box<Cause>> {
        worker.met += 1;
        let spent = record.as_ref().ok();
        let spent = spent.and_then(|record| self.pipeline.dataset.time_elsewhere(record));
        if spent.is_none() {
            worker.watch.start(at);
        }
        let scored = match record {
            // The task is never called again with anything it may have left half-done but what it
            // shares itself, which is its own affair as it is among threads.
            Ok(record) => match panics::caught(|| self.pipeline.task.score(record)) {
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

    fn give_up(&self, error: Error) -> Flow {
        let _ = self.error.set(error);
        self.frontier.stop();
        Flow::Stop
    }
}
