//! Each function shows how one contender runs a map-reduce over a slice, and follows the documentation of its
//! library. This part of the comparison is the same for all workloads.
//!
//! All contenders use the same number of threads, and no thread is pinned. Pools are started before the measurement
//! and stopped before the next contender is measured, because the threads of some pools spin while they wait.
//! `std::thread` has no pool, so its measured time includes the time to start its threads.

use std::borrow::Cow;
use std::num::NonZero;
use std::ops::Range;
#[cfg(fork_union)]
use std::sync::{Mutex, PoisonError};

use manyhands::prelude::{
    Executor, ParallelAggregate, Pipeline, Sequential, TaskQueue, WorkStealing,
};

use crate::reduced::Reduced;

/// A workload whose records can be scored one by one and whose scores can be added to a total.
pub trait Workload: Sync {
    type Record: Clone + Sync;
    type Score: Clone + Send + Sync;
    /// Number of records in the smallest slice of a contender that halves slices itself. Such a slice takes a few
    /// microseconds.
    const LEAF: usize;

    /// Returns the records. They are owned if each call collects them again.
    fn records(&self) -> Cow<'_, [Self::Record]>;
    fn score(&self, record: &Self::Record) -> Self::Score;
    /// Returns the total before any score is added.
    fn nothing(&self) -> Self::Score;
    /// Adds a score to a total. The order of the scores does not matter.
    fn add(total: &mut Self::Score, score: &Self::Score);
    fn checksum(total: &Self::Score) -> u64;
}

/// A function that makes one run over all records and returns the checksum of the total.
pub type Call<'c> = &'c mut dyn FnMut() -> u64;

/// One contender: a way to run a workload.
pub struct Way<'w> {
    pub name: &'static str,
    with: Box<dyn Fn(Measure<'_>) + 'w>,
}

/// A function that receives a call and measures its time.
pub type Measure<'m> = &'m mut (dyn FnMut(Call<'_>) + Send);

impl<'w> Way<'w> {
    /// Creates a contender whose `with` prepares everything and then passes a call to the measure.
    pub fn new(name: &'static str, with: impl Fn(Measure<'_>) + 'w) -> Self {
        let with = Box::new(with);
        Way { name, with }
    }

    /// Creates a contender that needs no preparation.
    pub fn plain(name: &'static str, call: impl Fn() -> u64 + 'w) -> Self {
        Way::new(name, move |measure| measure(&mut || call()))
    }

    pub fn measure(&self, mut measure: impl FnMut(Call<'_>) + Send) {
        (self.with)(&mut measure);
    }
}

/// Name of the contender by whose time all other times are divided.
pub const OURS: &str = "ours, par_iter().aggregate()";

pub fn threads() -> usize {
    static THREADS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *THREADS.get_or_init(|| {
        let told = std::env::var("MANYHANDS_THREADS").ok();
        let told = told.and_then(|told| told.parse().ok());
        told.unwrap_or_else(manyhands::machine::usable_cores)
    })
}

pub fn rayon_pool() -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads());
    pool.build().expect("threads")
}

pub fn paralight_pool() -> paralight::threads::ThreadPool {
    use paralight::threads::{CpuPinningPolicy, RangeStrategy, ThreadPoolBuilder};
    ThreadPoolBuilder {
        num_threads: threads().try_into().expect("more than none"),
        range_strategy: RangeStrategy::WorkStealing,
        cpu_pinning: CpuPinningPolicy::No,
    }
    .build()
}

pub fn chili_pool() -> chili::ThreadPool {
    chili::ThreadPool::with_config(chili::Config {
        thread_count: NonZero::new(threads()),
        ..Default::default()
    })
}

/// Returns every contender that can run a map-reduce over a slice.
pub fn all<W: Workload>(workload: &W) -> Vec<Way<'_>> {
    let total = |total| W::checksum(&total);
    let mut ways = vec![
        Way::plain("sequential loop", move || total(sequential(workload))),
        Way::new(OURS, move |measure| {
            rayon_pool().install(|| measure(&mut || total(aggregate(workload))));
        }),
        Way::new("ours, Pipeline, WorkStealing", move |measure| {
            let executor = WorkStealing::new(threads());
            executor.start().expect("threads");
            measure(&mut || total(pipeline(workload, &executor)));
        }),
        Way::new("ours, Pipeline, TaskQueue", move |measure| {
            let executor = TaskQueue::new(threads());
            measure(&mut || total(pipeline(workload, &executor)));
        }),
        Way::new("ours, Pipeline, Sequential", move |measure| {
            measure(&mut || total(pipeline(workload, &Sequential)));
        }),
        Way::new("rayon", move |measure| {
            rayon_pool().install(|| measure(&mut || total(rayon(workload))));
        }),
        Way::plain("orx-parallel", move || total(orx(workload))),
        Way::new("paralight", move |measure| {
            let mut pool = paralight_pool();
            measure(&mut || total(paralight(workload, &mut pool)));
        }),
        Way::new("chili", move |measure| {
            let pool = chili_pool();
            let mut scope = pool.scope();
            measure(&mut || total(chili(workload, &mut scope, &workload.records())));
        }),
        Way::plain("std::thread::scope", move || total(scoped(workload))),
    ];
    // The workers of a channel outlive the call, so the records must outlive it too.
    if let Cow::Borrowed(records) = workload.records() {
        ways.push(Way::new("crossbeam-channel", move |measure| {
            crossbeam(workload, records, measure);
        }));
    }
    #[cfg(fork_union)]
    ways.push(Way::new("fork_union", move |measure| {
        let mut pool = fork_union::ThreadPool::try_spawn(threads()).expect("threads");
        measure(&mut || total(fork_union(workload, &mut pool)));
    }));
    ways
}

