//! How records are written to a program that scores them.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How records are written to the standard input of a program that scores them. Each line ends with a line feed.
///
/// ```
/// use manyhands::remote::SendAs;
///
/// let array: SendAs = "array:64".parse()?;
/// assert_eq!(array.records_a_line(), 64);
/// assert_eq!(array.to_string(), "array:64");
/// assert_eq!(SendAs::default(), SendAs::Json);
/// # Ok::<(), manyhands::remote::UnknownSendAs>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum SendAs {
    /// Each record is a line of JSON, an object, whatever the format of the input.
    #[default]
    Json,
    /// Each record is a line with the text of its fields alone. So that the text stays on one line, a line feed in it
    /// is written as `\n`, a carriage return as `\r`, and a backslash as `\\`.
    Text,
    /// A line is a JSON array of records, each of them an object. The program answers with an array of as many values,
    /// in the same order. The number is the largest number of records in an array. How many of them are sent together
    /// follows from the time that the program takes for a record.
    Array(NonZeroU16),
}

/// The error of a text that does not say how records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected json, text, or array:N with a number of records from 1 to 65535, such as array:64"
)]
pub struct UnknownSendAs;

impl SendAs {
    /// Whether whole records are sent, and not only the text of some fields.
    pub fn sends_whole_records(self) -> bool {
        self != SendAs::Text
    }

    /// The largest number of records in a line.
    pub fn records_a_line(self) -> usize {
        match self {
            SendAs::Json | SendAs::Text => 1,
            SendAs::Array(most) => most.get().into(),
        }
    }
}

impl FromStr for SendAs {
    type Err = UnknownSendAs;

    fn from_str(text: &str) -> Result<Self, UnknownSendAs> {
        match text {
            "json" => Ok(SendAs::Json),
            "text" => Ok(SendAs::Text),
            _ => {
                let number = text.strip_prefix("array:").ok_or(UnknownSendAs)?;
                let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
                let number = number.parse().ok().filter(|_| is_digits);
                number.map(SendAs::Array).ok_or(UnknownSendAs)
            }
        }
    }
}

impl fmt::Display for SendAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendAs::Json => f.write_str("json"),
            SendAs::Text => f.write_str("text"),
            SendAs::Array(most) => write!(f, "array:{most}"),
        }
    }
}

impl TryFrom<String> for SendAs {
    type Error = UnknownSendAs;

    fn try_from(text: String) -> Result<Self, UnknownSendAs> {
        text.parse()
    }
}

impl From<SendAs> for String {
    fn from(send: SendAs) -> String {
        send.to_string()
    }
}

/// Returns a text as a single line: line feeds, carriage returns and backslashes are escaped, so that different texts
/// are different lines. Most texts have none of these, and are borrowed.
pub(crate) fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    let escape = |byte| match byte {
        b'\n' => Some("\\n"),
        b'\r' => Some("\\r"),
        b'\\' => Some("\\\\"),
        _ => None,
    };
    if memchr::memchr3(b'\n', b'\r', b'\\', text.as_bytes()).is_none() {
        return text;
    }
    let mut line = String::with_capacity(text.len() + 16);
    let mut copied = 0;
    for (place, byte) in text.bytes().enumerate() {
        if let Some(escaped) = escape(byte) {
            line.push_str(&text[copied..place]);
            line.push_str(escaped);
            copied = place + 1;
        }
    }
    line.push_str(&text[copied..]);
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_of_sending_is_written_as_it_is_read() {
        for text in ["json", "text", "array:1", "array:64", "array:65535"] {
            let send: SendAs = text.parse().expect(text);
            assert_eq!(send.to_string(), text);
            let json = serde_json::to_string(&send).expect("JSON");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(
                serde_json::from_str::<SendAs>(&json).expect("a value"),
                send
            );
        }
        for text in [
            "",
            "JSON",
            "array",
            "array:",
            "array:0",
            "array:+1",
            "array:-1",
            "array:1.5",
            "array:65536",
            "array: 1",
            "texts",
        ] {
            assert_eq!(text.parse::<SendAs>(), Err(UnknownSendAs), "{text}");
            assert!(serde_json::from_str::<SendAs>(&format!("{text:?}")).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_text_on_one_line_can_be_read_back(text in "([a-zü]|\\PC|[\n\r\\\\]){0,40}") {
            let line = on_one_line(Cow::Borrowed(&text));
            prop_assert!(!line.contains(['\n', '\r']));
            let mut read = String::new();
            let mut letters = line.chars();
            while let Some(letter) = letters.next() {
                read.push(match letter {
                    '\\' => match letters.next() {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('\\') => '\\',
                        other => panic!("no such escape: {other:?}"),
                    },
                    letter => letter,
                });
            }
            prop_assert_eq!(read, text);
        }
    }
}
