//! These workloads are two reductions that orx-parallel publishes (github.com/orxfun/orx-parallel):
//! `benches/reduce_map.rs`, which finds the smallest of many texts, and the light case of `benches/reduce/m.rs`,
//! which multiplies numbers and sums the results.

use std::borrow::Cow;

use crate::contenders::Workload;
use crate::rounds::next;

/// Returns pseudo-random numbers below `limit`.
fn numbers(count: usize, limit: u64) -> Vec<u64> {
    let mut random = 654;
    (0..count).map(|_| next(&mut random) % limit).collect()
}

fn fibonacci(n: u64) -> u32 {
    let (mut a, mut b) = (0_u32, 1_u32);
    for _ in 0..n {
        (a, b) = (b, a.wrapping_add(b));
    }
    a
}

/// The workload that finds the smallest of 131,072 texts, each of which is made from a Fibonacci number.
pub struct Texts(Vec<u64>);

impl Texts {
    pub fn new() -> Self {
        Texts(numbers(65_536 * 2, 201))
    }
}

impl Workload for Texts {
    type Record = u64;
    type Score = String;
    const LEAF: usize = 64;

    fn records(&self) -> Cow<'_, [u64]> {
        Cow::Borrowed(&self.0)
    }

    fn score(&self, record: &u64) -> String {
        let prefix = match record % 7 {
            0 => "zero-",
            3 => "three-",
            _ => "sth-",
        };
        format!("{prefix}-fib-{}", fibonacci(*record))
    }

    /// Returns a text that is greater than all others.
    fn nothing(&self) -> String {
        "~".to_owned()
    }

    fn add(total: &mut String, score: &String) {
        if score < total {
            total.clone_from(score);
        }
    }

    fn checksum(total: &String) -> u64 {
        let bytes = total.bytes();
        bytes.fold(0, |sum, byte| sum.wrapping_mul(31) + u64::from(byte))
    }
}

/// The workload that multiplies each number, adds to the product, and sums the results.
pub struct Light(Vec<u64>);

impl Light {
    pub fn new(power: u32) -> Self {
        Light(numbers(1 << power, 150))
    }
}

impl Workload for Light {
    type Record = u64;
    type Score = u64;
    const LEAF: usize = 2_048;

    fn records(&self) -> Cow<'_, [u64]> {
        Cow::Borrowed(&self.0)
    }

    #[inline]
    fn score(&self, record: &u64) -> u64 {
        match *record {
            999 => 999,
            n => 7 * n + 1_000,
        }
    }

    fn nothing(&self) -> u64 {
        0
    }

    #[inline]
    fn add(total: &mut u64, score: &u64) {
        *total += score;
    }

    fn checksum(total: &u64) -> u64 {
        *total
    }
}
