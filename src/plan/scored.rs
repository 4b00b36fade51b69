//! The task of a plan: it returns the scores of a record's text, with its group and its fields to keep.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::dataset::{FieldValue, FieldValues, Fields, TextRecord};
use crate::error::{BadRecord, FailureKind};
use crate::execution::WorkStealing;
use crate::remote::{SendAs, on_one_line};
use crate::task::Task;

use super::decimal::canonical;
use super::group_key::{GroupKey, GroupName, name_of};
use super::kept::Kept;
use super::leaderboard::ExampleCandidate;
use super::not_scored::NotScored;
use super::scorer::{Cell, Cells, MainCell, NamedCell, PreparedScorer, RESERVED, ScorerInput};
use super::thresholds::Thresholds;
use super::{Missing, Plan};

/// The result of a plan's scorer for one record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scored {
    pub(super) cells: Cells,
    main: Option<f64>,
    /// The group of the record, if the plan groups records.
    pub(super) group: Option<GroupKey>,
    /// The fields to keep.
    pub kept: Kept,
    /// The data to show if the record is among the best or the worst. `None` if the record cannot be among them.
    pub(super) candidate: Option<Arc<ExampleCandidate>>,
}

impl Scored {
    pub(super) fn new(
        cells: Cells,
        main: &MainCell,
        group: Option<GroupKey>,
        kept: Kept,
        candidate: Option<Arc<ExampleCandidate>>,
    ) -> Self {
        let main = main.number(&cells);
        Scored {
            cells,
            main,
            group,
            kept,
            candidate,
        }
    }

    /// The cells of the [known](super::ScorerColumns::known) columns, in the order of these columns.
    pub fn cells(&self) -> &[Cell] {
        self.cells.known()
    }

    /// The cells of columns that are not known before the run, each with the name of its column.
    pub fn found(&self) -> &[(String, Cell)] {
        self.cells.found()
    }

    /// The group of the record: the value of each field by which the plan groups records.
    pub fn group(&self) -> Option<GroupName> {
        self.group.as_ref().map(|key| name_of(key.bytes()))
    }

    /// The number in the main column.
    pub fn main(&self) -> Option<f64> {
        self.main
    }
}

/// Makes the result for a record from its cells: adds the group, the fields to keep, and the text to show.
pub(super) struct ScoredAssembly {
    main: MainCell,
    thresholds: Arc<Thresholds>,
    fields: Fields,
    missing: Missing,
    /// Whether a record without a value in the fields to score is shown as JSON.
    shows_json: bool,
    /// The places of the fields to group by in the list of fields.
    by: Range<usize>,
    /// The places of the fields to keep in the list of fields.
    keep: Range<usize>,
    /// Names that a column found during the run must not have.
    taken: HashSet<String, RandomState>,
}

impl ScoredAssembly {
    /// `fields` are the [selected](Plan::selected) fields of the plan. They are read faster if the records were
    /// opened with the same `fields`.
    pub(super) fn new(plan: &Plan, fields: &Fields, thresholds: Arc<Thresholds>) -> Self {
        let first_kept = plan.fields.len() + plan.by.len();
        let columns = plan.columns();
        let known = columns.known().iter().map(|column| column.name.as_str());
        let kept = plan.kept_fields();
        let keep = first_kept..first_kept + kept.len();
        let kept = kept.iter().map(String::as_str);
        ScoredAssembly {
            main: columns.main_cell(),
            thresholds,
            fields: fields.clone(),
            missing: plan.missing.unwrap_or(plan.scorer.missing()),
            shows_json: !plan.scorer.reads_fields(),
            by: plan.fields.len()..first_kept,
            keep,
            taken: known
                .chain(kept)
                .chain(RESERVED)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The result for a record whose cells are known, because the record was scored elsewhere.
    pub(super) fn with_cells(
        &self,
        record: &TextRecord<'_>,
        cells: Cells,
    ) -> Result<Scored, NotScored> {
        if !self.reads_fields() && !self.may_lead(record, self.main.number(&cells)) {
            self.check_names(cells.found())?;
            return Ok(Scored::new(cells, &self.main, None, Kept::default(), None));
        }
        let values = self.fields.of(record)?;
        let group = self.group_of(&values)?;
        self.assemble(record, &values, group, cells)
    }

    /// Whether every score has values of fields of its record.
    fn reads_fields(&self) -> bool {
        !(self.by.is_empty() && self.keep.is_empty())
    }

    /// Whether a record with this main score may be among the best or the worst.
    fn may_lead(&self, record: &TextRecord<'_>, main: Option<f64>) -> bool {
        let index = record.position().index;
        main.is_some_and(|score| self.thresholds.reached_by(index, score))
    }

    /// The line with which a record is sent to a program. It has no line end. Of an [array](SendAs::Array), this is one
    /// of the values.
    pub(super) fn line<'r>(
        &self,
        record: &'r TextRecord<'_>,
        send: SendAs,
    ) -> Result<Cow<'r, str>, NotScored> {
        if send.sends_whole_records() {
            return Ok(record.to_json()?);
        }
        let values = &self.fields.of(record)?;
        let missing = self.missing;
        let input = ScorerInput { values, missing };
        Ok(Cow::Owned(on_one_line(input.text()?).into_owned()))
    }

