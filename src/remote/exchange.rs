//! What goes back and forth with one worker process, and what becomes of records when it dies.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::block::Block;
use super::elsewhere::{Answered, Terms, Unanswered};
use super::process_pool::Supervised;
use super::slot::Slot;
use crate::dataset::At;
use crate::error::{BadRecord, Error, TimedOut};

/// How many blocks a process may have that it has not answered: the one it is at, and the next, so that
/// it need not wait for it.
const AHEAD: usize = 2;

/// Who is handed the records with their answers.
pub(super) trait Take<A>:
    FnMut(At, Result<&Answered<A>, BadRecord>) -> ControlFlow<()>
{
}

impl<A, F> Take<A> for F where F: FnMut(At, Result<&Answered<A>, BadRecord>) -> ControlFlow<()> {}

/// A place of a pool in use, and the blocks that its process has not answered.
///
/// A process that dies is replaced by another. There is no way to know which record it was at, and it may
/// have been killed for no fault of any; so of the block it was at, what has no answer yet goes to the
/// next process one by one. A record fails if a process dies once more that was ready and had this
/// record alone. A process that is killed because it gave no answer in time is treated the same.
///
/// Once the run is to stop, no process is started any more, and the records that have no answer then are
/// handed on as interrupted.
pub(super) struct Exchange<'p, T: Terms> {
    pool: &'p Supervised<'p>,
    terms: &'p T,
    slot: Slot,
    unanswered: VecDeque<Block>,
    /// Whether all that was sent has been answered, so that the process may serve others.
    finished: bool,
}

impl<'p, T: Terms> Exchange<'p, T> {
    pub(super) fn begin(pool: &'p Supervised<'p>, terms: &'p T) -> Self {
        Exchange {
            pool,
            terms,
            slot: pool.check_out(),
            unanswered: VecDeque::new(),
            finished: false,
        }
    }

    /// Memory for the next block.
    pub(super) fn block(&mut self) -> Block {
        self.slot.block()
    }

    /// Whether a block is as long as it should be.
    pub(super) fn is_full(&self, block: &Block) -> bool {
        self.slot.is_full(block)
    }

    /// Sends a block, and hands on the answers to the ones before as far as there is no room for it.
    pub(super) fn send(
        &mut self,
        mut block: Block,
        take: &mut impl Take<T::Answer>,
    ) -> Result<ControlFlow<()>, Error> {
        if self.unanswered.len() == AHEAD && self.receive(take)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.write(&mut block)?;
        self.unanswered.push_back(block);
        Ok(ControlFlow::Continue(()))
    }

    /// Writes a block to the process, if there is something to write and the run is not to stop.
    fn write(&mut self, block: &mut Block) -> Result<(), Error> {
        if block.sent() > 0
            && let Some(process) = self.slot.process(self.pool)?
        {
            process.send(block, &self.terms.note());
        }
        Ok(())
    }

