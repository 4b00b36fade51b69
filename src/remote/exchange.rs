//! What goes back and forth with one worker process, and what becomes of records when it dies.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::block::Block;
use super::elsewhere::{Answered, Terms};
use super::process::Process;
use super::process_pool::ProcessPool;
use crate::dataset::At;
use crate::error::{BadRecord, Died, Error};

/// How many blocks a process may have that it has not answered: the one it is at, and the next, so that
/// it need not wait for it.
const AHEAD: usize = 2;

/// Who is handed the records with their answers.
pub(super) trait Take<A>:
    FnMut(At, Result<&Answered<A>, BadRecord>) -> ControlFlow<()>
{
}

impl<A, F> Take<A> for F where F: FnMut(At, Result<&Answered<A>, BadRecord>) -> ControlFlow<()> {}

/// A process in use, and the blocks it has not answered.
///
/// A process that dies is started again. Which record it was at nobody can tell, and it may have been
/// killed for no fault of any; so of the block it was at, what has no answer yet goes to the new process
/// one by one. The record with which alone a process dies once more is the one that fails.
pub(super) struct Exchange<'p, T: Terms> {
    pool: &'p ProcessPool,
    terms: &'p T,
    process: Process,
    unanswered: VecDeque<Block>,
}

impl<'p, T: Terms> Exchange<'p, T> {
    pub(super) fn begin(pool: &'p ProcessPool, terms: &'p T) -> Result<Self, Error> {
        Ok(Exchange {
            pool,
            terms,
            process: pool.check_out()?,
            unanswered: VecDeque::new(),
        })
    }

    /// Memory for the next block.
    pub(super) fn block(&mut self) -> Block {
        self.process.block()
    }

    /// Whether a block is as long as it should be.
    pub(super) fn is_full(&self, block: &Block) -> bool {
        block.is_full(self.process.bytes())
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
        if block.sent() > 0 {
            self.process.send(&mut block, &self.terms.note());
        }
        self.unanswered.push_back(block);
        Ok(ControlFlow::Continue(()))
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
        let Exchange { pool, process, .. } = self;
        pool.check_in(process);
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
                    let _ = self.replace()?;
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
            self.process.pace(block.bytes(), took);
        }
        self.process.keep(block);
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
        let frame = self.process.receive()?;
        let (count, cpu, account): (usize, u64, T::Account) = frame.tail()?;
        self.pool.spend(cpu);
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

    /// Starts another process in the place of this one, and says how this one died.
    fn replace(&mut self) -> Result<Died, Error> {
        let died = self.process.end();
        self.process = self.pool.start_one(self.process.number)?;
        Ok(died)
    }

    /// Hands on the answers to what is left of a block, whose records are sent one by one; those that
    /// kill the process have none. Then it goes on with the blocks after it.
    fn one_by_one(
        &mut self,
        passage: &mut Passage<'_>,
        take: &mut impl Take<T::Answer>,
    ) -> Result<ControlFlow<()>, Error> {
        while passage.answered < passage.block.sent() {
            let mut alone = passage.block.alone(passage.answered);
            self.process.send(&mut alone, &self.terms.note());
            let flow = match self.answers(passage, take) {
                Ok(ControlFlow::Continue(_)) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => ControlFlow::Break(()),
                Err(_) => {
                    let died = self.replace()?;
                    passage.pass(Err(died), Duration::ZERO, take)
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        for block in &mut self.unanswered {
            if block.sent() > 0 {
                self.process.send(block, &self.terms.note());
            }
        }
        Ok(ControlFlow::Continue(()))
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
        answer: Result<A, Died>,
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
