//! A scorer for tests, with a column of each kind and columns that are found while texts are scored.

use std::io::Cursor;

use serde::{Deserialize, Serialize};

use super::{
    Cell, CellKind, Cells, Column, ColumnKind, PreparedScorer, Scorer, ScorerColumns, ScorerInput,
};
use crate::dataset::TextStream;
use crate::error::{BadRecord, Error, Skipped};
use crate::plan::not_scored::NotScored;
use crate::plan::{Opened, Plan};

/// Scores texts of the form `label number name=value …`. A value is a number, a list of JSON, or a label. A text that begins with `skip ` is skipped; the reason is the
/// rest of the text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct MadeUpOptions {
    /// The name of the main column.
    #[cfg_attr(feature = "cli", arg(long))]
    pub rank: Option<String>,
    /// Whether texts may add columns.
    #[cfg_attr(feature = "cli", arg(long))]
    pub open: bool,
}

impl MadeUpOptions {
    /// A plan with this scorer, opened over records with these texts.
    pub(crate) fn open_over(self, texts: &[&str]) -> Opened {
        let lines: Vec<String> = texts
            .iter()
            .map(|text| format!("{{\"text\":\"{text}\"}}\n"))
            .collect();
        let mut plan = Plan::new(["unused"]);
        plan.scorer = self.into();
        let records = TextStream::new("texts", Cursor::new(lines.concat()));
        plan.open_over(records).expect("a plan")
    }
}

impl Scorer for MadeUpOptions {
    fn columns(&self, _plan: &Plan) -> ScorerColumns {
        let columns = ScorerColumns::new([
            Column::new("label", ColumnKind::Labels),
            Column::new("number", ColumnKind::Numbers { range: None }),
            Column::other("line", CellKind::Lines),
            Column::numbers_in("tenth", 0.0, 1.0),
            Column::other("empty", CellKind::Any),
        ]);
        let columns = if self.open { columns.open() } else { columns };
        match &self.rank {
            Some(name) => columns.main_column(name),
            None => columns,
        }
    }

    fn prepare(&self, _plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl PreparedScorer for MadeUpOptions {
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let text: &str = &input.text()?;
        if let Some(reason) = text.strip_prefix("skip ") {
            return Err(Skipped::new(reason).into());
        }
        let bad = || {
            BadRecord::new(
                format!("expected a label and a number, found {text:?}"),
                None,
            )
        };
        let mut words = text.split(' ');
        let label = words.next().ok_or_else(bad)?;
        let number: f64 = words.next().ok_or_else(bad)?.parse().map_err(|_| bad())?;
        let known = vec![
            Cell::Label(label.into()),
            Cell::Number(number),
            Cell::Line(number as u64),
            Cell::Number(number / 10.0),
            Cell::Nothing,
        ];
        let named = |word: &str| {
            let (name, value) = word.split_once('=')?;
            let cell = match value.parse() {
                Ok(number) => Cell::Number(number),
                Err(_) if value.starts_with('[') => Cell::Json(value.into()),
                Err(_) => Cell::Label(value.into()),
            };
            Some((name.to_owned(), cell))
        };
        let found = words.filter_map(named).filter(|_| self.open);
        Ok(Cells::from(known).with_found(found.collect()))
    }
}

#[cfg(feature = "cli")]
impl super::arguments::FromArguments for MadeUpOptions {
    type Arguments = Self;

    fn from_arguments(arguments: Self) -> Result<Self, Error> {
        Ok(arguments)
    }
}
