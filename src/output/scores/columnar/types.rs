//! The types of the columns of a columnar file.

use std::borrow::Cow;

use arrow_schema::DataType;

use super::value::ColumnValue;

/// The type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Boolean,
    /// Whole numbers of 64 bits.
    Whole,
    /// Floating-point numbers of 64 bits.
    Number,
    /// Texts. A value that is no text is written as JSON.
    Text,
}

/// The longest text that is written, in bytes. The formats themselves have room for almost twice this length.
const LONGEST_TEXT: usize = 1 << 30;

impl ColumnType {
    /// The type of the column in the file, as Arrow names it.
    pub(super) fn data_type(self) -> DataType {
        match self {
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Whole => DataType::Int64,
            ColumnType::Number => DataType::Float64,
            ColumnType::Text => DataType::Utf8,
        }
    }

    /// Returns the value in the type of the column. Returns `None` if the column cannot hold this value exactly.
    /// Decimals are an exception: they are rounded to the nearest floating-point number.
    pub(super) fn fit(self, value: ColumnValue<'_>) -> Option<ColumnValue<'_>> {
        if let ColumnValue::Nothing = value {
            return Some(value);
        }
        match self {
            ColumnType::Boolean => {
                Some(value).filter(|value| matches!(value, ColumnValue::Boolean(_)))
            }
            ColumnType::Whole => match as_number(&value)? {
                ColumnValue::Number(number) => whole(number).map(ColumnValue::Whole),
                whole => Some(whole),
            },
            ColumnType::Number => match as_number(&value)? {
                ColumnValue::Whole(whole) => exact(whole).map(ColumnValue::Number),
                number => Some(number),
            },
            ColumnType::Text => {
                let text = as_text(value);
                (text.len() <= LONGEST_TEXT).then_some(ColumnValue::Text(text))
            }
        }
    }
}

/// Finds the type of a column from its first values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TypeFinder {
    has_booleans: bool,
    has_whole: bool,
    /// Whether no floating-point number is equal to one of the whole numbers.
    has_inexact: bool,
    has_decimals: bool,
    has_texts: bool,
}

impl TypeFinder {
    pub(super) fn observe(&mut self, value: &ColumnValue<'_>) {
        match as_number(value) {
            Some(ColumnValue::Whole(number)) => {
                self.has_whole = true;
                self.has_inexact |= exact(number).is_none();
            }
            Some(_) => self.has_decimals = true,
            None => match value {
                ColumnValue::Nothing => {}
                ColumnValue::Boolean(_) => self.has_booleans = true,
                _ => self.has_texts = true,
            },
        }
    }

    /// The narrowest type that holds all observed values. It is text if there are no values.
    pub(super) fn found(self) -> ColumnType {
        let has_numbers = self.has_whole || self.has_decimals;
        match self {
            _ if self.has_texts || self.has_booleans == has_numbers => ColumnType::Text,
            _ if self.has_booleans => ColumnType::Boolean,
            _ if !self.has_decimals => ColumnType::Whole,
            _ if self.has_inexact => ColumnType::Text,
            _ => ColumnType::Number,
        }
    }
}

/// Returns the value as a whole number or as a floating-point number, if it is a number. A number in JSON is whole if
/// it has neither a fraction nor an exponent. Returns `None` for a whole number of more than 64 bits, and for any other
/// number that is too large for a floating-point number.
fn as_number<'a>(value: &ColumnValue<'_>) -> Option<ColumnValue<'a>> {
    match value {
        ColumnValue::Whole(number) => Some(ColumnValue::Whole(*number)),
        ColumnValue::Number(number) => Some(ColumnValue::Number(*number)),
        ColumnValue::Json(json)
            if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) =>
        {
            if json.contains(['.', 'e', 'E']) {
                let number: f64 = json.parse().ok()?;
                number.is_finite().then_some(ColumnValue::Number(number))
            } else {
                json.parse().ok().map(ColumnValue::Whole)
            }
        }
        _ => None,
    }
}

/// The floating-point number that is equal to this whole number, if there is one.
fn exact(whole: i64) -> Option<f64> {
    let number = whole as f64;
    (number as i128 == i128::from(whole)).then_some(number)
}

/// The whole number of 64 bits that is equal to this floating-point number, if there is one.
fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    (number.fract() == 0.0 && exact(whole) == Some(number)).then_some(whole)
}

