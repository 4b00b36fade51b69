//! Finds the format of a text: the requested format, or else the format that follows from the first bytes, the name and
//! the wanted fields.

use std::path::Path;

use memchr::memchr2;
use serde::de::IgnoredAny;

use super::delimited::Delimited;
use super::document::JSON_DOCUMENT;
use super::lines::blank;
use super::{Delimiter, Format, FormatName, JSON_LINES, PLAIN_TEXT, RecordLayout};
use crate::dataset::fields::Fields;

/// The number of bytes at the beginning of a text from which its format is found.
pub(in crate::dataset) const EXAMINED_BYTES: usize = 64 << 10;
/// The number of bytes that are examined if the first [`EXAMINED_BYTES`] bytes contain no line end, because the first
/// record may be a long header.
pub(in crate::dataset) const HEADER_BYTES: usize = 1 << 20;

/// The format that is requested for a text, and the fields that will be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct Requested<'a> {
    pub(in crate::dataset) format: Option<FormatName>,
    pub(in crate::dataset) delimiter: Option<Delimiter>,
    pub(in crate::dataset) header: bool,
    pub(in crate::dataset) fields: Option<&'a Fields>,
}

/// The first bytes of a text, without a byte-order mark.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct FirstBytes<'a> {
    pub(in crate::dataset) bytes: &'a [u8],
    /// Whether the text has no further bytes.
    pub(in crate::dataset) is_all: bool,
    /// Whether the text is in a file, so that more bytes can be read without waiting for the program that writes them.
    pub(in crate::dataset) is_stored: bool,
}

impl FirstBytes<'_> {
    /// The first `most` of these bytes, or all of them if there are fewer.
    fn within(self, most: usize) -> Self {
        match self.bytes.len() > most {
            true => FirstBytes {
                bytes: &self.bytes[..most],
                is_all: false,
                ..self
            },
            false => self,
        }
    }

    /// The bytes in which the first record is looked for, and whether no more bytes are examined for this. If no more
    /// are examined and these do not contain the end of the record, the record counts as cut off.
    fn for_first_record(self) -> (Self, bool) {
        let few = self.within(EXAMINED_BYTES);
        let has_line = memchr2(b'\n', b'\r', few.bytes.trim_ascii_start()).is_some();
        let (first, most) = match has_line {
            true => (few, EXAMINED_BYTES),
            false => (self.within(HEADER_BYTES), HEADER_BYTES),
        };
        (first, first.is_all || first.bytes.len() == most)
    }

    /// Whether the format must be decided from these bytes, because no more bytes are examined.
    fn is_enough(self) -> bool {
        self.is_all || self.bytes.len() >= EXAMINED_BYTES
    }

    /// These bytes without the first `length` of them.
    fn after(self, length: usize) -> Self {
        FirstBytes {
            bytes: &self.bytes[length..],
            ..self
        }
    }
}

/// The format that was found for a text.
#[derive(Clone, Copy, Debug)]
struct FoundFormat {
    name: FormatName,
    /// The delimiter, if the search for the format has found it.
    delimiter: Option<Delimiter>,
    /// Whether the format was found from the first record only, because nothing else shows it.
    is_guessed: bool,
}

impl FoundFormat {
    fn known(name: FormatName) -> Self {
        FoundFormat {
            name,
            delimiter: None,
            is_guessed: false,
        }
    }
}

