//! Recognises by its first bytes a text that is not UTF-8.

/// The byte-order mark, which some programs write at the beginning of UTF-8 files.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Minimum number of bytes that [`other_encoding`] needs to recognise an encoding.
pub(super) const ENCODING_BYTES: usize = 2;

/// If the first bytes of a text show that it is not UTF-8, returns a message that says what the text is and how to
/// convert it. This is checked once per file, so that such a file is not refused record by record.
pub(super) fn other_encoding(first: &[u8]) -> Option<&'static str> {
    match first {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("is UTF-16; convert it to UTF-8 first, e.g. with iconv -f UTF-16 -t UTF-8")
        }
        _ => None,
    }
}

/// Returns the text without the byte-order mark at its beginning, if there is one.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_encodings_are_known_by_their_first_two_bytes() {
        for first in [b"\xff\xfe", b"\xfe\xff"] {
            assert!(other_encoding(first).is_some());
            assert!(other_encoding(&[first[0], b'x']).is_none());
            assert!(other_encoding(&[b'x', first[1]]).is_none());
            assert!(other_encoding(&first[..1]).is_none());
        }
        assert_eq!(without_mark(b"\xef\xbb\xbfx"), b"x");
        assert_eq!(without_mark(b"\xef\xbbx"), b"\xef\xbbx");
    }
}
