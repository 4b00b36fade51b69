//! The names of formats, and the bytes that may separate the fields of delimited text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A format of records.
///
/// ```
/// use manyhands::dataset::FormatName;
///
/// assert_eq!("jsonl".parse::<FormatName>()?, FormatName::JsonLines);
/// assert_eq!(FormatName::Csv.to_string(), "csv");
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FormatName {
    /// A JSON object in each line, or several of them: `jsonl`.
    #[serde(rename = "jsonl")]
    JsonLines,
    /// A JSON document, called `json`: an array of objects, a single object, or objects one after the other. Line ends
    /// and spaces between their tokens do not matter.
    Json,
    /// Delimited text whose delimiter is the comma or is found from its first record: `csv`.
    Csv,
    /// Delimited text whose delimiter is the tab: `tsv`.
    Tsv,
    /// A text in each line: `text`.
    Text,
    /// A Parquet file: `parquet`. Reading it requires the feature of this name.
    Parquet,
    /// An Arrow IPC file (Feather, version 2) or an Arrow IPC stream: `arrow`. Reading it requires the feature
    /// `parquet`.
    Arrow,
}

impl FormatName {
    /// All formats.
    pub const ALL: [FormatName; 7] = [
        FormatName::JsonLines,
        FormatName::Json,
        FormatName::Csv,
        FormatName::Tsv,
        FormatName::Text,
        FormatName::Parquet,
        FormatName::Arrow,
    ];

    /// The format that the ending of a file name stands for, in capitals or not. The ending `json` also gives JSON
    /// lines, but a file with this ending is read as a JSON document if its contents show that it is one.
    pub(crate) fn of_ending(ending: &str) -> Option<Self> {
        Some(match &*ending.to_ascii_lowercase() {
            "jsonl" | "ndjson" | "json" => FormatName::JsonLines,
            "csv" => FormatName::Csv,
            "tsv" | "tab" => FormatName::Tsv,
            "txt" => FormatName::Text,
            "parquet" | "pq" => FormatName::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => FormatName::Arrow,
            _ => return None,
        })
    }

    /// What a file is according to the ending of its name, if that is something other than text with records.
    pub(crate) fn other_kind_of_ending(ending: &str) -> Option<&'static str> {
        match Self::of_ending(ending) {
            Some(FormatName::Parquet) => return Some("a Parquet file"),
            Some(FormatName::Arrow) => return Some("an Arrow file"),
            _ => {}
        }
        Some(match &*ending.to_ascii_lowercase() {
            "xlsx" | "xlsm" | "xls" => "an Excel workbook",
            "ods" => "an OpenDocument spreadsheet",
            "avro" => "an Avro file",
            "orc" => "an ORC file",
            "sqlite" | "sqlite3" | "db" => "a SQLite database",
            "docx" | "doc" => "a Word document",
            "pdf" => "a PDF document",
            "html" | "htm" => "an HTML page",
            "xml" => "an XML document",
            "yaml" | "yml" => "a YAML document",
            "zip" => "a zip archive",
            "tar" | "tgz" => "a tar archive",
            "7z" => "a 7z archive",
            "rar" => "a RAR archive",
            "npy" | "npz" => "a NumPy array",
            "pkl" | "pickle" => "a Python pickle",
            _ => return None,
        })
    }

    /// Whether files of the format store columns and are not text.
    pub(crate) fn is_columnar(self) -> bool {
        matches!(self, FormatName::Parquet | FormatName::Arrow)
    }

    /// The name of the format, such as `jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            FormatName::JsonLines => "jsonl",
            FormatName::Json => "json",
            FormatName::Csv => "csv",
            FormatName::Tsv => "tsv",
            FormatName::Text => "text",
            FormatName::Parquet => "parquet",
            FormatName::Arrow => "arrow",
        }
    }

    /// The format in which records of this format are text: JSON lines if the file stores them by column.
    pub(crate) fn of_text(self) -> Self {
        match self.is_columnar() {
            true => FormatName::JsonLines,
            false => self,
        }
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FormatName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
            let known = known.join(", ");
            Error::Plan(format!(
                "no format is called {name:?}; known formats: {known}"
            ))
        })
    }
}

/// The byte that separates the fields of delimited text: an ASCII character other than a quote and a line end.
///
/// ```
/// use manyhands::dataset::Delimiter;
///
/// assert_eq!(";".parse::<Delimiter>()?.byte(), b';');
/// assert_eq!("tab".parse::<Delimiter>()?, Delimiter::TAB);
/// assert!("::".parse::<Delimiter>().is_err());
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Delimiter(u8);

impl Delimiter {
    /// The comma.
    pub const COMMA: Delimiter = Delimiter(b',');
    /// The tab.
    pub const TAB: Delimiter = Delimiter(b'\t');
    /// The delimiters that are recognised in the first record of a text.
    pub(super) const FOUND: [Delimiter; 4] = [
        Delimiter::COMMA,
        Delimiter(b';'),
        Delimiter::TAB,
        Delimiter(b'|'),
    ];

    /// Creates a delimiter. Returns `None` if the byte is a quote, a line end or not ASCII.
    pub fn new(byte: u8) -> Option<Self> {
        let usable = byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n');
        usable.then_some(Delimiter(byte))
    }

    /// The byte.
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.0))
    }
}

impl FromStr for Delimiter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = match text.as_bytes() {
            b"tab" | b"\\t" => Some(Delimiter::TAB),
            [byte] => Delimiter::new(*byte),
            _ => None,
        };
        found.ok_or_else(|| {
            Error::Plan(format!(
                "expected a delimiter of one ASCII character that is no quote and no line end, \
                 or tab; found {text:?}"
            ))
        })
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> String {
        delimiter.to_string()
    }
}

impl TryFrom<String> for Delimiter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}
