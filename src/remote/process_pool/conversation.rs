//! The conversation with one worker process, and what happens to records when the process dies.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::block::RecordBlock;
use super::pool::PoolRun;
use super::protocol::Coordinator;
use super::slot::PoolSlot;
use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Died, Error, Interrupted, TimedOut};
use crate::remote::blame::EndsAlone;
use crate::remote::conversation::{Conversation, Elsewhere, RecordReply, Visit};

/// Largest number of unanswered blocks of a process: the block that it is working on, and the next block, so that
/// the process does not wait for a block.
const MAX_IN_FLIGHT: usize = 2;

/// The reason why a process has not answered for a record.
#[derive(Debug)]
enum NoAnswer {
    Died {
        died: Died,
        /// Whether the signal KILL ended the process.
        was_killed: bool,
    },
    TimedOut(TimedOut),
    /// The run has been stopped.
    Interrupted,
}

impl From<NoAnswer> for Cause {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Died { died, .. } => died.into(),
            NoAnswer::TimedOut(timed_out) => timed_out.into(),
            NoAnswer::Interrupted => Interrupted.into(),
        }
    }
}

impl<C: Coordinator> Elsewhere for PoolRun<'_, C> {
    type Score = C::Score;
    type Conversation<'e>
        = PoolConversation<'e, C>
    where
        Self: 'e;

    fn open(&self) -> PoolConversation<'_, C> {
        let mut slot = self.check_out();
        PoolConversation {
            filling: slot.block(),
            slot,
            run: self,
            unanswered: VecDeque::new(),
            finished: false,
        }
    }

    fn stop(&self) {
        self.stop_run();
    }
}

/// A place of the pool in use, and the blocks that its process has not answered.
///
/// A process that dies is replaced by another one. The pool cannot know which record the process was working on,
/// and the process may have died for a reason other than that record. So the unanswered records of its block are
/// sent to the next process one by one. A record fails if two further processes, which were ready and had been sent only
/// this record, die too, or five if the signal KILL ends them, since the system may kill an innocent process for lack of
/// memory. It also fails if a process with this record alone gives no answer in time, and is killed for that.
///
/// After the run has been stopped, no process is started, and records without an answer are interrupted.
pub(crate) struct PoolConversation<'p, C: Coordinator> {
    run: &'p PoolRun<'p, C>,
    slot: PoolSlot,
    /// The block that is not full yet.
    filling: RecordBlock,
    unanswered: VecDeque<RecordBlock>,
    /// Whether the process has answered for all records that it was sent, so that it can serve another
    /// conversation.
    finished: bool,
}

