//! States as bytes, for partials that another process or another machine merges.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// What the bytes of a state begin with: what they are, and the version of their layout.
const PREFIX: &[u8; 4] = b"mhs1";
/// The part of the prefix that does not change with the version.
const MARK: &[u8; 3] = b"mhs";
/// Bytes of SHA-256 that tell kinds apart …
const FINGERPRINT_BYTES: usize = 16;
/// … and that tell whether a state has come through whole.
const CHECKSUM_BYTES: usize = 8;

/// The most characters of a name that a message shows.
const MOST_SHOWN: usize = 200;

/// The most parts that are named in the name of a whole, whose bytes are in every state: those of
/// a tuple. The fingerprint knows all of them.
const MOST_NAMED: usize = 8;
/// Bytes of a setup that is named beside its aggregator.
const LONGEST_SETUP: usize = 40;

/// The most records that a state is believed to have seen: what one core scores in two years at a
/// nanosecond each. Without a bound, merging states from anywhere could overflow their counts; with
/// this one, that takes 256 of them that lie.
pub(super) const MOST_RECORDS: u64 = 1 << 56;

/// The state of an aggregator as plain data.
///
/// A state that can be written down can leave the process: partials of several machines are
/// [saved](State::save) there, [loaded](State::load) here, and merged. Laws, checked by
/// [`assert_laws`](super::assert_laws):
///
/// 1. **Canonical**: states that have seen the same records have equal plain data. Where the
///    aggregator is [commutative](super::Aggregator::COMMUTATIVE), that holds whatever the order of
///    observing and merging.
/// 2. **Whole**: a state that was restored cannot be told from the one that was taken down.
/// 3. **Strict**: bytes that load are the bytes that the loaded state saves. A state therefore has one
///    encoding, and two files of states are equal exactly if their states are.
///
/// Closures (of [`of`](super::Aggregator::of), say) do not travel: a state is read by an aggregator
/// that was made by the same code, and keeps *its* closures. Everything else about how it was set
/// up is in its [`Kind`], and a state of any other kind is refused; which column a closure looks at,
/// or groups by, nobody checks. A run answers with its state by [`partial`](super::Aggregator::partial).
///
/// ```
/// use manyhands::aggregation::{Aggregator, Count, Mean, State, StateError};
///
/// let fresh = (Count::new(), Mean::new());
/// let mut there = fresh.clone();
/// there.observe(2, &0.3);
/// let bytes = there.save();
///
/// let mut here = fresh.clone();
/// here.observe_slice(0, &[0.1, 0.2]);
/// here.merge(fresh.load(&bytes)?);
/// assert_eq!(here.finish(), (3, 0.2));
///
/// assert_eq!(fresh.load(&bytes[..20]).err(), Some(StateError::Damaged));
/// let foreign = (Mean::new(), Count::new()).load(&bytes);
/// assert_eq!(
///     foreign.err().map(|error| error.to_string()).as_deref(),
///     Some("the state is of tuple/1(count/1, mean/1), where tuple/1(mean/1, count/1) was expected"),
/// );
/// # Ok::<(), manyhands::aggregation::StateError>(())
/// ```
pub trait State: Sized {
    /// All that a state has come to, without how it was set up.
    ///
    /// Reading it takes no more memory and time than its bytes warrant, but for sequences of what
    /// takes no bytes, such as `Vec<()>`: they can claim any length.
    type Plain: Serialize + DeserializeOwned + Send;

    /// What this is a state of, and how it was set up.
    fn kind(&self) -> Kind;

    /// The state as plain data.
    fn into_plain(self) -> Self::Plain;

    /// A state set up as this one is, holding `plain`. What this one has observed plays no part.
    ///
    /// # Errors
    ///
    /// Where no state could have come to this. `plain` may be from anywhere, and a state that was
    /// restored must neither panic nor overflow later: the built-in aggregators refuse what is out
    /// of order or range, and counts above 2⁵⁶, so that it takes 256 states that lie to overflow one.
    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError>;