    fn assemble(
        &self,
        record: &TextRecord<'_>,
        values: &FieldValues<'_>,
        group: Option<GroupKey>,
        cells: Cells,
    ) -> Result<Scored, NotScored> {
        self.check_names(cells.found())?;
        let kept = Kept::of(self.keep.clone().map(|place| values.get(place)));
        let mut scored = Scored::new(cells, &self.main, group, kept, None);
        if self.may_lead(record, scored.main) {
            let text = self.shown(record, values)?;
            let candidate = ExampleCandidate::of(record.position(), text, &scored.cells);
            scored.candidate = Some(Arc::new(candidate));
        }
        Ok(scored)
    }

    /// The text that reports show for a record.
    fn shown(
        &self,
        record: &TextRecord<'_>,
        values: &FieldValues<'_>,
    ) -> Result<String, BadRecord> {
        let is_missing = |place| values.get(place).is_missing();
        if self.shows_json && (0..values.needed()).all(is_missing) {
            return Ok(record.to_json()?.into_owned());
        }
        Ok(values.shown())
    }

    /// The group of a record, if the plan groups records. Strings and cells are equal if their texts are equal, and
    /// numbers are equal if their exact values are equal. Booleans count as the texts `true` and `false`.
    fn group_of(&self, values: &FieldValues<'_>) -> Result<Option<GroupKey>, BadRecord> {
        if self.by.is_empty() {
            return Ok(None);
        }
        let key = GroupKey::build(|key| {
            for place in self.by.clone() {
                let value = values.get(place);
                match (value, value.as_text()) {
                    _ if value.is_missing() => key.add(None),
                    (_, Some(text)) => key.add(Some(&text)),
                    (FieldValue::Json(json), None) if json.starts_with(['t', 'f']) => {
                        key.add(Some(json));
                    }
                    (FieldValue::Json(json), None) if !json.starts_with(['{', '[', '"']) => {
                        key.add(Some(&canonical(json)));
                    }
                    _ => {
                        return Err(values.unexpected(place, "a string, a number or a boolean"));
                    }
                }
            }
            Ok(())
        });
        key.map(Some)
    }

    /// Returns an error if a column found during the run has the name of another column, since a line of scores
    /// would then contain that name twice.
    fn check_names(&self, found: &[NamedCell]) -> Result<(), BadRecord> {
        match found.iter().find(|(name, _)| self.taken.contains(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!(
                    "the scorer gives a value named {name:?}, but a line of scores has that name already; give the \
                     value another name"
                );
                Err(BadRecord::new(message, None).of_kind(FailureKind::WrongValue))
            }
        }
    }
}

/// The task of a plan, which scores one field of a record.
pub(super) struct ScoreField<'p> {
    scorer: &'p dyn PreparedScorer,
    /// The pool whose threads score a record together, if the worker does not score it alone.
    pool: Option<&'p WorkStealing>,
    assembly: ScoredAssembly,
}

impl<'p> ScoreField<'p> {
    /// `fields` are the [selected](Plan::selected) fields of the plan, see [`ScoredAssembly::new`].
    pub(super) fn new(
        plan: &Plan,
        fields: &Fields,
        scorer: &'p dyn PreparedScorer,
        pool: Option<&'p WorkStealing>,
        thresholds: Arc<Thresholds>,
    ) -> Self {
        ScoreField {
            scorer,
            pool,
            assembly: ScoredAssembly::new(plan, fields, thresholds),
        }
    }
}

impl Task<TextRecord<'_>> for ScoreField<'_> {
    type Score = Scored;
    type Error = NotScored;

    fn score(&self, record: &TextRecord<'_>) -> Result<Scored, NotScored> {
        let assembly = &self.assembly;
        let values = assembly.fields.of(record)?;
        let group = assembly.group_of(&values)?;
        let input = ScorerInput {
            values: &values,
            missing: assembly.missing,
        };
        let cells = || self.scorer.score(&input);
        let cells = self.pool.map_or_else(cells, |pool| pool.install(cells))?;
        assembly.assemble(record, &values, group, cells)
    }
}

#[cfg(test)]
mod tests;