    /// Hands on all answers that are still to come.
    pub(super) fn finish(
        mut self,
        take: &mut impl Take<T::Answer>,
    ) -> Result<ControlFlow<()>, Error> {
        while !self.unanswered.is_empty() {
            if self.receive(take)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.finished = true;
        Ok(ControlFlow::Continue(()))
    }

    /// Hands on what the oldest block comes to.
    fn receive(&mut self, take: &mut impl Take<T::Answer>) -> Result<ControlFlow<()>, Error> {
        let Some(block) = self.unanswered.pop_front() else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut passage = Passage::through(&block);
        let mut took = Duration::ZERO;
        while passage.answered < block.sent() {
            match self.answers(&mut passage, take) {
                Ok(ControlFlow::Continue(elapsed)) => took += elapsed,
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(_) => {
                    let _ = self.end_process();
                    if self.one_by_one(&mut passage, take)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        if passage.pass_unsent(take).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if !took.is_zero() {
            self.slot.pace(block.bytes(), took);
        }
        self.slot.keep(block);
        Ok(ControlFlow::Continue(()))
    }

    /// Hands on the answers that come next, and returns how long the process was at them.
    ///
    /// # Errors
    ///
    /// Where none come, or what is none: this process is of no use any more.
    fn answers(
        &mut self,
        passage: &mut Passage<'_>,
        take: &mut impl Take<T::Answer>,
    ) -> io::Result<ControlFlow<(), Duration>> {
        let Some(process) = &mut self.slot.process else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let frame = process.receive()?;
        let (count, cpu, account): (usize, u64, T::Account) = frame.tail()?;
        self.pool.pool().spend(cpu);
        self.terms.account(account);
        let mut body = frame.body();
        let mut elapsed = Duration::ZERO;
        if count == 0 || count > passage.block.sent() - passage.answered {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for _ in 0..count {
            let ((took, answer), rest) =
                postcard::take_from_bytes::<(u64, T::Answer)>(body).map_err(io::Error::other)?;
            body = rest;
            let took = Duration::from_nanos(took);
            elapsed += took;
            if passage.pass(Ok(answer), took, take).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(elapsed))
    }

    /// Ends the process, of which no answer can be had any more, and says what that means for a record
    /// that it had alone.
    fn end_process(&mut self) -> Unanswered {
        let ended = self.slot.process.take().map(|mut process| process.end());
        match ended {
            Some(ended) if !self.pool.is_stopped() => match self.pool.timeout() {
                Some(after) if ended.overdue => Unanswered::TimedOut(TimedOut { after }),
                _ => Unanswered::Died(ended.died),
            },
            _ => Unanswered::Interrupted,
        }
    }

    /// Hands on the answers to what is left of a block, whose records are sent one by one; those that
    /// kill the process have none. Then it goes on with the blocks after it.
    fn one_by_one(
        &mut self,
        passage: &mut Passage<'_>,
        take: &mut impl Take<T::Answer>,
    ) -> Result<ControlFlow<()>, Error> {
        while passage.answered < passage.block.sent() {
            self.write(&mut passage.block.alone(passage.answered))?;
            let flow = match self.answers(passage, take) {
                Ok(ControlFlow::Continue(_)) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => ControlFlow::Break(()),
                Err(_) => {
                    let why = self.end_process();
                    passage.pass(Err(why), Duration::ZERO, take)
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
            // It may have answered at the very moment in which it was killed. The next record is not to
            // blame for that.
            self.slot.process.take_if(|process| process.is_overdue());
        }
        let mut later = std::mem::take(&mut self.unanswered);
        for block in &mut later {
            self.write(block)?;
        }
        self.unanswered = later;
        Ok(ControlFlow::Continue(()))
    }
}

impl<T: Terms> Drop for Exchange<'_, T> {
    /// Gives the place back. A process that may be in the middle of a record is ended before.
    fn drop(&mut self) {
        let mut slot = std::mem::take(&mut self.slot);
        slot.process.take_if(|_| !self.finished);
        self.pool.check_in(slot);
    }
}

/// How far the records of a block have been handed on.
struct Passage<'b> {
    block: &'b Block,
    /// The next record.
    next: usize,
    /// How many of those that were sent have been answered.
    answered: usize,
}

impl<'b> Passage<'b> {
    fn through(block: &'b Block) -> Self {
        Passage {
            block,
            next: 0,
            answered: 0,
        }
    }

    /// Hands on the records that were not sent, up to the next one that was.
    fn pass_unsent<A>(&mut self, take: &mut impl Take<A>) -> ControlFlow<()> {
        while let Some((at, Err(bad))) = self.block.record(self.next) {
            self.next += 1;
            take(*at, Err(bad.clone()))?;
        }
        ControlFlow::Continue(())
    }

    /// Hands on the next record that was sent.
    fn pass<A>(
        &mut self,
        answer: Result<A, Unanswered>,
        took: Duration,
        take: &mut impl Take<A>,
    ) -> ControlFlow<()> {
        self.pass_unsent(take)?;
        let Some((at, Ok(()))) = self.block.record(self.next) else {
            return ControlFlow::Continue(());
        };
        self.next += 1;
        self.answered += 1;
        take(*at, Ok(&Answered::new(*at, answer, took)))
    }
}

#[cfg(all(test, unix))]
mod tests;
