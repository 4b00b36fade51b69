//! Saves states as bytes, so that another process or machine can merge partials.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use twox_hash::XxHash3_64;

/// The first bytes of a saved state, which are a mark and the version of the layout.
const PREFIX: &[u8; 4] = b"mhs1";
/// The part of [`PREFIX`] that is the same in every version.
const MARK: &[u8; 3] = b"mhs";
/// Number of bytes of a SHA-256 hash that identify the kind of a state.
const FINGERPRINT_BYTES: usize = 16;
/// Number of bytes of the XXH3-64 hash that serves to detect a damaged state.
const CHECKSUM_BYTES: usize = 8;

/// The largest number of characters of a name that a message shows.
const MOST_SHOWN: usize = 200;

/// The largest number of parts that the name of a composite aggregator lists, which is the largest
/// length of a tuple. It is limited because every state contains the name. The fingerprint covers
/// all parts.
const MOST_NAMED: usize = 8;
/// The largest number of bytes of a setup, as JSON, that is shown in the name.
const LONGEST_SETUP: usize = 40;

/// The largest number of records that a state may claim to have observed: one core would take two
/// years to score them at 1 ns per record. The bound prevents counts from overflowing when states
/// of unknown origin are merged: an overflow would take 256 states with false counts.
pub(super) const MOST_RECORDS: u64 = 1 << 56;

/// The state of an aggregator as plain data.
///
/// A state that can be written as bytes can leave its process: partials of several machines are
/// [saved](State::save) on these machines, [loaded](State::load) on one machine, and merged there.
/// A state must keep these laws, which [`assert_laws`](super::assert_laws) checks:
///
/// 1. **Canonical**: states that observed the same records have equal plain data. If the aggregator
///    is [commutative](super::Aggregator::COMMUTATIVE), this holds for every order of observing and
///    merging.
/// 2. **Whole**: a restored state behaves exactly like the original.
/// 3. **Strict**: [`load`](State::load) accepts only the bytes that the loaded state saves. A state
///    therefore has one encoding, and two saved states are equal exactly if their bytes are equal.
///
/// Closures, such as the closure of [`of`](super::Aggregator::of), are not saved: the aggregator
/// that loads a state must be built by the same code, and keeps its own closures. The rest of the
/// configuration is part of the [`Kind`], and a state of another kind is refused. Which field of a
/// score a closure reads or groups by is not checked. A run returns its state with
/// [`partial`](super::Aggregator::partial); a state whose records were counted from 0 is renumbered
/// with [`Shift`](super::Shift).
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
///     Some("the state is of tuple/1(count/1, mean/1), but tuple/1(mean/1, count/1) was expected"),
/// );
/// # Ok::<(), manyhands::aggregation::StateError>(())
/// ```
pub trait State: Sized {
    /// The type of the plain data: everything that a state has observed, without its configuration.
    ///
    /// Reading plain data takes memory and time in proportion to its bytes, except for sequences of
    /// zero-sized values such as `Vec<()>`, which can claim any length.
    type Plain: Serialize + DeserializeOwned + Send;

    /// Returns the kind of the state, which identifies the aggregator and its configuration.
    fn kind(&self) -> Kind;

    /// Returns the state as plain data.
    fn into_plain(self) -> Self::Plain;

    /// Returns a state that holds `plain`, with the configuration of `self`. Everything that `self`
    /// has observed is ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if no sequence of records leads to this plain data. `plain` may come from
    /// anywhere, and a restored state must neither panic nor overflow later: the built-in
    /// aggregators refuse data that is out of order or range, and counts above 2⁵⁶, so an overflow
    /// would take 256 states with false counts.
    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError>;

    /// Returns the canonical bytes of the state: a mark with the version of the layout, the kind,
    /// the plain data in the encoding of [postcard](https://postcard.jamesmunns.com/wire-format),
    /// and a checksum.
    ///
    /// # Panics
    ///
    /// Panics if the `Serialize` of the plain data fails, which never happens for built-in
    /// aggregators.
    #[must_use]
    fn save(self) -> Vec<u8> {
        let kind = self.kind();
        match message(kind, &self.into_plain()) {
            Ok(bytes) => bytes,
            Err(error) => panic!("the state has no canonical bytes: {error}"),
        }
    }

    /// Returns the state that was [saved](State::save) as these bytes, so that it can be merged
    /// with others of its kind. Everything that `self` has observed is ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are not a state, are cut short or damaged, belong to another
    /// kind of aggregator, or differ from what the loaded state would save (for example, integers
    /// that take more bytes than necessary).
    fn load(&self, bytes: &[u8]) -> Result<Self, StateError> {
        let plain = decoded(self.kind(), bytes, PhantomData::<Self::Plain>)?;
        let restored = self.restore(plain)?;
        // Neither postcard nor `restore` enforces one encoding, so the restored state is encoded again
        // and all bytes are compared.
        let kind = restored.kind();
        let plain = restored.into_plain();
        if message(kind, &plain).is_ok_and(|saved| saved == bytes) {
            self.restore(plain)
        } else {
            Err(StateError::NotCanonical {
                kind: self.kind().name,
            })
        }
    }
}

