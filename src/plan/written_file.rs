//! What is known of a file that a run has written, so that it can be recognised later.

use serde::{Deserialize, Serialize};

/// The length of a file, and a hash of its bytes as they are on the disk. Two files with equal values are taken for
/// the same file, whatever their names are.
///
/// ```
/// use manyhands::plan::WrittenFile;
///
/// let written = WrittenFile { bytes: 13, hash: 255 };
/// let json = r#"{"bytes":13,"hash":"000000000000000000000000000000ff"}"#;
/// assert_eq!(serde_json::to_string(&written)?, json);
/// assert_eq!(serde_json::from_str::<WrittenFile>(json)?, written);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The hash XXH3-128 of these bytes. Formats that people read contain it as 32 hexadecimal digits.
    #[serde(with = "hexadecimal")]
    pub hash: u128,
}

/// The form of a hash in serialized data.
mod hexadecimal {
    use serde::de::{Deserialize, Deserializer, Error, Unexpected};
    use serde::ser::Serializer;

    /// Number of digits of a hash.
    const DIGITS: usize = 32;

    pub(super) fn serialize<S: Serializer>(hash: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(&format_args!("{hash:0width$x}", width = DIGITS)),
            false => serializer.serialize_u128(*hash),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<u128, D::Error> {
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hash = text.len() == DIGITS && text.bytes().all(is_digit);
        let hash = is_hash.then(|| u128::from_str_radix(&text, 16).ok());
        hash.flatten().ok_or_else(|| {
            let expected = "a hash of 32 hexadecimal digits in small letters";
            Error::invalid_value(Unexpected::Str(&text), &expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_that_is_written_is_read() {
        let hash = "0123456789abcdef0123456789abcdef";
        let read = |hash: &str| {
            serde_json::from_str::<WrittenFile>(&format!("{{\"bytes\":1,\"hash\":\"{hash}\"}}"))
        };
        assert_eq!(
            read(hash).expect("a hash").hash,
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef
        );
        for wrong in [
            &hash[1..],
            &format!("0{hash}"),
            &hash.to_uppercase(),
            &hash.replace('0', "+"),
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let written = WrittenFile {
            bytes: 1,
            hash: u128::MAX,
        };
        let bytes = postcard::to_stdvec(&written).expect("memory");
        assert_eq!(postcard::from_bytes::<WrittenFile>(&bytes), Ok(written));
    }
}