impl Requested<'_> {
    /// Returns the layout of a text, without its columns. Returns `None` if the bytes are too few to know the layout;
    /// they then contain no complete record.
    pub(in crate::dataset) fn layout(
        self,
        path: &Path,
        first: FirstBytes<'_>,
    ) -> Option<RecordLayout> {
        let FoundFormat {
            name,
            delimiter,
            is_guessed,
        } = self.format_of(path, first)?;
        let format: &'static dyn Format = match name {
            // The records of a columnar file are not found with this layout, since the file is not text.
            FormatName::JsonLines | FormatName::Parquet | FormatName::Arrow => &JSON_LINES,
            FormatName::Json => &JSON_DOCUMENT,
            FormatName::Text => &PLAIN_TEXT,
            FormatName::Csv | FormatName::Tsv => {
                let usual = match name {
                    FormatName::Tsv => Delimiter::TAB,
                    _ => Delimiter::COMMA,
                };
                let separator = SeparatorLine::of(first)?;
                let before_header = separator.as_ref().map_or(0, |line| line.length);
                let separator = separator.map(|line| line.delimiter);
                let known = self.delimiter.or(delimiter).or(separator);
                let (delimiter, is_found) = match known {
                    Some(delimiter) => (delimiter, self.delimiter.is_none()),
                    None => (self.delimiter_of(first, usual)?, true),
                };
                return Some(RecordLayout {
                    has_header: self.header,
                    before_header,
                    is_delimiter_found: is_found && delimiter != usual,
                    is_guessed,
                    ..RecordLayout::of(Delimited::by(delimiter), name)
                });
            }
        };
        Some(RecordLayout {
            is_guessed,
            ..RecordLayout::of(format, name)
        })
    }

    /// Returns the format of a text, and its delimiter if that is known too.
    fn format_of(self, path: &Path, first: FirstBytes<'_>) -> Option<FoundFormat> {
        // A columnar file is recognised by its first bytes, so this text is none, whatever its name says.
        let named = format_of_name(path).filter(|format| !format.is_columnar());
        if let Some(format) = self.format {
            return Some(FoundFormat {
                delimiter: tab_of_tsv(format),
                ..FoundFormat::known(format)
            });
        }
        if let Some(format) = Self::json(path, named, first.within(EXAMINED_BYTES))? {
            return Some(FoundFormat::known(format));
        }
        if let Some(named) = named {
            return Some(FoundFormat::known(named));
        }
        if self.delimiter.is_some() || !self.header || SeparatorLine::of(first)?.is_some() {
            return Some(FoundFormat::known(FormatName::Csv));
        }
        let delimiter = self.table_with_the_text(first)?;
        Some(FoundFormat {
            name: match delimiter {
                Some(_) => FormatName::Csv,
                None => FormatName::Text,
            },
            delimiter,
            is_guessed: true,
        })
    }

    /// Returns the format of a text that is JSON or empty, and `Some(None)` for another text. Returns `None` if more
    /// bytes are needed. `named` is the format that the name of the text shows.
    fn json(
        path: &Path,
        named: Option<FormatName>,
        first: FirstBytes<'_>,
    ) -> Option<Option<FormatName>> {
        let text = &first.bytes[blank(first.bytes)..];
        match text {
            // The last bytes may be the beginning of a byte-order mark.
            [] | [0xef] | [0xef, 0xbb] if !first.is_enough() => return None,
            [] => return Some(Some(named.unwrap_or(FormatName::JsonLines))),
            [b'{' | b'[', ..] => {
                let is_table = !matches!(named, None | Some(FormatName::JsonLines));
                if is_json(text, is_table, first.is_enough())? {
                    let lines = path.extension().is_some_and(|ending| {
                        ending.eq_ignore_ascii_case("jsonl")
                            || ending.eq_ignore_ascii_case("ndjson")
                    });
                    return kind_of_json(text, lines, first).map(Some);
                }
            }
            _ => {}
        }
        Some(None)
    }

    /// Decides whether a text is delimited if its name does not show the format, and returns its delimiter. It is
    /// delimited if the first record has a cell with the name of the field to score, or if this field is given by its
    /// number and the record has several cells. Returns `None` if more bytes are needed.
    fn table_with_the_text(self, first: FirstBytes<'_>) -> Option<Option<Delimiter>> {
        let Some(text) = self.fields.and_then(Fields::first_text) else {
            return Some(None);
        };
        let is_number = text.parse::<usize>().is_ok();
        let (first, is_enough) = first.for_first_record();
        let mut best = None;
        for delimiter in Delimiter::FOUND {
            let cells = Delimited::by(delimiter).first_cells(first.bytes, is_enough)?;
            let has_text = cells.iter().any(|cell| cell == text);
            let is_table = has_text || is_number && cells.len() > 1;
            let rank = (has_text, cells.len());
            if is_table && best.is_none_or(|(best, _)| rank > best) {
                best = Some((rank, delimiter));
            }
        }
        Some(best.map(|(_, delimiter)| delimiter))
    }

    /// Finds the delimiter of delimited text from the first record: the delimiter that gives a cell with the name of
    /// the field to score, or else the delimiter that gives the most cells. In a file with the ending of TSV, a tab
    /// takes precedence over the number of cells.
    fn delimiter_of(self, first: FirstBytes<'_>, usual: Delimiter) -> Option<Delimiter> {
        let text = self.fields.and_then(Fields::first_text);
        let (first, is_enough) = first.for_first_record();
        let mut best = ((false, false, 1), usual);
        for delimiter in Delimiter::FOUND {
            let cells = Delimited::by(delimiter).first_cells(first.bytes, is_enough)?;
            let has_text = cells.len() > 1 && cells.iter().any(|cell| Some(&**cell) == text);
            let is_tab = usual == Delimiter::TAB && delimiter == usual && cells.len() > 1;
            let rank = (has_text, is_tab, cells.len());
            if rank > best.0 {
                best = (rank, delimiter);
            }
        }
        Some(best.1)
    }
}

