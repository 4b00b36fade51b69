//! The encoding of a text, and the reader that turns it into UTF-8.

use std::fmt;
use std::str::FromStr;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use serde::{Deserialize, Serialize};

use super::fault::InputFault;

/// The encoding of a text, such as `windows-1252`, `shift_jis` or `utf-16le`.
///
/// An encoding is named by any label of the [WHATWG Encoding Standard](https://encoding.spec.whatwg.org/#names-and-labels),
/// in any case. As in browsers, `latin1` and `iso-8859-1` mean `windows-1252`.
///
/// ```
/// use manyhands::dataset::TextEncoding;
///
/// let encoding: TextEncoding = "Latin1".parse()?;
/// assert_eq!(encoding.to_string(), "windows-1252");
/// let unknown = "ebcdic".parse::<TextEncoding>().unwrap_err();
/// assert!(unknown.to_string().starts_with("no encoding is called \"ebcdic\""));
/// # Ok::<(), manyhands::dataset::UnknownEncoding>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TextEncoding(&'static Encoding);

/// The error for a label that names no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no encoding is called {label:?}; use a label of the WHATWG Encoding Standard, such as \
     windows-1252, iso-8859-2, shift_jis, gb18030 or utf-16le"
)]
pub struct UnknownEncoding {
    label: String,
}

impl FromStr for TextEncoding {
    type Err = UnknownEncoding;

    fn from_str(label: &str) -> Result<Self, UnknownEncoding> {
        let found = Encoding::for_label_no_replacement(label.as_bytes());
        found.map(TextEncoding).ok_or_else(|| UnknownEncoding {
            label: label.to_owned(),
        })
    }
}

impl TryFrom<String> for TextEncoding {
    type Error = UnknownEncoding;

    fn try_from(label: String) -> Result<Self, UnknownEncoding> {
        label.parse()
    }
}

impl From<TextEncoding> for String {
    fn from(encoding: TextEncoding) -> String {
        encoding.to_string()
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name().to_ascii_lowercase())
    }
}

/// The number of bytes that are requested from an input at a time.
const STORED_BYTES: usize = 64 << 10;

/// Turns a text into UTF-8 as it is read.
pub(super) struct TextDecoder {
    decoder: Decoder,
    /// The character that replaces bytes that are invalid in the encoding.
    in_place: &'static [u8],
    stored: Vec<u8>,
    decoded: Vec<u8>,
    /// Number of decoded bytes that were given.
    given: usize,
    ended: bool,
}

impl TextDecoder {
    /// Creates the decoder of texts in this encoding. If `lossy` is true, the decoder replaces bytes that are not text.
    /// Returns `None` if texts need no decoding.
    pub(super) fn new(encoding: Option<TextEncoding>, lossy: bool) -> Option<Self> {
        let decoder = match encoding {
            // A byte-order mark overrides the label, as in browsers.
            Some(encoding) => encoding.0.new_decoder(),
            None if lossy => UTF_8.new_decoder_without_bom_handling(),
            None => return None,
        };
        Some(TextDecoder {
            decoder,
            // A byte that is never part of UTF-8 makes its record fail, but no other record.
            in_place: if lossy {
                "\u{fffd}".as_bytes()
            } else {
                b"\xff"
            },
            stored: vec![0; STORED_BYTES],
            decoded: Vec::new(),
            given: 0,
            ended: false,
        })
    }

    /// Reads decoded bytes. `read` reads the bytes as they are stored, and returns `None` if the stream is closed.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        mut read: impl FnMut(&mut [u8]) -> Result<Option<usize>, InputFault>,
    ) -> Result<Option<usize>, InputFault> {
        while self.given == self.decoded.len() && !self.ended {
            let Some(length) = read(&mut self.stored)? else {
                return Ok(None);
            };
            self.ended = length == 0;
            self.decode(length);
        }
        let length = room.len().min(self.decoded.len() - self.given);
        room[..length].copy_from_slice(&self.decoded[self.given..self.given + length]);
        self.given += length;
        Ok(Some(length))
    }

    /// Decodes this number of stored bytes.
    fn decode(&mut self, length: usize) {
        self.given = 0;
        let mut written = 0;
        let mut stored = &self.stored[..length];
        loop {
            let needed = self
                .decoder
                .max_utf8_buffer_length_without_replacement(stored.len());
            let needed = needed.unwrap_or(STORED_BYTES) + self.in_place.len();
            self.decoded.resize(written + needed, 0);
            let room = &mut self.decoded[written..];
            let (result, read, added) = self
                .decoder
                .decode_to_utf8_without_replacement(stored, room, self.ended);
            stored = &stored[read..];
            written += added;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let end = written + self.in_place.len();
                    self.decoded.resize(end.max(self.decoded.len()), 0);
                    self.decoded[written..end].copy_from_slice(self.in_place);
                    written = end;
                }
            }
        }
        self.decoded.truncate(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(label: &str, lossy: bool, bytes: &[u8], piece: usize) -> Vec<u8> {
        let encoding = (!label.is_empty()).then(|| label.parse().expect("a label"));
        let mut decoder = TextDecoder::new(encoding, lossy).expect("it decodes");
        let (mut pieces, mut all) = (bytes.chunks(piece), Vec::new());
        loop {
            let mut room = [0; 3];
            let read = decoder.read(&mut room, |room| {
                let piece = pieces.next().unwrap_or_default();
                room[..piece.len()].copy_from_slice(piece);
                Ok(Some(piece.len()))
            });
            match read.expect("no fault").expect("it is open") {
                0 => return all,
                read => all.extend_from_slice(&room[..read]),
            }
        }
    }

    #[test]
    fn a_text_is_decoded_however_its_bytes_arrive() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let replaced = "\u{fffd}a\u{fffd}".as_bytes();
        for (label, lossy, bytes, expected) in [
            (
                "latin1",
                false,
                b"caf\xe9 \x80".to_vec(),
                "café €".as_bytes(),
            ),
            (
                "utf-16le",
                false,
                utf_16("\u{feff}é\u{1f600}"),
                "é\u{1f600}".as_bytes(),
            ),
            // A byte-order mark overrides the label.
            ("utf-16be", false, utf_16("\u{feff}é"), "é".as_bytes()),
            ("utf-16", false, b"\0\xd8a\0".to_vec(), b"\xffa"),
            ("utf-16", true, b"\0\xd8a\0b".to_vec(), replaced),
            (
                "shift_jis",
                false,
                b"\x83\x65\n\xfd\n".to_vec(),
                b"\xe3\x83\x86\n\xff\n",
            ),
            (
                "",
                true,
                b"\xe2\x82\n\xc3\xa9\xff".to_vec(),
                "\u{fffd}\né\u{fffd}".as_bytes(),
            ),
        ] {
            for piece in [1, 2, 3, 100] {
                assert_eq!(decoded(label, lossy, &bytes, piece), expected, "{label}");
            }
        }
        assert!(TextDecoder::new(None, false).is_none());
    }

    #[test]
    fn an_encoding_is_written_by_its_name() {
        let encoding: TextEncoding = "Windows-1250".parse().expect("a label");
        let json = serde_json::to_string(&encoding).expect("a text");
        assert_eq!(json, "\"windows-1250\"");
        let read: TextEncoding = serde_json::from_str(&json).expect("a label");
        assert_eq!(read, encoding);
        // The standard maps this label to the encoding `replacement`, because decoding `iso-2022-cn` is not safe.
        assert!("iso-2022-cn".parse::<TextEncoding>().is_err());
    }
}
