//! The lines of a columnar file, as the workers render them. A line holds the values of one record.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::types::{ColumnType, TypeFinder};
use super::value::ColumnValue;
use crate::output::scores::columns::FileColumns;
use crate::output::scores::further::{KnownColumns, LeftOut, UnfitValues};
use crate::output::scores::held::HeldLine;
use crate::output::scores::table::{FurtherValue, TableFormat};
use crate::plan::{CellKind, Scored};
use crate::sink::RecordOutcome;

/// Renders the lines of a columnar file. Once the types of the columns are known, the workers give each value its type.
#[derive(Debug, Default)]
pub(in crate::output::scores) struct ColumnarLines {
    types: OnceLock<Vec<ColumnType>>,
    unfit: LeftOut,
}

/// Appends the values of one line, and gives them the types of their columns if these are known.
struct TypedValues<'a> {
    lines: &'a ColumnarLines,
    index: u64,
    /// The place of the next column.
    place: usize,
    bytes: &'a mut Vec<u8>,
}

impl ColumnarLines {
    /// The types of the columns, once they are known.
    pub(super) fn types(&self) -> &[ColumnType] {
        self.types.get().map_or(&[], Vec::as_slice)
    }

    /// Finds the types of all columns from the lines that were held back. `further` are the names of the further
    /// columns.
    pub(super) fn find_types<'a>(
        &self,
        columns: &FileColumns,
        further: &[String],
        held: impl Iterator<Item = HeldLine<'a>>,
    ) {
        let known = 1 + columns.known_width();
        let mut finders = vec![TypeFinder::default(); known + further.len()];
        let places: HashMap<&str, usize> =
            further.iter().map(String::as_str).zip(known..).collect();
        for line in held {
            let values = values_of(line.beginning);
            finders
                .iter_mut()
                .zip(values)
                .for_each(|(finder, value)| finder.observe(&value));
            for (name, value) in line.values() {
                if let Some((place, (value, _))) = places.get(name).zip(ColumnValue::read(value)) {
                    finders[*place].observe(&value);
                }
            }
        }
        let kinds = columns.values.iter().map(|column| column.kind);
        let kinds = [CellKind::Lines].into_iter().chain(kinds);
        let kinds = kinds.chain(std::iter::repeat(CellKind::Any));
        let found = finders
            .into_iter()
            .zip(kinds)
            .map(|(finder, kind)| match kind {
                CellKind::Numbers => ColumnType::Number,
                CellKind::Lines => ColumnType::Whole,
                CellKind::Texts => ColumnType::Text,
                CellKind::Any => finder.found(),
            });
        let _ = self.types.set(found.chain([ColumnType::Text; 2]).collect());
    }

    /// Gives a value the type of the column at this place, if the type is known. If the value does not fit, the result
    /// is [`ColumnValue::Nothing`], and the value is counted under the name of the column.
    pub(super) fn typed<'v>(
        &self,
        place: usize,
        value: ColumnValue<'v>,
        index: u64,
        name: &str,
    ) -> ColumnValue<'v> {
        match self.types().get(place) {
            None => value,
            Some(column) => column.fit(value).unwrap_or_else(|| {
                self.unfit.count(index, name);
                ColumnValue::Nothing
            }),
        }
    }

    fn values<'a>(&'a self, index: u64, place: usize, bytes: &'a mut Vec<u8>) -> TypedValues<'a> {
        TypedValues {
            lines: self,
            index,
            place,
            bytes,
        }
    }
}

impl TypedValues<'_> {
    fn add(&mut self, value: ColumnValue<'_>, name: &str) {
        let value = self.lines.typed(self.place, value, self.index, name);
        value.write(self.bytes);
        self.place += 1;
    }
}

impl TableFormat for ColumnarLines {
    fn write_beginning(
        &self,
        columns: &FileColumns,
        index: u64,
        outcome: &RecordOutcome<'_, Scored>,
        bytes: &mut Vec<u8>,
    ) {
        let mut values = self.values(index, 0, bytes);
        values.add(ColumnValue::Whole(index.saturating_add(1) as i64), "");
        let RecordOutcome::Scored(scored) = outcome else {
            (0..columns.known_width()).for_each(|_| values.add(ColumnValue::Nothing, ""));
            return;
        };
        for column in &columns.values {
            let name = &column.name;
            match (scored.cells().get(column.cell), column.place) {
                (Some(cell), None) => ColumnValue::with_cell(cell, |value| values.add(value, name)),
                (Some(cell), Some(place)) => {
                    ColumnValue::with_cell(&cell.at(place), |value| values.add(value, name));
                }
                (None, _) => values.add(ColumnValue::Nothing, name),
            }
        }
        for (value, name) in scored.kept.iter().zip(&columns.keep) {
            values.add(ColumnValue::of_field(&value), name);
        }
    }

    fn write_further(
        &self,
        (columns, known): (&FileColumns, &KnownColumns),
        index: u64,
        placed: &[Option<&FurtherValue<'_>>],
        bytes: &mut Vec<u8>,
    ) {
        let mut values = self.values(index, 1 + columns.known_width(), bytes);
        for (value, name) in placed.iter().zip(&known.names) {
            match value {
                None => values.add(ColumnValue::Nothing, name),
                Some(value) => ColumnValue::with_further(value, |value| values.add(value, name)),
            }
        }
    }

    fn write_ending(&self, outcome: &RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>) {
        let [error, skipped] = match outcome {
            RecordOutcome::Scored(_) => [None, None],
            RecordOutcome::Failed(failure) => [Some(failure.to_string()), None],
            RecordOutcome::Skipped(skipped) => [None, Some(skipped.reason.clone())],
        };
        for text in [error, skipped] {
            let value = text.map(|text| ColumnValue::Text(text.into()));
            let value = value.and_then(|value| ColumnType::Text.fit(value));
            value.unwrap_or_default().write(bytes);
        }
    }

    fn hold(&self, value: &FurtherValue<'_>, bytes: &mut Vec<u8>) {
        ColumnValue::with_further(value, |value| value.write(bytes));
    }

    fn unfit(&self) -> Option<UnfitValues> {
        UnfitValues::of(&self.unfit)
    }
}

/// The values that these bytes hold, one after the other.
pub(super) fn values_of(bytes: &[u8]) -> impl Iterator<Item = ColumnValue<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (value, after) = ColumnValue::read(rest)?;
        rest = after;
        Some(value)
    })
}
