//! A comparison beside an earlier one: has it become slower?

use serde::{Deserialize, Serialize};

use super::comparison::Estimate;

/// A comparison beside an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Against {
    /// The name of the earlier one.
    pub name: String,
    /// When that one was made.
    pub began: String,
    /// What is not the same on the machine, a sentence each: the ratios are doubtful then.
    pub changed: Vec<String>,
    /// The cells that both have.
    pub cells: Vec<Ratio>,
}

/// One cell now and then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ratio {
    /// The name of the executor.
    pub executor: String,
    /// How many threads.
    pub threads: usize,
    /// The time now as a multiple of the time then: above 1 it is slower now.
    pub time: Estimate,
    /// About how many rounds it would take to tell a difference of `detectable`, going by how much the
    /// turns differ.
    pub rounds_needed: Option<usize>,
    /// The difference that could just be told with the rounds there are, as a share.
    pub detectable: f64,
}
