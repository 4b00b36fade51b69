//! The byte-order mark at the beginning of a text.

/// The byte-order mark, which some programs write at the beginning of UTF-8 files.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the text without the byte-order mark at its beginning, if there is one.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_not_part_of_the_text() {
        assert_eq!(without_mark(b"\xef\xbb\xbfx"), b"x");
        assert_eq!(without_mark(b"\xef\xbbx"), b"\xef\xbbx");
    }
}
