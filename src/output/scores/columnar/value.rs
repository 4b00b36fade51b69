//! Values of a columnar file on their way from the workers to the file.

use std::borrow::Cow;

use crate::dataset::FieldValue;
use crate::output::scores::table::FurtherValue;
use crate::plan::Cell;

/// A value of a columnar file. Before it gets the type of its column, a number in JSON is kept as the input has written
/// it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum ColumnValue<'a> {
    #[default]
    Nothing,
    Boolean(bool),
    Whole(i64),
    Number(f64),
    Text(Cow<'a, str>),
    /// A number, a list or an object, as JSON.
    Json(Cow<'a, str>),
}

// The first byte of a value says what the value is. It is never 0, because 0 begins a held line.
const NOTHING: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const WHOLE: u8 = 4;
const NUMBER: u8 = 5;
const TEXT: u8 = 6;
const JSON: u8 = 7;

impl<'a> ColumnValue<'a> {
    /// The value of a field. An empty cell of delimited text, NaN and the infinities become [`ColumnValue::Nothing`].
    pub(super) fn of_field(value: &'a FieldValue<'_>) -> Self {
        if value.is_missing() {
            return ColumnValue::Nothing;
        }
        if let Some(text) = value.as_text() {
            return ColumnValue::Text(text);
        }
        value
            .to_json()
            .map_or(ColumnValue::Nothing, ColumnValue::of_json)
    }

    /// A value of JSON that is no string.
    fn of_json(json: Cow<'a, str>) -> Self {
        match &*json {
            "null" => ColumnValue::Nothing,
            "true" => ColumnValue::Boolean(true),
            "false" => ColumnValue::Boolean(false),
            _ => ColumnValue::Json(json),
        }
    }

    /// Calls `with` with the value of a further column.
    pub(super) fn with_further(value: &FurtherValue<'_>, with: impl FnOnce(ColumnValue<'_>)) {
        match value {
            FurtherValue::Field(value) => with(ColumnValue::of_field(value)),
            FurtherValue::Cell(cell) => ColumnValue::with_cell(cell, with),
        }
    }

    /// Calls `with` with the value of a cell.
    pub(super) fn with_cell(cell: &Cell, with: impl FnOnce(ColumnValue<'_>)) {
        let value = match cell {
            Cell::Number(number) => ColumnValue::Number(*number),
            Cell::Nothing => ColumnValue::Nothing,
            Cell::Json(json) => ColumnValue::of_json(Cow::Borrowed(json)),
            Cell::Line(line) => {
                i64::try_from(*line).map_or(ColumnValue::Nothing, ColumnValue::Whole)
            }
            Cell::Label(label) => ColumnValue::Text(Cow::Borrowed(label)),
            Cell::Quote(quote) => return with(ColumnValue::of_field(&quote.value())),
            // A cell with a list comes here only if `ValueColumn::place` has not selected one value of the list.
            several => {
                let json = serde_json::to_string(several).unwrap_or_default();
                ColumnValue::Json(Cow::Owned(json))
            }
        };
        with(value);
    }

    /// Appends the value in a form that [`read`](ColumnValue::read) understands.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            ColumnValue::Nothing => bytes.push(NOTHING),
            ColumnValue::Boolean(value) => bytes.push(if *value { TRUE } else { FALSE }),
            ColumnValue::Whole(number) => write_bits(WHOLE, number.to_le_bytes(), bytes),
            ColumnValue::Number(number) => write_bits(NUMBER, number.to_le_bytes(), bytes),
            ColumnValue::Text(text) => write_text(TEXT, text, bytes),
            ColumnValue::Json(json) => write_text(JSON, json, bytes),
        }
    }

    /// Splits the first value off the bytes. Returns the value and the rest, or `None` if there is no value.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (kind, rest) = bytes.split_first()?;
        let read = match *kind {
            NOTHING => (ColumnValue::Nothing, rest),
            FALSE | TRUE => (ColumnValue::Boolean(*kind == TRUE), rest),
            WHOLE => {
                let (bits, rest) = rest.split_first_chunk()?;
                (ColumnValue::Whole(i64::from_le_bytes(*bits)), rest)
            }
            NUMBER => {
                let (bits, rest) = rest.split_first_chunk()?;
                (ColumnValue::Number(f64::from_le_bytes(*bits)), rest)
            }
            _ => {
                let (length, rest) = rest.split_first_chunk()?;
                let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
                let (text, rest) = rest.split_at_checked(length)?;
                let text = Cow::Borrowed(std::str::from_utf8(text).ok()?);
                let value = match *kind {
                    TEXT => ColumnValue::Text(text),
                    _ => ColumnValue::Json(text),
                };
                (value, rest)
            }
        };
        Some(read)
    }
}

fn write_bits(kind: u8, bits: [u8; 8], bytes: &mut Vec<u8>) {
    bytes.push(kind);
    bytes.extend_from_slice(&bits);
}

fn write_text(kind: u8, text: &str, bytes: &mut Vec<u8>) {
    write_bits(kind, (text.len() as u64).to_le_bytes(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_written() {
        let values = [
            ColumnValue::Nothing,
            ColumnValue::Boolean(true),
            ColumnValue::Boolean(false),
            ColumnValue::Whole(i64::MIN),
            ColumnValue::Number(-0.0),
            ColumnValue::Text("".into()),
            ColumnValue::Text("\0é".into()),
            ColumnValue::Json("[1]".into()),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| value.write(&mut bytes));
        let mut rest = &bytes[..];
        for value in &values {
            assert_ne!(rest[0], 0, "a held line begins with 0");
            let (read, after) = ColumnValue::read(rest).expect("a value");
            assert_eq!(read, *value);
            rest = after;
        }
        assert_eq!(ColumnValue::read(rest), None);
        assert_eq!(ColumnValue::read(&bytes[4..5]), None);
    }

    #[test]
    fn a_field_becomes_a_value() {
        let json = |text: &'static str| FieldValue::Json(text.into());
        let text = |text: &'static str| ColumnValue::Text(text.into());
        for (field, value) in [
            (FieldValue::Missing, ColumnValue::Nothing),
            (FieldValue::Text("".into()), ColumnValue::Nothing),
            (FieldValue::Text("5".into()), text("5")),
            (FieldValue::Text("null".into()), text("null")),
            (json("null"), ColumnValue::Nothing),
            (json("\"null\""), text("null")),
            (json("\"\""), text("")),
            (json("true"), ColumnValue::Boolean(true)),
            (json("1.50"), ColumnValue::Json("1.50".into())),
            (FieldValue::NotJson("NaN"), ColumnValue::Nothing),
            (
                FieldValue::NotJson("[NaN]"),
                ColumnValue::Json("[null]".into()),
            ),
        ] {
            assert_eq!(ColumnValue::of_field(&field), value, "{field:?}");
        }
    }

    #[test]
    fn a_cell_becomes_a_value() {
        for (cell, value) in [
            (Cell::Nothing, ColumnValue::Nothing),
            (
                Cell::Number(f64::INFINITY),
                ColumnValue::Number(f64::INFINITY),
            ),
            (Cell::Label("".into()), ColumnValue::Text("".into())),
            (Cell::Json("false".into()), ColumnValue::Boolean(false)),
            (Cell::Json("{}".into()), ColumnValue::Json("{}".into())),
            (Cell::Line(u64::MAX), ColumnValue::Nothing),
        ] {
            ColumnValue::with_cell(&cell, |found| assert_eq!(found, value, "{cell:?}"));
        }
    }
}
