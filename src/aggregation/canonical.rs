//! One sequence of bytes per value.

use serde::Serialize;

/// The first bytes: the format and its version. A change of either changes every digest.
const PREFIX: &[u8] = b"mh1";

/// The canonical bytes of a value: equal exactly if the values are equal, bit for bit.
///
/// The encoding is that of [postcard](https://postcard.jamesmunns.com/wire-format) after a prefix
/// with the version. Floats are compared by their bits, so `-0.0` differs from `0.0`, and one NaN
/// from another; the built-in aggregators only ever answer `f64::NAN` itself. A map that iterates
/// in hash order has no canonical bytes: use a `BTreeMap` in outputs.
///
/// # Panics
///
/// Panics if the value's `Serialize` fails, or does not give the length of a sequence in advance
/// (as with `#[serde(flatten)]`). No output of a built-in aggregator does either.
///
/// ```
/// use manyhands::aggregation::canonical_bytes;
///
/// assert_eq!(canonical_bytes(&(1_u8, true)), b"mh1\x01\x01");
/// assert_ne!(canonical_bytes(&0.0), canonical_bytes(&-0.0));
/// ```
#[must_use]
pub fn canonical_bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    match postcard::to_extend(value, PREFIX.to_vec()) {
        Ok(bytes) => bytes,
        Err(error) => panic!("the value has no canonical bytes: {error}"),
    }
}
