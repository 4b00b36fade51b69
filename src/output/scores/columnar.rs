//! Scores as a columnar file: Parquet or Arrow IPC.
//!
//! Workers render the values of each record as bytes ([`ColumnarLines`]), as they do for every other format. The
//! receiver of these lines collects the values by column, and writes up to 16,384 records at a time. As in every table,
//! the first lines are held back; here, their values determine the types of the columns.

mod builders;
mod files;
mod lines;
mod types;
mod value;

use std::io;
use std::sync::Arc;

use super::further::KnownColumns;
use super::held::HeldLine;
use super::lines::{LinesOut, held_lines};
use super::table::Table;
use crate::error::Error;
use crate::output::destination::{Destination, PartialFile};
use crate::output::encoder::taken;

use builders::RecordBuilder;
use files::{ArrowFile, ColumnarFormat, ParquetFile, of_arrow};
pub(super) use lines::ColumnarLines;
use lines::values_of;
use value::ColumnValue;

/// A columnar format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnarKind {
    Parquet,
    Arrow,
}

/// Receives the lines of a columnar file in their order, and writes the file.
#[derive(Debug)]
pub(super) struct ColumnarOut {
    kind: ColumnarKind,
    table: Arc<Table>,
    lines: Arc<ColumnarLines>,
    /// The destination. `file` takes it when the columns are known.
    destination: Option<Destination>,
    file: Option<BegunFile>,
    is_file: bool,
    /// Whether a write has failed.
    has_failed: bool,
    records: u64,
}

/// A file whose columns are known.
#[derive(Debug)]
struct BegunFile {
    builder: RecordBuilder,
    format: Box<dyn ColumnarFormat>,
}

impl ColumnarOut {
    pub(super) fn new(
        destination: Destination,
        kind: ColumnarKind,
        table: &Arc<Table>,
        lines: &Arc<ColumnarLines>,
    ) -> Self {
        ColumnarOut {
            kind,
            table: Arc::clone(table),
            lines: Arc::clone(lines),
            is_file: destination.is_file(),
            destination: Some(destination),
            file: None,
            has_failed: false,
            records: 0,
        }
    }

    /// Adds the values of one record, which have the types of their columns.
    fn add<'v>(&mut self, values: impl Iterator<Item = ColumnValue<'v>>) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        for (place, value) in values.enumerate().take(file.builder.width()) {
            file.builder.add(place, &value);
        }
        self.records += 1;
        if file.builder.end_record() {
            let written = file.write();
            self.has_failed |= written.is_err();
            return written;
        }
        Ok(())
    }

    fn complete(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if file.builder.records > 0 {
            file.write()?;
        }
        file.format.finish()
    }

    fn take_destination(&mut self) -> Option<Destination> {
        match &mut self.file {
            Some(file) => file.format.outlet().take(),
            None => self.destination.take(),
        }
    }
}

impl LinesOut for ColumnarOut {
    /// The file needs the values of the first records, because they determine the types of the columns.
    fn needs_values(&self) -> bool {
        true
    }

    fn begin(&mut self, names: &[String], held: &[u8]) -> io::Result<()> {
        self.lines
            .find_types(&self.table.columns, names, held_lines(held));
        let Some(destination) = self.destination.take() else {
            return Ok(());
        };
        let types = self.lines.types().iter().copied();
        let columns: Vec<_> = self.table.names(names).zip(types).collect();
        let builder = RecordBuilder::new(&columns);
        let format = self.kind.begin(destination, &builder);
        self.has_failed = format.is_err();
        let format = format?;
        self.file = Some(BegunFile { builder, format });
        Ok(())
    }

    fn add_held(&mut self, known: &KnownColumns, line: &HeldLine<'_>) -> io::Result<()> {
        let further = line
            .values()
            .filter_map(|(name, value)| Some((name, ColumnValue::read(value)?.0)));
        let is_nothing = |value: &ColumnValue<'_>| *value == ColumnValue::Nothing;
        let table = Arc::clone(&self.table);
        let placed = table.further.place(known, line.index, further, is_nothing);
        let placed = placed.into_iter().map(Option::unwrap_or_default);
        let (beginning, ending) = (values_of(line.beginning), values_of(line.ending));
        let values = beginning.chain(placed).chain(ending);
        let lines = Arc::clone(&self.lines);
        let named = table.names(&known.names).zip(values);
        self.add(
            (0..)
                .zip(named)
                .map(|(place, (name, value))| lines.typed(place, value, line.index, name)),
        )
    }

    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        let width = self.lines.types().len();
        let mut values = values_of(lines).peekable();
        while values.peek().is_some() {
            // The workers have already given these values the types of their columns.
            self.add(values.by_ref().take(width))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Destination> {
        self.complete()?;
        self.take_destination().ok_or_else(taken)
    }

    /// Writes the footer of the file, so that the partial file can be read. If a write has failed, the file is cut
    /// after the last records that are complete. If there is no room for the footer,
    /// [`PartialFile::is_cut`] is set.
    fn keep_partial(mut self: Box<Self>, records: u64) -> Result<Option<PartialFile>, Error> {
        // A pipe gets no footer, so that the program that reads the pipe notices that the run has ended early.
        if !self.is_file || records == 0 {
            return Ok(None);
        }
        let is_complete = !self.has_failed && self.complete().is_ok();
        let mended = match &mut self.file {
            _ if is_complete => Ok(self.records),
            Some(file) => file.format.mend(),
            None => Ok(0),
        };
        let is_cut = mended.is_err();
        let Some(destination) = self.take_destination() else {
            return Ok(None);
        };
        let kept = destination.keep_whole_partial(mended.unwrap_or(records))?;
        Ok(kept.map(|kept| PartialFile { is_cut, ..kept }))
    }
}

impl ColumnarKind {
    /// Why a file of this format is not compressed as a whole, and what to do instead.
    pub(super) fn why_not_compressed(self) -> &'static str {
        match self {
            ColumnarKind::Parquet => {
                "a Parquet file compresses its values itself, and programs cannot open it if it is compressed once \
                 more; end the name in .parquet"
            }
            ColumnarKind::Arrow => {
                "programs map an Arrow file into memory, which is impossible if it is compressed; end the name in \
                 .parquet for a compressed file, or in .arrow"
            }
        }
    }

    fn begin(
        self,
        to: Destination,
        builder: &RecordBuilder,
    ) -> io::Result<Box<dyn ColumnarFormat>> {
        Ok(match self {
            ColumnarKind::Parquet => Box::new(ParquetFile::new(to, builder.schema())?),
            ColumnarKind::Arrow => Box::new(ArrowFile::new(to, builder.schema())?),
        })
    }
}

impl BegunFile {
    /// Writes the collected records.
    fn write(&mut self) -> io::Result<()> {
        let bytes = self.builder.bytes;
        let records = self.builder.take().map_err(of_arrow)?;
        self.format.write(&records, bytes)
    }
}
