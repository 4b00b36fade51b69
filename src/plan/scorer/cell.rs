//! The values that a scorer gives for one record.

use serde::Serialize;

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
}

impl Cell {
    /// Returns the number, or the first number if the cell holds several.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Numbers(numbers) => numbers.first().copied(),
            Cell::Nothing | Cell::Label(_) | Cell::Line(_) | Cell::Lines(_) => None,
        }
    }

    /// Returns the label, if the cell holds a label.
    pub fn label(&self) -> Option<&str> {
        match self {
            Cell::Label(label) => Some(label),
            _ => None,
        }
    }
}

/// Largest number of cells of known columns that are stored without an allocation.
const INLINE: usize = 4;

/// All values of one record.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) struct Cells {
    known: KnownCells,
    found: Vec<(String, Cell)>,
}

#[derive(Clone, Debug, PartialEq)]
enum KnownCells {
    /// The cells, and how many of them are in use.
    Inline([Cell; INLINE], u8),
    Heap(Box<[Cell]>),
}

impl Cells {
    /// Adds cells of columns that are not known before the run, each with the name of its column. No two names are
    /// equal.
    #[must_use]
    pub(in crate::plan) fn with_found(mut self, found: Vec<(String, Cell)>) -> Self {
        self.found = found;
        self
    }

    /// The cells of the known columns, in the order of the columns.
    pub(in crate::plan) fn known(&self) -> &[Cell] {
        match &self.known {
            KnownCells::Inline(cells, used) => &cells[..usize::from(*used)],
            KnownCells::Heap(cells) => cells,
        }
    }

    /// The cells of columns that are not known before the run, each with the name of its column.
    pub(in crate::plan) fn found(&self) -> &[(String, Cell)] {
        &self.found
    }

    /// Returns the cells of the known columns, and the other cells with the names of their columns.
    pub(in crate::plan) fn into_parts(self) -> (Vec<Cell>, Vec<(String, Cell)>) {
        let known = match self.known {
            KnownCells::Inline(cells, used) => cells.into_iter().take(used.into()).collect(),
            KnownCells::Heap(cells) => cells.into_vec(),
        };
        (known, self.found)
    }

    fn of(known: KnownCells) -> Self {
        Cells {
            known,
            found: Vec::new(),
        }
    }

    fn inline(cells: impl ExactSizeIterator<Item = Cell>) -> Self {
        let used = cells.len() as u8;
        let mut cells = cells;
        let cells = std::array::from_fn(|_| cells.next().unwrap_or_default());
        Cells::of(KnownCells::Inline(cells, used))
    }
}

impl<const N: usize> From<[Cell; N]> for Cells {
    fn from(cells: [Cell; N]) -> Self {
        match N {
            ..=INLINE => Cells::inline(cells.into_iter()),
            _ => Cells::of(KnownCells::Heap(cells.into())),
        }
    }
}

impl From<Vec<Cell>> for Cells {
    fn from(cells: Vec<Cell>) -> Self {
        match cells.len() {
            ..=INLINE => Cells::inline(cells.into_iter()),
            _ => Cells::of(KnownCells::Heap(cells.into())),
        }
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
    fn a_cell_takes_no_more_than_a_string() {
        assert_eq!(size_of::<Cell>(), size_of::<String>());
    }
}
