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
        slot.process
            .take_if(|process| !self.finished || process.is_overdue());
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
mod tests {
    use super::*;
    use crate::error::Died;
    use crate::remote::scripted::{Numbers, Scripted};
    use crate::stop::Cancel;
    use std::time::Instant;

    /// What a record has come to.
    type Outcome = Result<Result<u32, Unanswered>, BadRecord>;

    /// A record that is not sent.
    const BAD: &str = "";

    fn bad() -> BadRecord {
        BadRecord::new("no text", None)
    }

    /// Fills a block; `first` is the index of its first record.
    fn fill(block: &mut Block, first: u64, texts: &[&str]) {
        for (index, text) in (first..).zip(texts) {
            let record = if *text == BAD { Err(bad()) } else { Ok(*text) };
            let at = At {
                index,
                ..At::default()
            };
            block.push(at, record);
        }
    }

    /// Exchanges blocks of records, in as many reads as there are lists, and returns what they came to, in
    /// order.
    fn exchange(
        service: &Supervised<'_>,
        blocks: &[&[&str]],
        mut each: impl FnMut(u64),
    ) -> Result<Vec<Outcome>, Error> {
        let mut handed = Vec::new();
        let mut take = |at: At, answered: Result<&Answered<u32>, BadRecord>| {
            assert_eq!(at.index, handed.len() as u64, "in order, each once");
            handed.push(answered.map(Answered::take));
            each(at.index);
            ControlFlow::Continue(())
        };
        let mut exchange = Exchange::begin(service, &Numbers);
        let mut first = 0;
        for texts in blocks {
            let mut block = exchange.block();
            fill(&mut block, first, texts);
            first += texts.len() as u64;
            assert!(exchange.send(block, &mut take)?.is_continue());
        }
        assert!(exchange.finish(&mut take)?.is_continue());
        Ok(handed)
    }

    fn exit_7() -> Unanswered {
        let how = "exit status 7".to_owned();
        Unanswered::Died(Died { how })
    }

    const TIMEOUT: Duration = Duration::from_millis(300);

    fn timed_out() -> Unanswered {
        Unanswered::TimedOut(TimedOut { after: TIMEOUT })
    }

