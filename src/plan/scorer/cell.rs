//! The values that a scorer gives for one record.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::dataset::{FieldValue, Texts};

/// One value of a record's scores. It is serialised as the value that it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Cell {
    /// No value.
    #[default]
    Nothing,
    /// A number.
    Number(f64),
    /// Several numbers, best first.
    Numbers(Box<[f64]>),
    /// A label, such as the name of a class.
    Label(Box<str>),
    /// The number of a line of a file, counted from 1.
    Line(u64),
    /// The numbers of several lines of a file, counted from 1.
    Lines(Box<[u64]>),
    /// A value of a record of a reference.
    Quote(Quote),
    /// A value of each of several records of a reference, best first.
    Quotes(Box<[Quote]>),
    /// Any other value, as JSON on one line. It has no statistics, and is copied to the scores file as it stands.
    #[serde(serialize_with = "serialize_json")]
    Json(Box<str>),
}

/// A value of a record of a reference: its text, or a field that is kept. It refers to the reference instead of
/// copying the value, because every record of a run has one.
#[derive(Clone)]
pub struct Quote {
    texts: Arc<Texts>,
    place: u32,
    /// The number of the kept field, from 0. `None` for the text.
    field: Option<u16>,
}

impl Quote {
    /// Quotes the record with the text number `place` of the reference. `field` is the number of a kept field, or
    /// `None` for the text itself.
    pub(super) fn new(texts: &Arc<Texts>, place: u32, field: Option<u16>) -> Self {
        Quote {
            texts: Arc::clone(texts),
            place,
            field,
        }
    }

    /// The text at this place. `None` if there are fewer texts.
    pub(in crate::plan) fn of(texts: &Arc<Texts>, place: u32) -> Option<Self> {
        ((place as usize) < texts.len()).then(|| Quote::new(texts, place, None))
    }

    /// The place of the record among the texts of the reference, counted from 0.
    pub(in crate::plan) fn place(&self) -> u32 {
        self.place
    }

    /// The line of the reference, from 1, in which the record begins.
    pub fn line(&self) -> u64 {
        self.texts.line(self.place as usize)
    }

    /// The value.
    pub fn value(&self) -> FieldValue<'_> {
        let place = self.place as usize;
        match self.field {
            None => FieldValue::Text(Cow::Borrowed(self.texts.text(place))),
            Some(field) => self.texts.kept(place, field.into()),
        }
    }
}

impl fmt::Debug for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

impl PartialEq for Quote {
    fn eq(&self, other: &Self) -> bool {
        (self.line(), self.value()) == (other.line(), other.value())
    }
}

/// A quote is serialised as its value. If the record lacks the field, this is `None`.
impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.field, self.value()) {
            (None, FieldValue::Text(text)) => to.serialize_str(&text),
            (_, value) if value.is_missing() => to.serialize_none(),
            (_, FieldValue::Text(text)) => to.serialize_str(&text),
            (_, FieldValue::Json(json)) => serialize_json(&json, to),
            _ => to.serialize_none(),
        }
    }
}

/// Serialises a text that is JSON as the value that it describes.
fn serialize_json<S: Serializer>(json: &str, to: S) -> Result<S::Ok, S::Error> {
    let json: &RawValue = serde_json::from_str(json).map_err(S::Error::custom)?;
    json.serialize(to)
}

impl Cell {
    /// Returns the number, or the first number if the cell holds several.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Numbers(numbers) => numbers.first().copied(),
            Cell::Nothing
            | Cell::Label(_)
            | Cell::Line(_)
            | Cell::Lines(_)
            | Cell::Quote(_)
            | Cell::Quotes(_)
            | Cell::Json(_) => None,
        }
    }

    /// Returns the label, if the cell holds a label.
    pub fn label(&self) -> Option<&str> {
        match self {
            Cell::Label(label) => Some(label),
            _ => None,
        }
    }

    /// Returns one value of the cell. If the cell has several values, the best one is at place 0. If the cell has one
    /// value, it is at place 0. At any other place, the result is [`Nothing`](Cell::Nothing).
    #[must_use]
    pub fn at(&self, place: usize) -> Cell {
        let found = match self {
            Cell::Numbers(numbers) => numbers.get(place).copied().map(Cell::Number),
            Cell::Lines(lines) => lines.get(place).copied().map(Cell::Line),
            Cell::Quotes(quotes) => quotes.get(place).cloned().map(Cell::Quote),
            one => (place == 0).then(|| one.clone()),
        };
        found.unwrap_or_default()
    }
}

