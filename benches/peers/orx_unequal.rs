//! This workload consists of the unequal records that orx-parallel publishes (`benches/het/advanced.rs`,
//! github.com/orxfun/orx-parallel). It has 4,096 records, of which one in twenty takes 10 to 100 times as long as the
//! others. The result is the largest score.
//!
//! Other sizes and shares in that benchmark lead to the same conclusions. `benches/het/simple.rs` is not used,
//! because it spends most of its time on random numbers.

use std::borrow::Cow;
use std::hint::black_box;

use crate::contenders::Workload;
use crate::rounds::next;

const RECORDS: usize = 1 << 12;
const UNEQUAL: usize = RECORDS / 20;

#[derive(Clone)]
pub struct Record {
    seed: u64,
    steps: u32,
}

pub struct Unequal(Vec<Record>);

impl Unequal {
    /// Creates records that take `steps` steps each, except for some records that take more.
    pub fn new(steps: u32) -> Self {
        let mut random = 0xc0ff_ee12;
        let mut records: Vec<Record> = (0..RECORDS)
            .map(|_| Record {
                seed: next(&mut random),
                steps,
            })
            .collect();
        let mut unequal = 0;
        while unequal < UNEQUAL {
            let record = &mut records[(next(&mut random) % RECORDS as u64) as usize];
            if record.steps == steps {
                record.steps *= 10 + (next(&mut random) % 91) as u32;
                unequal += 1;
            }
        }
        Unequal(records)
    }
}

impl Workload for Unequal {
    type Record = Record;
    type Score = u64;
    const LEAF: usize = 1;

    fn records(&self) -> Cow<'_, [Record]> {
        Cow::Borrowed(&self.0)
    }

    fn score(&self, record: &Record) -> u64 {
        let mut state = record.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        for _ in 0..record.steps {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^= state >> 33;
            state = black_box(state);
        }
        state
    }

    fn nothing(&self) -> u64 {
        0
    }

    fn add(total: &mut u64, score: &u64) {
        *total = (*total).max(*score);
    }

    fn checksum(total: &u64) -> u64 {
        *total
    }
}
