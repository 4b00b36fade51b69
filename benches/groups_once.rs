//! This benchmark measures the time and the peak memory of a single grouping in a process of its own.
//!
//! ```text
//! cargo bench --bench groups_once -- WAY AGGREGATOR KEYS uniform|zipf RECORDS THREADS [ROUNDS]
//! ```

mod by_hand;
mod keys;

use std::collections::HashMap;
use std::time::Instant;

use by_hand::{Exact, Naive, NaiveFamily, NaiveMean, Record};
use manyhands::aggregation::Aggregator;
use manyhands::prelude::*;

/// Returns the peak resident memory and the current resident memory of this process, in MiB.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.unwrap_or(0) >> 10
    };
    (of("VmHWM:"), of("VmRSS:"))
}

fn by_hand<A: Naive>(way: &str, records: &[Record]) -> usize {
    let groups = |maps: Vec<by_hand::Map<A>>| maps.iter().map(HashMap::len).sum();
    match way {
        "maps" => by_hand::maps_merged::<A>(records).len(),
        "partitioned" => groups(by_hand::partitioned_maps(records)),
        "records" => groups(by_hand::partitioned_records(records)),
        _ => panic!("ways: ours, exact, maps, partitioned, records"),
    }
}

fn group(way: &str, aggregator: &str, records: &[Record]) -> usize {
    let score = |record: &Record| record.1;
    let key = |record: &Record| record.0;
    let parallel = records.par_iter().copied();
    match (way, aggregator) {
        ("ours", "mean") => parallel.aggregate(Mean::new().of(score).by(key)).len(),
        ("ours", "naive") => parallel
            .aggregate(Rounded::default().of(score).by(key))
            .len(),
        ("ours", _) => {
            let family = (Count::new(), Mean::new(), Extrema::new());
            parallel.aggregate(family.of(score).by(key)).len()
        }
        ("exact", "mean") => by_hand::maps_merged::<Exact<Mean>>(records).len(),
        ("exact", _) => by_hand::maps_merged::<Exact<Family>>(records).len(),
        (_, "mean" | "naive") => by_hand::<NaiveMean>(way, records),
        _ => by_hand::<NaiveFamily>(way, records),
    }
}

type Family = (Count, Mean, Extrema);

/// A mean that rounds at every step, as the hand-written groupings do. It shows the cost of grouping alone.
#[derive(Clone, Default)]
struct Rounded(NaiveMean);

impl Aggregator<f64> for Rounded {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    fn observe(&mut self, index: u64, score: &f64) {
        self.0.observe(index as usize, *score);
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
    }

    fn finish(self) -> f64 {
        self.0.sum / self.0.count as f64
    }
}

fn cpu() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [ways, aggregator, keys, spread, records, threads, rest @ ..] = &words[..] else {
        println!("WAY[,WAY] mean|family KEYS uniform|zipf RECORDS THREADS [ROUNDS]");
        return;
    };
    let number = |word: &str| {
        word.parse::<usize>()
            .unwrap_or_else(|_| panic!("not a number: {word}"))
    };
    let records = keys::records(number(records), number(keys) as u64, *spread == "zipf");
    let rounds = rest.first().map_or(1, |word| number(word));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(number(threads))
        .build()
        .expect("threads");
    let (_, before) = resident();
    let ways: Vec<&str> = ways.split(',').collect();
    let mut times = vec![Vec::new(); ways.len()];
    let mut groups = 0;
    for _ in 0..rounds {
        for (way, times) in ways.iter().zip(&mut times) {
            let (began, worked) = (Instant::now(), cpu());
            groups = pool.install(|| group(way, aggregator, &records));
            times.push(began.elapsed());
            eprint!("{way} {:?} cpu; ", cpu() - worked);
        }
    }
    for (way, times) in ways.iter().zip(&mut times) {
        times.sort();
        let (peak, _) = resident();
        println!(
            "{way:12} {aggregator} {keys} {spread} {threads} threads: median {:?}, least {:?}, {groups} groups, {} MiB above the data",
            times[times.len() / 2],
            times[0],
            peak - before
        );
    }
}
