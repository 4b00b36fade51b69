//! Shards: contiguous shares of a dataset that are scored by processes which know nothing of each other.
//!
//! A dataset of `L` bytes is cut at the bytes `L·i/N`, moved to places where records may begin. The cuts follow from the
//! data alone, so two neighbouring shards find the same cut between them without talking to each other.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use twox_hash::XxHash3_128;

/// One of `of` contiguous shares of a dataset, which together are the whole dataset.
///
/// ```
/// use manyhands::dataset::Shard;
///
/// let shard: Shard = "3/16".parse()?;
/// assert_eq!((shard.number(), shard.of()), (3, 16));
/// assert_eq!("0/16".parse::<Shard>().unwrap_err().to_string(),
///     "expected a shard such as 3/16, with a number from 1 to 16, found \"0/16\"");
/// # Ok::<(), manyhands::dataset::UnknownShard>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// The only shard, which is the whole dataset.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// The largest number of shards of a dataset.
    pub const MOST: u64 = 1_000_000;

    /// The shard with this number, from 1, of `of` shards. Returns `None` if the number is 0 or greater than `of`, or if
    /// there are more than [`MOST`](Self::MOST) shards.
    pub fn new(number: u64, of: u64) -> Option<Self> {
        let is_one = (1..=of).contains(&number) && of <= Self::MOST;
        is_one.then_some(Shard { number, of })
    }

    /// The number of the shard, from 1.
    pub fn number(self) -> u64 {
        self.number
    }

    /// Number of shards of the dataset.
    pub fn of(self) -> u64 {
        self.of
    }

    /// Whether no shard comes after this one.
    pub(crate) fn is_last(self) -> bool {
        self.number == self.of
    }

    /// The bytes of a dataset of `bytes` bytes to which the shard belongs, before its ends are moved to records.
    pub(crate) fn bytes(self, bytes: u64) -> Range<u64> {
        let place = |number: u64| {
            let place = u128::from(bytes) * u128::from(number) / u128::from(self.of);
            u64::try_from(place).unwrap_or(u64::MAX)
        };
        place(self.number - 1)..place(self.number)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// The error about a text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a shard such as 3/16, with a number from 1 to {of}, found {found:?}")]
pub struct UnknownShard {
    of: u64,
    found: String,
}

impl FromStr for Shard {
    type Err = UnknownShard;

    fn from_str(text: &str) -> Result<Self, UnknownShard> {
        let numbers = text.split_once('/');
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let shard = numbers.and_then(|(one, of)| Shard::new(number(one)?, number(of)?));
        shard.ok_or_else(|| {
            let of = numbers.and_then(|(_, of)| number(of));
            let of = of.filter(|of| (1..=Shard::MOST).contains(of));
            UnknownShard {
                of: of.unwrap_or(16),
                found: text.to_owned(),
            }
        })
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a shard of delimited text assumes about the place at which it begins, which is the beginning of a line. Only the
/// bytes before this place can tell whether a quoted field contains the line end before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardStart {
    /// A record begins there.
    Unquoted,
    /// The place is inside a quoted field of a record that began before.
    Quoted,
}

impl fmt::Display for ShardStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ShardStart::Unquoted => "unquoted",
            ShardStart::Quoted => "quoted",
        })
    }
}

/// The inputs of a dataset, as each of its shards sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputList {
    /// Number of inputs.
    pub(crate) files: u64,
    /// Number of bytes of all inputs.
    pub(crate) bytes: u64,
    /// A hash of the names and lengths of all inputs, in their order.
    pub(crate) hash: u128,
}

impl InputList {
    /// The list of inputs with these names and lengths in bytes.
    pub(crate) fn of<'p>(inputs: impl IntoIterator<Item = (&'p Path, u64)>) -> Self {
        let mut hasher = XxHash3_128::new();
        let (mut files, mut bytes) = (0, 0_u64);
        for (name, length) in inputs {
            let name = name.as_os_str().as_encoded_bytes();
            for part in [
                &(name.len() as u64).to_le_bytes(),
                name,
                &length.to_le_bytes(),
            ] {
                hasher.write(part);
            }
            files += 1;
            bytes = bytes.saturating_add(length);
        }
        InputList {
            files,
            bytes,
            hash: hasher.finish_128(),
        }
    }
}

