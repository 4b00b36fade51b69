//! The statistics of one group.

use std::collections::BTreeMap;

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
    others: Vec<OtherColumn>,
}

/// The numbers of one group in a column besides the main column.
#[derive(Clone)]
struct OtherColumn {
    /// The index of this column among the known columns. Each state has its own copy: threads that merge states would wait
    /// for each other if they had to count who uses a common one.
    place: usize,
    numbers: MomentsAndExtrema,
}

impl GroupState {
    /// Creates the state of a group without records. `places` are the indices of the columns besides the main column among
    /// the known columns.
    pub(super) fn new(places: impl Iterator<Item = usize>) -> Self {
        let numbers = || (Moments::new(), Extrema::new());
        let other = |place| OtherColumn {
            place,
            numbers: numbers(),
        };
        GroupState {
            main: numbers(),
            others: places.map(other).collect(),
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
        for other in &mut self.others {
            if let Some(number) = scored.cells()[other.place].number() {
                other.numbers.observe(index, &number);
            }
        }
    }

    fn merge(&mut self, later: Self) {
        Aggregator::<f64>::merge(&mut self.main, later.main);
        for (other, later) in self.others.iter_mut().zip(later.others) {
            Aggregator::<f64>::merge(&mut other.numbers, later.numbers);
        }
    }

    fn finish(self) -> UnnamedGroup {
        let others = self.others.into_iter();
        UnnamedGroup {
            main: finished(self.main),
            others: others.map(|other| finished(other.numbers)).collect(),
        }
    }
}

impl State for GroupState {
    /// The main column, and the others.
    type Plain = (
        <MomentsAndExtrema as State>::Plain,
        Vec<<MomentsAndExtrema as State>::Plain>,
    );

    fn kind(&self) -> Kind {
        let places = self.others.iter().map(|other| other.place);
        Kind::new("group", 1)
            .with(&places.collect::<Vec<_>>())
            .around([self.main.kind()])
    }

    fn into_plain(self) -> Self::Plain {
        let others = self.others.into_iter();
        let others = others.map(|other| other.numbers.into_plain());
        (self.main.into_plain(), others.collect())
    }

    fn restore(&self, (main, plain): Self::Plain) -> Result<Self, StateError> {
        if plain.len() != self.others.len() {
            return Err(StateError::Impossible("another number of columns"));
        }
        let mut others = Vec::with_capacity(plain.len());
        for (other, plain) in self.others.iter().zip(plain) {
            others.push(OtherColumn {
                place: other.place,
                numbers: other.numbers.restore(plain)?,
            });
        }
        Ok(GroupState {
            main: self.main.restore(main)?,
            others,
        })
    }
}

impl Shift for GroupState {
    fn shift(mut self, by: u64) -> Result<Self, StateError> {
        for other in &mut self.others {
            other.numbers.1 = std::mem::take(&mut other.numbers.1).shift(by)?;
        }
        Ok(GroupState {
            main: self.main.shift(by)?,
            others: self.others,
        })
    }
}
