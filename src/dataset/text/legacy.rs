//! Recognises text in a legacy encoding, such as Windows-1252.

/// The number of bytes that determine whether a text is refused.
const EXAMINED_BYTES: usize = 64 << 10;

/// The messages with which text that is not UTF-8 is refused.
#[derive(Debug)]
pub(super) struct EncodingMessages {
    /// The message about UTF-16.
    pub(super) utf_16: &'static str,
    /// The message about text in a legacy encoding.
    pub(super) legacy: &'static str,
}

/// The messages about the files of a dataset. They advise the user to name the encoding.
pub(super) static OF_RECORDS: EncodingMessages = EncodingMessages {
    utf_16: "is UTF-16; name the encoding (--encoding utf-16le or --encoding utf-16be), or convert the \
             text to UTF-8",
    legacy: "is not UTF-8 text: none of the characters beyond ASCII in its first 64 KiB is valid \
             UTF-8; name the encoding (e.g. --encoding windows-1252), replace such bytes (--lossy), \
             or convert the text to UTF-8",
};

/// The messages about a reference, to which the options of the dataset do not apply.
pub(super) static OF_REFERENCE: EncodingMessages = EncodingMessages {
    utf_16: "is UTF-16; convert it to UTF-8 first, e.g. with iconv -f UTF-16 -t UTF-8 (--encoding does \
             not apply to a reference)",
    legacy: "is not UTF-8 text: none of the characters beyond ASCII in its first 64 KiB is valid \
             UTF-8; convert it first, e.g. with iconv -f WINDOWS-1252 -t UTF-8 (--encoding does not \
             apply to a reference)",
};

/// A check of the first bytes of a text, which fails if there are bytes beyond ASCII and none of them is part of a
/// valid character. If at least one character is valid, each record that is not UTF-8 fails by itself.
#[derive(Debug)]
pub(super) struct LegacyCheck {
    /// Number of bytes that are still to be examined.
    left: usize,
}

/// The result of examining the bytes that have not been passed on yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Examined {
    /// The rest of the text need not be examined.
    Done,
    /// This number of bytes can be passed on. More bytes are needed to judge the bytes after these.
    Ready(usize),
    /// The text is in a legacy encoding.
    Legacy,
}

impl LegacyCheck {
    pub(super) fn new() -> Self {
        LegacyCheck {
            left: EXAMINED_BYTES,
        }
    }

    /// Examines the bytes that have not been passed on yet. `is_all` says whether the text has no more bytes.
    pub(super) fn examine(&self, bytes: &[u8], is_all: bool) -> Examined {
        let is_end = is_all && bytes.len() <= self.left;
        let is_all = is_all || bytes.len() >= self.left;
        let window = &bytes[..bytes.len().min(self.left)];
        let mut place = 0;
        for stretch in stretches(window) {
            if !stretch.text.is_ascii() {
                return Examined::Done;
            }
            place += stretch.text.len();
            // A character that the end of the window cuts off is not counted.
            if stretch.is_cut && !is_end {
                return match is_all {
                    true => Examined::Done,
                    false => Examined::Ready(place),
                };
            }
            if !stretch.is_last {
                return match has_characters(&window[place..]) {
                    true => Examined::Done,
                    false if is_all => Examined::Legacy,
                    false => Examined::Ready(place),
                };
            }
        }
        match is_all {
            true => Examined::Done,
            false => Examined::Ready(place),
        }
    }

    /// Counts bytes that have been passed on.
    pub(super) fn pass_on(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// A stretch of valid text. It ends before the next invalid bytes, or at the end of the bytes.
struct ValidText<'a> {
    text: &'a str,
    /// Whether the bytes end in the middle of a character, directly after this text.
    is_cut: bool,
    /// Whether the text reaches to the end of the bytes.
    is_last: bool,
}

/// Divides bytes into stretches of valid text, and leaves out the invalid bytes between them.
fn stretches(bytes: &[u8]) -> impl Iterator<Item = ValidText<'_>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (length, invalid) = match std::str::from_utf8(bytes) {
            Ok(_) => (bytes.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        rest = match invalid {
            Some(Some(invalid)) => Some(&bytes[length + invalid..]),
            _ => None,
        };
        Some(ValidText {
            text: std::str::from_utf8(&bytes[..length]).unwrap_or_default(),
            is_cut: invalid == Some(None),
            is_last: invalid.is_none(),
        })
    })
}

/// Whether there is a valid character beyond ASCII among the bytes.
fn has_characters(bytes: &[u8]) -> bool {
    stretches(bytes).any(|stretch| !stretch.text.is_ascii())
}

/// Whether a text that begins with these bytes is in a legacy encoding. `is_all` says whether the text has no more
/// bytes.
pub(super) fn is_legacy(first: &[u8], is_all: bool) -> bool {
    LegacyCheck::new().examine(first, is_all) == Examined::Legacy
}

/// Number of bytes at the beginning of a file that are examined.
pub(super) const fn examined_bytes() -> usize {
    EXAMINED_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_valid_character_makes_a_text_utf_8() {
        for (text, expected) in [
            (&b"plain"[..], false),
            (b"caf\xe9", true),
            (b"caf\xe9 ", true),
            (b"caf\xe9 \xc3\xa9", false),
            (b"\xc3\xa9 caf\xe9 ", false),
            (b"\x80", true),
            (b"a\xff", true),
            (b"", false),
        ] {
            assert_eq!(is_legacy(text, true), expected, "{text:?}");
        }
        let far = [&vec![b'x'; EXAMINED_BYTES][..], b"\xe9 "].concat();
        assert!(!is_legacy(&far, true));
    }

    /// The bytes before the first doubtful byte are passed on. The final result is the same as for the whole text at
    /// once.
    #[test]
    fn bytes_are_held_back_while_they_are_in_doubt() {
        let mut check = LegacyCheck::new();
        assert_eq!(check.examine(b"one\n", false), Examined::Ready(4));
        check.pass_on(4);
        assert_eq!(check.examine(b"caf\xe9", false), Examined::Ready(3));
        assert_eq!(check.examine(b"caf\xe9 \n", false), Examined::Ready(3));
        assert_eq!(check.examine(b"caf\xe9 \n\xc3\xa9", false), Examined::Done);
        assert_eq!(check.examine(b"caf\xe9 \n", true), Examined::Legacy);
        let most = [&b"caf\xe9 "[..], &vec![b'x'; EXAMINED_BYTES]].concat();
        assert_eq!(check.examine(&most, false), Examined::Legacy);
    }
}
