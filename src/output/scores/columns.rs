//! The columns of a scores file, and the names of the fields that are copied to it.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::dataset::{LentRecord, NamedValues};
use crate::error::Error;
use crate::plan::{CellKind, Column, Plan, RESERVED};

/// The prefix of a field that has the same name as a column of the scores.
const PREFIX: &str = "input_";

/// The largest number of columns of a table for the values of a scorer.
const MOST_COLUMNS: usize = 10_000;

/// A column of a table. It has a value of the cell at the place `cell` among the cells of a record.
#[derive(Clone, Debug)]
pub(super) struct ValueColumn {
    pub(super) name: String,
    pub(super) cell: usize,
    /// The place of the value in the cell, if the cell has a list of values.
    pub(super) place: Option<usize>,
    /// The kind of the values.
    #[cfg_attr(
        not(feature = "parquet"),
        expect(dead_code, reason = "only columnar files have types")
    )]
    pub(super) kind: CellKind,
}

/// The columns of a scores file.
#[derive(Clone, Debug)]
pub(super) struct FileColumns {
    /// The columns of the scorer that are known before any record is scored.
    pub(super) scores: Vec<String>,
    /// The columns of a table for the values of these columns. Empty if a table would have too many columns.
    pub(super) values: Vec<ValueColumn>,
    /// The fields that are copied from each record, by their names in the file.
    pub(super) keep: Vec<String>,
    /// Whether all fields are copied from each record.
    keeps_all: bool,
    /// Whether the scorer has columns that are not known before a record is scored.
    is_open: bool,
    /// The names that copied fields must not have.
    taken: HashSet<String, RandomState>,
}

impl FileColumns {
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if a field is to be copied twice.
    pub(super) fn of(plan: &Plan) -> Result<Self, Error> {
        let columns = plan.columns();
        let known = columns.known();
        let scores: Vec<_> = known.iter().map(|column| column.name.clone()).collect();
        let values = value_columns(known);
        let in_table = values.iter().map(|column| column.name.clone());
        let reserved = RESERVED.iter().map(|name| (*name).to_owned());
        let mut own = FileColumns {
            taken: reserved
                .chain(scores.iter().cloned())
                .chain(in_table)
                .collect(),
            scores,
            values,
            keep: Vec::new(),
            keeps_all: plan.keeps_all(),
            is_open: columns.is_open(),
        };
        let kept = plan.kept_fields();
        for (place, name) in kept.iter().enumerate() {
            if name == Plan::ALL_FIELDS {
                return Err(Error::Plan(
                    "--keep '*' keeps every field; name no other field beside it".to_owned(),
                ));
            }
            if kept[..place].contains(name) {
                return Err(Error::Plan(format!(
                    "--keep names the field {name:?} twice"
                )));
            }
            let name = own.kept_name(Cow::Borrowed(name)).into_owned();
            own.keep.push(name);
        }
        Ok(own)
    }

    /// Checks that a table has room for the columns of the scorer.
    pub(super) fn check_table(&self) -> Result<(), Error> {
        if self.values.len() < self.scores.len() {
            return Err(Error::Plan(format!(
                "a table would have more than {MOST_COLUMNS} columns; write the scores as JSON lines (.jsonl)"
            )));
        }
        Ok(())
    }

    /// The number of columns between the number of the record and the further columns.
    pub(super) fn known_width(&self) -> usize {
        self.values.len() + self.keep.len()
    }

    /// Whether a record may have further columns. Their names are known only when the record is scored.
    pub(super) fn has_further(&self) -> bool {
        self.keeps_all || self.is_open
    }

    /// Whether all fields are copied from each record.
    pub(super) fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    /// Returns the further fields that are copied from a record, with their names in the file. The result is empty if
    /// the plan names the fields to copy.
    pub(super) fn further_fields<'a>(&self, record: Option<LentRecord<'a>>) -> NamedValues<'a> {
        let Some(LentRecord::Text(record)) = record.filter(|_| self.keeps_all) else {
            return Vec::new();
        };
        // A record that has a score has been read before, so reading it again does not fail.
        let mut fields = record.fields().unwrap_or_default();
        for (name, _) in &mut fields {
            *name = self.kept_name(std::mem::take(name));
        }
        fields
    }

    /// Returns the name that a field has in the file. If a column has the same name, the field gets a prefix. A field
    /// also gets a prefix if its name is already a column name with one or more prefixes. Therefore fields with
    /// different names never get the same name, and the name of a field does not depend on the other fields of its
    /// record.
    fn kept_name<'n>(&self, name: Cow<'n, str>) -> Cow<'n, str> {
        let mut base: &str = &name;
        while let Some(shorter) = base.strip_prefix(PREFIX) {
            base = shorter;
        }
        // If the columns are not known, any name may be the name of a column.
        let is_taken = self.taken.contains(base) || (self.is_open && self.keeps_all);
        match is_taken {
            true => Cow::Owned(format!("{PREFIX}{name}")),
            false => name,
        }
    }
}

/// The columns of a table for the values of these columns. Neighbouring columns with lists of values are laid out value
/// by value, such as `best_1`, `score_1`, `best_2`, `score_2`. Empty if there would be more than [`MOST_COLUMNS`].
fn value_columns(columns: &[Column]) -> Vec<ValueColumn> {
    let several = |column: &Column| column.several.unwrap_or(1);
    let number = columns.iter().map(several).fold(0, usize::saturating_add);
    if number > MOST_COLUMNS {
        return Vec::new();
    }
    let mut values = Vec::new();
    let mut begin = 0;
    while let Some(several) = columns.get(begin).map(|column| column.several) {
        let rest = columns[begin..].iter();
        let alike = rest.take_while(|column| column.several == several);
        let cells = begin..begin + alike.count();
        for place in 0..several.unwrap_or(1) {
            values.extend(cells.clone().map(|cell| ValueColumn {
                name: match several {
                    Some(_) => format!("{}_{}", columns[cell].name, place + 1),
                    None => columns[cell].name.clone(),
                },
                cell,
                place: several.map(|_| place),
                kind: columns[cell].values,
            }));
        }
        begin = cells.end;
    }
    values
}