    #[test]
    fn who_takes_over_is_sent_what_has_no_answer() {
        let scripted = Scripted::new();
        // The first answers one record of three and dies; the second dies of the next, alone; the
        // third has the rest of that block, alone, and the block after it.
        scripted.says(1, &[&[10]]).dies(1);
        scripted.says(2, &[]).dies(2);
        scripted.says(3, &[&[30], &[40, 50]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let blocks: [&[&str]; 2] = [&["zero", BAD, "two", "three"], &["four", "five", BAD]];
        let handed = exchange(&service, &blocks, |_| {}).expect("answers");
        let expected = [
            Ok(Ok(10)),
            Err(bad()),
            Ok(Err(exit_7())),
            Ok(Ok(30)),
            Ok(Ok(40)),
            Ok(Ok(50)),
            Err(bad()),
        ];
        assert_eq!(handed, expected);
        assert_eq!(
            pool.processor_time(),
            Duration::from_nanos(1 + 10 + 1 + 1 + 20)
        );
        // The third was sent record 3, and the block that the first had not come to.
        scripted.wait_until_heard(3, b"fourfive");
        let heard = |text: &[u8]| scripted.has_heard(3, text);
        assert!(heard(b"three") && !heard(b"two") && !heard(b"zero"));
    }

    #[test]
    fn a_death_while_starting_is_no_fault_of_a_record() {
        let scripted = Scripted::new();
        scripted.says(1, &[&[10]]).dies(1);
        // Four die before they are ready, in the midst of every word they say.
        let words = scripted.words(&[]);
        let welcome = crate::remote::process::WELCOME.len();
        for (number, said) in [(2, 0), (3, welcome - 1), (4, welcome), (5, words.len() - 1)] {
            scripted.says_only(number, &words[..said]).dies(number);
        }
        scripted.says(6, &[&[20], &[30]]).dies(6);
        // And once one was ready, four more may die.
        for number in 7..11 {
            scripted.says_only(number, b"").dies(number);
        }
        scripted.says(11, &[&[40]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let blocks: [&[&str]; 2] = [&["one", "two", "three"], &["four"]];
        let handed = exchange(&service, &blocks, |_| {}).expect("answers");
        assert_eq!(handed, [10, 20, 30, 40].map(|answer| Ok(Ok(answer))));
        assert_eq!(scripted.started(), 11);
    }

    #[test]
    fn five_deaths_in_a_row_end_the_run() {
        let scripted = Scripted::new();
        scripted.says(1, &[&[10]]).dies(1);
        for number in 2..9 {
            scripted.says_only(number, b"").dies(number);
        }
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let error = exchange(&service, &[&["one", "two"]], |_| {}).expect_err("no process");
        assert!(matches!(error, Error::Process { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("5 died one after another"), "{told}");
        assert!(told.contains("exit status 7"), "{told}");
        assert_eq!(scripted.started(), 6);
    }

    #[test]
    fn a_process_is_started_only_for_a_record() {
        let scripted = Scripted::new();
        scripted.says(1, &[]).dies(1);
        scripted.says(2, &[]).dies(2);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let handed = exchange(&service, &[&[BAD], &["one", BAD], &[BAD]], |_| {});
        let expected = [Err(bad()), Ok(Err(exit_7())), Err(bad()), Err(bad())];
        assert_eq!(handed.expect("no answer"), expected);
        assert_eq!(scripted.started(), 2);
    }

    #[test]
    fn a_record_without_an_answer_in_time_fails_alone() {
        let scripted = Scripted::new();
        // The first two say that they are ready, and nothing about a record.
        scripted.says(1, &[]).says(2, &[]).says(3, &[&[20], &[30]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), Some(TIMEOUT));
        let service = service.expect("a thread");
        let blocks: [&[&str]; 2] = [&["one", "two"], &["three"]];
        let handed = exchange(&service, &blocks, |_| {}).expect("answers");
        assert_eq!(handed, [Ok(Err(timed_out())), Ok(Ok(20)), Ok(Ok(30))]);
        assert_eq!(scripted.started(), 3);
    }

    #[test]
    fn who_does_not_read_is_killed_too() {
        let scripted = Scripted::new();
        scripted.says(1, &[]).reads_nothing(1);
        scripted.says(2, &[&[10]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), Some(TIMEOUT));
        let service = service.expect("a thread");
        let long = "so good ".repeat(1 << 20);
        let handed = exchange(&service, &[&[&long]], |_| {}).expect("an answer");
        assert_eq!(handed, [Ok(Ok(10))]);
    }

    #[test]
    fn an_answer_in_the_moment_of_the_kill_counts_and_the_next_record_is_not_to_blame() {
        let scripted = Scripted::new();
        scripted.says(1, &[]).dies(1);
        scripted.says(2, &[&[10]]);
        scripted.says(3, &[&[20]]);
        scripted.says(4, &[&[30]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let kill = |index| {
            // As if the supervisor had found the process overdue just before it had answered.
            if index < 2 {
                service.in_use().each(|handle| {
                    handle.waiting(|| {
                        handle.pass(Duration::ZERO, Duration::ZERO);
                        handle.pass(TIMEOUT, Duration::ZERO);
                    });
                });
            }
        };
        let handed = exchange(&service, &[&["one", "two"]], kill).expect("answers");
        assert_eq!(handed, [Ok(Ok(10)), Ok(Ok(20))]);
        // The last was killed with all its records answered: it is not given to others.
        let handed = exchange(&service, &[&["three"]], |_| {}).expect("an answer");
        assert_eq!(handed, [Ok(Ok(30))]);
        assert_eq!(scripted.started(), 4);
    }

    #[test]
    fn once_the_run_is_to_stop_no_record_is_waited_for() {
        for deaf in [false, true] {
            let scripted = Scripted::new();
            scripted.says(1, &[&[10]]).says(2, &[&[20]]);
            let pool = scripted.pool(1);
            let token = Cancel::new();
            let service = pool.supervised(&token, None).expect("a thread");
            service.start().expect("it starts");
            if deaf {
                // Then the calling thread waits in the middle of a write.
                scripted.reads_nothing(1);
                token.cancel();
            }
            let long = "so good ".repeat(1 << 20);
            let blocks: [&[&str]; 4] = [&["one", "two"], &[&long], &[BAD, "three"], &["four"]];
            let stop = |index| {
                if index == 0 {
                    token.cancel();
                }
            };
            let handed = exchange(&service, &blocks, stop).expect("it ends");
            let interrupted = || Ok(Err(Unanswered::Interrupted));
            let expected = [
                Ok(Ok(10)),
                interrupted(),
                interrupted(),
                Err(bad()),
                interrupted(),
                interrupted(),
            ];
            assert_eq!(handed, expected);
            assert_eq!(scripted.started(), 1);
        }
    }

    #[test]
    fn a_process_that_is_starting_is_not_waited_for_either() {
        let scripted = Scripted::new();
        scripted.says_only(1, crate::remote::process::WELCOME);
        let pool = scripted.pool(1);
        let token = Cancel::new();
        let service = pool.supervised(&token, None).expect("a thread");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                scripted.wait_until_heard(1, b"mh1");
                token.cancel();
            });
            service.start().expect("it is stopped");
        });
        let handed = exchange(&service, &[&["one"]], |_| {}).expect("it is stopped");
        assert_eq!(handed, [Ok(Err(Unanswered::Interrupted))]);
        service.start().expect("it is stopped");
        assert_eq!(scripted.started(), 1);
    }

    #[test]
    fn a_block_is_as_long_as_the_pace_allows() {
        let scripted = Scripted::new();
        scripted.says(1, &[&[1], &[2]]);
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let mut take = |_: At, _: Result<&Answered<u32>, BadRecord>| ControlFlow::Continue(());
        let mut exchange = Exchange::begin(&service, &Numbers);
        let block = |exchange: &mut Exchange<'_, Numbers>, texts: &[&str]| {
            let mut block = exchange.block();
            fill(&mut block, 0, texts);
            (exchange.is_full(&block), block)
        };
        // Nothing is known about the first record, so it goes alone. One that is not sent says nothing.
        assert!(!block(&mut exchange, &[BAD]).0);
        let (full, first) = block(&mut exchange, &["four"]);
        assert!(full);
        assert!(exchange.send(first, &mut take).expect("sent").is_continue());
        assert!(exchange.receive(&mut take).expect("heard").is_continue());
        // It took nanoseconds, so the next block has eight times as many bytes.
        assert!(!block(&mut exchange, &["four"; 7]).0);
        let (full, second) = block(&mut exchange, &["four"; 8]);
        assert!(full);
        // Records that are not sent take memory too, however many.
        assert!(!block(&mut exchange, &[BAD; 4095]).0);
        assert!(block(&mut exchange, &[BAD; 4096]).0);
        drop(second);
        let began = Instant::now();
        drop(exchange);
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "it was waited for"
        );
    }
}
