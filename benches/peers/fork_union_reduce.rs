//! This workload is the reduction that fork_union publishes: the sum of 1,536 single-precision numbers, one cache
//! line for each of the 96 cores of the machine on which fork_union was measured
//! (ashvardanian.com/posts/beyond-openmp-in-cpp-rust and github.com/ashvardanian/ParallelReductionsBenchmark). It
//! shows what it costs to give threads almost no work.
//!
//! The numbers are integers, so the order of the additions does not change the sum.

use std::borrow::Cow;

use manyhands::prelude::*;

use crate::contenders::{Way, Workload, rayon_pool};

const RECORDS: usize = 1_536;

pub struct Few(Vec<f32>);

impl Few {
    pub fn new() -> Self {
        Few((0..RECORDS).map(|n| (n % 100) as f32).collect())
    }

    /// Returns the contender with our exact sum, which would be exact for any numbers.
    pub fn exact(&self) -> Way<'_> {
        Way::new("ours, exact Sum", |measure| {
            rayon_pool().install(|| {
                measure(&mut || {
                    let numbers = self.0.par_iter().map(|x| f64::from(*x));
                    Few::checksum(&(numbers.aggregate(Sum::new()) as f32))
                });
            });
        })
    }
}

impl Workload for Few {
    type Record = f32;
    type Score = f32;
    const LEAF: usize = 128;

    fn records(&self) -> Cow<'_, [f32]> {
        Cow::Borrowed(&self.0)
    }

    #[inline]
    fn score(&self, record: &f32) -> f32 {
        *record
    }

    fn nothing(&self) -> f32 {
        0.0
    }

    #[inline]
    fn add(total: &mut f32, score: &f32) {
        *total += score;
    }

    fn checksum(total: &f32) -> u64 {
        u64::from(total.to_bits())
    }
}
