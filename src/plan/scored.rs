//! The task of a plan: a field of a JSON line → its scores, and what belongs beside them.

use std::sync::Arc;

use crate::dataset::{Fields, JsonLine, kind_of};
use crate::error::BadRecord;
use crate::execution::WorkStealing;
use crate::task::Task;

use super::Plan;
use super::podiums::{Bars, Shown};
use super::prepared::{COLUMNS, Cell, Prepared};

/// The group of the records that have no value in the field they are grouped by.
pub const NO_GROUP: &str = "(none)";

/// What a plan's scorer gives for one record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scored {
    cells: [Cell; COLUMNS],
    width: usize,
    /// The value of the field to group by, if the plan names one.
    pub group: Option<String>,
    /// The fields to keep, as JSON, in the order of the plan; `None` where the record has none.
    pub kept: Vec<Option<String>>,
    /// What to show of the record, should it be among the best or the worst; `None` where it cannot.
    pub(super) shown: Option<Arc<Shown>>,
}

impl Scored {
    /// The values, in the order of [`Scorer::columns`](super::Scorer::columns).
    pub fn cells(&self) -> &[Cell] {
        &self.cells[..self.width]
    }

    /// What another process has made of a record.
    pub(super) fn new(
        cells: [Cell; COLUMNS],
        width: usize,
        group: Option<String>,
        kept: Vec<Option<String>>,
        shown: Option<Arc<Shown>>,
    ) -> Self {
        Scored {
            cells,
            width,
            group,
            kept,
            shown,
        }
    }

    /// All there is to tell another process.
    pub(super) fn into_parts(self) -> Parts {
        (self.cells, self.group, self.kept, self.shown)
    }
}

/// The cells, the group, the fields that are kept, and what is shown.
type Parts = (
    [Cell; COLUMNS],
    Option<String>,
    Vec<Option<String>>,
    Option<Arc<Shown>>,
);

/// Scores a field of a record.
pub(super) struct ScoreField<'p> {
    scorer: &'p Prepared,
    /// Where a record is scored, if not on the thread that has it in its hands: in a pool whose other
    /// threads take part where they have nothing else to do.
    pool: Option<&'p WorkStealing>,
    /// How many columns the scorer has.
    width: usize,
    /// Which of them is the main one.
    main: usize,
    bars: Arc<Bars>,
    fields: Fields,
    /// The field to group by, and where it stands among the other fields.
    group: Option<(String, usize)>,
    /// Where the fields to keep stand among the other fields.
    keep: Vec<usize>,
}

impl<'p> ScoreField<'p> {
    pub(super) fn new(
        plan: &Plan,
        scorer: &'p Prepared,
        pool: Option<&'p WorkStealing>,
        bars: Arc<Bars>,
    ) -> Self {
        let mut others: Vec<&str> = Vec::new();
        let mut place = |name| match others.iter().position(|other| *other == name) {
            Some(place) => place,
            None => {
                others.push(name);
                others.len() - 1
            }
        };
        let group = plan
            .by
            .as_deref()
            .map(|name| (name.to_owned(), place(name)));
        let keep = plan.keep.iter().map(|name| place(name)).collect();
        let fields = Fields::new(&plan.field, others);
        ScoreField {
            scorer,
            pool,
            width: plan.scorer.columns().len(),
            main: plan.scorer.main(),
            bars,
            fields,
            group,
            keep,
        }
    }
}

impl Task<JsonLine<'_>> for ScoreField<'_> {
    type Score = Scored;
    type Error = BadRecord;

    fn score(&self, record: &JsonLine<'_>) -> Result<Scored, BadRecord> {
        let values = self.fields.of(record)?;
        let group = match &self.group {
            Some((name, place)) => Some(group_of(name, values.raw[*place], record)?),
            None => None,
        };
        let cells = || self.scorer.cells(&values.text);
        let cells = self.pool.map_or_else(cells, |pool| pool.install(cells));
        let kept = self.keep.iter();
        let kept = kept.map(|place| values.raw[*place].map(str::to_owned));
        let kept = kept.collect();
        let main = cells[self.main].number();
        let shown = main.filter(|score| self.bars.are_reached(*score)).map(|_| {
            Arc::new(Shown {
                at: record.at(),
                text: values.text.into_owned(),
            })
        });
        Ok(Scored {
            cells,
            width: self.width,
            group,
            kept,
            shown,
        })
    }
}

/// The name of a group: a string as it is, a number or a boolean as it is written.
fn group_of(name: &str, json: Option<&str>, record: &JsonLine<'_>) -> Result<String, BadRecord> {
    let bad = |found: &str| {
        let expected = format!("expected a string, a number or a boolean in field {name:?}");
        let column = json.and_then(|json| record.column_of(json));
        BadRecord::new(format!("{expected}, found {found}"), column)
    };
    match json {
        None | Some("null") => Ok(NO_GROUP.to_owned()),
        Some(json) if json.starts_with('"') => {
            serde_json::from_str(json).map_err(|_| bad("a string with half a surrogate pair"))
        }
        Some(json) if json.starts_with(['{', '[']) => Err(bad(kind_of(json))),
        Some(json) => Ok(json.to_owned()),
    }
}