fn as_text(value: ColumnValue<'_>) -> Cow<'_, str> {
    match value {
        ColumnValue::Text(text) | ColumnValue::Json(text) => text,
        ColumnValue::Nothing => Cow::Borrowed(""),
        ColumnValue::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        ColumnValue::Whole(number) => Cow::Owned(number.to_string()),
        // The number gets the same digits as in a table of delimited text.
        ColumnValue::Number(number) if !number.is_finite() => Cow::Owned(number.to_string()),
        ColumnValue::Number(number) => {
            Cow::Owned(serde_json::to_string(&number).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[&'static str]) -> ColumnType {
        let mut finder = TypeFinder::default();
        for value in values {
            finder.observe(&value_of(value));
        }
        finder.found()
    }

    fn value_of(text: &'static str) -> ColumnValue<'static> {
        match text {
            "" => ColumnValue::Nothing,
            "true" => ColumnValue::Boolean(true),
            text => match text.strip_prefix('\'') {
                Some(text) => ColumnValue::Text(text.into()),
                None => ColumnValue::Json(text.into()),
            },
        }
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_its_values() {
        use ColumnType::{Boolean, Number, Text, Whole};
        for (values, expected) in [
            (&[][..], Text),
            (&["", ""], Text),
            (&["true", ""], Boolean),
            (&["1", "-9223372036854775808", ""], Whole),
            (&["1", "1.5"], Number),
            (&["1.0", "1e3"], Number),
            (&["9007199254740992", "0.5"], Number),
            // No number type of 64 bits holds both 2^53 + 1 and 0.5. 2^63 is too large for a whole number, and
            // 1e400 for a floating-point number.
            (&["9007199254740993", "0.5"], Text),
            (&["9223372036854775808"], Text),
            (&["1e400", "1.0"], Text),
            (&["true", "1"], Text),
            (&["'1"], Text),
            (&["1", "'x"], Text),
            (&["[1]"], Text),
            (&["{}", "1"], Text),
        ] {
            assert_eq!(found(values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_value_fits_a_column_that_holds_it_exactly() {
        use ColumnType::{Boolean, Number, Text, Whole};
        let fits = |column: ColumnType, text| column.fit(value_of(text));
        for column in [Boolean, Whole, Number, Text] {
            assert_eq!(fits(column, ""), Some(ColumnValue::Nothing));
        }
        assert_eq!(fits(Boolean, "true"), Some(ColumnValue::Boolean(true)));
        assert_eq!(fits(Boolean, "1"), None);
        assert_eq!(fits(Boolean, "'true"), None);
        assert_eq!(fits(Whole, "12"), Some(ColumnValue::Whole(12)));
        assert_eq!(fits(Whole, "1.2e1"), Some(ColumnValue::Whole(12)));
        assert_eq!(fits(Whole, "12.5"), None);
        assert_eq!(fits(Whole, "9223372036854775808"), None);
        assert_eq!(fits(Whole, "9.3e18"), None);
        assert_eq!(
            fits(Whole, "-9.223372036854775808e18"),
            Some(ColumnValue::Whole(i64::MIN))
        );
        assert_eq!(fits(Whole, "'12"), None);
        assert_eq!(fits(Number, "0.1"), Some(ColumnValue::Number(0.1)));
        assert_eq!(fits(Number, "12"), Some(ColumnValue::Number(12.0)));
        assert_eq!(fits(Number, "9007199254740993"), None);
        assert_eq!(fits(Number, "1e400"), None);
        assert_eq!(fits(Number, "true"), None);
        let texts = [
            ("'x", "x"),
            ("1.50", "1.50"),
            ("true", "true"),
            ("[1]", "[1]"),
        ];
        for (value, text) in texts {
            assert_eq!(fits(Text, value), Some(ColumnValue::Text(text.into())));
        }
        for (number, text) in [(1.0, "1.0"), (f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf")] {
            let value = Text.fit(ColumnValue::Number(number));
            assert_eq!(value, Some(ColumnValue::Text(text.into())));
            assert_eq!(
                Whole.fit(ColumnValue::Number(number)).is_some(),
                number == 1.0
            );
            let mut finder = TypeFinder::default();
            finder.observe(&ColumnValue::Number(number));
            assert_eq!(finder.found(), Number);
        }
    }
}