fn fold<W: Workload>(workload: &W, records: &[W::Record]) -> W::Score {
    let mut total = workload.nothing();
    for record in records {
        W::add(&mut total, &workload.score(record));
    }
    total
}

fn both<W: Workload>(mut left: W::Score, right: &W::Score) -> W::Score {
    W::add(&mut left, right);
    left
}

fn sequential<W: Workload>(workload: &W) -> W::Score {
    fold(workload, &workload.records())
}

fn aggregate<W: Workload>(workload: &W) -> W::Score {
    use rayon::prelude::*;
    let records = workload.records();
    let scores = records.par_iter().map(|record| workload.score(record));
    scores.aggregate(Reduced::of(workload))
}

fn pipeline<W: Workload>(workload: &W, executor: &dyn Executor) -> W::Score {
    let records = workload.records();
    Pipeline::new(&*records, |record: &W::Record| workload.score(record))
        .executor(executor)
        .aggregate(Reduced::of(workload))
        .expect("nothing fails")
        .value
}

fn rayon<W: Workload>(workload: &W) -> W::Score {
    use rayon::prelude::*;
    let records = workload.records();
    let scores = records.par_iter().map(|record| workload.score(record));
    scores.reduce(|| workload.nothing(), |a, b| both::<W>(a, &b))
}

/// Runs on the global pool of orx-parallel, which determines how many records a thread takes at a time.
fn orx<W: Workload>(workload: &W) -> W::Score {
    use orx_parallel::*;
    let records = &*workload.records();
    let records = records.into_par().num_threads(threads());
    let scores = records.map(|record| workload.score(record));
    let total = scores.reduce(|a, b| both::<W>(a, &b));
    total.unwrap_or_else(|| workload.nothing())
}

fn paralight<W: Workload>(workload: &W, pool: &mut paralight::threads::ThreadPool) -> W::Score {
    use paralight::prelude::*;
    let records = workload.records();
    let records = records.par_iter().with_thread_pool(pool);
    let scores = records.map(|record| workload.score(record));
    scores.reduce(|| workload.nothing(), |a, b| both::<W>(a, &b))
}

fn chili<W: Workload>(
    workload: &W,
    scope: &mut chili::Scope<'_>,
    records: &[W::Record],
) -> W::Score {
    if records.len() <= W::LEAF {
        return fold(workload, records);
    }
    let (left, right) = records.split_at(records.len() / 2);
    let (left, right) = scope.join(
        |scope| chili(workload, scope, left),
        |scope| chili(workload, scope, right),
    );
    both::<W>(left, &right)
}

/// The first hand-written contender: each thread gets an equal share of the records.
fn scoped<W: Workload>(workload: &W) -> W::Score {
    let records = workload.records();
    let share = records.len().div_ceil(threads()).max(1);
    std::thread::scope(|scope| {
        let (own, others) = records.split_at(share.min(records.len()));
        let others: Vec<_> = others
            .chunks(share)
            .map(|share| scope.spawn(|| fold(workload, share)))
            .collect();
        let own = fold(workload, own);
        let others = others
            .into_iter()
            .map(|other| other.join().expect("no panic"));
        others.fold(own, |total, other| both::<W>(total, &other))
    })
}

/// Number of portions per thread in the hand-written contenders. With several portions, no thread waits long for the
/// other threads.
const PORTIONS: usize = 8;

/// The second hand-written contender: portions are sent through a channel to workers that are already running, and
/// the workers send their totals back through another channel.
fn crossbeam<W: Workload>(workload: &W, records: &[W::Record], measure: Measure<'_>) {
    let (portions, taken) = crossbeam_channel::unbounded::<Range<usize>>();
    let (totals, done) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            let (taken, totals) = (taken.clone(), totals.clone());
            scope.spawn(move || {
                for portion in taken {
                    let total = fold(workload, &records[portion]);
                    totals.send(total).expect("open");
                }
            });
        }
        let portion = records.len().div_ceil(threads() * PORTIONS).max(1);
        measure(&mut || {
            let firsts = (0..records.len()).step_by(portion);
            let count = firsts.len();
            for first in firsts {
                let end = records.len().min(first + portion);
                portions.send(first..end).expect("open");
            }
            let totals = done.iter().take(count);
            let total = totals.fold(workload.nothing(), |total, part| both::<W>(total, &part));
            W::checksum(&total)
        });
        drop(portions);
    });
}

#[cfg(fork_union)]
fn fork_union<W: Workload>(workload: &W, pool: &mut fork_union::ThreadPool) -> W::Score {
    let records = workload.records();
    let total = Mutex::new(workload.nothing());
    // Dropping the value that `for_slices` returns waits for the threads.
    drop(pool.for_slices(records.len(), |first, count| {
        let part = fold(workload, &records[first.task_index..][..count]);
        W::add(
            &mut total.lock().unwrap_or_else(PoisonError::into_inner),
            &part,
        );
    }));
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}
