//! The statistics of one group.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Scored;
use super::scorer::ScorerColumns;
use crate::aggregation::{
    Aggregator, Extrema, Extremes, Kind, MomentSummary, Moments, Shift, State, StateError,
};

/// The summary of one group of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupSummary {
    /// Count, sum, mean, variance and standard deviation of the main scores.
    pub moments: MomentSummary,
    /// The smallest and the largest main score.
    pub extremes: Extremes,
    /// The other columns of the scorer `number`, by their names. Other scorers have none here. The canonical bytes of
    /// an answer do not contain this map if it is empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, GroupNumbers>,
}

/// The summary of one group's numbers in one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupNumbers {
    /// Count, sum, mean, variance and standard deviation of the numbers.
    pub moments: MomentSummary,
    /// The smallest and the largest number.
    pub extremes: Extremes,
}

type MomentsAndExtrema = (Moments, Extrema);

/// The state of one group.
#[derive(Clone)]
pub(super) struct GroupState {
    main: MomentsAndExtrema,
    /// The columns besides the main column.
    others: Vec<MomentsAndExtrema>,
    /// The indices of these columns among the known columns.
    places: Arc<[usize]>,
}

impl GroupState {
    pub(super) fn new(places: Arc<[usize]>) -> Self {
        let numbers = || (Moments::new(), Extrema::new());
        GroupState {
            main: numbers(),
            others: places.iter().map(|_| numbers()).collect(),
            places,
        }
    }
}

/// The answer of one group, whose columns have no names yet.
pub(super) struct UnnamedGroup {
    main: GroupNumbers,
    others: Vec<GroupNumbers>,
}

impl UnnamedGroup {
    /// Gives the columns their names.
    pub(super) fn named(self, columns: &ScorerColumns) -> GroupSummary {
        let name = |place: usize| columns.known()[place].name.clone();
        GroupSummary {
            moments: self.main.moments,
            extremes: self.main.extremes,
            others: columns.in_groups().map(name).zip(self.others).collect(),
        }
    }
}

fn finished(numbers: MomentsAndExtrema) -> GroupNumbers {
    let (moments, extremes) = Aggregator::<f64>::finish(numbers);
    GroupNumbers { moments, extremes }
}

impl Aggregator<Scored> for GroupState {
    type Output = UnnamedGroup;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, scored: &Scored) {
        if let Some(main) = scored.main() {
            self.main.observe(index, &main);
        }
        for (numbers, place) in self.others.iter_mut().zip(&*self.places) {
            if let Some(number) = scored.cells()[*place].number() {
                numbers.observe(index, &number);
            }
        }
    }

    fn merge(&mut self, later: Self) {
        Aggregator::<f64>::merge(&mut self.main, later.main);
        Aggregator::<f64>::merge(&mut self.others, later.others);
    }

    fn finish(self) -> UnnamedGroup {
        UnnamedGroup {
            main: finished(self.main),
            others: self.others.into_iter().map(finished).collect(),
        }
    }
}

impl State for GroupState {
    type Plain = (
        <MomentsAndExtrema as State>::Plain,
        <Vec<MomentsAndExtrema> as State>::Plain,
    );

    fn kind(&self) -> Kind {
        let parts = [self.main.kind(), self.others.kind()];
        Kind::new("group", 1)
            .with(&self.places.to_vec())
            .around(parts)
    }

    fn into_plain(self) -> Self::Plain {
        (self.main.into_plain(), self.others.into_plain())
    }

    fn restore(&self, (main, others): Self::Plain) -> Result<Self, StateError> {
        Ok(GroupState {
            main: self.main.restore(main)?,
            others: self.others.restore(others)?,
            places: Arc::clone(&self.places),
        })
    }
}

impl Shift for GroupState {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(GroupState {
            main: self.main.shift(by)?,
            others: self.others.shift(by)?,
            places: self.places,
        })
    }
}