    /// The canonical bytes of the state: a mark with the version of the layout, the kind, the
    /// plain data in [postcard](https://postcard.jamesmunns.com/wire-format)'s encoding, and a
    /// checksum.
    ///
    /// # Panics
    ///
    /// Where the plain data's own `Serialize` fails, as of none of the built-in aggregators.
    #[must_use]
    fn save(self) -> Vec<u8> {
        let kind = self.kind();
        match message(kind, &self.into_plain()) {
            Ok(bytes) => bytes,
            Err(error) => panic!("the state has no canonical bytes: {error}"),
        }
    }

    /// The state that was [saved](State::save) as these bytes, to be merged with others of its
    /// kind. What this one has observed plays no part.
    ///
    /// # Errors
    ///
    /// If the bytes are no state, or not all of one, or the state of an aggregator of another kind; and
    /// if the state that they hold would be saved as other bytes, such as integers that take more bytes
    /// than they need.
    fn load(&self, bytes: &[u8]) -> Result<Self, StateError> {
        let content = checked(bytes)?;
        let (fingerprint, content) = content
            .split_first_chunk::<FINGERPRINT_BYTES>()
            .ok_or(StateError::Damaged)?;
        let (name, content) =
            postcard::take_from_bytes::<&str>(content).map_err(|_| StateError::Damaged)?;
        let expected = self.kind();
        if *fingerprint != expected.fingerprint() {
            return Err(StateError::Foreign {
                found: name.to_owned(),
                expected: expected.name,
            });
        }
        let restored = match postcard::take_from_bytes(content) {
            Ok((plain, [])) => self.restore(plain)?,
            _ => {
                return Err(StateError::OtherTypes {
                    kind: name.to_owned(),
                });
            }
        };
        // Neither postcard nor `restore` insists on one encoding of a state, so the state is encoded
        // again, from the mark to the checksum.
        let kind = restored.kind();
        let plain = restored.into_plain();
        if message(kind, &plain).is_ok_and(|saved| saved == bytes) {
            self.restore(plain)
        } else {
            Err(StateError::NotCanonical {
                kind: expected.name,
            })
        }
    }
}

/// A state of this kind in its canonical bytes, see [`State::save`].
fn message(kind: Kind, plain: &impl Serialize) -> postcard::Result<Vec<u8>> {
    let mut bytes = PREFIX.to_vec();
    bytes.extend(kind.fingerprint());
    let mut bytes = postcard::to_extend(&(kind.name, plain), bytes)?;
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    Ok(bytes)
}

/// What lies between the prefix and the checksum, where both are as they should be.
fn checked(bytes: &[u8]) -> Result<&[u8], StateError> {
    if !bytes.starts_with(PREFIX) {
        let marked = bytes.starts_with(MARK) && bytes.len() >= PREFIX.len();
        return Err(if marked {
            StateError::Layout
        } else {
            StateError::NoState
        });
    }
    let (whole, sum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(StateError::Damaged)?;
    if checksum(whole) != *sum {
        return Err(StateError::Damaged);
    }
    whole.strip_prefix(PREFIX).ok_or(StateError::Damaged)
}

/// Bytes as [`State::save`] would write them had the plain data come out otherwise; `None` where
/// these are not its own.
pub(super) fn forged(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Option<Vec<u8>> {
    let content = checked(bytes).ok()?.get(FINGERPRINT_BYTES..)?;
    let (_, plain) = postcard::take_from_bytes::<&str>(content).ok()?;
    let head = bytes.len() - CHECKSUM_BYTES - plain.len();
    let mut plain = plain.to_vec();
    change(&mut plain);
    let mut forged = [&bytes[..head], &plain].concat();
    forged.extend(checksum(&forged));
    Some(forged)
}

/// What all of these counts come to, where that is at most [`MOST_RECORDS`].
pub(super) fn counted(counts: impl IntoIterator<Item = u64>) -> Result<u64, StateError> {
    let mut counts = counts.into_iter();
    let total = counts.try_fold(0_u64, |total, count| total.checked_add(count));
    total
        .filter(|total| *total <= MOST_RECORDS)
        .ok_or(StateError::Impossible("more records than there can be"))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    first_bytes(Sha256::digest(bytes).into())
}

fn first_bytes<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    std::array::from_fn(|place| hash[place])
}

/// What a state is of: the name of the aggregator, the version of its plain data, and how it was
/// set up.
///
/// ```
/// use manyhands::aggregation::Kind;
///
/// let narrow = Kind::new("histogram", 1).with(&[0.0, 1.0]);
/// assert_eq!(narrow, Kind::new("histogram", 1).with(&[0.0, 1.0]));
/// assert_ne!(narrow, Kind::new("histogram", 1).with(&[0.0, 2.0]));
/// assert_ne!(Kind::new("longest", 1), Kind::new("longest", 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// For people to read in a message.
    name: String,
    /// How it was set up, in canonical bytes.
    setup: Vec<u8>,
}