/// All values of one record. This type is small, because it is moved several times for each record. For a column of
/// numbers, these moves are most of the cost.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) struct Cells {
    known: KnownCells,
    /// The cells of columns that are not known before the run, if there are any.
    #[expect(clippy::box_collection, reason = "a box is smaller than a vector")]
    found: Option<Box<Vec<(String, Cell)>>>,
}

#[derive(Clone, Debug, PartialEq)]
enum KnownCells {
    /// A single cell, which needs no allocation.
    One(Cell),
    Several(Box<[Cell]>),
}

impl Cells {
    /// Adds cells of columns that are not known before the run, each with the name of its column. No two names are
    /// equal.
    #[must_use]
    pub(in crate::plan) fn with_found(mut self, found: Vec<(String, Cell)>) -> Self {
        self.found = (!found.is_empty()).then(|| Box::new(found));
        self
    }

    /// The cells of the known columns, in the order of the columns.
    pub(in crate::plan) fn known(&self) -> &[Cell] {
        match &self.known {
            KnownCells::One(cell) => std::slice::from_ref(cell),
            KnownCells::Several(cells) => cells,
        }
    }

    /// The cells of columns that are not known before the run, each with the name of its column.
    pub(in crate::plan) fn found(&self) -> &[(String, Cell)] {
        self.found.as_deref().map_or(&[], Vec::as_slice)
    }

    /// The best match of the record in a reference.
    pub(in crate::plan) fn best_match(&self) -> Option<&Quote> {
        self.known().iter().find_map(|cell| match cell {
            Cell::Quote(quote) => Some(quote),
            Cell::Quotes(quotes) => quotes.first(),
            _ => None,
        })
    }

    /// Returns the cells of the known columns, and the other cells with the names of their columns.
    pub(in crate::plan) fn into_parts(self) -> (Vec<Cell>, Vec<(String, Cell)>) {
        let known = match self.known {
            KnownCells::One(cell) => vec![cell],
            KnownCells::Several(cells) => cells.into_vec(),
        };
        (known, self.found.map_or_else(Vec::new, |found| *found))
    }
}

impl From<Cell> for Cells {
    #[inline]
    fn from(cell: Cell) -> Self {
        Cells {
            known: KnownCells::One(cell),
            found: None,
        }
    }
}

impl<const N: usize> From<[Cell; N]> for Cells {
    fn from(cells: [Cell; N]) -> Self {
        Cells::from(Vec::from(cells))
    }
}

impl From<Vec<Cell>> for Cells {
    fn from(cells: Vec<Cell>) -> Self {
        let known = match <[Cell; 1]>::try_from(cells) {
            Ok([cell]) => KnownCells::One(cell),
            Err(cells) => KnownCells::Several(cells.into()),
        };
        Cells { known, found: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_cells_comes_back_in_order() {
        for count in 0..9_u32 {
            let cells: Vec<Cell> = (0..count).map(|n| Cell::Number(n.into())).collect();
            let found = vec![("label".to_owned(), Cell::Label("good".into()))];
            let all = Cells::from(cells.clone()).with_found(found.clone());
            assert_eq!((all.known(), all.found()), (&*cells, &*found));
            assert_eq!(all.into_parts(), (cells, found));
        }
        let five = [1.0, 2.0, 3.0, 4.0, 5.0].map(Cell::Number);
        assert_eq!(Cells::from(five.clone()), Cells::from(five.to_vec()));
        let two = [1.0, 2.0].map(Cell::Number);
        assert_eq!(Cells::from(two.clone()), Cells::from(two.to_vec()));
    }

    #[test]
    fn a_list_has_values_at_its_places() {
        let numbers = Cell::Numbers([3.0, 2.0].into());
        let values = [0, 1, 2].map(|place| numbers.at(place));
        assert_eq!(
            values,
            [Cell::Number(3.0), Cell::Number(2.0), Cell::Nothing]
        );
        assert_eq!(Cell::Lines([7].into()).at(0), Cell::Line(7));
        let one = Cell::Label("good".into());
        assert_eq!([one.at(0), one.at(1)], [one, Cell::Nothing]);
    }

    #[test]
    fn a_cell_takes_no_more_than_a_string() {
        assert_eq!(size_of::<Cell>(), size_of::<String>());
    }
}
