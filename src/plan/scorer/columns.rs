//! The columns of a scorer.

use serde::Serialize;

use super::cell::{Cell, Cells};

/// One of the values that a scorer gives for each record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in scores files and reports.
    pub name: String,
    /// What its cells hold.
    pub kind: ColumnKind,
}

/// What the cells of a column hold, which determines how a report summarises them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers: their moments, their quantiles, and a histogram if their range is known.
    Numbers {
        /// The least and the largest number there can be.
        range: Option<(f64, f64)>,
    },
    /// Labels: how many records have each.
    Labels,
    /// Something else, such as a line of a reference: it is written to the scores file only.
    Other,
}

impl Column {
    /// A column of numbers in this range.
    pub(super) fn numbers_in(name: &str, least: f64, largest: f64) -> Self {
        let range = Some((least, largest));
        Column::new(name, ColumnKind::Numbers { range })
    }

    /// A column that is written to the scores file only.
    pub(super) fn other(name: &str) -> Self {
        Column::new(name, ColumnKind::Other)
    }

    pub(super) fn new(name: &str, kind: ColumnKind) -> Self {
        let name = name.to_owned();
        Column { name, kind }
    }
}

/// The columns of a scorer: those known before the run, and whether answers may contain more.
#[derive(Clone, Debug, PartialEq)]
pub struct ScorerColumns {
    known: Vec<Column>,
    open: bool,
    main: Option<String>,
}

impl ScorerColumns {
    /// These columns, and no others.
    pub(super) fn new(known: impl Into<Vec<Column>>) -> Self {
        ScorerColumns {
            known: known.into(),
            open: false,
            main: None,
        }
    }

    /// Names the main column.
    #[must_use]
    pub(super) fn main_column(mut self, name: &str) -> Self {
        self.main = Some(name.to_owned());
        self
    }

    /// Allows answers to contain columns that are not known before the run.
    #[cfg(test)]
    #[must_use]
    pub(super) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The columns that are known before the first record is scored, in the order of a scores file.
    pub fn known(&self) -> &[Column] {
        &self.known
    }

    /// Whether a record may have further columns, whose names are known only when it is scored.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The column of numbers by which records are ranked and groups are compared.
    pub fn main(&self) -> Option<&str> {
        self.main.as_deref()
    }

    /// Where the main column's cell is in a record's cells.
    pub(in crate::plan) fn main_cell(&self) -> MainCell {
        let Some(main) = &self.main else {
            return MainCell::Missing;
        };
        match self.known.iter().position(|column| column.name == *main) {
            Some(index) => MainCell::Known(index),
            None => MainCell::Found(main.clone()),
        }
    }
}

/// Where the main column's cell is in a record's cells.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) enum MainCell {
    /// It is the cell of the known column at this index.
    Known(usize),
    /// It is the cell of this name, if the record has one.
    Found(String),
    /// The scorer has no main column.
    Missing,
}

impl MainCell {
    /// The main score of a record.
    pub(in crate::plan) fn number(&self, cells: &Cells) -> Option<f64> {
        match self {
            MainCell::Known(index) => cells.known().get(*index)?.number(),
            MainCell::Found(main) => {
                let mut found = cells.found().iter();
                found.find(|(name, _)| name == main)?.1.number()
            }
            MainCell::Missing => None,
        }
    }
}

/// A cell that is not of a known column, with the name of its column.
pub(in crate::plan) type NamedCell = (String, Cell);
