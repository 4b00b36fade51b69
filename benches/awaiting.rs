//! This benchmark measures what it costs to pass a record through an async function that answers at once, with at most 256
//! calls in flight. It compares our streams with `buffer_unordered` and `buffered` of futures-util, and with hand-written
//! code on a semaphore of tokio.
//!
//! ```text
//! cargo bench --features async --bench awaiting              # wall clock, by criterion
//! cargo bench --features async --bench awaiting -- ROUNDS    # wall clock and processor time, interleaved
//! ONLY="stream, ordered" cargo bench ...                     # the base and one contender, for a profiler
//! ```
//!
//! The other contenders run on one thread, which also takes the scores. Our streams read the records on one thread, call on
//! a second one, and pass the scores on from a third one, since a step after the call may need a processor core.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use futures_util::{StreamExt as _, stream};
use manyhands::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const RECORDS: u64 = 200_000;
const IN_FLIGHT: usize = 256;

/// Name of the contender by whose time all other times are divided.
const BASE: &str = "buffer_unordered";

/// What each call does.
#[derive(Clone, Copy, PartialEq)]
enum Wait {
    /// It answers at once.
    Nothing,
    /// It lets the other calls have a turn.
    Yield,
    /// It waits for a millisecond.
    Millisecond,
}

async fn call(record: u64, wait: Wait) -> u64 {
    match wait {
        Wait::Nothing => {}
        Wait::Yield => tokio::task::yield_now().await,
        Wait::Millisecond => tokio::time::sleep(Duration::from_millis(1)).await,
    }
    black_box(record)
}

fn source() -> impl Iterator<Item = u64> + Send {
    (0..RECORDS).map(black_box)
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime")
}

fn buffer_unordered(wait: Wait) -> u64 {
    let scores = stream::iter(source())
        .map(|record| call(record, wait))
        .buffer_unordered(IN_FLIGHT);
    let add = async |total: u64, score: u64| total.wrapping_add(score);
    runtime().block_on(scores.fold(0, add))
}

fn buffered(wait: Wait) -> u64 {
    let scores = stream::iter(source())
        .map(|record| call(record, wait))
        .buffered(IN_FLIGHT);
    let add = async |total: u64, score: u64| total.wrapping_add(score);
    runtime().block_on(scores.fold(0, add))
}

/// One task for each record, started when the semaphore has a permit.
fn semaphore(wait: Wait) -> u64 {
    runtime().block_on(async {
        let permits = Arc::new(Semaphore::new(IN_FLIGHT));
        let mut calls = JoinSet::new();
        let mut total = 0_u64;
        for record in source() {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("open");
            calls.spawn(async move {
                let score = call(record, wait).await;
                drop(permit);
                score
            });
            while let Some(score) = calls.try_join_next() {
                total = total.wrapping_add(score.expect("no panics"));
            }
        }
        while let Some(score) = calls.join_next().await {
            total = total.wrapping_add(score.expect("no panics"));
        }
        total
    })
}

fn ours(wait: Wait, ordered: bool) -> u64 {
    let mut total = 0_u64;
    let scores = manyhands::stream(source())
        .task_async(async move |record: &u64| call(*record, wait).await)
        .in_flight(IN_FLIGHT);
    let scores = match ordered {
        true => scores,
        false => scores.unordered(),
    };
    scores
        .for_each(|score| total = total.wrapping_add(score))
        .expect("nothing fails");
    total
}

fn aggregate(wait: Wait) -> u64 {
    let scores = manyhands::stream(source())
        .task_async(async move |record: &u64| call(*record, wait).await)
        .then(|score: &u64| *score as f64)
        .in_flight(IN_FLIGHT);
    let report = scores.aggregate(Sum::new()).expect("nothing fails");
    report.value as u64
}

type Way = (&'static str, fn(Wait) -> u64);

fn ways() -> Vec<Way> {
    let mut ways: Vec<Way> = vec![
        (BASE, buffer_unordered),
        ("buffered", buffered),
        ("semaphore and JoinSet", semaphore),
        ("stream, unordered", |wait| ours(wait, false)),
        ("stream, ordered", |wait| ours(wait, true)),
        ("stream, aggregated", aggregate),
    ];
    if let Ok(only) = std::env::var("ONLY") {
        ways.retain(|(name, _)| *name == BASE || *name == only);
    }
    ways
}

/// Returns the processor time that this process has used.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    Duration::ZERO
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_nanos() as f64 / RECORDS as f64
}

fn compare(rounds: usize, what: &str, wait: Wait) {
    let ways = ways();
    let mut spent = vec![(Vec::new(), Vec::new()); ways.len()];
    for _ in 0..rounds {
        for ((name, run), (processor, wall)) in ways.iter().zip(&mut spent) {
            let (began, worked) = (Instant::now(), processor_time());
            let total = run(wait);
            processor.push(processor_time() - worked);
            wall.push(began.elapsed());
            assert_eq!(total, (0..RECORDS).sum::<u64>(), "{name}");
        }
    }
    println!("\n{what}, {RECORDS} records: ns per record, and as multiples of {BASE:?}");
    let mut base = None;
    for ((name, _), (processor, wall)) in ways.iter().zip(&mut spent) {
        let (processor, wall) = (median(processor), median(wall));
        let (processor_of_base, wall_of_base) = *base.get_or_insert((processor, wall));
        println!(
            "{name:24} wall {wall:8.1} ({:5.2})   processor {processor:8.1} ({:5.2})",
            wall / wall_of_base,
            processor / processor_of_base,
        );
    }
}

fn main() {
    let kinds = [
        ("a call that answers at once", Wait::Nothing),
        ("a call that yields once", Wait::Yield),
        ("a call of 1 ms", Wait::Millisecond),
    ];
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok());
    if let Some(rounds) = rounds {
        for (what, wait) in kinds {
            compare(rounds, what, wait);
        }
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    for (what, wait) in kinds {
        let mut group = criterion.benchmark_group(format!("awaiting/{what}"));
        group.throughput(criterion::Throughput::Elements(RECORDS));
        for (name, run) in ways() {
            group.bench_function(name, |bencher| bencher.iter(|| run(wait)));
        }
        group.finish();
    }
    criterion.final_summary();
}
