//! A random sample of the records of a dataset. Only the seed and the indices of the records decide which records are
//! drawn.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::loaded::{LoadedRecords, SourceFiles};
use super::record::TextRecord;
use crate::dataset::synthetic::number_of;
use crate::dataset::{Dataset, Position};
use crate::error::{BadRecord, Error};
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, into_inner, lock};

/// A sample that is being drawn. Several threads may offer records at the same time, in any order.
///
/// The seed gives each index a fixed random number, and the records with the lowest random numbers are the sample (the
/// bottom-k method: Cohen and Kaplan, *Summarizing data using bottom-k sketches*, 2007). With the same seed, the
/// aggregator [`Sample`](crate::aggregation::Sample) chooses the same records.
pub(crate) struct SampleDraw {
    size: usize,
    seed: u64,
    /// The largest random number with which a record can still enter the sample.
    threshold: AtomicU64,
    drawn: Mutex<DrawnRecords>,
}

/// The records with the lowest random numbers so far.
#[derive(Default)]
struct DrawnRecords {
    /// The records by their random numbers.
    records: BTreeMap<u64, (Position, Result<Box<str>, BadRecord>)>,
    files: SourceFiles,
}

impl SampleDraw {
    pub(crate) fn new(records: u64, seed: u64) -> Self {
        SampleDraw {
            size: usize::try_from(records).unwrap_or(usize::MAX),
            seed,
            threshold: AtomicU64::new(u64::MAX),
            drawn: Mutex::default(),
        }
    }

    /// Offers a record, which is copied if it enters the sample.
    pub(crate) fn offer<D: Dataset + ?Sized>(
        &self,
        dataset: &D,
        position: Position,
        record: Result<&TextRecord<'_>, BadRecord>,
    ) {
        let number = number_of(self.seed, position.index);
        if self.size == 0 || number > self.threshold.load(Relaxed) {
            return;
        }
        let mut drawn = lock(&self.drawn);
        let DrawnRecords { records, files } = &mut *drawn;
        files.learn(dataset, position, record.as_ref().ok().copied());
        let text = record.map(|record| Box::from(record.as_str()));
        records.insert(number, (position, text));
        if records.len() > self.size {
            records.pop_last();
        }
        if let (true, Some((last, _))) = (records.len() == self.size, records.last_key_value()) {
            self.threshold.store(*last, Relaxed);
        }
    }

    /// The sample, in the order of the records.
    pub(crate) fn finish(self) -> LoadedRecords {
        let DrawnRecords { records, files } = into_inner(self.drawn);
        let mut records: Vec<_> = records.into_values().collect();
        records.sort_unstable_by_key(|(position, _)| position.index);
        LoadedRecords::of_drawn(files, records)
    }
}

impl LoadedRecords {
    /// Draws `records` records of a dataset uniformly, without replacement, and reads them into memory in their order.
    /// If the dataset has fewer records, the sample contains all of them. A stream is read to its end.
    ///
    /// Only the seed and the indices of the records decide which records are drawn. So the same seed draws the same
    /// records from any format, and no matter how the records are divided into files. While the sample is being drawn,
    /// only the records drawn so far are in memory, so the memory does not depend on the length of the dataset.
    ///
    /// Here, the records are numbered by their places in the sample, which is what aggregators receive. Reports and
    /// sinks name them by their [indices in the dataset](Dataset::index_in_input), and failures also by file and line.
    ///
    /// ```
    /// use manyhands::dataset::{Dataset, LoadedRecords, TextFiles};
    ///
    /// let reviews = TextFiles::open(["data/reviews.jsonl"])?;
    /// let sample = LoadedRecords::sample(&reviews, 3, 1)?;
    /// assert_eq!(sample.len(), 3);
    /// let indices: Vec<u64> = (0..3).map(|place| sample.index_in_input(place)).collect();
    /// assert_eq!(indices, [98, 725, 1643]);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the dataset cannot be read to its end.
    pub fn sample<D>(dataset: &D, records: u64, seed: u64) -> Result<Self, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>> + ?Sized,
    {
        let draw = SampleDraw::new(records, seed);
        let mut unreadable = None;
        loop {
            let outcome = dataset.read(0..dataset.parts(), |position, record| match record {
                Err(reason) if reason.is_last => {
                    unreadable = dataset.place(position).zip(Some(reason));
                    ControlFlow::Break(())
                }
                record => {
                    draw.offer(dataset, position, record);
                    ControlFlow::Continue(())
                }
            })?;
            if let Some((place, reason)) = unreadable {
                return Err(Error::Record { place, reason });
            }
            if outcome.ended || !dataset.is_stream() {
                return Ok(draw.finish());
            }
        }
    }
}
