//! What a run does with a record if a field has no value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnknownName, by_name};

/// What a run does with a record if a field to score has no value. A field has no value if the record lacks the field,
/// or if the value is `null` in JSON or an empty cell of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Missing {
    /// The record fails.
    Fail,
    /// The record is [skipped](crate::error::Skipped). With the scorer `number`, the column of the field stays empty,
    /// and the record is skipped only if no field has a value.
    Skip,
    /// The field counts as an empty text. With the scorer `number`, the column of the field stays empty.
    Empty,
}

impl Missing {
    /// All variants.
    pub const ALL: [Missing; 3] = [Missing::Fail, Missing::Skip, Missing::Empty];

    /// The name, such as `skip`.
    pub fn name(self) -> &'static str {
        match self {
            Missing::Fail => "fail",
            Missing::Skip => "skip",
            Missing::Empty => "empty",
        }
    }
}

impl FromStr for Missing {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("treatment of missing values", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