/// Decodes the plain data of a state that was [saved](State::save) as these bytes, and that is of this kind. Unlike
/// [`State::load`], this does not check that the bytes are the only ones that stand for the plain data.
///
/// # Errors
///
/// Returns an error if the bytes are not a state, are cut short or damaged, or belong to another kind of aggregator.
pub(crate) fn decoded<'b, D: DeserializeSeed<'b>>(
    kind: Kind,
    bytes: &'b [u8],
    decode: D,
) -> Result<D::Value, StateError> {
    let content = checked(bytes)?;
    let (fingerprint, content) = content
        .split_first_chunk::<FINGERPRINT_BYTES>()
        .ok_or(StateError::Damaged)?;
    let (name, content) =
        postcard::take_from_bytes::<&str>(content).map_err(|_| StateError::Damaged)?;
    if *fingerprint != kind.fingerprint() {
        return Err(StateError::Foreign {
            found: name.to_owned(),
            expected: kind.name,
        });
    }
    let mut decoder = postcard::Deserializer::from_bytes(content);
    let plain = decode.deserialize(&mut decoder).ok();
    let plain = plain.filter(|_| decoder.finalize().is_ok_and(<[u8]>::is_empty));
    plain.ok_or_else(|| StateError::OtherTypes {
        kind: name.to_owned(),
    })
}

/// Returns the canonical bytes of a state of this kind, see [`State::save`].
fn message(kind: Kind, plain: &impl Serialize) -> postcard::Result<Vec<u8>> {
    let mut bytes = PREFIX.to_vec();
    bytes.extend(kind.fingerprint());
    let mut bytes = postcard::to_extend(&(kind.name, plain), bytes)?;
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    Ok(bytes)
}

/// Returns the bytes between the prefix and the checksum, if both are valid.
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

/// Returns the bytes that [`State::save`] would write if `change` were applied to the plain data,
/// or `None` if `bytes` are not a saved state.
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

/// Returns the sum of these counts, or an error if it is greater than [`MOST_RECORDS`].
pub(super) fn counted(counts: impl IntoIterator<Item = u64>) -> Result<u64, StateError> {
    let mut counts = counts.into_iter();
    let total = counts.try_fold(0_u64, |total, count| total.checked_add(count));
    total
        .filter(|total| *total <= MOST_RECORDS)
        .ok_or(StateError::Impossible("more records than there can be"))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    XxHash3_64::oneshot(bytes).to_le_bytes()
}

fn first_bytes<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    std::array::from_fn(|place| hash[place])
}

/// Identifies the aggregator that a state belongs to, by its name, the version of its plain data,
/// and its configuration.
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
    /// The name that messages show.
    name: String,
    /// The configuration, as canonical bytes.
    setup: Vec<u8>,
}

impl Kind {
    /// Creates the kind of an aggregator without configuration. `version` is the version of its
    /// plain data: increase it whenever the format of the plain data changes.
    #[must_use]
    pub fn new(name: &str, version: u32) -> Kind {
        Kind {
            name: format!("{name}/{version}"),
            setup: Vec::new(),
        }
    }

    /// Adds a value of the configuration.
    ///
    /// # Panics
    ///
    /// Panics if the value's `Serialize` fails.
    #[must_use]
    pub fn with<T: Serialize + ?Sized>(mut self, setup: &T) -> Kind {
        // A short configuration is shown in messages.
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

    /// Makes this the kind of an aggregator that is composed of aggregators of these kinds, in this
    /// order.
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

/// The reason why bytes could not be read as a state, or why a state could not be shifted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The bytes are not a saved state.
    #[error("these bytes are not the state of an aggregator")]
    NoState,
    /// The bytes were written by a version of this crate with another layout.
    #[error("the state was written in a layout that this version of manyhands does not read")]
    Layout,
    /// The bytes are cut short or were changed.
    #[error("the state is cut short or damaged")]
    Damaged,
    /// The bytes are the state of another aggregator, or of the same aggregator with another
    /// configuration.
    #[error("{}", foreign(found, expected))]
    Foreign {
        /// The kind that the bytes name.
        found: String,
        /// The kind that was expected.
        expected: String,
    },
    /// The bytes are intact, but hold keys or scores of other types.
    #[error(
        "the state of {} holds keys or scores of other types than those expected",
        shown(kind)
    )]
    OtherTypes {
        /// The kind that the bytes name.
        kind: String,
    },
    /// The bytes hold a state, but differ from the bytes that [`save`](State::save) writes for it.
    #[error(
        "the bytes of this state of {} differ from those that `save` writes for it; load bytes that `save` returned",
        shown(kind)
    )]
    NotCanonical {
        /// The kind that the bytes name.
        kind: String,
    },
    /// The plain data is well-formed, but no sequence of records leads to it.
    #[error("no state has this plain data: {0}")]
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
        format!(
            "the state is of {found}, but configured differently; load it with the configuration that saved it"
        )
    } else {
        format!("the state is of {found}, but {expected} was expected")
    }
}

/// Returns a name of unknown origin, made safe for a terminal.
fn shown(name: &str) -> String {
    let some = name.chars().take(MOST_SHOWN);
    some.flat_map(char::escape_debug).collect()
}
