//! Canonical bytes: exactly one sequence of bytes for each value.

use serde::Serialize;

/// The first bytes of the encoding, which name the format and its version. If either changes, every
/// digest changes.
const PREFIX: &[u8] = b"mh1";

/// Returns the canonical bytes of a value. The bytes of two values are equal exactly if the values
/// are equal, bit for bit.
///
/// The encoding is that of [postcard](https://postcard.jamesmunns.com/wire-format) after a prefix
/// with the version. Floats are compared by their bits, so `-0.0` differs from `0.0`, and NaN
/// values with different bits differ. The only NaN that the built-in aggregators answer with is
/// `f64::NAN` itself. A map that iterates in hash order has no canonical bytes: use a `BTreeMap` in
/// outputs.
///
/// # Panics
///
/// Panics if the value's `Serialize` fails, or does not give the length of a sequence in advance
/// (as with `#[serde(flatten)]`). Neither happens with the output of a built-in aggregator.
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
