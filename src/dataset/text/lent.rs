//! Records as they stand in their inputs.

use std::sync::Arc;

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
    /// Appends bytes that are the same for equal heads only.
    pub(crate) fn identify(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.format.name().as_bytes());
        bytes.push(0);
        bytes.extend(self.delimiter.map(Delimiter::byte));
        bytes.push(0);
        self.write_header(bytes);
    }

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

/// A copy of a record of text. Copies that were made [together](RecordCopies) share their memory.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRecord {
    together: Arc<CopiedRecords>,
    /// The place of the record among those that were copied together, from 0.
    place: u32,
}

/// Copies of records that have one layout.
#[derive(Debug)]
struct CopiedRecords {
    texts: String,
    /// For each record, its position and the place where its text ends.
    records: Vec<(Position, usize)>,
    layout: RecordLayout,
}

impl OwnedRecord {
    /// Copies a record.
    pub(crate) fn of(record: &TextRecord<'_>) -> Self {
        let copied = CopiedRecords {
            texts: record.as_str().to_owned(),
            records: vec![(record.position(), record.as_str().len())],
            layout: record.layout().clone(),
        };
        OwnedRecord {
            together: Arc::new(copied),
            place: 0,
        }
    }

    /// The record.
    pub(crate) fn record(&self) -> TextRecord<'_> {
        let CopiedRecords {
            texts,
            records,
            layout,
        } = &*self.together;
        let place = self.place as usize;
        let (position, end) = records[place];
        let start = place.checked_sub(1).map_or(0, |before| records[before].1);
        TextRecord::new(&texts[start..end], position, layout)
    }

    /// Adds the record to the reason why it cannot be given to a task.
    pub(crate) fn add_to(&self, bad: BadRecord) -> BadRecord {
        with_bytes(
            bad,
            self.record().as_str().as_bytes(),
            &self.together.layout,
        )
    }
}

/// Copies records into memory that they share. If each of many records had memory of its own, which one thread
/// allocates and another one frees, this would take longer than to copy the texts.
#[derive(Debug, Default)]
pub(crate) struct RecordCopies {
    /// The records that are copied, unless there are none.
    copied: Option<CopiedRecords>,
    /// The [address] of the layout of these records.
    layout: usize,
    /// The number of records and of bytes that were taken last, for which there is room at once.
    room: (usize, usize),
}

impl RecordCopies {
    /// Whether a record can share the memory of the records that are copied so far. If not, they must be
    /// [taken](Self::take) first.
    pub(crate) fn fits(&self, record: &TextRecord<'_>) -> bool {
        let file = record.position().file;
        let is_alike = |copied: &CopiedRecords| {
            let last = copied.records.last();
            self.layout == address(record) && last.is_none_or(|(last, _)| last.file == file)
        };
        self.copied.as_ref().is_none_or(is_alike)
    }

    /// Copies a record, which must [fit](Self::fits).
    pub(crate) fn add(&mut self, record: &TextRecord<'_>) {
        self.layout = address(record);
        let (records, bytes) = self.room;
        let copied = self.copied.get_or_insert_with(|| CopiedRecords {
            texts: String::with_capacity(bytes),
            records: Vec::with_capacity(records),
            layout: record.layout().clone(),
        });
        copied.texts.push_str(record.as_str());
        copied.records.push((record.position(), copied.texts.len()));
    }

    /// Number of bytes of the texts that are copied.
    pub(crate) fn bytes(&self) -> usize {
        self.copied.as_ref().map_or(0, |copied| copied.texts.len())
    }

    /// Takes the records that are copied, in their order.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = OwnedRecord> + use<> {
        let together = self.copied.take().map(Arc::new);
        if let Some(together) = &together {
            self.room = (together.records.len(), together.texts.len());
        }
        together.into_iter().flat_map(|together| {
            let places = 0..together.records.len() as u32;
            places.map(move |place| OwnedRecord {
                together: Arc::clone(&together),
                place,
            })
        })
    }
}

/// The address of a record's layout. While a dataset is read, layouts at one address are the same.
fn address(record: &TextRecord<'_>) -> usize {
    std::ptr::from_ref(record.layout()).addr()
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::dataset::format::JSON_LINES_LAYOUT;

    #[test]
    fn copies_that_share_their_memory_are_the_records_that_were_copied() {
        let other = JSON_LINES_LAYOUT.clone();
        let record = |index: u64, file: usize, layout| {
            let position = Position {
                index,
                file,
                ..Position::default()
            };
            let text = ["", "{}", "{\"a\":\"é\"}"][index as usize % 3];
            TextRecord::new(text, position, layout)
        };
        let mut copies = RecordCopies::default();
        assert_eq!(copies.take().count(), 0);
        for round in 0..3 {
            let records: Vec<_> = (round..round + 5)
                .map(|index| record(index, 0, &JSON_LINES_LAYOUT))
                .collect();
            for record in &records {
                assert!(copies.fits(record));
                copies.add(record);
            }
            // A record of another file, or with another layout, needs memory of its own.
            assert!(!copies.fits(&record(9, 1, &JSON_LINES_LAYOUT)));
            assert!(!copies.fits(&record(9, 0, &other)));
            let bytes: usize = records.iter().map(|record| record.as_str().len()).sum();
            assert_eq!(copies.bytes(), bytes);
            let copied: Vec<_> = copies.take().collect();
            assert_eq!(copied.len(), records.len());
            for (copy, record) in copied.iter().zip(&records) {
                assert_eq!(copy.record().as_str(), record.as_str());
                assert_eq!(copy.record().position(), record.position());
            }
            assert!(copies.fits(&record(9, 1, &other)), "nothing is left");
        }
    }

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
