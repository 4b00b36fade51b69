//! The lines of a scores file on their way from the workers to the compression.

use std::io::{self, Write};
use std::sync::Arc;

use super::columns::FileColumns;
use super::delimited::TableWriter;
use super::further::FurtherColumns;
use super::held::HeldLine;
use crate::error::Error;
use crate::output::destination::{Destination, PartialFile};
use crate::output::encoder::OutputEncoder;

/// The columns of a table are those of this number of records, counted from the first one.
const HELD_RECORDS: u64 = 1_000;

/// If the lines that are held back have at least this number of bytes, the columns are taken from fewer records.
const HELD_BYTES: usize = 16 << 20;

/// Receives the lines of all records in their order. The lines of a table are held back until its columns are known,
/// because the header has to be written before them. The columns are those of the first records in their order, so they
/// do not depend on which worker scored which record.
#[derive(Debug)]
pub(super) struct OrderedLines {
    out: OutputEncoder,
    table: Option<Arc<TableColumns>>,
    /// The lines that are held back.
    held: Vec<u8>,
    held_records: u64,
    /// The columns of the lines that are held back, in the order in which the columns appear.
    names: Vec<String>,
    /// If the lines that were held back could not all be written, the number of records whose lines are complete.
    cut_at: Option<u64>,
}

/// A table and its columns, which the workers and the receiver of their lines share.
#[derive(Debug)]
pub(super) struct TableColumns {
    pub(super) writer: TableWriter,
    pub(super) columns: FileColumns,
    pub(super) further: FurtherColumns,
}

impl OrderedLines {
    /// Writes lines to `out`. `table` is `None` if the lines are not those of a table. `names` are the further columns
    /// of the table if they are known beforehand.
    ///
    /// # Errors
    ///
    /// Returns an error if the header cannot be written.
    pub(super) fn new(
        out: OutputEncoder,
        table: Option<Arc<TableColumns>>,
        names: Option<&[String]>,
    ) -> io::Result<Self> {
        let mut lines = OrderedLines {
            out,
            table,
            held: Vec::new(),
            held_records: 0,
            names: Vec::new(),
            cut_at: None,
        };
        if let Some(names) = names {
            lines.names = names.to_vec();
            lines.settle(true)?;
        }
        Ok(lines)
    }

    /// Completes the output, and returns the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the last bytes cannot be written.
    pub(super) fn finish(mut self) -> io::Result<Destination> {
        self.settle(false)?;
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
            let _ = self.settle(false);
        }
        let records = self.cut_at.map_or(records, |cut| cut.min(records));
        self.out.keep_partial(records)
    }

    /// Makes the columns of the table known, and writes the header and the lines that were held back. Each line is
    /// written by itself, so that it is known which of them are complete if a write fails.
    fn settle(&mut self, are_named: bool) -> io::Result<()> {
        let Some(table) = self
            .table
            .clone()
            .filter(|table| table.further.known().is_none())
        else {
            return Ok(());
        };
        let known = table
            .further
            .set(std::mem::take(&mut self.names), are_named);
        let held = std::mem::take(&mut self.held);
        self.cut_at = Some(0);
        let mut bytes = Vec::new();
        table.writer.write_header(&table.columns, known, &mut bytes);
        self.out.write_all(&bytes)?;
        let (mut rest, mut written) = (&held[..], 0);
        while let Some((line, after)) = HeldLine::split_off(rest) {
            bytes.clear();
            table
                .writer
                .write_held((&table.further, known), &line, &mut bytes);
            self.out.write_all(&bytes)?;
            written += 1;
            self.cut_at = Some(written);
            rest = after;
        }
        self.cut_at = None;
        Ok(())
    }

    /// Appends a line to `bytes` if the columns are known, and otherwise holds it back.
    fn take(&mut self, line: &HeldLine<'_>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let Some(table) = &self.table else {
            return Ok(());
        };
        if let Some(known) = table.further.known() {
            table
                .writer
                .write_held((&table.further, known), line, bytes);
            return Ok(());
        }
        for (name, _) in line.values() {
            if !self.names.iter().any(|known| known == name) {
                self.names.push(name.to_owned());
            }
        }
        self.held.extend_from_slice(line.bytes());
        self.held_records += 1;
        if self.held_records == HELD_RECORDS || self.held.len() >= HELD_BYTES {
            self.settle(false)?;
        }
        Ok(())
    }
}

impl Write for OrderedLines {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        self.write_all(block).map(|()| block.len())
    }

    /// Receives a block, which contains whole lines. Lines that a worker has written before it knew the columns come
    /// before the others.
    fn write_all(&mut self, block: &[u8]) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut rest = block;
        while let Some((line, after)) = HeldLine::split_off(rest) {
            self.take(&line, &mut lines)?;
            rest = after;
        }
        if lines.is_empty() {
            return match rest.is_empty() {
                true => Ok(()),
                false => self.out.write_all(rest),
            };
        }
        lines.extend_from_slice(rest);
        self.out.write_all(&lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
