//! Any iterator as a dataset.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::time::Instant;

use super::shared_iterator::SharedIterator;
use super::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error};
use crate::sync::{Mutex, lock};

/// The records of an iterator as a dataset. A worker that is free pulls the next records from the iterator, so the
/// records can be read only once.
///
/// No worker pulls more than about a thousand records ahead of the others.
///
/// ```
/// use manyhands::dataset::Records;
/// use manyhands::prelude::*;
///
/// let lines = Records::new("2\n3\n5\n7".lines());
/// let primes = fallible(|line: &&str| line.parse::<u64>().map(|prime| prime as f64));
/// let report = Pipeline::new(&lines, primes).aggregate((Count::new(), Sum::new()))?;
/// assert_eq!(report.value, (4, 17.0));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub struct Records<R, I> {
    iterator: SharedIterator<R, I>,
    /// Vectors that held records and are reused.
    spare: Mutex<Vec<Vec<R>>>,
}

impl<R, I: Iterator<Item = R>> Records<R, I> {
    /// Creates a dataset of the records that an iterator yields.
    pub fn new(records: impl IntoIterator<IntoIter = I>) -> Self {
        Records {
            iterator: SharedIterator::new(records.into_iter()),
            spare: Mutex::default(),
        }
    }
}

impl<R: Send, I: Iterator<Item = R> + Send> Dataset for Records<R, I> {
    type Record<'a> = R;

    fn parts(&self) -> usize {
        usize::MAX
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn may_wait_with_records(&self) -> bool {
        true
    }

    fn close(&self) {
        self.iterator.close();
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&R, BadRecord>) -> ControlFlow<()>,
    {
        let mut records = lock(&self.spare).pop().unwrap_or_default();
        let began = Instant::now();
        let first = self.iterator.take(parts.len(), &mut records);
        let waited = began.elapsed();
        let ended = first.is_none();
        for (place, record) in records.iter().enumerate() {
            let at = Position {
                index: first.unwrap_or_default() + place as u64,
                fetched: place == 0,
                ..Position::default()
            };
            if visit(at, Ok(record)).is_break() {
                break;
            }
        }
        records.clear();
        lock(&self.spare).push(records);
        Ok(ReadOutcome { waited, ended })
    }
}

impl<R, I> fmt::Debug for Records<R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        records: &Records<u32, std::ops::RangeFrom<u32>>,
    ) -> (Vec<(Position, u32)>, ReadOutcome) {
        let mut visited = Vec::new();
        let reading = records.read(0..3, |at, record| {
            visited.push((at, *record.expect("a record")));
            ControlFlow::Continue(())
        });
        (visited, reading.expect("they can be read"))
    }

    #[test]
    fn records_come_in_order_until_the_dataset_is_closed() {
        let records = Records::new(7_u32..);
        let mut next = 0;
        while next < 10 {
            let (visited, reading) = read(&records);
            assert!(!reading.ended);
            for (number, (at, record)) in visited.into_iter().enumerate() {
                let expected = Position {
                    index: next,
                    fetched: number == 0,
                    ..Position::default()
                };
                assert_eq!((at, u64::from(record)), (expected, next + 7));
                next += 1;
            }
        }
        records.close();
        let (visited, reading) = read(&records);
        assert!(visited.is_empty() && reading.ended);
        assert_eq!(format!("{records:?}"), "Records { .. }");
    }
}
