//! Panics: those of tasks print nothing and cost a record, all others print once and reach the
//! caller.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind, panic_any};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use manyhands::aggregation::Aggregator;
use manyhands::error::Panicked;
use manyhands::execution::{Flow, Work};
use manyhands::prelude::*;

/// What the hook that was there before the first run was told.
static PRINTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn said(panic: &PanicHookInfo<'_>) -> String {
    panic.payload_as_str().unwrap_or("no text").to_owned()
}

/// Tests of one process share a hook, so each looks for words of its own.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| PRINTED.lock().unwrap().push(said(panic))));
    });
}

fn printed(words: &str) -> usize {
    let printed = PRINTED.lock().unwrap();
    printed.iter().filter(|line| line.contains(words)).count()
}

fn executors() -> Vec<Box<dyn Executor>> {
    vec![
        Box::new(Sequential),
        Box::new(WorkStealing::new(1)),
        Box::new(WorkStealing::new(4)),
        Box::new(WorkStealing::ambient()),
        Box::new(TaskQueue::new(4)),
    ]
}

/// The text of a panic that has reached the caller.
fn caught(run: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(run)).err()?;
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    Some(text.unwrap_or_else(|| payload.downcast_ref::<String>().cloned().unwrap()))
}

/// The only failure of a run over 200 records.
fn panicked<T>(executor: &dyn Executor, task: T) -> Panicked
where
    T: Task<usize, Score = ()>,
{
    let report = Pipeline::new(&(0..200), task)
        .executor(executor)
        .aggregate(Count::new())
        .unwrap();
    assert_eq!((report.scored, report.failed), (199, 1));
    let failure = &report.failures[0];
    assert_eq!(failure.index, 77);
    failure.cause.downcast_ref::<Panicked>().unwrap().clone()
}

fn dawdle() {
    thread::sleep(Duration::from_micros(50));
}

#[test]
fn a_task_that_panics_prints_nothing() {
    listen();
    for executor in executors() {
        let told = panicked(&*executor, |n: &usize| {
            dawdle();
            assert!(*n != 77, "quietly");
        });
        assert_eq!(told.message, "quietly");
        assert!(told.place.unwrap().contains("panics.rs:"));
    }
    assert_eq!(printed("quietly"), 0);
    let loudly = caught(|| panic!("loudly, outside of tasks"));
    assert_eq!(loudly.unwrap(), "loudly, outside of tasks");
    assert_eq!(printed("loudly, outside of tasks"), 1);
}

