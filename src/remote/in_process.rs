//! A simulated service for tests, whose answers come from a closure.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::conversation::{Conversation, Elsewhere, RecordReply, Visit};
use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Error, Interrupted};
use crate::stop::Cancel;

/// What the closure returns: the outcome of a record, or an error that ends the run.
pub(crate) type ServiceAnswer<S> = Result<Result<S, Cause>, Error>;

/// Interval at which a conversation checks `stop` while a reply is outstanding.
const TICK: Duration = Duration::from_millis(1);

/// Scores records on its own threads. The threads take the newest request first, so answers arrive out of order.
pub(crate) struct InProcess<S> {
    queue: Mutex<RequestQueue<S>>,
    changed: Condvar,
    in_flight: usize,
    stop: Cancel,
}

struct RequestQueue<S> {
    requests: Vec<Request<S>>,
    closed: bool,
}

struct Request<S> {
    at: Position,
    text: String,
    reply: Sender<(ServiceAnswer<S>, Duration)>,
}

impl<S: Send> InProcess<S> {
    /// Calls `run` with a service that has `threads` threads. A conversation has at most `in_flight` records
    /// in flight.
    pub(crate) fn serve<R>(
        threads: usize,
        in_flight: usize,
        stop: &Cancel,
        score: impl Fn(Position, &str) -> ServiceAnswer<S> + Sync,
        run: impl FnOnce(&Self) -> R,
    ) -> R {
        let service = InProcess {
            queue: Mutex::new(RequestQueue {
                requests: Vec::new(),
                closed: false,
            }),
            changed: Condvar::new(),
            in_flight,
            stop: stop.clone(),
        };
        thread::scope(|scope| {
            let _closed_at_the_end = CloseOnDrop(&service);
            for _ in 0..threads {
                scope.spawn(|| service.work(&score));
            }
            run(&service)
        })
    }

    fn work(&self, score: &impl Fn(Position, &str) -> ServiceAnswer<S>) {
        while let Some(request) = self.newest() {
            let began = Instant::now();
            let outcome = score(request.at, &request.text);
            // If the conversation has been dropped, its answers are dropped too.
            let _ = request.reply.send((outcome, began.elapsed()));
        }
    }

    fn newest(&self) -> Option<Request<S>> {
        let mut queue = self.queue.lock().expect("no panic");
        loop {
            if queue.closed {
                return None;
            }
            match queue.requests.pop() {
                Some(request) => return Some(request),
                None => queue = self.changed.wait(queue).expect("no panic"),
            }
        }
    }
}

struct CloseOnDrop<'a, S>(&'a InProcess<S>);

impl<S> Drop for CloseOnDrop<'_, S> {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.0.queue.lock() {
            queue.closed = true;
        }
        self.0.changed.notify_all();
    }
}

/// The records that a conversation has in flight, oldest first.
pub(crate) struct InFlight<'s, S> {
    service: &'s InProcess<S>,
    pending: VecDeque<(Position, Pending<S>)>,
}

type Pending<S> = Result<Receiver<(ServiceAnswer<S>, Duration)>, BadRecord>;

impl<S: Send> Elsewhere for InProcess<S> {
    type Score = S;
    type Conversation<'e>
        = InFlight<'e, S>
    where
        Self: 'e;

    fn open(&self) -> InFlight<'_, S> {
        InFlight {
            service: self,
            pending: VecDeque::new(),
        }
    }

    fn stop(&self) {
        self.stop.cancel();
    }
}

impl<S: Send> Conversation for InFlight<'_, S> {
    type Score = S;

    fn send(
        &mut self,
        at: Position,
        record: Result<&str, BadRecord>,
        visit: &mut impl Visit<S>,
    ) -> Result<ControlFlow<()>, Error> {
        if self.pending.len() >= self.service.in_flight && self.receive(visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let pending = record.map(|text| {
            let (reply, receiver) = mpsc::channel();
            let text = text.to_owned();
            let mut queue = self.service.queue.lock().expect("no panic");
            queue.requests.push(Request { at, text, reply });
            self.service.changed.notify_one();
            receiver
        });
        self.pending.push_back((at, pending));
        Ok(ControlFlow::Continue(()))
    }

    fn finish(mut self, visit: &mut impl Visit<S>) -> Result<ControlFlow<()>, Error> {
        while !self.pending.is_empty() {
            if self.receive(visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl<S: Send> InFlight<'_, S> {
    /// Waits for the reply for the oldest record, and visits this reply.
    fn receive(&mut self, visit: &mut impl Visit<S>) -> Result<ControlFlow<()>, Error> {
        let receiver = match self.pending.pop_front() {
            None => return Ok(ControlFlow::Continue(())),
            Some((at, Err(bad))) => return Ok(visit(at, Err(bad))),
            Some((at, Ok(receiver))) => (at, receiver),
        };
        let (at, receiver) = receiver;
        loop {
            match receiver.recv_timeout(TICK) {
                Ok((outcome, spent)) => {
                    return Ok(visit(at, Ok(&RecordReply::new(outcome?, spent))));
                }
                Err(RecvTimeoutError::Timeout) if !self.service.stop.is_cancelled() => {}
                Err(_) => {
                    let interrupted = Err(Interrupted.into());
                    return Ok(visit(
                        at,
                        Ok(&RecordReply::new(interrupted, Duration::ZERO)),
                    ));
                }
            }
        }
    }
}
