//! What the fuzz targets share: the ways to read a text, and the parts of its records that are compared.

use std::io::{self, Read};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use arbitrary::Arbitrary;
use manyhands::dataset::{
    Dataset, Delimiter, Fields, FormatName, OpenOptions, Position, TextRecord,
};
use manyhands::error::{BadRecord, Error};

/// How a text is read.
#[derive(Arbitrary, Clone, Debug, Default)]
pub struct Reading {
    /// The format that the name of the file shows, if it shows one.
    name: Option<Format>,
    format: Option<Format>,
    delimiter: Option<u8>,
    header: bool,
    wanted: Option<Wanted>,
    max_record: Option<u8>,
}

/// The lowest limit on the length of a record, in bytes. It leaves room for bytes before the first record of a table,
/// such as blank lines.
const SHORTEST_LIMIT: u64 = 40;

/// A format of text.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Format {
    JsonLines,
    Json,
    Csv,
    Tsv,
    Text,
}

/// The fields that are read.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wanted {
    Text,
    Number,
    Pointer,
    Path,
    TwoAndOne,
}

impl Wanted {
    fn names(self) -> &'static [&'static str] {
        match self {
            Wanted::Text => &["text"],
            Wanted::Number => &["2"],
            Wanted::Pointer => &["/a/0"],
            Wanted::Path => &["a.b"],
            Wanted::TwoAndOne => &["a", "b", "c"],
        }
    }

    /// Whether these names also select the fields if the record is written as one line of JSON.
    fn is_named(self) -> bool {
        matches!(self, Wanted::Text | Wanted::TwoAndOne)
    }
}

impl Reading {
    /// The name under which the text is read.
    pub fn name(&self) -> &'static str {
        match self.name {
            None => "r",
            Some(Format::JsonLines) => "r.jsonl",
            Some(Format::Json) => "r.json",
            Some(Format::Csv) => "r.csv",
            Some(Format::Tsv) => "r.tsv",
            Some(Format::Text) => "r.txt",
        }
    }

    /// The fields that are read from each record.
    pub fn fields(&self) -> Option<Fields> {
        let names = self.wanted?.names();
        Some(Fields::new(names.iter().copied(), [""; 0]))
    }

    pub fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new().header(self.header);
        if let Some(format) = self.format {
            options = options.format(match format {
                Format::JsonLines => FormatName::JsonLines,
                Format::Json => FormatName::Json,
                Format::Csv => FormatName::Csv,
                Format::Tsv => FormatName::Tsv,
                Format::Text => FormatName::Text,
            });
        }
        if let Some(delimiter) = self.delimiter.and_then(Delimiter::new) {
            options = options.delimiter(delimiter);
        }
        if let Some(fields) = self.fields() {
            options = options.fields(fields);
        }
        match self.max_record {
            Some(bytes) => options.max_record(SHORTEST_LIMIT + u64::from(bytes)),
            None => options,
        }
    }
}

/// What a target compares of one record: its index, its line, and its content or the message of its error.
pub type Seen = (u64, u64, Result<Content, String>);

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    pub text: String,
    /// The values of the wanted fields, or the message of the error.
    values: Result<Vec<Option<String>>, String>,
    /// The record as one line of JSON, or the message of the error.
    json: Result<String, String>,
}

impl Reading {
    fn values(&self, record: &TextRecord<'_>) -> Result<Vec<Option<String>>, String> {
        let (Some(fields), Some(wanted)) = (self.fields(), self.wanted) else {
            return Ok(Vec::new());
        };
        let values = fields.of(record).map_err(|bad| bad.to_string())?;
        let value = |place| {
            let value = values.get(place);
            let text = value.as_text().map(|text| text.into_owned());
            text.filter(|_| !value.is_missing())
        };
        Ok((0..wanted.names().len()).map(value).collect())
    }

    fn content(&self, record: &TextRecord<'_>) -> Content {
        let values = self.values(record);
        let json = record.to_json().map(|json| json.into_owned());
        if let (Ok(json), Ok(values)) = (&json, &values) {
            assert!(!json.contains(['\n', '\r']), "one line of JSON: {json:?}");
            if self.wanted.is_some_and(Wanted::is_named) {
                let in_json = self.values(&TextRecord::json(json));
                assert_eq!(in_json.as_ref(), Ok(values), "as one line of JSON: {json}");
            }
        }
        Content {
            text: record.as_str().to_owned(),
            values,
            json: json.map_err(|bad| bad.to_string()),
        }
    }

