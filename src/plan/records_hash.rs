//! A hash of the records of a run, no matter in which order they are read.

use twox_hash::XxHash3_64;

use crate::dataset::TextRecord;
use crate::error::BadRecord;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A hash of the records of a run and of their indices.
///
/// Each record has the hash XXH3-64 of its text, multiplied by an odd number that depends on the index of the record. The
/// hash of all records is the sum of these products, so workers can add their records in any order. It does not see the
/// header of a table, blank lines, and the kind of line ends. It tells two results of one shard apart, of which there are
/// few, so 64 bits are enough.
#[derive(Debug, Default)]
pub(super) struct RecordsHash(AtomicU64);

/// The hash of some of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HashOfSome(u64);

impl HashOfSome {
    /// Adds the record with this index.
    pub(super) fn add(&mut self, index: u64, record: &Result<&TextRecord<'_>, BadRecord>) {
        let hash = match record {
            Ok(record) => XxHash3_64::oneshot(record.as_str().as_bytes()),
            Err(bad) => !XxHash3_64::oneshot(bad.message.as_bytes()),
        };
        let product = hash.wrapping_mul(index << 1 | 1);
        self.0 = self.0.wrapping_add(product);
    }
}

impl RecordsHash {
    /// Adds records that a worker has read.
    pub(super) fn add(&self, some: HashOfSome) {
        self.0.fetch_add(some.0, Relaxed);
    }

    /// The hash of all records that were added.
    pub(super) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::TextStream;
    use std::ops::ControlFlow;

    fn hash(text: &str) -> u64 {
        let stream = TextStream::new("records", text.as_bytes());
        let hash = RecordsHash::default();
        let take = || {
            stream.take(100, |at, record| {
                let mut one = HashOfSome::default();
                one.add(at.index, &record);
                hash.add(one);
                ControlFlow::Continue(())
            })
        };
        while take().expect("it can be read").is_some() {}
        hash.value()
    }

    #[test]
    fn the_hash_depends_on_the_texts_and_their_order() {
        let one = hash("{\"a\":1}\n{\"a\":2}\n");
        assert_eq!(hash("{\"a\":1}\r\n\n{\"a\":2}"), one);
        for other in [
            "{\"a\":2}\n{\"a\":1}\n",
            "{\"a\":1}\n{\"a\":1}\n",
            "{\"a\":1}\n",
        ] {
            assert_ne!(hash(other), one, "{other}");
        }
    }
}
