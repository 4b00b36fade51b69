//! What a journal knows records by.

use std::hash::{Hash, Hasher};

use serde::Serialize;
use twox_hash::XxHash3_128;

use super::encoded::encode;

/// The contents of a record, by which a [journal](super::AnswerJournal) finds its score again. A function adds everything
/// of the record that determines the score: with [`Hash`](std::hash::Hash), since the contents are a [`Hasher`], or with
/// [`serialize`](Contents::serialize).
///
/// ```
/// use std::hash::Hash;
/// use manyhands::journal::Contents;
///
/// struct Review { product: String, stars: f64 }
///
/// let contents = |review: &Review, contents: &mut Contents| {
///     review.product.hash(contents);
///     contents.serialize(&review.stars);
/// };
/// # let _ = contents;
/// ```
#[derive(Debug, Default)]
pub struct Contents {
    bytes: Vec<u8>,
    /// Why a part of the record could not be added.
    fault: Option<postcard::Error>,
}

impl Contents {
    /// Adds a part of the record. If it cannot be serialised, for example because it has a path that is not Unicode, the run
    /// ends with an error.
    pub fn serialize(&mut self, part: &(impl Serialize + ?Sized)) {
        if let Err(error) = encode(part, &mut self.bytes) {
            self.fault.get_or_insert(error);
        }
    }

    /// The hash of everything that was added.
    pub(super) fn hash_128(&self) -> Result<u128, &postcard::Error> {
        match &self.fault {
            None => Ok(XxHash3_128::oneshot(&self.bytes)),
            Some(fault) => Err(fault),
        }
    }
}

/// Numbers are added in the same bytes on every machine.
impl Hasher for Contents {
    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    /// A hash of 64 bits, as the trait demands. A journal uses one of 128 bits.
    fn finish(&self) -> u64 {
        XxHash3_128::oneshot(&self.bytes) as u64
    }
}

/// Adds the contents of a record to [`Contents`]. Every closure `|record: &R, contents: &mut Contents|` does so.
pub trait RecordContents<R: ?Sized>: Sync {
    /// Adds everything of the record that determines its score.
    fn add(&self, record: &R, to: &mut Contents);
}

impl<R: ?Sized, F> RecordContents<R> for F
where
    F: Fn(&R, &mut Contents) + Sync,
{
    fn add(&self, record: &R, to: &mut Contents) {
        self(record, to);
    }
}

/// The contents of records that implement [`Hash`].
#[derive(Clone, Copy, Debug)]
pub struct ByHash;

impl<R: Hash + ?Sized> RecordContents<R> for ByHash {
    fn add(&self, record: &R, to: &mut Contents) {
        record.hash(to);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn of(add: impl Fn(&mut Contents)) -> u128 {
        let mut contents = Contents::default();
        add(&mut contents);
        contents.hash_128().expect("it can be serialised")
    }

    #[test]
    fn contents_are_equal_only_if_everything_that_was_added_is() {
        let text = of(|to| ("many", "hands").hash(to));
        assert_eq!(text, of(|to| ("many", "hands").hash(to)));
        assert_ne!(text, of(|to| ("man", "yhands").hash(to)));
        assert_ne!(of(|to| to.serialize(&0.0)), of(|to| to.serialize(&-0.0)));
        assert_eq!(of(|to| 7_usize.hash(to)), of(|to| 7_u64.hash(to)));
    }

    #[test]
    fn a_part_that_cannot_be_serialised_is_noticed() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(std::iter::from_fn(|| Some(1)).take_while(|_| true))
            }
        }
        let mut contents = Contents::default();
        contents.serialize(&Endless);
        7.hash(&mut contents);
        assert!(contents.hash_128().is_err());
    }
}
