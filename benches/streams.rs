//! What a record costs on its way out of an iterator into one of two workers: ours beside those
//! who share an iterator between threads, or a slice, and beside what one would write by hand.
//!
//! ```text
//! cargo bench --bench streams              # wall clock, by criterion
//! cargo bench --bench streams -- ROUNDS    # processor time and wall clock a record, interleaved
//! ONLY="stream, ordered" cargo bench ...   # one of them, to be looked at by a profiler
//! ```
//!
//! The wall clock on a machine that others use says little; the processor time of the process says
//! what a record costs, whoever paid for it. Not all that is compared does the same: see `NOTES`.

#[allow(dead_code, unused_imports, reason = "not all of it is needed here")]
#[path = "../src/dataset/stream/mod.rs"]
mod stream;
#[allow(dead_code, unused_imports, reason = "not all of it is needed here")]
#[path = "../src/sync.rs"]
mod sync;

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use criterion::Criterion;
use manyhands::aggregation::Aggregator;
use manyhands::dataset::Records;
use manyhands::prelude::{Executor, Limit, Pipeline, TaskQueue, WorkStealing};

const RECORDS: u64 = 1_000_000;
const DEAR_RECORDS: u64 = 20_000;
const WORKERS: usize = 2;

/// What is to be known beside the figures.
const NOTES: &str = "\
live: a record that has come is never in the hands of a worker that waits for the next.
par_bridge, orx and the channel of records are given no say in how many records a worker takes;
ours and the locked iterator are given 256. orx from an iterator, the locked iterator and the
channel of 64s are not live. paralight and orx from a slice have nothing to wait for.
From 'stream, unordered' to 'pipeline of Records', and from 'WorkStealing, slice' on, it is the public
API: panics caught record by record, a prefix kept for a stop, the slowest records timed. What is in
flight is kept by waiting; a budget is a lock a record.";

/// The task: so many dependent steps, about 1 ns each, and then the record itself.
fn score(record: u64, steps: u64) -> u64 {
    let mut state = black_box(record);
    for _ in 0..steps {
        state = black_box(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    }
    black_box(state);
    record
}

fn source(records: u64) -> impl Iterator<Item = u64> + Send {
    (0..records).map(black_box)
}

/// The sum of what two threads come to.
fn on_workers(work: impl Fn() -> u64 + Sync) -> u64 {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..WORKERS).map(|_| scope.spawn(&work)).collect();
        let own = work();
        let others = others
            .into_iter()
            .map(|thread| thread.join().expect("a worker"));
        others.fold(own, u64::wrapping_add)
    })
}

fn sum(scores: impl Iterator<Item = u64>) -> u64 {
    scores.fold(0, u64::wrapping_add)
}

fn ours(records: u64, steps: u64, most: usize) -> u64 {
    let pull = stream::Pull::new(source(records));
    on_workers(|| {
        let (mut taken, mut total) = (Vec::new(), 0u64);
        while pull.take(most, &mut taken).is_some() {
            total = total.wrapping_add(sum(taken.drain(..).map(|record| score(record, steps))));
        }
        total
    })
}

/// By hand, 1: an iterator behind a lock, and as many records as may be while one has it.
fn locked_iterator(records: u64, steps: u64) -> u64 {
    let source = Mutex::new(source(records));
    on_workers(|| {
        let (mut taken, mut total) = (Vec::new(), 0u64);
        loop {
            taken.extend(source.lock().expect("no panics").by_ref().take(256));
            if taken.is_empty() {
                return total;
            }
            total = total.wrapping_add(sum(taken.drain(..).map(|record| score(record, steps))));
        }
    })
}

/// By hand, 2: a thread that feeds a channel.
fn channel(records: u64, steps: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(1024);
    std::thread::scope(|scope| {
        scope.spawn(move || source(records).for_each(|record| sender.send(record).expect("open")));
        on_workers(|| sum(receiver.iter().map(|record| score(record, steps))))
    })
}

/// By hand, 3: the same, 64 records at a time.
fn channel_of_64s(records: u64, steps: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(16);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut source = source(records).peekable();
            while source.peek().is_some() {
                let some: Vec<u64> = source.by_ref().take(64).collect();
                sender.send(some).expect("open");
            }
        });
        on_workers(|| sum(receiver.iter().flatten().map(|record| score(record, steps))))
    })
}