/// Panics with the score of one record.
#[derive(Clone)]
struct Panics(&'static str);

impl<S> Aggregator<S> for Panics {
    type Output = ();
    const COMMUTATIVE: bool = true;
    fn observe(&mut self, index: u64, _: &S) {
        assert!(index != 77, "{}", self.0);
    }
    fn merge(&mut self, _: Self) {}
    fn finish(self) {}
}

#[test]
fn an_aggregator_that_panics_prints_once_and_reaches_the_caller() {
    listen();
    for (executor, words) in executors().iter().zip([
        "aggregator one",
        "aggregator two",
        "aggregator three",
        "aggregator four",
        "aggregator five",
    ]) {
        let said = caught(|| {
            let run = Pipeline::new(&(0..200), |_: &usize| dawdle()).executor(&**executor);
            let _ = run.aggregate(Panics(words));
        });
        assert_eq!(said.unwrap(), words);
        assert_eq!(printed(words), 1, "{words}");
    }
}

#[test]
fn it_does_so_from_a_thread_that_waits_inside_a_task() {
    listen();
    // The threads of the pool wait inside tasks most of the time, and go on with other records
    // meanwhile.
    let executor = WorkStealing::new(3);
    let task = |n: &usize| {
        rayon::join(dawdle, dawdle);
        *n
    };
    for round in 0..20 {
        let words: &'static str = format!("waiting {round}.").leak();
        let said = caught(|| {
            let run = Pipeline::new(&(0..200), task).executor(&executor);
            let _ = run.aggregate(Panics(words));
        });
        assert_eq!(said.unwrap(), words);
        assert_eq!(printed(words), 1, "{words}");
    }
}

#[test]
fn an_aggregator_inside_a_task_is_a_failure_of_the_task() {
    listen();
    for inner in executors() {
        let nested = |n: &usize| {
            if *n == 77 {
                let run = Pipeline::new(&(0..200), |_: &usize| dawdle()).executor(&*inner);
                let _ = run.aggregate(Panics("nested aggregator"));
            }
        };
        for outer in executors() {
            assert_eq!(panicked(&*outer, nested).message, "nested aggregator");
        }
    }
    assert_eq!(printed("nested aggregator"), 0);
}

#[test]
fn a_task_inside_a_task_is_quiet_too() {
    listen();
    for inner in executors() {
        let nested = |n: &usize| {
            if *n == 77 {
                panicked(&*inner, |n: &usize| assert!(*n != 77, "deep inside"));
                panic!("not so deep");
            }
        };
        for outer in executors() {
            assert_eq!(panicked(&*outer, nested).message, "not so deep");
        }
    }
    assert_eq!(printed("deep"), 0);
}

#[test]
fn a_panic_on_a_thread_of_the_task_is_told_without_a_place_that_is_not_its_own() {
    listen();
    for executor in executors() {
        let told = panicked(&*executor, |n: &usize| {
            if *n == 77 {
                // Leaves a place behind that belongs to no failure.
                let _ = catch_unwind(|| panic!("caught at home"));
                let other = thread::spawn(|| panic!("on another thread"));
                panic::resume_unwind(other.join().unwrap_err());
            }
        });
        assert_eq!(told.message, "on another thread");
        assert_eq!(told.place, None);
    }
    assert_eq!(printed("caught at home"), 0);
    // Nothing tells that it was a task's.
    assert_eq!(printed("on another thread"), executors().len());
}

#[test]
fn a_panic_may_leave_behind_what_panics() {
    struct Spiteful;
    impl Drop for Spiteful {
        fn drop(&mut self) {
            panic!("spite");
        }
    }
    listen();
    for executor in executors() {
        let told = panicked(&*executor, |n: &usize| {
            if *n == 77 {
                panic_any(Spiteful);
            }
        });
        assert_eq!(told.message, "with a value that is not text");
    }
    assert_eq!(printed("spite"), 0);
}

#[test]
fn a_score_that_panics_when_dropped_reaches_the_caller() {
    struct Score(usize);
    impl Drop for Score {
        fn drop(&mut self) {
            assert!(self.0 != 77, "a score was dropped");
        }
    }
    listen();
    for executor in executors() {
        let said = caught(|| {
            let task = |n: &usize| {
                dawdle();
                Score(*n)
            };
            let run = Pipeline::new(&(0..200), task).executor(&*executor);
            let _ = run.aggregate(Count::new());
        });
        assert_eq!(said.unwrap(), "a score was dropped");
    }
    assert_eq!(printed("a score was dropped"), executors().len());
}

#[test]
fn a_hook_set_later_may_leave_tasks_to_ours() {
    static LATER: Mutex<Vec<String>> = Mutex::new(Vec::new());
    listen();
    let told = panicked(&WorkStealing::new(2), |n: &usize| {
        if *n == 77 {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                LATER.lock().unwrap().push(said(panic));
                before(panic);
            }));
            panic!("under a later hook");
        }
    });
    assert_eq!(told.message, "under a later hook");
    assert!(told.place.is_some());
    assert_eq!(printed("under a later hook"), 0);
    let later = LATER.lock().unwrap();
    let heard = later.iter().filter(|line| *line == "under a later hook");
    assert_eq!(heard.count(), 1);
}

#[test]
fn a_run_while_its_thread_unwinds_does_not_abort() {
    struct RunsInTheEnd;
    impl Drop for RunsInTheEnd {
        fn drop(&mut self) {
            panicked(&Sequential, |n: &usize| assert!(*n != 77, "in the end"));
        }
    }
    listen();
    let said = caught(|| {
        let _runs = RunsInTheEnd;
        panic!("the beginning of the end");
    });
    assert_eq!(said.unwrap(), "the beginning of the end");
}

#[test]
fn workers_that_rest_do_not_wait_for_one_that_panics() {
    listen();
    for executor in executors() {
        let workers = executor.workers();
        let run = |_, units: std::ops::Range<usize>| {
            if units.contains(&30) {
                thread::sleep(Duration::from_millis(20));
                panic!("while others rest");
            }
            dawdle();
            if units.start > 30 {
                Flow::Pause
            } else {
                Flow::Go
            }
        };
        let said = caught(|| executor.execute(&Work::new(100_000, &run).at_most(workers)));
        assert_eq!(said.unwrap(), "while others rest");
    }
}
