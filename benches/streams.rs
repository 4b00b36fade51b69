//! This benchmark measures what it costs to pass a record from an iterator to one of two workers. It compares our
//! streams and pipelines with libraries that share an iterator or a slice between threads, and with hand-written
//! code.
//!
//! ```text
//! cargo bench --bench streams              # wall clock, by criterion
//! cargo bench --bench streams -- ROUNDS    # processor time and wall clock per record, interleaved
//! ONLY="stream, ordered" cargo bench ...   # the base and one contender, for a profiler
//! ```
//!
//! On a shared machine the wall-clock time says little. The processor time of the process shows the cost of a record,
//! no matter which thread does the work. The contenders do not all do the same work: see `NOTES`.

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

/// Name of the contender by whose time all other times are divided.
const BASE: &str = "stream, unordered";

/// The text that is printed before the figures.
const NOTES: &str = "\
A contender is live if no worker holds a record that has arrived while it waits for the next one. orx
from an iterator, the locked iterator and the channel of 64s are not live; paralight and orx from a
slice never wait. par_bridge, orx and the channel of records choose how many records a worker takes at
once; the locked iterator takes 256.
The streams, the pipeline of Records and the executors over a slice are our public API: they catch
panics record by record, keep a prefix for a stop and time the slowest records. A limit in flight
makes workers wait; a budget takes a lock per record.";

/// The task of all contenders. It does `steps` steps of about 1 ns, each of which depends on the previous one. The
/// score is the record itself.
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

/// Runs `work` on each worker and adds the results.
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

/// The first hand-written contender: the iterator is behind a lock, and a worker takes up to 256 records while it
/// holds the lock.
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

/// The second hand-written contender: a thread sends the records to the workers through a channel.
fn channel(records: u64, steps: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(1024);
    std::thread::scope(|scope| {
        scope.spawn(move || source(records).for_each(|record| sender.send(record).expect("open")));
        on_workers(|| sum(receiver.iter().map(|record| score(record, steps))))
    })
}

/// The third hand-written contender: it does the same as the second one, but sends 64 records in each message.
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

/// A sum that wraps around, as the sums of the other contenders do.
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

/// Passes the scores one by one through a channel to the thread that asks for them.
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

/// One contender: a way to compute the sum of the scores.
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
    times[times.len() / 2].as_nanos() as f64
}

fn compare(rounds: usize, what: &str, records: &[u64], steps: u64) {
    let mut ways = ways(records, steps);
    if let Ok(only) = std::env::var("ONLY") {
        ways.retain(|way| way.name == BASE || way.name == only);
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
        "\n{what}, {} records: ns per record, and as multiples of {BASE:?}",
        records.len()
    );
    let base = ways.iter().position(|way| way.name == BASE);
    let base = median(&mut spent[base.expect("the base is a contender")].0);
    for (way, (processor, wall)) in ways.iter().zip(&mut spent) {
        let (processor, wall) = (median(processor), median(wall));
        let each = 1.0 / records.len() as f64;
        println!(
            "{:24} processor {:8.2} ({:5.2})   wall {:8.2}",
            way.name,
            processor * each,
            processor / base,
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
