//! This workload is what this crate does by default: it scores the sentiment of synthetic reviews. Each review takes
//! a few microseconds.

use std::borrow::Cow;

use manyhands::dataset::synthetic::Synthetic;
use manyhands::prelude::*;

use crate::contenders::Workload;

const RECORDS: u64 = 2_000;

pub struct Reviews {
    texts: Vec<String>,
    sentiment: Sentiment,
}

impl Reviews {
    pub fn new() -> Self {
        let made = Synthetic::new(RECORDS, 1);
        Reviews {
            texts: (0..RECORDS).map(|index| made.review(index).text).collect(),
            sentiment: Sentiment::new(),
        }
    }
}

impl Workload for Reviews {
    type Record = String;
    /// The bits of a compound score. The total is their sum with wrap-around.
    type Score = u64;
    const LEAF: usize = 1;

    fn records(&self) -> Cow<'_, [String]> {
        Cow::Borrowed(&self.texts)
    }

    fn score(&self, record: &String) -> u64 {
        self.sentiment.score(record).compound.to_bits()
    }

    fn nothing(&self) -> u64 {
        0
    }

    fn add(total: &mut u64, score: &u64) {
        *total = total.wrapping_add(*score);
    }

    fn checksum(total: &u64) -> u64 {
        *total
    }
}