/// A line before the header by which a table tells Excel its delimiter, such as `sep=;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeparatorLine {
    delimiter: Delimiter,
    /// The length of the line in bytes, with its line end.
    length: usize,
}

impl SeparatorLine {
    /// Returns the line if the text begins with one. The outer option is `None` if more bytes are needed.
    fn of(first: FirstBytes<'_>) -> Option<Option<Self>> {
        const NAME: &[u8] = b"sep=";
        let known = first.bytes.len().min(NAME.len());
        if !first.bytes[..known].eq_ignore_ascii_case(&NAME[..known]) {
            return Some(None);
        }
        let line = |delimiter: u8, line_end| {
            let delimiter = Delimiter::new(delimiter)?;
            let length = NAME.len() + 1 + line_end;
            Some(SeparatorLine { delimiter, length })
        };
        match first.after(known).bytes {
            [] | [_] | [_, b'\r'] if !first.is_all => None,
            [] => Some(None),
            [delimiter, b'\r', b'\n', ..] => Some(line(*delimiter, 2)),
            [delimiter, b'\r' | b'\n', ..] => Some(line(*delimiter, 1)),
            [delimiter] => Some(line(*delimiter, 0)),
            _ => Some(None),
        }
    }
}

fn tab_of_tsv(format: FormatName) -> Option<Delimiter> {
    (format == FormatName::Tsv).then_some(Delimiter::TAB)
}

/// The format that the ending of a name stands for, in capitals or not.
fn format_of_name(path: &Path) -> Option<FormatName> {
    FormatName::of_ending(path.extension()?.to_str()?)
}

