//! Records as they stand in their inputs.

use super::record::TextRecord;
use super::record_bytes::{RecordBytes, with_bytes};
use crate::dataset::Position;
use crate::dataset::format::{Delimiter, FormatName, RecordLayout};
use crate::error::{BadRecord, RejectedRecord};

/// A record as it stands in its input. A dataset lends it to the [sink](crate::sink::Sink) of a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LentRecord<'a> {
    /// A record of text.
    Text(TextRecord<'a>),
    /// A record that is not text, because it is not UTF-8.
    Bytes(&'a RecordBytes),
}

/// What a file needs so that records can be read from it: their format, and the header of their table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordHead {
    format: FormatName,
    delimiter: Option<Delimiter>,
    header: Option<Vec<String>>,
}

impl<'a> LentRecord<'a> {
    /// The record that a dataset has rejected.
    pub(crate) fn rejected(record: &'a RejectedRecord) -> Option<Self> {
        record.downcast().map(LentRecord::Bytes)
    }

    /// The record as it stands in its input, without its line ending.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            LentRecord::Text(record) => record.as_str().as_bytes(),
            LentRecord::Bytes(record) => &record.bytes,
        }
    }

    /// What a file needs so that this record can be read from it.
    pub(crate) fn head(&self) -> RecordHead {
        let layout = match self {
            LentRecord::Text(record) => record.layout(),
            LentRecord::Bytes(record) => &record.layout,
        };
        RecordHead {
            format: layout.name().of_text(),
            delimiter: layout.delimiter().map(|(delimiter, _)| delimiter),
            header: layout.header().map(<[String]>::to_vec),
        }
    }
}

impl RecordHead {
    /// Appends the header, if records of this format have one.
    pub(crate) fn write_header(&self, bytes: &mut Vec<u8>) {
        let Some((header, delimiter)) = self.header.as_ref().zip(self.delimiter) else {
            return;
        };
        let rules = csv_core::WriterBuilder::new()
            .delimiter(delimiter.byte())
            .build();
        for (column, name) in header.iter().enumerate() {
            if column > 0 {
                bytes.push(delimiter.byte());
            }
            if rules.should_quote(name.as_bytes()) || header.len() == 1 && name.is_empty() {
                bytes.extend(format!("\"{}\"", name.replace('"', "\"\"")).into_bytes());
            } else {
                bytes.extend_from_slice(name.as_bytes());
            }
        }
        bytes.push(b'\n');
    }
}

/// A copy of a record of text.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRecord {
    text: String,
    position: Position,
    layout: RecordLayout,
}

impl OwnedRecord {
    /// Copies a record.
    pub(crate) fn of(record: &TextRecord<'_>) -> Self {
        OwnedRecord {
            text: record.as_str().to_owned(),
            position: record.position(),
            layout: record.layout().clone(),
        }
    }

    /// The record.
    pub(crate) fn record(&self) -> TextRecord<'_> {
        TextRecord::new(&self.text, self.position, &self.layout)
    }

    /// Adds the record to the reason why it cannot be given to a task.
    pub(crate) fn add_to(&self, bad: BadRecord) -> BadRecord {
        with_bytes(bad, self.text.as_bytes(), &self.layout)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_written_so_that_its_names_can_be_read_again() {
        let head = |delimiter: u8, names: &[&str]| RecordHead {
            format: FormatName::Csv,
            delimiter: Delimiter::new(delimiter),
            header: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let written = |head: RecordHead| {
            let mut bytes = Vec::new();
            head.write_header(&mut bytes);
            String::from_utf8(bytes).expect("UTF-8")
        };
        let names = ["a", "b;c", "d\"e", "", "f,g", "h\ni"];
        let expected = "a;\"b;c\";\"d\"\"e\";;f,g;\"h\ni\"\n";
        assert_eq!(written(head(b';', &names)), expected);
        assert_eq!(written(head(b',', &[""])), "\"\"\n");
        let without = RecordHead {
            header: None,
            ..head(b',', &[])
        };
        assert_eq!(written(without), "");
    }
}
