//! A fingerprint of an aggregated value.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::aggregation::canonical_bytes;

/// A hash of the canonical bytes of a value: two values have the same digest if, and for all practical
/// purposes only if, they are equal bit for bit.
///
/// A digest is the first 128 bits of SHA-256 over [`canonical_bytes`], displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Returns the digest of a value.
    ///
    /// ```
    /// use manyhands::report::Digest;
    ///
    /// assert_eq!(Digest::of(&(3, 0.5)), Digest::of(&(3, 0.5)));
    /// assert_ne!(Digest::of(&0.0), Digest::of(&-0.0));
    /// ```
    pub fn of<T: Serialize>(value: &T) -> Self {
        let hash = Sha256::digest(canonical_bytes(value));
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        Digest(first)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
