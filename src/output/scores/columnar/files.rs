//! The two columnar formats. No file of either format can be read without its footer. So if a write has failed and the
//! file is kept, it is cut after the last part that is complete, and gets a footer.

use std::fmt;
use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::output::destination::Destination;
use crate::output::encoder::Outlet;

/// A file of one of the formats.
pub(super) trait ColumnarFormat: Send {
    /// Writes consecutive records. `bytes` is the number of bytes of their values.
    ///
    /// # Errors
    ///
    /// Returns an error if the records cannot be written. After an error, no more records may be written.
    fn write(&mut self, records: &RecordBatch, bytes: usize) -> io::Result<()>;

    /// Completes the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the end of the file cannot be written.
    fn finish(&mut self) -> io::Result<()>;

    /// Makes the file readable after a write has failed: cuts the file after the last part that is complete, and writes
    /// a footer. Returns the number of records in the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the footer does not fit either.
    fn mend(&mut self) -> io::Result<u64>;

    /// The place to which the file is written. It can be taken once.
    fn outlet(&mut self) -> &mut Outlet;
}

/// The beginning of a file up to the end of a complete part: its number of records and its number of bytes.
#[derive(Clone, Copy, Debug, Default)]
struct WrittenPart {
    records: u64,
    bytes: u64,
}

/// An Arrow IPC file, also known as Feather version 2. Its values are not compressed, so programs can map the file into
/// memory and use the values without copying them. Users who want a small file choose Parquet.
pub(super) struct ArrowFile {
    file: FileWriter<Outlet>,
    written: WrittenPart,
}

impl ArrowFile {
    pub(super) fn new(destination: Destination, schema: &SchemaRef) -> io::Result<Self> {
        let file = FileWriter::try_new(Outlet::new(destination), schema).map_err(of_arrow)?;
        let mut file = ArrowFile {
            file,
            written: WrittenPart::default(),
        };
        file.written.bytes = file.outlet().written();
        Ok(file)
    }
}

impl ColumnarFormat for ArrowFile {
    fn write(&mut self, records: &RecordBatch, _: usize) -> io::Result<()> {
        self.file.write(records).map_err(of_arrow)?;
        self.written.records += records.num_rows() as u64;
        self.written.bytes = self.outlet().written();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.finish().map_err(of_arrow)
    }

    fn mend(&mut self) -> io::Result<u64> {
        let WrittenPart { records, bytes } = self.written;
        self.outlet().cut_to(bytes)?;
        self.finish()?;
        Ok(records)
    }

    fn outlet(&mut self) -> &mut Outlet {
        self.file.get_mut()
    }
}

/// The largest number of records of a row group of Parquet.
const GROUP_RECORDS: usize = 1 << 17;

/// A row group with at least this number of bytes of values ends before it has [`GROUP_RECORDS`] records, because its
/// compressed values are in memory until it is complete.
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file.
pub(super) struct ParquetFile {
    file: ArrowWriter<Outlet>,
    /// The row group that is not complete yet: its number of records, and the number of bytes of their values.
    group: (usize, usize),
    /// The file up to the end of each of its row groups.
    written: Vec<WrittenPart>,
}

impl ParquetFile {
    pub(super) fn new(destination: Destination, schema: &SchemaRef) -> io::Result<Self> {
        // Statistics and an index of pages would make the file longer, and readers that skip whole row groups need
        // neither. Parquet has all types of the columns itself, so the schema of Arrow is not written.
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(None)
            .build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let file =
            ArrowWriter::try_new_with_options(Outlet::new(destination), schema.clone(), options);
        Ok(ParquetFile {
            file: file.map_err(of_parquet)?,
            group: (0, 0),
            written: Vec::new(),
        })
    }

    /// Ends the current row group, and writes it.
    fn end_group(&mut self) -> io::Result<()> {
        let records = self.written.last().map_or(0, |part| part.records) + self.group.0 as u64;
        self.group = (0, 0);
        self.file.flush().map_err(of_parquet)?;
        self.file.sync()?;
        let bytes = self.outlet().written();
        self.written.push(WrittenPart { records, bytes });
        Ok(())
    }
}

