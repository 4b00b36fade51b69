//! The aggregator of a plan: the summary of every column, the groups, the best and the worst records.

mod absorb;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use absorb::PlaceInWhole;
use serde::Serialize;

use super::column_summary::{ColumnState, FoundColumns, NumberSummary};
use super::group_key::{GroupKey, GroupName, name_of};
use super::group_summary::{GroupState, GroupSummary};
use super::label_counts::LabelSummary;
use super::leaderboard::{Example, Leaderboard};
use super::scorer::ScorerColumns;
use super::thresholds::Thresholds;
use super::{Plan, Scored};
use crate::aggregation::{Aggregator, ByRef, Kind, Shift, State, StateError};
use crate::dataset::Position;
use crate::error::Place;

/// The summary of all scores of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The summary of each column of numbers, by the name of the column.
    pub scores: BTreeMap<String, NumberSummary>,
    /// The summary of each group, by the name of the group, if the plan groups the records.
    pub groups: Option<BTreeMap<GroupName, GroupSummary>>,
    /// The records with the highest main score, highest first.
    pub top: Vec<Example>,
    /// The records with the lowest main score, lowest first.
    pub bottom: Vec<Example>,
    /// The summary of each column of labels, by the name of the column. This map comes last in the canonical bytes
    /// of an answer, and they do not contain it if there is no such column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, LabelSummary>,
    /// The columns of the scorer. The plan determines them, so the canonical bytes of an answer do not contain
    /// them.
    #[serde(skip)]
    pub columns: ScorerColumns,
}

impl Summary {
    /// The columns of numbers in the order of a report: first the columns that are known before the run, then the
    /// others by name.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &NumberSummary)> {
        let known = |name: &str| self.columns.known().iter().any(|one| one.name == name);
        let first = self.columns.known().iter();
        let first = first.filter_map(|column| self.scores.get_key_value(&column.name));
        let others = self.scores.iter().filter(move |(name, _)| !known(name));
        first
            .chain(others)
            .map(|(name, numbers)| (name.as_str(), numbers))
    }

    /// Changes the indices of the best and worst records to their indices in the input.
    pub(super) fn rename(&mut self, index_in_input: impl Fn(u64) -> u64) {
        for example in self.top.iter_mut().chain(&mut self.bottom) {
            example.index = index_in_input(example.index);
        }
    }

    /// The main column, if the scorer has one and a record may have a main score.
    pub fn main(&self) -> Option<(&str, &NumberSummary)> {
        let main = self.scores.get_key_value(self.columns.main()?)?;
        Some((main.0, main.1))
    }
}

/// The aggregator of the columns for each group.
type SummaryByGroup = ByRef<GroupState, Vec<u8>, [u8], fn(&Scored) -> &[u8]>;

fn groups(columns: &ScorerColumns) -> SummaryByGroup {
    let group: fn(&Scored) -> &[u8] = |scored| scored.group.as_ref().map_or(&[], GroupKey::bytes);
    GroupState::new(columns.in_groups()).by_ref(group)
}

/// The aggregator of a plan. It consists of exact aggregators, so the laws of these aggregators hold for it. `P`
/// gives the file and line of a position.
///
/// Its [`State`] can be sent to another process, because it names the best and worst records by file and line. If
/// the records of each part of a dataset were numbered from 0, the states of the parts can be [shifted](Shift) and
/// merged.
#[derive(Clone)]
pub(super) struct PlanAggregator<P> {
    known: Vec<ColumnState>,
    found: FoundColumns,
    groups: Option<SummaryByGroup>,
    leaders: Leaderboard<P>,
    setup: Arc<Setup>,
}

/// The settings that, together with the scores, determine an answer.
struct Setup {
    columns: ScorerColumns,
    by: Vec<String>,
}

impl<P> PlanAggregator<P>
where
    P: Fn(Position) -> Option<Place> + Clone + Send + Sync,
{
    pub(super) fn new(plan: &Plan, thresholds: Arc<Thresholds>, place: P) -> Self {
        let columns = plan.columns();
        let known = columns.known().iter();
        PlanAggregator {
            known: known.map(|column| ColumnState::new(column.kind)).collect(),
            found: FoundColumns::new(),
            groups: (!plan.by.is_empty()).then(|| groups(&columns)),
            leaders: Leaderboard::new(plan.top, thresholds, place),
            setup: Arc::new(Setup {
                columns,
                by: plan.by.clone(),
            }),
        }
    }
}

