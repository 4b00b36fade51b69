//! `number`: the numbers in the fields themselves.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Cell, Cells, Column, ColumnKind, PreparedScorer, Scorer, ScorerColumns, ScorerInput};
use crate::dataset::FieldValue;
use crate::error::{BadRecord, Error, FailureKind, Skipped};
use crate::plan::not_scored::NotScored;
use crate::plan::{Missing, Plan, RESERVED};

/// Largest number of characters of a text that a message quotes.
const QUOTED: usize = 40;

/// The scorer `number`: the number in each of the [fields](Plan::fields) of the plan, so that a run computes exact
/// statistics of them. Each field is a column that is called like the field. The first field is the main column.
///
/// A value is a JSON number, or a text (a string of JSON, or a cell of a table) that is a number by the grammar of
/// Rust's [`f64`](str::parse) after white space around it is removed. Any other value is a failure, and so are `nan`,
/// `inf` and numbers beyond the range of an `f64`, since no statistics could be computed of them.
///
/// A field called `record`, `error` or `skipped`, and a field that is named twice, has a column called `field_` and its
/// name, because a line of scores has these names already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[non_exhaustive]
pub struct NumberOptions {}

impl Scorer for NumberOptions {
    fn columns(&self, plan: &Plan) -> ScorerColumns {
        let mut names: Vec<String> = Vec::new();
        for field in &plan.fields {
            let mut name = field.clone();
            while RESERVED.contains(&name.as_str()) || names.contains(&name) {
                name.insert_str(0, "field_");
            }
            names.push(name);
        }
        let kind = ColumnKind::Numbers { range: None };
        let columns: Vec<Column> = names.iter().map(|name| Column::new(name, kind)).collect();
        let columns = ScorerColumns::new(columns).all_in_groups();
        match names.first() {
            Some(main) => columns.main_column(main),
            None => columns,
        }
    }

    fn missing(&self) -> Missing {
        Missing::Skip
    }

    fn scores_some_fields(&self) -> bool {
        true
    }

    fn prepare(&self, _plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl PreparedScorer for NumberOptions {
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let values = input.values;
        let cell = |place: usize| {
            let value = values.get(place);
            if value.is_missing() {
                return match input.missing {
                    Missing::Fail => Err(values.no_value(place, "a number")),
                    Missing::Skip | Missing::Empty => Ok(Cell::Nothing),
                };
            }
            let number = number_of(value).filter(|number| number.is_finite());
            number
                .map(Cell::Number)
                .ok_or_else(|| match value.as_text() {
                    Some(text) => BadRecord::new(
                        format!(
                            "expected a number in field {:?}, found {}{}",
                            values.name(place),
                            quoted(&text),
                            problem(&text)
                        ),
                        // An error has a column only if the record is JSON, and a cell of a table is not JSON.
                        None,
                    )
                    .of_kind(FailureKind::WrongValue),
                    None if number_of(value).is_some() => {
                        values.found_instead(place, "a number", "a number that is too large")
                    }
                    None => values.unexpected(place, "a number"),
                })
        };
        let cells = match values.needed() {
            // A single column needs no allocation.
            1 => Cells::from(cell(0)?),
            several => Cells::from((0..several).map(cell).collect::<Result<Vec<_>, _>>()?),
        };
        let is_empty = cells.known().iter().all(|cell| *cell == Cell::Nothing);
        if is_empty && input.missing == Missing::Skip {
            let names: Vec<_> = (0..values.needed())
                .map(|place| values.name(place))
                .collect();
            return Err(Skipped::new(format!("no value in {}", fields(&names))).into());
        }
        Ok(cells)
    }
}

fn fields(names: &[&str]) -> String {
    match names {
        [name] => format!("field {name:?}"),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("any of the fields {}", names.join(", "))
        }
    }
}

fn number_of(value: &FieldValue<'_>) -> Option<f64> {
    match value {
        FieldValue::Text(text) => text.trim().parse().ok(),
        FieldValue::Json(json) if json.starts_with('"') => {
            let text: Cow<'_, str> = value.as_text()?;
            text.trim().parse().ok()
        }
        // The grammar of JSON's numbers is a part of the grammar of Rust's numbers. A JSON value that is not a number,
        // such as `true`, is not a number for Rust either.
        FieldValue::Json(json) => json.parse().ok(),
        _ => None,
    }
}

/// Says why a text is not accepted as a number. Returns an empty text if the reason is not known.
fn problem(text: &str) -> &'static str {
    let text = text.trim();
    let number = |text: &str| text.parse::<f64>().ok();
    if number(text).is_some() {
        let is_written_in_digits = text.contains(|letter: char| letter.is_ascii_digit());
        return match is_written_in_digits {
            true => ", which is too large for a number",
            false => ", which is no finite number",
        };
    }
    let is_separator =
        |letter: char| matches!(letter, ',' | '\'' | '_' | ' ' | '\u{a0}' | '\u{202f}');
    let begins = text.starts_with(|letter: char| letter.is_ascii_digit() || "+-.".contains(letter));
    // The second form is for a text like `1.234,5`, with points between thousands and a decimal comma.
    let bare = [
        text.replace(is_separator, ""),
        text.replace('.', "").replace(',', "."),
    ];
    match begins && text.contains(is_separator) && bare.iter().any(|text| number(text).is_some()) {
        true => "; write it with a decimal point and without thousands separators",
        false => "",
    }
}

/// The beginning of a text in quotes.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(feature = "cli")]
impl super::arguments::FromArguments for NumberOptions {
    type Arguments = Self;

    fn from_arguments(arguments: Self) -> Result<Self, Error> {
        Ok(arguments)
    }
}
