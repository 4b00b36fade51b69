//! Values of consecutive records, collected by column.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};

use super::types::ColumnType;
use super::value::ColumnValue;

/// The number of records that are collected before they are written.
const MOST_RECORDS: usize = 16_384;

/// If the values have at least this number of bytes, fewer records are collected.
const MOST_BYTES: usize = 8 << 20;

/// The number of bytes that are counted for a value that is no text. A text counts its length in addition.
const VALUE_BYTES: usize = 8;

/// Collects the values of consecutive records. How many records are collected depends on their values alone, so the
/// file does not depend on how its lines are divided among the workers.
#[derive(Debug)]
pub(super) struct RecordBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    pub(super) records: usize,
    /// The number of bytes of the values.
    pub(super) bytes: usize,
}

#[derive(Debug)]
enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Whole(Int64Builder),
    Number(Float64Builder),
    Text(StringBuilder),
}

impl RecordBuilder {
    /// Collects records with columns of these names and types. Every record must have a value in the first column.
    pub(super) fn new(columns: &[(&str, ColumnType)]) -> Self {
        let fields = columns.iter().enumerate().map(|(place, (name, column))| {
            let may_lack_values = place > 0;
            Field::new(*name, column.data_type(), may_lack_values)
        });
        RecordBuilder {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            columns: columns
                .iter()
                .map(|(_, column)| ColumnBuilder::new(*column))
                .collect(),
            records: 0,
            bytes: 0,
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Adds the value of the column at this place to the current record.
    pub(super) fn add(&mut self, place: usize, value: &ColumnValue<'_>) {
        self.bytes += self.columns[place].add(value);
    }

    /// Ends the current record, which must have a value or `Nothing` for each column. Returns whether the collected
    /// records should be written now.
    pub(super) fn end_record(&mut self) -> bool {
        self.records += 1;
        self.records == MOST_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Returns the collected records, and begins anew.
    ///
    /// # Errors
    ///
    /// Returns an error if a record lacks a value of the first column.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.records, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

impl ColumnBuilder {
    fn new(column: ColumnType) -> Self {
        match column {
            ColumnType::Boolean => ColumnBuilder::Boolean(BooleanBuilder::new()),
            ColumnType::Whole => ColumnBuilder::Whole(Int64Builder::new()),
            ColumnType::Number => ColumnBuilder::Number(Float64Builder::new()),
            ColumnType::Text => ColumnBuilder::Text(StringBuilder::new()),
        }
    }

    /// Adds a value that has the type of the column, or null for any other value. Returns the number of its bytes.
    fn add(&mut self, value: &ColumnValue<'_>) -> usize {
        match (self, value) {
            (ColumnBuilder::Boolean(column), ColumnValue::Boolean(value)) => {
                column.append_value(*value)
            }
            (ColumnBuilder::Boolean(column), _) => column.append_null(),
            (ColumnBuilder::Whole(column), ColumnValue::Whole(value)) => {
                column.append_value(*value)
            }
            (ColumnBuilder::Whole(column), _) => column.append_null(),
            (ColumnBuilder::Number(column), ColumnValue::Number(value)) => {
                column.append_value(*value)
            }
            (ColumnBuilder::Number(column), _) => column.append_null(),
            (ColumnBuilder::Text(column), ColumnValue::Text(text)) => {
                column.append_value(text);
                return VALUE_BYTES + text.len();
            }
            (ColumnBuilder::Text(column), _) => column.append_null(),
        }
        VALUE_BYTES
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Boolean(column) => Arc::new(column.finish()),
            ColumnBuilder::Whole(column) => Arc::new(column.finish()),
            ColumnBuilder::Number(column) => Arc::new(column.finish()),
            ColumnBuilder::Text(column) => Arc::new(column.finish()),
        }
    }
}