/// The cut between two neighbouring shards, as one of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardEdge {
    /// The number of the file to which the records after the cut belong, from 0. At the end of the dataset, this is the
    /// number of files.
    pub(crate) file: u64,
    /// The place of the cut in the file: a number of bytes in text, and a number of records in a columnar file. It is 0
    /// if the cut is between two files.
    pub(crate) offset: u64,
    /// Whether the cut is in a quoted field.
    pub(crate) state: ShardStart,
    /// A hash of the bytes around a cut inside a text. Both neighbours read these bytes.
    pub(crate) around: Option<u128>,
}

impl ShardEdge {
    /// A cut before the first record of a file.
    pub(crate) fn before_file(file: usize) -> Self {
        ShardEdge {
            file: file as u64,
            offset: 0,
            state: ShardStart::Unquoted,
            around: None,
        }
    }

    /// Whether the cut is inside a file.
    pub(crate) fn is_inside(&self) -> bool {
        self.offset > 0
    }
}

/// The cuts before and after a shard. Whether the cut after it is in a quoted field is known after the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardCuts {
    pub(crate) inputs: InputList,
    pub(crate) begin: ShardEdge,
    pub(crate) end: ShardEdge,
}

/// What a shard covers, and what its neighbours need to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardExtent {
    pub(crate) inputs: InputList,
    pub(crate) begin: ShardEdge,
    pub(crate) end: ShardEdge,
    /// Number of records that begin in the file in which the shard begins. Only used if the shard begins inside it.
    pub(crate) first_records: u64,
    /// Number of lines of the file in which the shard ends that come before the cut. If the shard begins inside this file,
    /// these are only the lines of the shard. It is 0 if the shard ends with a file, and in columnar files, whose records
    /// have absolute numbers.
    pub(crate) last_lines: u64,
}

impl ShardCuts {
    /// The extent of the shard after its run.
    pub(crate) fn extent(
        self,
        end: ShardStart,
        first_records: u64,
        last_lines: u64,
    ) -> ShardExtent {
        ShardExtent {
            inputs: self.inputs,
            begin: self.begin,
            end: ShardEdge {
                state: end,
                ..self.end
            },
            first_records,
            last_lines,
        }
    }
}

/// Finds the file that contains a place of the dataset. `lengths` are the lengths of the files in bytes. Returns the number
/// of the file, and the number of its bytes before the place; or a file and 0 if the place is before the first byte of this
/// file, or after all files.
pub(crate) fn file_at(lengths: impl IntoIterator<Item = u64>, place: u64) -> (usize, u64) {
    let (mut file, mut before) = (0, 0_u64);
    for length in lengths {
        if place <= before {
            break;
        }
        if place - before < length {
            return (file, place - before);
        }
        before = before.saturating_add(length);
        file += 1;
    }
    (file, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_tile_every_number_of_bytes() {
        for bytes in [0, 1, 15, 16, 17, 1_000_003, u64::MAX] {
            for of in [1, 2, 3, 16, 1_000] {
                let mut at = 0;
                for number in 1..=of {
                    let range = Shard { number, of }.bytes(bytes);
                    assert_eq!(range.start, at);
                    at = range.end;
                }
                assert_eq!(at, bytes);
            }
        }
    }

    #[test]
    fn only_numbers_within_the_whole_name_a_shard() {
        for text in [
            "",
            "3",
            "/",
            "3/",
            "/16",
            "0/16",
            "17/16",
            "1/0",
            "-1/4",
            "1/1000001",
            "a/b",
        ] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("16/16".parse(), Ok(Shard { number: 16, of: 16 }));
        assert_eq!(Shard::new(1, 1), Some(Shard::WHOLE));
    }

    #[test]
    fn a_place_belongs_to_the_file_that_contains_its_byte() {
        let lengths = [3, 0, 2];
        let found: Vec<_> = (0..=5).map(|place| file_at(lengths, place)).collect();
        assert_eq!(found, [(0, 0), (0, 1), (0, 2), (1, 0), (2, 1), (3, 0)]);
    }

    #[test]
    fn a_list_of_inputs_depends_on_names_lengths_and_order() {
        let list = |inputs: &[(&str, u64)]| {
            InputList::of(
                inputs
                    .iter()
                    .map(|(name, length)| (Path::new(*name), *length)),
            )
        };
        let one = list(&[("a", 1), ("b", 2)]);
        assert_eq!((one.files, one.bytes), (2, 3));
        for other in [
            &[("b", 2), ("a", 1)][..],
            &[("a", 2), ("b", 1)],
            &[("ab", 1), ("", 2)],
            &[("a", 1)],
        ] {
            assert_ne!(list(other).hash, one.hash, "{other:?}");
        }
    }
}
