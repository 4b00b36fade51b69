//! The scorers that have a name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnknownName, by_name};

/// A built-in task on text, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scorer {
    /// [`Sentiment`](crate::task::sentiment::Sentiment): how positive or negative a text is.
    Sentiment,
}

/// One of the numbers that a scorer gives.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in scores files and reports.
    pub name: &'static str,
    /// The least it can be.
    pub low: f64,
    /// The most it can be.
    pub high: f64,
}

const SENTIMENT: [Column; 4] = [
    Column {
        name: "neg",
        low: 0.0,
        high: 1.0,
    },
    Column {
        name: "neu",
        low: 0.0,
        high: 1.0,
    },
    Column {
        name: "pos",
        low: 0.0,
        high: 1.0,
    },
    Column {
        name: "compound",
        low: -1.0,
        high: 1.0,
    },
];

impl Scorer {
    /// Every scorer.
    pub const ALL: [Scorer; 1] = [Scorer::Sentiment];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Scorer::Sentiment => "sentiment",
        }
    }

    /// The numbers it gives for each record.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Scorer::Sentiment => &SENTIMENT,
        }
    }

    /// Which of the columns ranks and groups the records.
    pub fn main(self) -> usize {
        match self {
            Scorer::Sentiment => 3,
        }
    }
}

impl FromStr for Scorer {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("scorer", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
