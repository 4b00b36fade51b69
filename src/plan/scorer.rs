//! The scorers that have a name, and what they give for a record.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnknownName, by_name};
use crate::task::matching::{Matching, Measure};

/// A built-in task on text, with its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scorer {
    /// [`Sentiment`](crate::task::sentiment::Sentiment): how positive or negative a text is.
    Sentiment,
    /// [`Match`](crate::task::matching::Match): the best matches of a text in a reference.
    Match {
        /// How to find them.
        matching: Matching,
        /// The file of the reference, see [`Texts`](crate::dataset::Texts).
        against: PathBuf,
        /// The field of the reference's records that holds the text; the plan's own where it is
        /// `None`.
        field: Option<String>,
    },
}

/// The name of a scorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScorerName {
    /// [`Scorer::Sentiment`].
    Sentiment,
    /// [`Scorer::Match`].
    Match,
}

impl ScorerName {
    /// Every scorer.
    pub const ALL: [ScorerName; 2] = [ScorerName::Sentiment, ScorerName::Match];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            ScorerName::Sentiment => "sentiment",
            ScorerName::Match => "match",
        }
    }
}

/// One of the values that a scorer gives for each record.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in scores files and reports.
    pub name: &'static str,
    /// The least and the most it can be; `None` where it is no number to sum up.
    pub range: Option<(f64, f64)>,
}

impl Column {
    const fn number(name: &'static str, low: f64, high: f64) -> Self {
        Column {
            name,
            range: Some((low, high)),
        }
    }
}

const SENTIMENT: [Column; 4] = [
    Column::number("neg", 0.0, 1.0),
    Column::number("neu", 0.0, 1.0),
    Column::number("pos", 0.0, 1.0),
    Column::number("compound", -1.0, 1.0),
];

const BEST: Column = Column {
    name: "best",
    range: None,
};

const MATCH_OF_100: [Column; 2] = [BEST, Column::number("score", 0.0, 100.0)];
const MATCH_OF_1: [Column; 2] = [BEST, Column::number("score", 0.0, 1.0)];

impl Scorer {
    /// The name.
    pub fn name(&self) -> ScorerName {
        match self {
            Scorer::Sentiment => ScorerName::Sentiment,
            Scorer::Match { .. } => ScorerName::Match,
        }
    }

    /// The values it gives for each record.
    pub fn columns(&self) -> &'static [Column] {
        match self {
            Scorer::Sentiment => &SENTIMENT,
            Scorer::Match { matching, .. } if matching.measure().max_score() > 1.0 => &MATCH_OF_100,
            Scorer::Match { .. } => &MATCH_OF_1,
        }
    }

    /// Which of the columns ranks and groups the records.
    pub fn main(&self) -> usize {
        match self {
            Scorer::Sentiment => 3,
            Scorer::Match { .. } => 1,
        }
    }
}

impl FromStr for ScorerName {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("scorer", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for ScorerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Measure {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("measure", name, &Measure::ALL, Measure::name)
    }
}
