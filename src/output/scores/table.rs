//! A table of scores: its columns, and its lines as the workers render them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::columns::FileColumns;
use super::further::{FurtherColumns, KnownColumns, UnfitValues, text_of};
use super::held::{begin_held, end_held, hold_value};
use crate::dataset::{FieldValue, LentRecord, NamedValues};
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
        values: &[Option<&FieldValue<'_>>],
        bytes: &mut Vec<u8>,
    );

    /// Appends the values of the last columns, and ends the line.
    fn write_ending(&self, outcome: &RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>);

    /// Appends the value of a field in the form that a held line needs.
    fn hold(&self, value: &FieldValue<'_>, bytes: &mut Vec<u8>);

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
            let is_empty = |value: &&FieldValue<'_>| text_of(value).is_empty();
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
    ) -> NamedValues<'a> {
        match outcome {
            RecordOutcome::Scored(scored) if self.columns.has_further() => {
                let found = scored.found().iter();
                let found = found.map(|(name, cell)| (Cow::Borrowed(&**name), found_value(cell)));
                let mut fields = self.columns.further_fields(record);
                fields.splice(0..0, found);
                fields
            }
            _ => Vec::new(),
        }
    }
}

/// Returns the cell of a column that was found during the run as the value of a field.
fn found_value(cell: &Cell) -> FieldValue<'_> {
    match cell {
        Cell::Nothing => FieldValue::Missing,
        Cell::Label(label) => FieldValue::Text(Cow::Borrowed(label)),
        cell => FieldValue::Json(Cow::Owned(serde_json::to_string(cell).unwrap_or_default())),
    }
}
