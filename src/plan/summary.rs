//! The aggregator of a plan: every column summed up, the groups, the best and the worst records.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::column_summary::{ColumnState, FoundColumns, LabelSummary, NumberSummary};
use super::leaderboard::{Example, Leaderboard, Thresholds};
use super::scorer::ScorerColumns;
use super::{NO_GROUP, Plan, Scored};
use crate::aggregation::{Aggregator, Extrema, Extremes, MomentSummary, Moments};
use crate::dataset::At;
use crate::error::Place;

/// What the scores of a plan come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Each column of numbers, by its name.
    pub scores: BTreeMap<String, NumberSummary>,
    /// The main column by group, if the plan groups.
    pub groups: Option<BTreeMap<String, GroupSummary>>,
    /// The records with the highest main score, highest first.
    pub top: Vec<Example>,
    /// The records with the lowest main score, lowest first.
    pub bottom: Vec<Example>,
    /// Each column of labels, by its name. It comes last in the canonical bytes of an answer, which end
    /// before it if there is none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, LabelSummary>,
    /// The columns of the scorer. They follow from the plan, so the canonical bytes leave them out.
    #[serde(skip)]
    pub columns: ScorerColumns,
}

/// One group of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupSummary {
    /// Count, sum, mean, variance, standard deviation.
    pub moments: MomentSummary,
    /// Smallest and largest.
    pub extremes: Extremes,
}

impl Summary {
    /// The columns of numbers in the order of a report: those known beforehand, then the others by name.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &NumberSummary)> {
        let known = |name: &str| self.columns.known().iter().any(|one| one.name == name);
        let first = self.columns.known().iter();
        let first = first.filter_map(|column| self.scores.get_key_value(&column.name));
        let others = self.scores.iter().filter(move |(name, _)| !known(name));
        first
            .chain(others)
            .map(|(name, numbers)| (name.as_str(), numbers))
    }

    /// The main column, if the scorer has one and a record may have a main score.
    pub fn main(&self) -> Option<(&str, &NumberSummary)> {
        let main = self.scores.get_key_value(self.columns.main()?)?;
        Some((main.0, main.1))
    }
}

/// The aggregator of a plan, made of the exact ones, so that their laws hold for it.
/// `place` gives the file and line of a position.
pub(super) fn summarise<P>(
    plan: &Plan,
    thresholds: Arc<Thresholds>,
    place: P,
) -> impl Aggregator<Scored, Output = Summary> + use<P>
where
    P: Fn(At) -> Option<Place> + Clone + Send + Sync,
{
    let columns = plan.columns();
    let known = columns.known().iter().enumerate();
    let known: Vec<_> = known
        .map(|(place, column)| {
            ColumnState::new(column.kind).of_ref(move |scored: &Scored| &scored.cells()[place])
        })
        .collect();
    let groups = plan.by.is_some().then(|| {
        (Moments::new(), Extrema::new())
            .of(|scored: &Scored| scored.main().unwrap_or(f64::NAN))
            .only(|scored: &Scored| scored.main().is_some())
            .by_ref(|scored: &Scored| scored.group.as_deref().unwrap_or(NO_GROUP))
    });
    let found = FoundColumns::new().of_ref(|scored: &Scored| scored.found());
    let leaders = Leaderboard::new(plan.top, thresholds, place);
    (known, found, groups, leaders).map(move |(known, found, groups, leaders)| {
        let names = columns.known().iter().map(|column| column.name.clone());
        let mut scores = BTreeMap::new();
        let mut labels = BTreeMap::new();
        for (name, (number_summary, label_summary)) in names.zip(known).chain(found) {
            if let Some(summary) = number_summary {
                scores.insert(name.clone(), summary);
            }
            if let Some(summary) = label_summary {
                labels.insert(name, summary);
            }
        }
        let (top, bottom) = leaders;
        Summary {
            scores,
            groups: groups.map(|groups| groups.into_iter().map(grouped).collect()),
            top,
            bottom,
            labels,
            columns: columns.clone(),
        }
    })
}

fn grouped(
    (name, (moments, extremes)): (String, (MomentSummary, Extremes)),
) -> (String, GroupSummary) {
    (name, GroupSummary { moments, extremes })
}