/// Whether a text that begins with a brace or a bracket is JSON, as far as its first two tokens show it. A text of
/// another format, as its name shows, may also begin with a bracket: for example `[id],[name]` or `[1] see below`.
/// Returns `None` if more bytes are needed.
fn is_json(text: &[u8], is_named_otherwise: bool, is_enough: bool) -> Option<bool> {
    let next = text[1..].trim_ascii_start();
    Some(match (text[0], next.first()) {
        (_, None) => return is_enough.then_some(!is_named_otherwise),
        (b'{', Some(next)) => matches!(next, b'"' | b'}'),
        (_, Some(b'{')) => true,
        (_, Some(b'[' | b']' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N')) => {
            !is_named_otherwise
        }
        _ => false,
    })
}

/// Returns whether JSON is lines of records or a document. It is a document if it begins with an array or with an
/// object that has several lines, or if it is in a file and a later object has several lines. The later objects of a
/// pipe are not examined, because its first record would then have to wait for them. `named` says that the name has the
/// ending of JSON lines. In such a text, an array in one line is a record of JSON lines if another line follows.
/// Returns `None` if more bytes are needed.
fn kind_of_json(text: &[u8], named: bool, first: FirstBytes<'_>) -> Option<FormatName> {
    let line_end = memchr2(b'\n', b'\r', text);
    // JSON has no NaN and no infinite numbers, but some programs write them.
    let begins =
        |word: &str| (1..word.len()).any(|length| text.ends_with(&word.as_bytes()[..length]));
    if !first.is_enough() && (begins("NaN") || begins("Infinity") || text.ends_with(b"-")) {
        return None;
    }
    let readable = String::from_utf8_lossy(text).replace("NaN", "0");
    let readable = readable.replace("Infinity", "0");
    let mut values = serde_json::Deserializer::from_str(&readable).into_iter::<IgnoredAny>();
    let value = values.next();
    let length = values.byte_offset();
    let has_lines = |text: &str| text.trim_ascii().contains(['\n', '\r']);
    let document = match value {
        Some(Ok(_)) if text[0] == b'{' => {
            if has_lines(&readable[..length]) {
                true
            } else if line_end.is_none() {
                let is_long = first.is_enough() && !first.is_all;
                if !first.is_enough() {
                    return None;
                }
                // Many objects in one line are read one by one, not as one long line.
                is_long
            } else if !first.is_stored {
                false
            } else if !first.is_enough() {
                return None;
            } else {
                let mut before = length;
                std::iter::from_fn(|| values.next()?.ok().map(|_| values.byte_offset())).any(
                    |end| {
                        let value = readable[std::mem::replace(&mut before, end)..end].trim_ascii();
                        value.starts_with('{') && has_lines(value)
                    },
                )
            }
        }
        Some(Ok(_)) if named && !has_lines(&readable[..length]) => {
            if !has_lines(&readable) && !first.is_enough() {
                return None;
            }
            !has_lines(&readable)
        }
        Some(Err(error)) if text[0] == b'{' || named => {
            // A number that is cut off in its fraction or exponent is a mistake to serde_json, and not an end.
            let is_cut = error.is_eof() || matches!(text.last(), Some(b'.' | b'e' | b'E' | b'+'));
            if is_cut && !first.is_enough() {
                return None;
            }
            error.is_eof() && has_lines(&readable)
        }
        _ => true,
    };
    Some(match document {
        true => FormatName::Json,
        false => FormatName::JsonLines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str, fields: Option<&Fields>) -> String {
        let [pipe, file] = [false, true].map(|is_stored| found_in(name, text, fields, is_stored));
        assert_eq!(pipe, file, "{name}: {text:?}");
        file
    }

    fn found_in(name: &str, text: &str, fields: Option<&Fields>, is_stored: bool) -> String {
        let requested = Requested {
            format: None,
            delimiter: None,
            header: true,
            fields,
        };
        let layout = |length, is_all| {
            let first = FirstBytes {
                bytes: &text.as_bytes()[..length],
                is_all,
                is_stored,
            };
            requested.layout(Path::new(name), first).map(|layout| {
                let delimiter = layout.delimiter().map(|(delimiter, _)| delimiter);
                format!("{} {delimiter:?}", layout.name())
            })
        };
        let whole = layout(text.len(), true).expect("nothing more can be read");
        // The first bytes of a pipe give the same answer, or none.
        for length in (0..text.len()).step_by(text.len().div_ceil(100).max(1)) {
            if let Some(early) = layout(length, false) {
                assert_eq!(early, whole, "{:?}", &text[..length]);
            }
        }
        whole
    }

    #[test]
    fn the_beginning_and_then_the_name_tell_the_format() {
        let (comma, tab) = (Some(Delimiter::COMMA), Some(Delimiter::TAB));
        let (semicolon, bar) = (Delimiter::new(b';'), Delimiter::new(b'|'));
        let fields = Fields::new(["text"], ["id"]);
        for (name, text, format, delimiter) in [
            ("a.CSV", "id,text\n", "csv", comma),
            ("a.csv", "id;text\n", "csv", semicolon),
            ("a.csv", "id|text,other, or more\n", "csv", comma),
            ("a.csv", "text|id,other, or more\n", "csv", bar),
            ("a.csv", "one;two;three, or more\n", "csv", semicolon),
            ("a.csv", "\"one;two;three\",four\n", "csv", comma),
            ("a.csv", "text\n", "csv", comma),
            ("a.csv", "[id],[name]\n", "csv", comma),
            ("a.csv", "{\"text\":\"x\"}\n", "jsonl", None),
            ("a.tsv", "one, two, three\ttext\n", "tsv", tab),
            ("a.tsv", "id;text\n", "tsv", semicolon),
            ("a.TXT", "id,text\n", "text", None),
            ("a.txt", "[1] see\n", "text", None),
            ("a.txt", "{text}\n", "text", None),
            ("a.txt", "\n \u{feff} {\"text\": 1}\n", "jsonl", None),
            ("a.ndjson", "nothing\n", "jsonl", None),
            ("a", "", "jsonl", None),
            ("a", "{\"id\": 1}\n", "jsonl", None),
            ("a", "a line, and another\n", "text", None),
            ("a.json", "[{\"id\": 1}]\n", "json", None),
            ("a", "[\n", "json", None),
            ("a.txt", "[{}, {}]", "json", None),
            ("a.jsonl", "[{\"id\": 1}, {}]\n", "json", None),
            ("a.jsonl", "[{\"id\":\n1}]\n", "json", None),
            ("a.jsonl", "[1]\n[2]\n", "jsonl", None),
            ("a.jsonl", "[1 2]\n[2]\n", "jsonl", None),
            ("a", "{\n \"id\": NaN}\n", "json", None),
            ("a.jsonl", "{\"id\": -Infinity,\r\"x\": 1}{}", "json", None),
            ("a.csv", "{\n\"id\": [1,\n", "json", None),
            ("a", "{\"id\":\n{\"id\": 1}\n{\"id\": 2}\n", "jsonl", None),
            ("a", "{\"id\": \"open\n{\"id\": 1}\n", "jsonl", None),
            ("a", "{\"id\": 1\n", "jsonl", None),
            ("a", "id,text\nx,y\n", "csv", comma),
            ("a.dat", "id\ttext\nx,y\n", "csv", tab),
            ("a", "\n\r\nid,text\nx,y\n", "csv", comma),
            ("a", "\"two\nlines\",text\nx,y\n", "csv", comma),
            ("a", "text\ngood\n", "csv", comma),
            ("a", "\"text", "csv", comma),
            ("a", "\"open, text\nmore\n", "text", None),
            ("a.csv", "sep=;\none,text;id\n", "csv", semicolon),
            ("a.TSV", "SEP=|\r\none,text;id\r\n", "tsv", bar),
            ("a", "sep=\t\rnothing\r", "csv", tab),
            ("a", "sep=;", "csv", semicolon),
            ("a.csv", "sep=;more\n1,2,3\n", "csv", semicolon),
            ("a", "sep=\n", "text", None),
            ("a.txt", "sep=;\n", "text", None),
        ] {
            let expected = format!("{format} {delimiter:?}");
            assert_eq!(
                found(name, text, Some(&fields)),
                expected,
                "{name}: {text:?}"
            );
        }
    }

    #[test]
    fn a_later_object_of_several_lines_makes_a_file_a_document() {
        for (text, in_a_file) in [
            ("{\"id\": 1} {\"id\":\n2}", "json"),
            ("{\"id\": 1}\n{\n\"id\": 2\n}\n", "json"),
            ("{\"id\": 1}\r{\"id\": 2}\r{\r\"id\": NaN}\r", "json"),
            ("{\"id\": 1}\n{\"id\":\n{\"id\": 2}\n", "jsonl"),
            ("{\"id\": 1}\nbroken\n{\n\"id\": 2\n}\n", "jsonl"),
            ("{\"id\": 1}\n[\n2\n]\n", "jsonl"),
        ] {
            for name in ["a", "a.json", "a.jsonl"] {
                let found = |is_stored| found_in(name, text, None, is_stored);
                assert_eq!(found(true), format!("{in_a_file} None"), "{text:?}");
                assert_eq!(found(false), "jsonl None", "{text:?}");
            }
        }
        let far = format!(
            "{}{{\n}}\n",
            "{\"id\": 1}\n".repeat(EXAMINED_BYTES / 10 + 1)
        );
        assert_eq!(found("a.json", &far, None), "jsonl None");
    }

    #[test]
    fn a_long_header_is_read_to_its_end() {
        let fields = Fields::new(["text"], ["id"]);
        for (columns, expected) in [
            (EXAMINED_BYTES, format!("csv {:?}", Some(Delimiter::COMMA))),
            (HEADER_BYTES, "text None".to_owned()),
        ] {
            let header = format!("{}text\n", "x,".repeat(columns / 2));
            assert_eq!(found_in("a", &header, Some(&fields), true), expected);
            let first = FirstBytes {
                bytes: &header.as_bytes()[..EXAMINED_BYTES],
                is_all: false,
                is_stored: false,
            };
            let requested = Requested {
                format: None,
                delimiter: None,
                header: true,
                fields: Some(&fields),
            };
            assert!(requested.layout(Path::new("a"), first).is_none());
        }
    }

    /// The object may have several lines, no matter where the bytes that have arrived end.
    #[test]
    fn an_object_that_has_arrived_in_part_does_not_decide_the_format() {
        let text = b"{\"a\": -1.5e+30,\n\"b\": true, \"c\": [null, NaN, -Infinity, \"\\u00e9\"]}\n";
        for length in 1..text.len() - 1 {
            let first = FirstBytes {
                bytes: &text[..length],
                is_all: false,
                is_stored: false,
            };
            assert_eq!(
                kind_of_json(first.bytes, false, first),
                None,
                "{length} bytes"
            );
        }
        let first = FirstBytes {
            bytes: text,
            is_all: false,
            is_stored: false,
        };
        assert_eq!(kind_of_json(text, false, first), Some(FormatName::Json));
    }

    #[test]
    fn without_a_name_a_number_asks_for_a_column() {
        let fields = Fields::new(["2"], [""; 0]);
        let comma = Some(Delimiter::COMMA);
        assert_eq!(
            found("a", "x,y;z\n", Some(&fields)),
            format!("csv {comma:?}")
        );
        assert_eq!(found("a", "x y\n", Some(&fields)), "text None");
        assert_eq!(found("a", "x,y\n", None), "text None");
    }
}
