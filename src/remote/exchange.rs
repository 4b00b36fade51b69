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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::remote::frame::Frame;
    use crate::remote::process::{Ready, WELCOME};
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::time::Instant;

    struct Numbers;

    impl Terms for Numbers {
        type Note = ();
        type Answer = u32;
        type Account = ();

        fn note(&self) {}

        fn account(&self, (): ()) {}
    }

    /// What a worker says that is ready, and answers with these numbers, one frame after the other.
    fn words(answers: &[Vec<u32>]) -> Vec<u8> {
        let mut said = WELCOME.to_vec();
        let mut frame = Frame::new();
        let (cpu, in_place) = (1, true);
        let ready = Ok::<_, String>(Ready { cpu, in_place });
        frame.write(&ready, &mut said).expect("memory takes it");
        for numbers in answers {
            frame.clear();
            for number in numbers {
                frame.push_value(&(5_u64, number)).expect("a number");
            }
            let tail = (numbers.len(), 10_u64, ());
            frame.write(&tail, &mut said).expect("memory takes it");
        }
        said
    }

    /// A program that is started as the first, the second and so on of several: it says what is in the
    /// file `said.N`, keeps what it hears in `heard.N`, and dies early if there is a file `dies.N`.
    fn script(folder: &Path) -> std::path::PathBuf {
        let at = folder.display();
        let text = format!(
            "#!/bin/sh\ncd {at}\nn=1\nwhile [ -e heard.$n ]; do n=$((n + 1)); done\n: > heard.$n\n\
             cat said.$n\n[ -e dies.$n ] && exit 7\nexec cat > heard.$n\n"
        );
        let path = folder.join("program");
        // Written by another process, so that none that is started meanwhile has it open for writing.
        let written = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
            .args([path.as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("there is sh").success());
        path
    }

    #[test]
    fn who_takes_over_is_sent_what_nobody_has_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        // The first answers one record of three and dies; the second dies of the next, alone; the
        // third has the rest of that block, alone, and the block after it.
        for (name, answers) in [
            ("said.1", vec![vec![10]]),
            ("said.2", vec![]),
            ("said.3", vec![vec![30], vec![40, 50]]),
        ] {
            fs::write(file(name), words(&answers)).expect("a file");
        }
        fs::write(file("dies.1"), "").expect("a file");
        fs::write(file("dies.2"), "").expect("a file");
        let pool = ProcessPool::new(script(folder.path()), Vec::new(), 1, false);
        let mut handed = Vec::new();
        let mut take = |at: At, answered: Result<&Answered<u32>, BadRecord>| {
            let answer = answered.map(|answered| answered.take().expect("an answer"));
            handed.push((at.index, answer));
            ControlFlow::Continue(())
        };
        let mut exchange = Exchange::begin(&pool, &Numbers).expect("it starts");
        let bad = || BadRecord::new("no text", None);
        for records in [
            vec![
                (0, Ok("zero")),
                (1, Err(bad())),
                (2, Ok("two")),
                (3, Ok("three")),
            ],
            vec![(4, Ok("four")), (5, Ok("five")), (6, Err(bad()))],
        ] {
            let mut block = exchange.block();
            for (index, text) in records {
                let at = At {
                    index,
                    ..At::default()
                };
                block.push(at, text);
            }
            let flow = exchange.send(block, &mut take).expect("it is sent");
            assert!(flow.is_continue());
        }
        let flow = exchange.finish(&mut take).expect("answers");
        assert!(flow.is_continue());
        let died = Died {
            how: "exit status 7".to_owned(),
        };
        let expected = [
            (0, Ok(Ok(10))),
            (1, Err(bad())),
            (2, Ok(Err(died))),
            (3, Ok(Ok(30))),
            (4, Ok(Ok(40))),
            (5, Ok(Ok(50))),
            (6, Err(bad())),
        ];
        assert_eq!(handed, expected);
        assert_eq!(
            pool.processor_time(),
            Duration::from_nanos(1 + 10 + 1 + 1 + 20)
        );
        // The third was sent record 3, and the block that the first had not come to.
        let began = Instant::now();
        let heard = || fs::read(file("heard.3")).expect("what it heard");
        let has = |text: &[u8]| heard().windows(text.len()).any(|part| part == text);
        while !has(b"fourfive") {
            assert!(began.elapsed() < Duration::from_secs(60), "it was not sent");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(has(b"three") && !has(b"two") && !has(b"zero"));
    }
}
