//! Threads that run copies of the same thing, starting together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::kernels::Kernel;
use crate::error::Error;
use crate::machine::thread_processor_time;

/// A thread that waits for the others looks this often before it lets others have its core.
const LOOKS: u32 = 2000;

/// Threads that wait to run copies, the calling one beside them. They live until it is dropped, so that
/// starting them is part of no time.
pub(super) struct Copiers<'k> {
    threads: Vec<Sender<Call<'k>>>,
}

/// What all copies together took.
pub(super) struct Copied {
    /// From when the first began to when the last was done.
    pub(super) wall: Duration,
    /// Processor time of all of them, without waiting for each other.
    pub(super) cpu: Option<Duration>,
}

impl<'k> Copiers<'k> {
    /// So many, the calling thread among them.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        copies: usize,
    ) -> Result<Self, Error>
    where
        'k: 'scope,
    {
        let start = |copy| {
            let (calls, received) = channel();
            let name = format!("manyhands-copy-{copy}");
            thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, move || serve(&received))
                .map_err(|error| Error::Measure(format!("cannot start a thread: {error}")))?;
            Ok(calls)
        };
        let threads = (1..copies).map(start).collect::<Result<_, _>>()?;
        Ok(Copiers { threads })
    }

    /// Runs so many copies; no more of them than have been started.
    pub(super) fn run(&self, kernel: &'k dyn Kernel, copies: usize) -> Result<Copied, Error> {
        let threads = &self.threads[..copies.saturating_sub(1).min(self.threads.len())];
        let start = Arc::new(Start {
            copies: threads.len() + 1,
            ready: AtomicUsize::new(0),
        });
        kernel.prepare(start.copies);
        let (answers, answered) = channel();
        for (thread, copy) in threads.iter().zip(1..) {
            // A thread ends no sooner than its sender: it catches what panics.
            let _ = thread.send(Call {
                kernel,
                copy,
                start: Arc::clone(&start),
                answers: answers.clone(),
            });
        }
        drop(answers);
        let own = copy(kernel, 0, &start);
        let all: Vec<Span> = std::iter::once(own)
            .chain(answered)
            .collect::<Result<_, _>>()?;
        let from = all.iter().map(|span| span.from).min();
        let until = all.iter().map(|span| span.until).max();
        let wall = from.zip(until).map(|(from, until)| until - from);
        Ok(Copied {
            wall: wall.unwrap_or_default(),
            cpu: all.iter().map(|span| span.cpu).sum(),
        })
    }
}

/// A copy to run.
struct Call<'k> {
    kernel: &'k dyn Kernel,
    copy: usize,
    start: Arc<Start>,
    answers: Sender<Result<Span, Error>>,
}

/// Where copies wait for each other.
struct Start {
    copies: usize,
    ready: AtomicUsize,
}

impl Start {
    /// Until all are ready. They look rather than sleep: to wake them takes as long as a good part of a
    /// percent of what they will run, and happens to one after the other.
    fn wait(&self) {
        self.ready.fetch_add(1, SeqCst);
        let mut looks = 0;
        while self.ready.load(SeqCst) < self.copies {
            looks += 1;
            if looks % LOOKS == 0 {
                // With more copies than cores, one that is waited for may need this one.
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// When one copy ran.
struct Span {
    from: Instant,
    until: Instant,
    cpu: Option<Duration>,
}

fn serve(calls: &Receiver<Call<'_>>) {
    for call in calls {
        let span = copy(call.kernel, call.copy, &call.start);
        // Nobody listens where another copy has failed.
        let _ = call.answers.send(span);
    }
}

fn copy(kernel: &dyn Kernel, copy: usize, start: &Start) -> Result<Span, Error> {
    start.wait();
    let (from, before) = (Instant::now(), thread_processor_time());
    let ran = catch_unwind(AssertUnwindSafe(|| kernel.run(copy)));
    let until = Instant::now();
    let cpu = thread_processor_time().zip(before);
    let took = ran.unwrap_or_else(|_| Err(Error::Measure("a copy has panicked".to_owned())))?;
    Ok(Span {
        from,
        until: took.map_or(until, |took| from + took),
        cpu: cpu.map(|(now, then)| now - then),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    /// Waits until all copies are there, and puts down who they were.
    struct Meets {
        expected: AtomicUsize,
        there: AtomicUsize,
        seen: Mutex<BTreeSet<(usize, String)>>,
    }

    impl Kernel for Meets {
        fn prepare(&self, copies: usize) {
            self.expected.store(copies, SeqCst);
            self.there.store(0, SeqCst);
        }

        fn run(&self, copy: usize) -> Result<Option<Duration>, Error> {
            let thread = thread::current();
            let name = thread.name().unwrap_or_default().to_owned();
            self.seen.lock().unwrap().insert((copy, name));
            self.there.fetch_add(1, SeqCst);
            let began = Instant::now();
            while self.there.load(SeqCst) < self.expected.load(SeqCst) {
                if began.elapsed() > Duration::from_secs(30) {
                    return Err(Error::Measure("the others do not come".to_owned()));
                }
                thread::yield_now();
            }
            Ok(None)
        }
    }

    #[test]
    fn copies_run_at_the_same_time_on_the_same_threads_each_time() {
        let meets = Meets {
            expected: AtomicUsize::new(0),
            there: AtomicUsize::new(0),
            seen: Mutex::default(),
        };
        thread::scope(|scope| {
            let copiers = Copiers::start(scope, 8).unwrap();
            for copies in [8, 3, 1, 8] {
                let copied = copiers.run(&meets, copies).unwrap();
                assert_eq!(meets.there.load(SeqCst), copies);
                assert!(copied.wall > Duration::ZERO);
                assert_eq!(copied.cpu.is_some(), cfg!(unix));
            }
        });
        assert_eq!(meets.seen.into_inner().unwrap().len(), 8);
    }

    /// Panics in the second copy and fails in the third.
    struct Fails;

    impl Kernel for Fails {
        fn run(&self, copy: usize) -> Result<Option<Duration>, Error> {
            match copy {
                1 => panic!("on purpose"),
                2 => Err(Error::Measure("no third copy".to_owned())),
                _ => Ok(Some(Duration::from_secs(5))),
            }
        }
    }

    #[test]
    fn what_goes_wrong_in_a_copy_is_told_and_the_threads_go_on() {
        thread::scope(|scope| {
            let copiers = Copiers::start(scope, 3).unwrap();
            assert!(copiers.run(&Fails, 2).is_err());
            assert!(copiers.run(&Fails, 3).is_err());
            // A kernel that knows better how long it took is believed.
            assert_eq!(copiers.run(&Fails, 1).unwrap().wall.as_secs(), 5);
        });
    }
}