impl Kind {
    /// An aggregator without any setup. The version is that of its plain data, and changes with it.
    #[must_use]
    pub fn new(name: &str, version: u32) -> Kind {
        Kind {
            name: format!("{name}/{version}"),
            setup: Vec::new(),
        }
    }

    /// An aggregator that was set up by this value.
    ///
    /// # Panics
    ///
    /// Where the value's own `Serialize` fails.
    #[must_use]
    pub fn with<T: Serialize + ?Sized>(mut self, setup: &T) -> Kind {
        // For people too, where it is short.
        if let Ok(text) = serde_json::to_string(setup)
            && text.len() <= LONGEST_SETUP
        {
            self.name = format!("{} {text}", self.name);
        }
        self.and(setup)
    }

    fn and<T: Serialize + ?Sized>(mut self, setup: &T) -> Kind {
        self.setup = match postcard::to_extend(setup, self.setup) {
            Ok(bytes) => bytes,
            Err(error) => panic!("the setup has no canonical bytes: {error}"),
        };
        self
    }

    /// An aggregator that is made of others, in this order.
    #[must_use]
    pub fn around(mut self, parts: impl IntoIterator<Item = Kind>) -> Kind {
        let parts: Vec<Kind> = parts.into_iter().collect();
        let names = parts.iter().map(|part| part.name.as_str());
        let mut names: Vec<&str> = names.take(MOST_NAMED + 1).collect();
        if names.len() > MOST_NAMED {
            names[MOST_NAMED] = "…";
        }
        self.name = format!("{}({})", self.name, names.join(", "));
        let fingerprints: Vec<_> = parts.iter().map(Kind::fingerprint).collect();
        self.and(&fingerprints)
    }

    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let hash = Sha256::new()
            .chain_update((self.name.len() as u64).to_le_bytes())
            .chain_update(&self.name)
            .chain_update(&self.setup);
        first_bytes(hash.finalize().into())
    }
}

/// Why bytes could not be read as a state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// They are something else.
    #[error("these bytes are not the state of an aggregator")]
    NoState,
    /// They were written by another version of this crate.
    #[error("the state was written in a layout that this version of manyhands does not read")]
    Layout,
    /// They are cut short, or were changed on the way.
    #[error("the state is cut short or damaged")]
    Damaged,
    /// They are the state of another aggregator, or of one that was set up otherwise.
    #[error("{}", foreign(found, expected))]
    Foreign {
        /// What they are a state of.
        found: String,
        /// What was to be read.
        expected: String,
    },
    /// They have come through whole, but hold data of other types: other keys, or other scores.
    #[error(
        "the state of {} holds keys or scores of other types than those expected",
        shown(kind)
    )]
    OtherTypes {
        /// What they are a state of.
        kind: String,
    },
    /// They hold a state, but are not the bytes that [`save`](State::save) gives for it.
    #[error(
        "the state of {} is encoded in other bytes than `save` gives for it; load bytes that `save` returned",
        shown(kind)
    )]
    NotCanonical {
        /// What they are a state of.
        kind: String,
    },
    /// The plain data is well-formed, but no state comes to it.
    #[error("no state comes to this: {0}")]
    Impossible(&'static str),
    /// [`shift`](super::Shift::shift) would move a record's index beyond `u64::MAX`.
    #[error(
        "a record's index would exceed 2^64 - 1 after the shift; shift by the number of records before the shard"
    )]
    IndexOverflow,
}

fn foreign(found: &str, expected: &str) -> String {
    let same = found == expected;
    let found = shown(found);
    if same {
        format!("the state is of {found}, but of one that was set up otherwise")
    } else {
        format!("the state is of {found}, where {expected} was expected")
    }
}

/// A name from anywhere, on its way to a terminal.
fn shown(name: &str) -> String {
    let some = name.chars().take(MOST_SHOWN);
    some.flat_map(char::escape_debug).collect()
}
