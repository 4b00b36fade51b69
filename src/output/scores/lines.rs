//! The lines of a scores file on their way from the workers to the file.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::further::KnownColumns;
use super::held::HeldLine;
use super::table::Table;
use crate::error::Error;
use crate::output::destination::{Destination, PartialFile};
use crate::output::encoder::OutputEncoder;

/// The columns of a table are those of this number of records, counted from the first one.
const HELD_RECORDS: u64 = 1_000;

/// If the lines that are held back have at least this number of bytes, the columns are taken from fewer records.
const HELD_BYTES: usize = 16 << 20;

/// A file to which lines are written in their order.
pub(super) trait LinesOut: fmt::Debug + Send {
    /// Whether the file needs the values of the first records before it begins, even if the names of its columns are
    /// known beforehand.
    fn needs_values(&self) -> bool {
        false
    }

    /// Begins a table with the further columns `names`. `held` are the lines that were held back.
    ///
    /// # Errors
    ///
    /// Returns an error if the description of the columns, such as a header, cannot be written.
    fn begin(&mut self, names: &[String], held: &[u8]) -> io::Result<()> {
        let _ = (names, held);
        Ok(())
    }

    /// Adds a line that was rendered before the columns were known.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    fn add_held(&mut self, known: &KnownColumns, line: &HeldLine<'_>) -> io::Result<()> {
        let _ = (known, line);
        Ok(())
    }

    /// Adds lines that were rendered after the columns were known, and writes all lines that were added.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Completes the output, and returns the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the last bytes cannot be written.
    fn finish(self: Box<Self>) -> io::Result<Destination>;

    /// Keeps what was written as the partial file of the output. The lines of `records` records are complete.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be kept under any name.
    fn keep_partial(self: Box<Self>, records: u64) -> Result<Option<PartialFile>, Error>;
}

/// Writes lines that have no columns without any change.
impl LinesOut for OutputEncoder {
    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        match lines.is_empty() {
            true => Ok(()),
            false => self.write_all(lines),
        }
    }

    fn finish(self: Box<Self>) -> io::Result<Destination> {
        OutputEncoder::finish(*self)
    }

    fn keep_partial(self: Box<Self>, records: u64) -> Result<Option<PartialFile>, Error> {
        OutputEncoder::keep_partial(*self, records)
    }
}

/// Receives the lines of all records in their order. The lines of a table are held back until its columns are known,
/// because the description of the columns has to be written before them. The columns are those of the first records in
/// their order, so they do not depend on which worker scored which record.
#[derive(Debug)]
pub(super) struct OrderedLines {
    out: Box<dyn LinesOut>,
    table: Option<Arc<Table>>,
    /// The lines that are held back.
    held: Vec<u8>,
    held_records: u64,
    /// The further columns, in the order in which they appear in the lines that are held back.
    names: Vec<String>,
    /// Whether the further columns are known beforehand.
    are_known: bool,
    /// If the lines that were held back could not all be written, the number of records whose lines are complete.
    cut_at: Option<u64>,
}

impl OrderedLines {
    /// Writes lines to `out`. `table` is `None` if the lines are not those of a table. `names` are the further columns
    /// of the table if they are known beforehand.
    ///
    /// # Errors
    ///
    /// Returns an error if the header cannot be written.
    pub(super) fn new(
        out: Box<dyn LinesOut>,
        table: Option<Arc<Table>>,
        names: Option<&[String]>,
    ) -> io::Result<Self> {
        let mut lines = OrderedLines {
            out,
            table,
            held: Vec::new(),
            held_records: 0,
            names: names.unwrap_or_default().to_vec(),
            are_known: names.is_some(),
            cut_at: None,
        };
        if lines.are_known && !lines.out.needs_values() {
            lines.settle()?;
        }
        Ok(lines)
    }

    /// Completes the output, and returns the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the last bytes cannot be written.
    pub(super) fn finish(mut self) -> io::Result<Destination> {
        self.settle()?;
        self.out.finish()
    }

    /// Keeps what was written as the partial file of the output. `records` is the number of records whose lines were
    /// received; fewer are kept if the lines that were held back cannot be written.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be kept under any name.
    pub(super) fn keep_partial(mut self, records: u64) -> Result<Option<PartialFile>, Error> {
        if records > 0 {
            // An error is remembered in `cut_at`.
            let _ = self.settle();
        }
        let records = self.cut_at.map_or(records, |cut| cut.min(records));
        self.out.keep_partial(records)
    }

    /// Makes the columns of the table known, and writes the header and the lines that were held back. Each line is
    /// written by itself, so that it is known which of them are complete if a write fails.
    fn settle(&mut self) -> io::Result<()> {
        let Some(table) = self
            .table
            .clone()
            .filter(|table| table.further.known().is_none())
        else {
            return Ok(());
        };
        let held = std::mem::take(&mut self.held);
        self.cut_at = Some(0);
        // `begin` also sets the types of the columns. The workers use these types as soon as the columns are known, so
        // the columns become known only afterwards.
        let begun = self.out.begin(&self.names, &held);
        let known = table
            .further
            .set(std::mem::take(&mut self.names), self.are_known);
        begun?;
        for (written, line) in (1..).zip(held_lines(&held)) {
            self.out.add_held(known, &line)?;
            self.out.write_lines(&[])?;
            self.cut_at = Some(written);
        }
        self.cut_at = None;
        Ok(())
    }

    /// Passes a held line on if the columns are known by now, and otherwise holds it back.
    fn take(&mut self, line: &HeldLine<'_>) -> io::Result<()> {
        let Some(table) = self.table.as_deref() else {
            return Ok(());
        };
        if let Some(known) = table.further.known() {
            return self.out.add_held(known, line);
        }
        if !self.are_known {
            for (name, _) in line.values() {
                if !self.names.iter().any(|known| known == name) {
                    self.names.push(name.to_owned());
                }
            }
        }
        self.held.extend_from_slice(line.bytes());
        self.held_records += 1;
        if self.held_records == HELD_RECORDS || self.held.len() >= HELD_BYTES {
            self.settle()?;
        }
        Ok(())
    }
}

/// The held lines at the beginning of these bytes.
pub(super) fn held_lines(bytes: &[u8]) -> impl Iterator<Item = HeldLine<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (line, after) = HeldLine::split_off(rest)?;
        rest = after;
        Some(line)
    })
}

impl Write for OrderedLines {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        self.write_all(block).map(|()| block.len())
    }

    /// Receives a block, which contains whole lines. Lines that a worker has written before it knew the columns come
    /// before the others.
    fn write_all(&mut self, block: &[u8]) -> io::Result<()> {
        let mut rest = block;
        while let Some((line, after)) = HeldLine::split_off(rest) {
            self.take(&line)?;
            rest = after;
        }
        self.out.write_lines(rest)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
