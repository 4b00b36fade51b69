//! This benchmark measures how much processor time it costs to time the records of a run.
//!
//! Three loops take turns, and each loop is the first equally often: a hand-written loop without the stopwatch of the
//! pipeline, the same loop with the stopwatch, and the pipeline itself. The results are medians. Other programs on
//! the machine do not add to the processor time, but they use the same caches.
//!
//! ```text
//! cargo bench --bench timing
//! ```

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use manyhands::aggregation::Aggregator;
use manyhands::dataset::Position;
use manyhands::internals::Stopwatch;
use manyhands::prelude::*;

/// Number of records whose scores are passed on together.
const STEP: usize = 1024;
const ROUNDS: usize = 60;
/// Time that one round spends on scoring records.
const ROUND: Duration = Duration::from_millis(15);

/// A task that does `rounds` multiplications and additions, each of which depends on the previous one. It is not
/// inlined, because three copies of the loop would differ by more than the difference that is measured here.
#[inline(never)]
fn work(seed: f64, rounds: u32) -> f64 {
    (0..rounds).fold(seed, |x, _| black_box(x).mul_add(0.999, 0.001))
}

/// Returns the processor time of this thread in nanoseconds.
#[cfg(unix)]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Returns the wall-clock time in nanoseconds. This function is for systems without a clock of processor time.
#[cfg(not(unix))]
fn now() -> f64 {
    static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_nanos() as f64
}

/// Returns the processor time that a call takes, in nanoseconds.
fn cost(call: impl FnOnce() -> f64) -> f64 {
    let began = now();
    black_box(call());
    now() - began
}

/// Returns the number of rounds that take the given time on this machine.
fn rounds_for(time: Duration) -> u32 {
    const ROUNDS: u32 = 1_000_000;
    let fastest = (0..9).map(|_| cost(|| work(black_box(0.5), ROUNDS)));
    let fastest = fastest.fold(f64::INFINITY, f64::min);
    ((time.as_nanos() as f64 / fastest * f64::from(ROUNDS)) as u32).max(1)
}

/// The loop of a worker, written by hand. If `TIMED`, it uses a stopwatch.
fn by_hand<const TIMED: bool>(data: &[f64], rounds: u32) -> f64 {
    let mut watch = Stopwatch::new(Instant::now());
    let mut mean = Mean::new();
    let mut scores = Vec::with_capacity(STEP);
    let mut index = 0;
    for step in data.chunks(STEP) {
        if TIMED {
            watch.resume(Instant::now());
        }
        for x in step {
            if TIMED {
                watch.start(Position {
                    index,
                    ..Position::default()
                });
            }
            let score = catch_unwind(AssertUnwindSafe(|| work(*x, rounds)));
            if TIMED {
                watch.end();
            }
            scores.extend(score.ok());
            index += 1;
        }
        if TIMED {
            watch.pause();
        }
        mean.observe_slice(index - scores.len() as u64, &scores);
        scores.clear();
    }
    black_box(&watch);
    mean.finish()
}

fn by_pipeline(data: &[f64], rounds: u32) -> f64 {
    Pipeline::new(data, |x: &f64| work(*x, rounds))
        .executor(&Sequential)
        .aggregate(Mean::new())
        .map_or(f64::NAN, |report| report.value)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    println!("     record    by hand   the stopwatch adds          the pipeline adds");
    for nanoseconds in [10, 100, 1_000, 10_000, 100_000] {
        let time = Duration::from_nanos(nanoseconds);
        let rounds = rounds_for(time);
        let records = ROUND.div_duration_f64(time) as usize;
        let data: Vec<f64> = (0..records).map(|n| n as f64 / records as f64).collect();
        let plain = || cost(|| by_hand::<false>(&data, rounds)) / records as f64;
        let timed = || cost(|| by_hand::<true>(&data, rounds)) / records as f64;
        let pipeline = || cost(|| by_pipeline(&data, rounds)) / records as f64;
        let (mut bases, mut stopwatch, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (base, with, all);
            match round % 3 {
                0 => (base, with, all) = (plain(), timed(), pipeline()),
                1 => (with, all, base) = (timed(), pipeline(), plain()),
                _ => (all, base, with) = (pipeline(), plain(), timed()),
            }
            bases.push(base);
            stopwatch.push(with - base);
            whole.push(all - base);
        }
        let (base, stopwatch, whole) = (median(bases), median(stopwatch), median(whole));
        let told = |more: f64| format!("{more:8.2} ns, {:6.2} %", more / base * 100.0);
        println!(
            "{nanoseconds:8} ns {base:7.1} ns   {}   {}",
            told(stopwatch),
            told(whole)
        );
    }
}