impl<P> Aggregator<Scored> for PlanAggregator<P>
where
    P: Fn(Position) -> Option<Place> + Clone + Send + Sync,
{
    type Output = Summary;
    const COMMUTATIVE: bool = true;

    fn observe(&mut self, index: u64, scored: &Scored) {
        self.observe_slice(index, std::slice::from_ref(scored));
    }

    fn observe_slice(&mut self, first: u64, scores: &[Scored]) {
        // The columns are processed one after the other, so that only one column's state is in use at a time.
        for (place, column) in self.known.iter_mut().enumerate() {
            match scores {
                [scored] => column.observe(first, &scored.cells()[place]),
                _ => column.observe_cells(first, scores.iter().map(|one| &one.cells()[place])),
            }
        }
        if self.setup.columns.is_open() {
            for (index, scored) in (first..).zip(scores) {
                self.found.observe(index, scored.found());
            }
        }
        self.groups.observe_slice(first, scores);
        self.leaders.observe_slice(first, scores);
    }

    fn fork(&self) -> Self {
        PlanAggregator {
            known: self.known.iter().map(ColumnState::fork).collect(),
            found: self.found.fork(),
            groups: self.groups.fork(),
            leaders: self.leaders.fork(),
            setup: Arc::clone(&self.setup),
        }
    }

    fn merge(&mut self, later: Self) {
        for (column, later) in self.known.iter_mut().zip(later.known) {
            column.merge(later);
        }
        self.found.merge(later.found);
        self.groups.merge(later.groups);
        self.leaders.merge(later.leaders);
    }

    fn finish(self) -> Summary {
        let known = self.known.into_iter().map(ColumnState::finish);
        let names = self.setup.columns.known().iter();
        let names = names.map(|column| column.name.clone());
        let mut scores = BTreeMap::new();
        let mut labels = BTreeMap::new();
        for (name, (number_summary, label_summary)) in names.zip(known).chain(self.found.finish()) {
            if let Some(summary) = number_summary {
                scores.insert(name.clone(), summary);
            }
            if let Some(summary) = label_summary {
                labels.insert(name, summary);
            }
        }
        let groups = self.groups.finish();
        let (top, bottom) = self.leaders.finish();
        Summary {
            scores,
            groups: groups.map(|groups| {
                let groups = groups.into_iter();
                groups
                    .map(|(key, state)| (name_of(&key), state.named(&self.setup.columns)))
                    .collect()
            }),
            top,
            bottom,
            labels,
            columns: self.setup.columns.clone(),
        }
    }
}

impl<P: Clone> State for PlanAggregator<P> {
    type Plain = (
        <Vec<ColumnState> as State>::Plain,
        <FoundColumns as State>::Plain,
        <Option<SummaryByGroup> as State>::Plain,
        <Leaderboard<P> as State>::Plain,
    );

    fn kind(&self) -> Kind {
        let Setup { columns, by } = &*self.setup;
        let names = columns.known().iter().map(|column| column.name.as_str());
        let names: Vec<&str> = names.collect();
        let parts = [
            self.known.kind(),
            self.found.kind(),
            self.groups.kind(),
            self.leaders.kind(),
        ];
        Kind::new("plan", 1)
            .with(&(names, columns.is_open(), columns.main(), by))
            .around(parts)
    }

    fn into_plain(self) -> Self::Plain {
        (
            self.known.into_plain(),
            self.found.into_plain(),
            self.groups.into_plain(),
            self.leaders.into_plain(),
        )
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        let (known, found, groups, leaders) = plain;
        Ok(PlanAggregator {
            known: self.known.restore(known)?,
            found: self.found.restore(found)?,
            groups: self.groups.restore(groups)?,
            leaders: self.leaders.restore(leaders)?,
            setup: Arc::clone(&self.setup),
        })
    }
}

impl<P> Shift for PlanAggregator<P> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(PlanAggregator {
            known: self.known.shift(by)?,
            found: self.found.shift(by)?,
            groups: self.groups.shift(by)?,
            leaders: self.leaders.shift(by)?,
            setup: self.setup,
        })
    }
}

#[cfg(test)]
mod tests;