/// A sum that wraps around, as all the others come to.
#[derive(Clone)]
struct Total(u64);

impl Aggregator<u64> for Total {
    type Output = u64;
    const COMMUTATIVE: bool = true;

    fn observe(&mut self, _: u64, score: &u64) {
        self.0 = self.0.wrapping_add(*score);
    }

    fn merge(&mut self, later: Self) {
        self.0 = self.0.wrapping_add(later.0);
    }

    fn finish(self) -> u64 {
        self.0
    }
}

fn task(steps: u64) -> impl Fn(&u64) -> u64 + Sync + Send {
    move |record| score(*record, steps)
}

fn calls(records: u64, steps: u64, ordered: bool, in_flight: Option<usize>) -> u64 {
    let mut total = 0_u64;
    let mut scores = manyhands::stream(source(records))
        .task(task(steps))
        .workers(WORKERS);
    if let Some(records) = in_flight {
        scores = scores.in_flight(records);
    }
    if !ordered {
        scores = scores.unordered();
    }
    scores
        .for_each(|score| total = total.wrapping_add(score))
        .expect("nothing fails");
    total
}

/// The scores one by one through a channel to the thread that asks for them.
fn calls_iter(records: u64, steps: u64) -> u64 {
    std::thread::scope(|scope| {
        let scores = manyhands::stream(source(records)).task(task(steps));
        let scores = scores.workers(WORKERS).iter(scope);
        sum(scores.map(|score| score.expect("nothing fails")))
    })
}

fn pipeline_records(records: u64, steps: u64) -> u64 {
    let records = Records::new(source(records));
    Pipeline::new(&records, task(steps))
        .executor(&TaskQueue::new(WORKERS))
        .aggregate(Total(0))
        .expect("nothing fails")
        .value
}

fn pipeline_slice(records: &[u64], steps: u64, executor: &dyn Executor, limit: Limit) -> u64 {
    Pipeline::new(records, task(steps))
        .executor(executor)
        .limit(limit)
        .aggregate(Total(0))
        .expect("nothing fails")
        .value
}

fn par_bridge(pool: &rayon::ThreadPool, records: u64, steps: u64) -> u64 {
    use rayon::prelude::*;
    pool.install(|| {
        let scores = source(records)
            .par_bridge()
            .map(|record| score(record, steps));
        scores.reduce(|| 0, u64::wrapping_add)
    })
}

fn orx_iterator(records: u64, steps: u64) -> u64 {
    use orx_parallel::*;
    let scores = source(records).iter_into_par().num_threads(WORKERS);
    let scores = scores.map(|record| score(record, steps));
    scores.reduce(u64::wrapping_add).unwrap_or(0)
}

fn orx_slice(records: &[u64], steps: u64) -> u64 {
    use orx_parallel::*;
    let scores = records.par().num_threads(WORKERS);
    let scores = scores.map(|record| score(*record, steps));
    scores.reduce(u64::wrapping_add).unwrap_or(0)
}

fn paralight_slice(pool: &mut paralight::threads::ThreadPool, records: &[u64], steps: u64) -> u64 {
    use paralight::prelude::*;
    let scores = records.par_iter().with_thread_pool(pool);
    let scores = scores.map(|record| score(*record, steps));
    scores.reduce(|| 0, u64::wrapping_add)
}

/// One way to come to the sum of the scores.
struct Way<'w> {
    name: &'static str,
    run: Box<dyn FnMut() -> u64 + 'w>,
}

