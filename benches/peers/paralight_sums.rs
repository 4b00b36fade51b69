//! This workload is the sum that paralight publishes (`benches/criterion.rs`, github.com/gendx/paralight). It adds
//! the integers from 0 on, which are in memory. This takes about as long as reading the integers.

use std::borrow::Cow;

use manyhands::prelude::*;

use crate::contenders::{Way, Workload, rayon_pool};

pub struct Sums(Vec<u64>);

impl Sums {
    pub fn new(records: u64) -> Self {
        Sums((0..records).collect())
    }

    /// Returns the contender with our exact sum, which would also add fractions exactly. Each of these integers is
    /// exact as `f64`.
    pub fn exact(&self) -> Way<'_> {
        Way::new("ours, exact Sum", |measure| {
            rayon_pool().install(|| {
                measure(&mut || {
                    let numbers = self.0.par_iter().map(|x| *x as f64);
                    numbers.aggregate(Sum::new()) as u64
                });
            });
        })
    }
}

impl Workload for Sums {
    type Record = u64;
    type Score = u64;
    const LEAF: usize = 4_096;

    fn records(&self) -> Cow<'_, [u64]> {
        Cow::Borrowed(&self.0)
    }

    #[inline]
    fn score(&self, record: &u64) -> u64 {
        *record
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
