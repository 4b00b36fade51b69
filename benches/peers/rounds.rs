//! Lets all contenders take turns, in a different order in each round, and prints their median times as multiples of
//! our median time.
//!
//! A shared machine changes its speed over time. During one round the speed is about the same for all turns, and the
//! median ignores rounds that were disturbed.

use std::time::{Duration, Instant};

use crate::contenders::{OURS, Way};

/// Time that the calls of one contender should take in a round. The number of calls is estimated from the time of the
/// sequential loop.
const TURN: Duration = Duration::from_millis(6);

/// The times of all contenders for one workload.
pub struct Compared {
    what: String,
    /// The name of each contender, with its median wall-clock time and median processor time in seconds.
    medians: Vec<(&'static str, [f64; 2])>,
}

impl Compared {
    fn of(&self, name: &str) -> Option<[f64; 2]> {
        let way = self.medians.iter().find(|(other, _)| *other == name);
        way.map(|(_, medians)| *medians)
    }
}

/// Runs `rounds` rounds and prints a table.
pub fn compare(rounds: usize, what: &str, ways: &[Way<'_>]) -> Compared {
    let calls = calls_for(&ways[0]);
    let right = agree(ways);
    let mut spent: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); ways.len()];
    let mut random = 1;
    for _ in 0..rounds {
        for place in shuffled(ways.len(), &mut random) {
            let (walls, processors) = &mut spent[place];
            ways[place].measure(|call| {
                call();
                let (began, worked) = (Instant::now(), processor_time());
                for _ in 0..calls {
                    assert_eq!(call(), right);
                }
                let processor = processor_time() - worked;
                walls.push(began.elapsed().as_secs_f64() / f64::from(calls));
                processors.push(processor.as_secs_f64() / f64::from(calls));
            });
        }
    }
    let names = ways.iter().map(|way| way.name);
    let medians = spent
        .into_iter()
        .map(|(walls, processors)| [median(walls), median(processors)]);
    let compared = Compared {
        what: what.to_owned(),
        medians: names.zip(medians).collect(),
    };
    let ours = compared.of(OURS).expect("ours is among them");
    println!("\n### {what}\n");
    println!("| | wall | times ours | processor | times ours |");
    println!("|---|---:|---:|---:|---:|");
    for (name, [wall, processor]) in &compared.medians {
        println!(
            "| {name} | {} | {:.2} | {} | {:.2} |",
            told(*wall),
            wall / ours[0],
            told(*processor),
            processor / ours[1]
        );
    }
    compared
}

/// Prints two tables of ratios over all workloads: wall-clock time and processor time.
pub fn summarize(all: &[Compared]) {
    let mut names = vec![OURS];
    for (name, _) in all.iter().flat_map(|compared| &compared.medians) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    for (time, title) in ["Wall clock", "Processor time"].into_iter().enumerate() {
        println!("\n## {title}, as multiples of ours\n");
        println!("| | {} |", names.join(" | "));
        println!("|---|{}", "---:|".repeat(names.len()));
        for compared in all {
            let ours = compared.of(OURS).expect("ours is among them")[time];
            print!("| {} | {} |", compared.what, told(ours));
            for name in &names[1..] {
                match compared.of(name) {
                    Some(medians) => print!(" {:.2} |", medians[time] / ours),
                    None => print!(" – |"),
                }
            }
            println!();
        }
    }
}

/// Checks that all contenders return the same checksum, before anything is timed.
pub fn agree(ways: &[Way<'_>]) -> u64 {
    let sums: Vec<u64> = ways
        .iter()
        .map(|way| {
            let mut sum = 0;
            way.measure(|call| sum = call());
            sum
        })
        .collect();
    for (way, sum) in ways.iter().zip(&sums) {
        assert_eq!(*sum, sums[0], "{} is wrong", way.name);
    }
    sums[0]
}

/// Returns the number of calls in one turn.
fn calls_for(way: &Way<'_>) -> u32 {
    let mut calls = 1;
    way.measure(|call| {
        call();
        let began = Instant::now();
        let mut count = 0;
        while began.elapsed() < TURN {
            call();
            count += 1;
        }
        calls = count;
    });
    calls
}

/// Returns the numbers below `count` in random order.
fn shuffled(count: usize, random: &mut u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        places.swap(last, (next(random) % (last as u64 + 1)) as usize);
    }
    places
}

/// Returns the next pseudo-random number (SplitMix64; Steele, Lea and Flood, 2014).
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn told(seconds: f64) -> String {
    match seconds {
        s if s < 1e-5 => format!("{:.2} µs", s * 1e6),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
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
