//! Threads that run copies of a kernel and start at the same time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::kernels::Kernel;
use crate::error::Error;
use crate::machine::thread_processor_time;

/// Number of checks after which a waiting thread yields its core.
const LOOKS_PER_YIELD: u32 = 2000;

/// Threads that run copies together with the calling thread. They are started once, so that no measured time
/// includes starting them, and end when this value is dropped.
pub(super) struct CopyThreads<'k> {
    threads: Vec<Sender<CopyCall<'k>>>,
}

/// The times of all copies together.
pub(super) struct CopiesRun {
    /// Time from the start of the first copy to the end of the last one.
    pub(super) wall: Duration,
    /// Processor time of all copies, without the time in which they wait for each other.
    pub(super) cpu: Option<Duration>,
}

impl<'k> CopyThreads<'k> {
    /// Starts `copies - 1` threads; the calling thread runs the remaining copy.
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
        Ok(CopyThreads { threads })
    }

    /// Runs this number of copies, but at most one for each thread.
    pub(super) fn run(&self, kernel: &'k dyn Kernel, copies: usize) -> Result<CopiesRun, Error> {
        let threads = &self.threads[..copies.saturating_sub(1).min(self.threads.len())];
        let start = Arc::new(StartBarrier {
            copies: threads.len() + 1,
            ready: AtomicUsize::new(0),
        });
        kernel.prepare(start.copies);
        let (answers, answered) = channel();
        for (thread, copy) in threads.iter().zip(1..) {
            // Sending cannot fail: the thread catches panics and lives as long as its sender.
            let _ = thread.send(CopyCall {
                kernel,
                copy,
                start: Arc::clone(&start),
                answers: answers.clone(),
            });
        }
        drop(answers);
        let own = run_copy(kernel, 0, &start);
        let times: Vec<CopyTime> = std::iter::once(own)
            .chain(answered)
            .collect::<Result<_, _>>()?;
        let from = times.iter().map(|time| time.from).min();
        let until = times.iter().map(|time| time.until).max();
        let wall = from.zip(until).map(|(from, until)| until - from);
        Ok(CopiesRun {
            wall: wall.unwrap_or_default(),
            cpu: times.iter().map(|time| time.cpu).sum(),
        })
    }
}

/// A request to run a copy.
struct CopyCall<'k> {
    kernel: &'k dyn Kernel,
    copy: usize,
    start: Arc<StartBarrier>,
    answers: Sender<Result<CopyTime, Error>>,
}

/// A barrier at which copies wait for each other.
struct StartBarrier {
    copies: usize,
    ready: AtomicUsize,
}

impl StartBarrier {
    /// Waits until all copies are ready. Threads spin rather than sleep, because waking them one after the
    /// other would take a noticeable share of the time of a short kernel.
    fn wait(&self) {
        self.ready.fetch_add(1, SeqCst);
        let mut looks = 0;
        while self.ready.load(SeqCst) < self.copies {
            looks += 1;
            if looks % LOOKS_PER_YIELD == 0 {
                // With more copies than cores, another copy may need this core to become ready.
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// The times of one copy.
struct CopyTime {
    from: Instant,
    until: Instant,
    cpu: Option<Duration>,
}

fn serve(calls: &Receiver<CopyCall<'_>>) {
    for call in calls {
        let time = run_copy(call.kernel, call.copy, &call.start);
        // The receiver is gone if another copy has failed.
        let _ = call.answers.send(time);
    }
}

fn run_copy(kernel: &dyn Kernel, copy: usize, start: &StartBarrier) -> Result<CopyTime, Error> {
    start.wait();
    let (from, before) = (Instant::now(), thread_processor_time());
    let ran = catch_unwind(AssertUnwindSafe(|| kernel.run(copy)));
    let until = Instant::now();
    let cpu = thread_processor_time().zip(before);
    let duration =
        ran.unwrap_or_else(|_| Err(Error::Measure("a copy of the program panicked".to_owned())))?;
    Ok(CopyTime {
        from,
        until: duration.map_or(until, |duration| from + duration),
        cpu: cpu.map(|(now, then)| now - then),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    /// A kernel that waits until all copies have started, and records their numbers and threads.
    struct Rendezvous {
        expected: AtomicUsize,
        started: AtomicUsize,
        seen: Mutex<BTreeSet<(usize, String)>>,
    }

    impl Kernel for Rendezvous {
        fn prepare(&self, copies: usize) {
            self.expected.store(copies, SeqCst);
            self.started.store(0, SeqCst);
        }

        fn run(&self, copy: usize) -> Result<Option<Duration>, Error> {
            let thread = thread::current();
            let name = thread.name().unwrap_or_default().to_owned();
            self.seen.lock().unwrap().insert((copy, name));
            self.started.fetch_add(1, SeqCst);
            let began = Instant::now();
            while self.started.load(SeqCst) < self.expected.load(SeqCst) {
                if began.elapsed() > Duration::from_secs(60) {
                    return Err(Error::Measure("the other copies did not start".to_owned()));
                }
                thread::yield_now();
            }
            Ok(None)
        }
    }

    #[test]
    fn copies_run_at_the_same_time_on_the_same_threads_each_time() {
        let rendezvous = Rendezvous {
            expected: AtomicUsize::new(0),
            started: AtomicUsize::new(0),
            seen: Mutex::default(),
        };
        thread::scope(|scope| {
            let copy_threads = CopyThreads::start(scope, 8).unwrap();
            for copies in [8, 3, 1, 8] {
                let copied = copy_threads.run(&rendezvous, copies).unwrap();
                assert_eq!(rendezvous.started.load(SeqCst), copies);
                assert!(copied.wall > Duration::ZERO);
                assert_eq!(copied.cpu.is_some(), cfg!(unix));
            }
        });
        assert_eq!(rendezvous.seen.into_inner().unwrap().len(), 8);
    }

    /// A kernel that panics in the second copy and fails in the third.
    struct Fails;

    impl Kernel for Fails {
        fn run(&self, copy: usize) -> Result<Option<Duration>, Error> {
            match copy {
                1 => panic!("on purpose"),
                2 => Err(Error::Measure("the third copy fails".to_owned())),
                _ => Ok(Some(Duration::from_secs(5))),
            }
        }
    }

    #[test]
    fn an_error_or_a_panic_in_a_copy_is_returned_and_the_threads_live_on() {
        thread::scope(|scope| {
            let copy_threads = CopyThreads::start(scope, 3).unwrap();
            assert!(copy_threads.run(&Fails, 2).is_err());
            assert!(copy_threads.run(&Fails, 3).is_err());
            // A kernel may report its own time.
            assert_eq!(copy_threads.run(&Fails, 1).unwrap().wall.as_secs(), 5);
        });
    }
}