    fn seen(&self, position: Position, record: Result<&TextRecord<'_>, BadRecord>) -> Seen {
        let content = record.map(|record| self.content(record));
        (
            position.index,
            position.line,
            content.map_err(|bad| bad.to_string()),
        )
    }

    /// Reads these parts of a dataset. A stream is read to its end, by as many calls as it needs.
    pub fn read<D>(&self, dataset: &D, parts: Range<usize>) -> AllSeen
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let mut all = Vec::new();
        loop {
            let outcome = dataset.read(parts.clone(), |position, record| {
                all.push(self.seen(position, record));
                ControlFlow::Continue(())
            });
            match outcome {
                Err(error) => return (all, Some(message(&error))),
                Ok(outcome) if outcome.ended || !dataset.is_stream() => return (all, None),
                Ok(_) => {}
            }
        }
    }

    /// Reads a text as a stream that arrives in pieces.
    pub fn read_stream(&self, options: &OpenOptions, text: &[u8], piece: usize) -> AllSeen {
        let reader = Pieces {
            rest: text,
            most: piece.max(1),
        };
        let parts = match piece % 3 {
            0 => 0..1,
            1 => 0..3,
            _ => 0..1000,
        };
        self.read(&options.reader(self.name(), reader), parts)
    }
}

/// What a target compares of a whole dataset: its records, and the error that ended the reading.
pub type AllSeen = (Vec<Seen>, Option<String>);

/// Whether a text was refused because it is plainly not UTF-8. A stream can refuse a text only when enough of the text
/// has arrived, and may have visited records before.
pub fn is_legacy(seen: &AllSeen) -> bool {
    let message = seen.1.as_deref().unwrap_or_default();
    message.contains("is not UTF-8 text")
}

/// Checks that a text has the same records if it arrives as a whole and if it arrives in pieces.
///
/// If compressed data is damaged, the size of the pieces may decide how many records are unpacked before the damage is
/// noticed, so only the records that both have are compared. One reason: libzstd checks the length in the header of a
/// frame only if the frame arrives as a whole.
pub fn assert_same(whole: &AllSeen, pieces: &AllSeen) {
    let seen = [whole, pieces];
    if seen.into_iter().any(is_legacy) {
        return;
    }
    if !seen.into_iter().any(is_damaged) {
        assert_eq!(whole, pieces);
        return;
    }
    let [shorter, longer] = match whole.0.len() < pieces.0.len() {
        true => seen,
        false => [pieces, whole],
    };
    // The damage may have cut off the last record.
    let complete = shorter.0.len().saturating_sub(1);
    assert_eq!(shorter.0[..complete], longer.0[..complete]);
}

fn is_damaged(seen: &AllSeen) -> bool {
    let messages = seen
        .0
        .iter()
        .filter_map(|(_, _, content)| content.as_ref().err());
    let mut messages = messages.chain(&seen.1);
    messages.any(|message| {
        message.contains("cannot be unpacked after") || message.contains("in the middle of its")
    })
}

/// The message of an error without the path of the file.
pub fn message(error: &Error) -> String {
    let message = error.to_string();
    match message.split_once("/r") {
        Some((folder, rest)) if folder.starts_with('/') => format!("r{rest}"),
        _ => message,
    }
}

/// A reader that returns at most `most` bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(room.len());
        Read::read(&mut self.rest, &mut room[..most])
    }
}

/// A folder for the files of one process, in memory where the system has a file system in memory.
pub struct Folder(tempfile::TempDir);

impl Default for Folder {
    fn default() -> Self {
        let in_memory = Path::new("/dev/shm");
        let folder = match in_memory.is_dir() {
            true => tempfile::tempdir_in(in_memory),
            false => tempfile::tempdir(),
        };
        Folder(folder.expect("a folder"))
    }
}

impl Folder {
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("room for a file");
        path
    }
}
