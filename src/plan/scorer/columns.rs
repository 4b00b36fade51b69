//! The columns of a scorer.

use serde::Serialize;

use super::cell::{Cell, Cells};

/// Names in a line of scores that do not belong to a column.
pub(crate) const RESERVED: [&str; 3] = ["record", "error", "skipped"];

/// One of the values that a scorer gives for each record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column {
    /// The name of the column in scores files and reports.
    pub name: String,
    /// What the cells of the column hold.
    pub kind: ColumnKind,
    /// The largest number of values of a record, if its cell holds a list of values.
    pub several: Option<usize>,
    /// The kind of each value.
    pub(crate) values: CellKind,
}

/// The kind of the values of a column. It determines the type of the column in a file whose columns have types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    Numbers,
    Texts,
    /// Line numbers of a file.
    Lines,
    /// The values may be of any kind.
    Any,
}

/// What the cells of a column hold, which determines how a report summarises them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers. A report shows their moments, their quantiles, and a histogram if their range is known.
    Numbers {
        /// The smallest and the largest possible number.
        range: Option<(f64, f64)>,
    },
    /// Labels. A report shows how many records have each label.
    Labels,
    /// Other values, such as the line numbers of a reference. They are written to the scores file only.
    Other,
}

impl Column {
    /// A column of numbers in this range.
    pub(super) fn numbers_in(name: &str, least: f64, largest: f64) -> Self {
        let range = Some((least, largest));
        Column::new(name, ColumnKind::Numbers { range })
    }

    /// A column of values of this kind. The column appears in the scores file only.
    pub(super) fn other(name: &str, values: CellKind) -> Self {
        Column {
            values,
            ..Column::new(name, ColumnKind::Other)
        }
    }

    pub(super) fn new(name: &str, kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Numbers { .. } => CellKind::Numbers,
            ColumnKind::Labels => CellKind::Texts,
            ColumnKind::Other => CellKind::Any,
        };
        Column {
            name: name.to_owned(),
            kind,
            several: None,
            values,
        }
    }

    /// A column whose cells hold lists of up to this many values.
    #[must_use]
    pub(super) fn several(mut self, several: Option<usize>) -> Self {
        self.several = several;
        self
    }
}

/// The columns of a scorer: the columns that are known before the run, and whether answers may contain further
/// columns.
#[derive(Clone, Debug, PartialEq)]
pub struct ScorerColumns {
    known: Vec<Column>,
    open: bool,
    all_in_groups: bool,
    main: Option<String>,
}

impl ScorerColumns {
    /// Creates the columns of a scorer that has these columns and no others.
    pub(super) fn new(known: impl Into<Vec<Column>>) -> Self {
        ScorerColumns {
            known: known.into(),
            open: false,
            all_in_groups: false,
            main: None,
        }
    }

    /// Names the main column.
    #[must_use]
    pub(super) fn main_column(mut self, name: &str) -> Self {
        self.main = Some(name.to_owned());
        self
    }

    /// Computes the statistics of each group for every known column of numbers, and not only for the main column.
    #[must_use]
    pub(super) fn all_in_groups(mut self) -> Self {
        self.all_in_groups = true;
        self
    }

    /// The indices of the columns, other than the main column, for which each group has statistics.
    pub(in crate::plan) fn in_groups(&self) -> impl Iterator<Item = usize> {
        let known = self.known.iter().enumerate();
        let columns = known.filter(|(_, column)| {
            self.all_in_groups
                && matches!(column.kind, ColumnKind::Numbers { .. })
                && self.main.as_ref() != Some(&column.name)
        });
        columns.map(|(index, _)| index)
    }

    /// Allows answers to contain columns that are not known before the run.
    #[must_use]
    pub(super) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The columns that are known before the first record is scored, in the order of a scores file.
    pub fn known(&self) -> &[Column] {
        &self.known
    }

    /// Whether a record may have further columns, whose names are known only when the record is scored.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The column of numbers by which records are ranked and groups are compared.
    pub fn main(&self) -> Option<&str> {
        self.main.as_deref()
    }

    /// Returns the place of the main column's cell among the cells of a record.
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

/// The place of the main column's cell among the cells of a record.
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

/// A cell of a column that is not known before the run, with the name of the column.
pub(in crate::plan) type NamedCell = (String, Cell);