impl ColumnarFormat for ParquetFile {
    fn write(&mut self, records: &RecordBatch, bytes: usize) -> io::Result<()> {
        self.file.write(records).map_err(of_parquet)?;
        self.group.0 += records.num_rows();
        self.group.1 += bytes;
        match self.group {
            (records, bytes) if records >= GROUP_RECORDS || bytes >= GROUP_BYTES => {
                self.end_group()
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.group.0 > 0 {
            self.end_group()?;
        }
        self.file.finish().map(|_| ()).map_err(of_parquet)
    }

    /// If there is no room for the footer, the last row groups are given up, one after the other, until there is room.
    fn mend(&mut self) -> io::Result<u64> {
        let mut failed = None;
        while let Some(WrittenPart { records, bytes }) = self.written.pop() {
            let groups = self.file.flushed_row_groups()[..=self.written.len()].to_vec();
            let footer = footer(groups, records)?;
            let outlet = self.outlet();
            let mended = outlet
                .cut_to(bytes)
                .and_then(|()| outlet.write_all(&footer));
            match mended.and_then(|()| outlet.flush()) {
                Ok(()) => return Ok(records),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(0), Err)
    }

    fn outlet(&mut self) -> &mut Outlet {
        self.file.inner_mut()
    }
}

/// Returns the footer of a file with these row groups.
fn footer(groups: Vec<RowGroupMetaData>, records: u64) -> io::Result<Vec<u8>> {
    let properties = WriterProperties::default();
    let version = properties.writer_version().as_num();
    let created_by = Some(properties.created_by().to_owned());
    let Some(schema) = groups.first().map(RowGroupMetaData::schema_descr_ptr) else {
        return Ok(Vec::new());
    };
    let file = FileMetaData::new(version, records as i64, created_by, None, schema, None);
    let metadata = ParquetMetaData::new(file, groups);
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &metadata)
        .finish()
        .map_err(of_parquet)?;
    Ok(footer)
}

/// Returns the error of the write that failed, if an error of the crate `parquet` contains one.
fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast() {
            Ok(error) => *error,
            Err(inner) => io::Error::other(inner),
        },
        error => io::Error::other(error),
    }
}

/// Returns the error of the write that failed, if an error of the crates of Arrow contains one.
pub(super) fn of_arrow(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    }
}

impl fmt::Debug for dyn ColumnarFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnarFormat").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use arrow_ipc::reader::FileReader;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::super::builders::RecordBuilder;
    use super::super::types::ColumnType;
    use super::super::value::ColumnValue;
    use super::*;
    use crate::output::{Endpoints, Output};

    /// Records with the numbers `first` to `last`.
    fn records(builder: &mut RecordBuilder, first: i64, last: i64) -> RecordBatch {
        for number in first..=last {
            builder.add(0, &ColumnValue::Whole(number));
            builder.add(1, &ColumnValue::Text(format!("text {number}").into()));
            builder.end_record();
        }
        builder.take().expect("records")
    }

    fn numbers_of(path: &Path) -> usize {
        let file = || fs::File::open(path).expect("a file");
        let lengths: Vec<usize> = match fs::read(path).expect("a file").starts_with(b"PAR1") {
            true => {
                let reader = ParquetRecordBatchReaderBuilder::try_new(file()).expect("a footer");
                let reader = reader.build().expect("a reader");
                reader
                    .map(|records| records.expect("records").num_rows())
                    .collect()
            }
            false => {
                let reader = FileReader::try_new(file(), None).expect("a footer");
                reader
                    .map(|records| records.expect("records").num_rows())
                    .collect()
            }
        };
        lengths.into_iter().sum()
    }

    /// The test writes bytes after the last complete part, as a write does that fails before its end.
    #[test]
    fn after_a_failed_write_the_parts_that_are_complete_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut builder =
            RecordBuilder::new(&[("record", ColumnType::Whole), ("text", ColumnType::Text)]);
        let schema = builder.schema().clone();
        let open = |name: &str| {
            let output = Output::new("the scores", folder.path().join(name)).keep_partial(true);
            Endpoints::new().open(&output).expect("a new file")
        };
        let mut parquet = ParquetFile::new(open("parquet"), &schema).expect("space");
        for (first, last) in [(1, 100), (101, 250)] {
            parquet
                .write(&records(&mut builder, first, last), 0)
                .expect("space");
            parquet.end_group().expect("space");
        }
        parquet
            .write(&records(&mut builder, 251, 300), 0)
            .expect("space");
        let mut arrow = ArrowFile::new(open("arrow"), &schema).expect("space");
        arrow
            .write(&records(&mut builder, 1, 100), 0)
            .expect("space");
        arrow
            .write(&records(&mut builder, 101, 250), 0)
            .expect("space");
        let files: [Box<dyn ColumnarFormat>; 2] = [Box::new(parquet), Box::new(arrow)];
        for mut file in files {
            file.outlet().write_all(&[0xff; 1_000]).expect("space");
            assert_eq!(file.mend().expect("space"), 250);
            let destination = file.outlet().take().expect("a destination");
            let kept = destination
                .keep_whole_partial(250)
                .expect("space")
                .expect("a file");
            assert_eq!(numbers_of(&kept.path), 250);
        }
    }

    #[test]
    fn a_file_without_complete_parts_has_no_records_to_keep() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut builder =
            RecordBuilder::new(&[("record", ColumnType::Whole), ("text", ColumnType::Text)]);
        let output = Output::new("the scores", folder.path().join("out"));
        let destination = Endpoints::new().open(&output).expect("a new file");
        let mut file = ParquetFile::new(destination, &builder.schema().clone()).expect("space");
        file.write(&records(&mut builder, 1, 9), 0).expect("space");
        assert_eq!(file.mend().expect("nothing is written"), 0);
    }
}
