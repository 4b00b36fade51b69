//! A table of scores: its columns, and its lines as the workers render them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::columns::FileColumns;
use super::further::{FurtherColumns, KnownColumns, UnfitValues, text_of};
use super::held::{begin_held, end_held, hold_value};
use crate::dataset::{FieldValue, LentRecord};
use crate::plan::{Cell, Scored};
use crate::sink::RecordOutcome;

/// The first column of a table.
pub(super) const BEGINNING: &str = "record";

/// The last columns of a table. Skipped records have a column of their own, so that a program that counts the errors
/// does not need to understand the texts of the column `error`.
pub(super) const ENDING: [&str; 2] = ["error", "skipped"];

/// A table. The workers that render its lines and the receiver of these lines share it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) format: Arc<dyn TableFormat>,
    pub(super) columns: FileColumns,
    pub(super) further: FurtherColumns,
}

/// A value of a further column.
#[derive(Debug)]
pub(super) enum FurtherValue<'a> {
    /// The value of a field that is copied from the record.
    Field(FieldValue<'a>),
    /// A value that the scorer has given.
    Cell(&'a Cell),
}

impl FurtherValue<'_> {
    /// Whether a table shows nothing in place of the value.
    fn is_empty(&self) -> bool {
        match self {
            FurtherValue::Field(value) => text_of(value).is_empty(),
            FurtherValue::Cell(Cell::Label(label)) => label.is_empty(),
            FurtherValue::Cell(cell) => **cell == Cell::Nothing,
        }
    }
}

/// A format of the lines of a table.
pub(super) trait TableFormat: fmt::Debug + Send + Sync {
    /// Appends the values of the columns that are known before the run.
    fn write_beginning(
        &self,
        columns: &FileColumns,
        index: u64,
        outcome: &RecordOutcome<'_, Scored>,
        bytes: &mut Vec<u8>,
    );

    /// Appends the values of the further columns, once these columns are known. `None` stands for no value.
    fn write_further(
        &self,
        columns: (&FileColumns, &KnownColumns),
        index: u64,
        values: &[Option<&FurtherValue<'_>>],
        bytes: &mut Vec<u8>,
    );

    /// Appends the values of the last columns, and ends the line.
    fn write_ending(&self, outcome: &RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>);

    /// Appends a value in the form that a held line needs.
    fn hold(&self, value: &FurtherValue<'_>, bytes: &mut Vec<u8>);

    /// The values that were left out so far because their columns cannot hold them.
    fn unfit(&self) -> Option<UnfitValues> {
        None
    }
}

impl Table {
    pub(super) fn new(format: Arc<dyn TableFormat>, columns: &FileColumns) -> Arc<Self> {
        Arc::new(Table {
            format,
            columns: columns.clone(),
            further: FurtherColumns::default(),
        })
    }

    /// The names of all columns, in their order.
    pub(super) fn names<'a>(&'a self, further: &'a [String]) -> impl Iterator<Item = &'a str> {
        let values = self.columns.values.iter().map(|column| &column.name);
        let names = values.chain(&self.columns.keep).chain(further);
        let names = names.map(String::as_str);
        [BEGINNING].into_iter().chain(names).chain(ENDING)
    }

    /// Appends the line of one record, or a [held line](super::held::HeldLine) if the further columns are not known
    /// yet.
    pub(super) fn write_line(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        let (columns, format) = (&self.columns, &self.format);
        let values = self.further_values(&outcome, record);
        if let Some(known) = self.further.known() {
            format.write_beginning(columns, index, &outcome, bytes);
            let values = values.iter().map(|(name, value)| (&**name, value));
            let is_empty = |value: &&FurtherValue<'_>| value.is_empty();
            let placed = self.further.place(known, index, values, is_empty);
            format.write_further((columns, known), index, &placed, bytes);
            format.write_ending(&outcome, bytes);
            return;
        }
        let begin = begin_held(index, bytes);
        hold_value(bytes, |bytes| {
            format.write_beginning(columns, index, &outcome, bytes);
        });
        hold_value(bytes, |bytes| format.write_ending(&outcome, bytes));
        for (name, value) in &values {
            hold_value(bytes, |bytes| bytes.extend_from_slice(name.as_bytes()));
            hold_value(bytes, |bytes| format.hold(value, bytes));
        }
        end_held(begin, bytes);
    }

    /// The values of a record whose columns are not known before the run.
    fn further_values<'a>(
        &self,
        outcome: &RecordOutcome<'a, Scored>,
        record: Option<LentRecord<'a>>,
    ) -> Vec<(Cow<'a, str>, FurtherValue<'a>)> {
        match outcome {
            RecordOutcome::Scored(scored) if self.columns.has_further() => {
                let found = scored.found().iter();
                let found =
                    found.map(|(name, cell)| (Cow::Borrowed(&**name), FurtherValue::Cell(cell)));
                let fields = self.columns.further_fields(record).into_iter();
                let fields = fields.map(|(name, value)| (name, FurtherValue::Field(value)));
                found.chain(fields).collect()
            }
            _ => Vec::new(),
        }
    }
}