impl<C: Coordinator> Conversation for PoolConversation<'_, C> {
    type Score = C::Score;

    #[inline]
    fn send(
        &mut self,
        at: Position,
        record: Result<&str, BadRecord>,
        visit: &mut impl Visit<C::Score>,
    ) -> Result<ControlFlow<()>, Error> {
        self.filling.push(at, record);
        if !self.slot.is_full(&self.filling) {
            return Ok(ControlFlow::Continue(()));
        }
        self.send_block(visit)
    }

    fn finish(mut self, visit: &mut impl Visit<C::Score>) -> Result<ControlFlow<()>, Error> {
        if !self.filling.is_empty() && self.send_block(visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        while !self.unanswered.is_empty() {
            if self.receive(visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.finished = true;
        Ok(ControlFlow::Continue(()))
    }
}

impl<C: Coordinator> PoolConversation<'_, C> {
    /// Sends the block, whether or not it is full. If too many blocks are in flight, this first visits the replies
    /// to the oldest block.
    pub(super) fn send_block(
        &mut self,
        visit: &mut impl Visit<C::Score>,
    ) -> Result<ControlFlow<()>, Error> {
        if self.unanswered.len() == MAX_IN_FLIGHT && self.receive(visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let mut block = std::mem::replace(&mut self.filling, self.slot.block());
        self.write(&mut block)?;
        self.unanswered.push_back(block);
        Ok(ControlFlow::Continue(()))
    }

    /// Writes a block to the process, unless none of its records is to be sent or the run has been stopped.
    fn write(&mut self, block: &mut RecordBlock) -> Result<(), Error> {
        if block.sent() > 0
            && let Some(process) = self.run.process_of(&mut self.slot)?
        {
            process.send(block, &self.run.coordinator().note());
        }
        Ok(())
    }

    /// Visits the replies to the oldest block.
    pub(super) fn receive(
        &mut self,
        visit: &mut impl Visit<C::Score>,
    ) -> Result<ControlFlow<()>, Error> {
        let Some(block) = self.unanswered.pop_front() else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut replies = BlockReplies::to(&block);
        let mut took = Duration::ZERO;
        while replies.answered < block.sent() {
            match self.answers(&mut replies, visit) {
                Ok(ControlFlow::Continue(elapsed)) => took += elapsed,
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(_) => {
                    let _ = self.end_process();
                    if self.one_by_one(&mut replies, visit)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        if replies.visit_unsent(visit).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if !took.is_zero() {
            self.slot.adjust(block.bytes(), took);
        }
        self.slot.recycle(block);
        Ok(ControlFlow::Continue(()))
    }

    /// Visits the next answers. Returns the time that the process has spent on the records of these answers.
    ///
    /// # Errors
    ///
    /// Returns an error if no answers arrive or if they cannot be read. After an error, the process cannot be used
    /// any more.
    fn answers(
        &mut self,
        replies: &mut BlockReplies<'_>,
        visit: &mut impl Visit<C::Score>,
    ) -> io::Result<ControlFlow<(), Duration>> {
        let Some(process) = &mut self.slot.process else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let coordinator = self.run.coordinator();
        let message = process.receive()?;
        let (count, cpu, counters): (usize, u64, C::Counters) = message.tail()?;
        self.run.add_processor_time(cpu);
        coordinator.count(counters);
        let mut body = message.body();
        let mut elapsed = Duration::ZERO;
        if count == 0 || count > replies.block.sent() - replies.answered {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for _ in 0..count {
            let ((took, answer), rest) =
                postcard::take_from_bytes::<(u64, C::Answer)>(body).map_err(io::Error::other)?;
            body = rest;
            let took = Duration::from_nanos(took);
            elapsed += took;
            let flow = replies.visit(took, visit, |at| coordinator.score(at, answer));
            if flow.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(elapsed))
    }

    /// Ends a process that will send no further answer. Returns the reason why there is no answer, for the case
    /// that the process was sent only one record.
    fn end_process(&mut self) -> NoAnswer {
        let ended = self.slot.process.take().map(|mut process| process.end());
        match ended {
            Some(ended) if !self.run.is_stopped() => match self.run.timeout() {
                Some(after) if ended.overdue => NoAnswer::TimedOut(TimedOut { after }),
                _ => NoAnswer::Died {
                    died: ended.died,
                    was_killed: ended.was_killed,
                },
            },
            _ => NoAnswer::Interrupted,
        }
    }

    /// Sends the unanswered records of a block one by one, and visits their replies. A record on which several processes
    /// end fails. After that, this sends the later blocks again.
    fn one_by_one(
        &mut self,
        replies: &mut BlockReplies<'_>,
        visit: &mut impl Visit<C::Score>,
    ) -> Result<ControlFlow<()>, Error> {
        let mut ends_alone = EndsAlone::default();
        while replies.answered < replies.block.sent() {
            self.write(&mut replies.block.single(replies.answered))?;
            let flow = match self.answers(replies, visit) {
                Ok(ControlFlow::Continue(_)) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => ControlFlow::Break(()),
                Err(_) => {
                    let why = self.end_process();
                    if let NoAnswer::Died { was_killed, .. } = why
                        && !ends_alone.add(was_killed)
                    {
                        continue;
                    }
                    replies.visit(Duration::ZERO, visit, |_| Err(why.into()))
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
            // The supervisor may have killed the process while the answer arrived. The next record must not fail
            // because of that.
            self.slot.process.take_if(|process| process.is_overdue());
            ends_alone = EndsAlone::default();
        }
        let mut later = std::mem::take(&mut self.unanswered);
        for block in &mut later {
            self.write(block)?;
        }
        self.unanswered = later;
        Ok(ControlFlow::Continue(()))
    }
}

/// Methods for tests, which choose themselves when a block is sent.
#[cfg(test)]
impl<C: Coordinator> PoolConversation<'_, C> {
    pub(super) fn push(&mut self, at: Position, record: Result<&str, BadRecord>) {
        self.filling.push(at, record);
    }

    pub(super) fn clear(&mut self) {
        self.filling.clear();
    }

    pub(super) fn is_full(&self) -> bool {
        self.slot.is_full(&self.filling)
    }
}

impl<C: Coordinator> Drop for PoolConversation<'_, C> {
    /// Puts the place back into the pool. Before that, ends its process if the process may still be working on a
    /// record.
    fn drop(&mut self) {
        let mut slot = std::mem::take(&mut self.slot);
        slot.process.take_if(|_| !self.finished);
        self.run.check_in(slot);
    }
}

/// The records of a block, and how many of them have been visited with their replies.
struct BlockReplies<'b> {
    block: &'b RecordBlock,
    /// The index of the next record in the block.
    next: usize,
    /// Number of records that were sent and have a reply.
    answered: usize,
}

impl<'b> BlockReplies<'b> {
    fn to(block: &'b RecordBlock) -> Self {
        BlockReplies {
            block,
            next: 0,
            answered: 0,
        }
    }

    /// Visits the bad records up to the next record that was sent.
    fn visit_unsent<S>(&mut self, visit: &mut impl Visit<S>) -> ControlFlow<()> {
        while let Some((at, Err(bad))) = self.block.record(self.next) {
            self.next += 1;
            visit(*at, Err((**bad).clone()))?;
        }
        ControlFlow::Continue(())
    }

    /// Visits the next record that was sent.
    #[inline]
    fn visit<S>(
        &mut self,
        took: Duration,
        visit: &mut impl Visit<S>,
        outcome: impl FnOnce(Position) -> Result<S, Cause>,
    ) -> ControlFlow<()> {
        self.visit_unsent(visit)?;
        let Some((at, Ok(()))) = self.block.record(self.next) else {
            return ControlFlow::Continue(());
        };
        self.next += 1;
        self.answered += 1;
        visit(*at, Ok(&RecordReply::new(outcome(*at), took)))
    }
}
