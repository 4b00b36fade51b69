//! Reads columnar files with the crates of their formats.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_ipc::reader::FileReader;
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Boolean(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

/// The columns of a file, each with its name and type, and the values of its records.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<(String, DataType)>,
    pub(super) records: Vec<Vec<Value>>,
}

impl Table {
    /// Reads a file, whose format is known from its first bytes.
    pub(super) fn read(path: &Path) -> Self {
        let file =
            || File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let first = std::fs::read(path).expect("a file");
        if first.starts_with(b"PAR1") {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file());
            let reader = reader
                .and_then(|reader| reader.build())
                .expect("a Parquet file");
            Table::collect(reader.schema(), reader)
        } else {
            let reader = FileReader::try_new(file(), None).expect("an Arrow file");
            Table::collect(reader.schema(), reader)
        }
    }

    fn collect<E: std::fmt::Debug>(
        schema: SchemaRef,
        read: impl Iterator<Item = Result<RecordBatch, E>>,
    ) -> Self {
        let columns = schema.fields().iter();
        let columns = columns.map(|field| (field.name().clone(), field.data_type().clone()));
        let mut table = Table {
            columns: columns.collect(),
            records: Vec::new(),
        };
        for records in read {
            let records = records.expect("records");
            let values = |index| {
                records
                    .columns()
                    .iter()
                    .map(|column| value(column, index))
                    .collect()
            };
            table
                .records
                .extend((0..records.column(0).len()).map(values));
        }
        table
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The type of the column with this name.
    pub(super) fn column(&self, name: &str) -> &DataType {
        &self.columns[self.place(name)].1
    }

    pub(super) fn place(&self, name: &str) -> usize {
        let place = self.columns.iter().position(|(column, _)| column == name);
        place.unwrap_or_else(|| panic!("no column {name:?}"))
    }

    /// The value of the record with this number, counted from 1.
    pub(super) fn value(&self, record: usize, name: &str) -> &Value {
        &self.records[record - 1][self.place(name)]
    }
}

fn value(column: &dyn Array, index: usize) -> Value {
    if column.is_null(index) {
        return Value::Nothing;
    }
    match column.data_type() {
        DataType::Boolean => Value::Boolean(column.as_boolean().value(index)),
        DataType::Int64 => Value::Whole(column.as_primitive::<Int64Type>().value(index)),
        DataType::Float64 => Value::Number(column.as_primitive::<Float64Type>().value(index)),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(index).to_owned()),
        other => panic!("a column of the type {other}"),
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}
