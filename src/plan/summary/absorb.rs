//! Merges saved states, whose groups are merged while they are decoded.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use super::{ColumnState, FoundColumns, Leaderboard, PlanAggregator, SummaryByGroup};
use crate::aggregation::{Aggregator, Shift, State, StateError, decoded};
use crate::dataset::Position;
use crate::error::Place;

/// How the records of a state are numbered in the state that it is merged into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::plan) struct PlaceInWhole {
    /// Number of records before those of the state.
    pub(in crate::plan) records: u64,
    /// Number of its records, which are its first ones, whose lines are counted from another line.
    pub(in crate::plan) first_records: u64,
    /// Number of lines before the first of these lines.
    pub(in crate::plan) lines: u64,
}

impl<P> PlanAggregator<P>
where
    P: Fn(Position) -> Option<Place> + Clone + Send + Sync,
{
    /// Merges a saved state, whose records are numbered from 0. Each group is merged as soon as it is decoded, so the memory
    /// for all groups is needed only once.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are no state of this aggregator. A part of the state may then have been merged.
    pub(in crate::plan) fn absorb(
        &mut self,
        bytes: &[u8],
        by: PlaceInWhole,
    ) -> Result<(), StateError> {
        let mut problem = None;
        let kind = self.kind();
        let plain = PlainPlan {
            groups: PlainGroups {
                ours: self.groups.as_mut(),
                by: by.records,
                problem: &mut problem,
            },
            place: PhantomData::<P>,
        };
        let decoded = decoded(kind, bytes, plain);
        let (known, found, leaders) = problem.map_or(decoded, Err)?;
        let known = self.known.restore(known)?.shift(by.records)?;
        for (column, later) in self.known.iter_mut().zip(known) {
            column.merge(later);
        }
        self.found
            .merge(self.found.restore(found)?.shift(by.records)?);
        let mut leaders = self.leaders.restore(leaders)?;
        leaders.move_lines(by.first_records, by.lines);
        self.leaders.merge(leaders.shift(by.records)?);
        Ok(())
    }
}

/// The plain data of the columns and of the leaderboard.
type PlainRest<P> = (
    <Vec<ColumnState> as State>::Plain,
    <FoundColumns as State>::Plain,
    <Leaderboard<P> as State>::Plain,
);

/// Decodes the plain data of an aggregator, and merges its groups.
struct PlainPlan<'a, P> {
    groups: PlainGroups<'a>,
    place: PhantomData<P>,
}

impl<'de, P: Clone> DeserializeSeed<'de> for PlainPlan<'_, P> {
    type Value = PlainRest<P>;

    fn deserialize<D: Deserializer<'de>>(self, decoder: D) -> Result<Self::Value, D::Error> {
        decoder.deserialize_tuple(4, self)
    }
}

impl<'de, P: Clone> Visitor<'de> for PlainPlan<'_, P> {
    type Value = PlainRest<P>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the state of a plan")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut parts: S) -> Result<Self::Value, S::Error> {
        let short = |place| S::Error::invalid_length(place, &"four parts");
        let known = parts.next_element()?.ok_or_else(|| short(0))?;
        let found = parts.next_element()?.ok_or_else(|| short(1))?;
        parts
            .next_element_seed(self.groups)?
            .ok_or_else(|| short(2))?;
        let leaders = parts.next_element()?.ok_or_else(|| short(3))?;
        Ok((known, found, leaders))
    }
}

/// Decodes the groups of a state, if it has groups, and merges them.
struct PlainGroups<'a> {
    ours: Option<&'a mut SummaryByGroup>,
    /// Added to the indices of the records.
    by: u64,
    /// Why groups could be decoded, but not merged.
    problem: &'a mut Option<StateError>,
}

impl<'de> DeserializeSeed<'de> for PlainGroups<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, decoder: D) -> Result<(), D::Error> {
        decoder.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for PlainGroups<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("groups")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        if self.ours.is_none() {
            return Ok(());
        }
        *self.problem = Some(StateError::Impossible("no groups where the plan has some"));
        Err(E::custom("groups are missing"))
    }

    fn visit_some<D: Deserializer<'de>>(self, decoder: D) -> Result<(), D::Error> {
        decoder.deserialize_seq(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut groups: S) -> Result<(), S::Error> {
        let mut refuse = |error| {
            *self.problem = Some(error);
            S::Error::custom("groups that cannot be merged")
        };
        let ours = self
            .ours
            .ok_or_else(|| refuse(StateError::Impossible("groups that the plan does not have")))?;
        let mut merging = ours.merging(self.by);
        while let Some((key, state)) = groups.next_element()? {
            merging.add(key, state).map_err(&mut refuse)?;
        }
        merging.finish();
        Ok(())
    }
}