fn ways(records: &[u64], steps: u64) -> Vec<Way<'_>> {
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(WORKERS);
    let rayon = rayon.build().expect("threads");
    let mut paralight = paralight::threads::ThreadPoolBuilder {
        num_threads: WORKERS.try_into().expect("more than none"),
        range_strategy: paralight::threads::RangeStrategy::WorkStealing,
        cpu_pinning: paralight::threads::CpuPinningPolicy::No,
    }
    .build();
    let count = records.len() as u64;
    let mut ways = Vec::new();
    let mut way = |name, run: Box<dyn FnMut() -> u64>| ways.push(Way { name, run });
    way(
        "sequential",
        Box::new(move || sum(source(count).map(|record| score(record, steps)))),
    );
    way(
        "ours, 256 a call",
        Box::new(move || ours(count, steps, 256)),
    );
    way("ours, 16 a call", Box::new(move || ours(count, steps, 16)));
    way("ours, 1 a call", Box::new(move || ours(count, steps, 1)));
    for (name, ordered, in_flight) in [
        ("stream, unordered", false, None),
        ("stream, ordered", true, None),
        ("stream, 1,000 in flight", true, Some(1000)),
        ("stream, 64 in flight", true, Some(64)),
        ("stream, 2 in flight", true, Some(2)),
    ] {
        way(
            name,
            Box::new(move || calls(count, steps, ordered, in_flight)),
        );
    }
    way("stream, iter", Box::new(move || calls_iter(count, steps)));
    way(
        "pipeline of Records",
        Box::new(move || pipeline_records(count, steps)),
    );
    way(
        "locked iterator",
        Box::new(move || locked_iterator(count, steps)),
    );
    way("channel", Box::new(move || channel(count, steps)));
    way(
        "channel of 64s",
        Box::new(move || channel_of_64s(count, steps)),
    );
    way(
        "rayon par_bridge",
        Box::new(move || par_bridge(&rayon, count, steps)),
    );
    way(
        "orx from an iterator",
        Box::new(move || orx_iterator(count, steps)),
    );
    ways.push(Way {
        name: "orx from a slice",
        run: Box::new(move || orx_slice(records, steps)),
    });
    ways.push(Way {
        name: "paralight from a slice",
        run: Box::new(move || paralight_slice(&mut paralight, records, steps)),
    });
    let stealing = WorkStealing::new(WORKERS);
    ways.push(Way {
        name: "WorkStealing, slice",
        run: Box::new(move || pipeline_slice(records, steps, &stealing, Limit::none())),
    });
    for (name, limit) in [
        ("TaskQueue, slice", Limit::none()),
        ("as many in flight", Limit::in_flight(WORKERS)),
        ("a budget", Limit::none().budget(1 << 20)),
    ] {
        let executor = TaskQueue::new(WORKERS);
        ways.push(Way {
            name,
            run: Box::new(move || pipeline_slice(records, steps, &executor, limit)),
        });
    }
    ways
}

/// Processor time of this process.
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
    times[times.len() / 2].as_nanos() as f64
}

fn compare(rounds: usize, what: &str, records: &[u64], steps: u64) {
    let mut ways = ways(records, steps);
    if let Ok(only) = std::env::var("ONLY") {
        ways.retain(|way| way.name == "ours, 256 a call" || way.name == only);
    }
    let mut spent = vec![(Vec::new(), Vec::new()); ways.len()];
    let right = sum(records.iter().copied());
    for _ in 0..rounds {
        for (way, (processor, wall)) in ways.iter_mut().zip(&mut spent) {
            let (began, worked) = (Instant::now(), processor_time());
            let total = (way.run)();
            processor.push(processor_time() - worked);
            wall.push(began.elapsed());
            assert_eq!(total, right, "{}", way.name);
        }
    }
    println!(
        "\n{what}, {} records: ns a record, and times ours",
        records.len()
    );
    let ours = ways.iter().position(|way| way.name == "ours, 256 a call");
    let ours = median(&mut spent[ours.expect("ours is among them")].0);
    for (way, (processor, wall)) in ways.iter().zip(&mut spent) {
        let (processor, wall) = (median(processor), median(wall));
        let each = 1.0 / records.len() as f64;
        println!(
            "{:24} processor {:8.2} ({:5.2})   wall {:8.2}",
            way.name,
            processor * each,
            processor / ours,
            wall * each
        );
    }
}

fn measure(criterion: &mut Criterion, what: &str, records: &[u64], steps: u64) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(criterion::Throughput::Elements(records.len() as u64));
    for mut way in ways(records, steps) {
        group.bench_function(way.name, |bencher| bencher.iter(&mut way.run));
    }
    group.finish();
}

fn main() {
    let records: Vec<u64> = (0..RECORDS).collect();
    let dear = &records[..DEAR_RECORDS as usize];
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok());
    if let Some(rounds) = rounds {
        println!("{NOTES}");
        compare(rounds, "empty task", &records, 0);
        if std::env::var_os("ONLY").is_none() {
            compare(rounds, "task of about 1 µs", dear, 1000);
        }
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "streams/empty task", &records, 0);
    measure(&mut criterion, "streams/task of about 1 µs", dear, 1000);
    criterion.final_summary();
}
