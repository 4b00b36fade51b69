//! A scorer made ready: its tables built, its reference read.

use serde::Serialize;

use super::{Plan, Scorer};
use crate::dataset::Texts;
use crate::error::Error;
use crate::task::matching::{Found, Match, Pairs};
use crate::task::sentiment::Sentiment;

/// The most columns that a scorer has.
pub(super) const COLUMNS: usize = 4;

/// From so many texts on a record takes so long that a pool is worth starting for it, and handing it
/// to the pool.
const WORTH_SHARING: usize = 1 << 16;

/// A value in a line of scores. Written as JSON it is what it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Cell {
    /// None.
    #[default]
    Nothing,
    /// A score.
    Number(f64),
    /// Several scores, best first.
    Numbers(Vec<f64>),
    /// A line of a file, from 1.
    Line(u64),
    /// Several lines of a file.
    Lines(Vec<u64>),
}

impl Cell {
    /// The score, the first of several.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Numbers(numbers) => numbers.first().copied(),
            Cell::Nothing | Cell::Line(_) | Cell::Lines(_) => None,
        }
    }
}

/// A scorer made ready.
#[derive(Debug)]
pub(super) enum Prepared {
    Sentiment(Sentiment),
    Match {
        task: Box<Match>,
        /// The line of each text of the reference.
        lines: Vec<u64>,
    },
}

impl Prepared {
    /// Makes the scorer of a plan ready.
    pub(super) fn new(plan: &Plan) -> Result<Prepared, Error> {
        match &plan.scorer {
            Scorer::Sentiment => Ok(Prepared::Sentiment(Sentiment::new())),
            Scorer::Match {
                matching,
                against,
                field,
            } => {
                let field = field.as_ref().unwrap_or(&plan.field);
                let texts = Texts::read_within(against, field, plan.max_record)?;
                if texts.is_empty() {
                    let message = "holds no texts to find matches among";
                    return Err(Error::input(against, message));
                }
                Ok(Prepared::Match {
                    task: Box::new(matching.against(texts.iter())),
                    lines: texts.into_lines(),
                })
            }
        }
    }

    /// What the scorer gives for a text, in the order of its columns.
    pub(super) fn cells(&self, text: &str) -> [Cell; COLUMNS] {
        match self {
            Prepared::Sentiment(sentiment) => {
                let score = sentiment.score(text);
                [score.neg, score.neu, score.pos, score.compound].map(Cell::Number)
            }
            Prepared::Match { task, lines } => {
                let found = task.score(text);
                let line = |found: &Found| lines[found.index];
                let (best, score) = match found.as_slice() {
                    _ if task.settings().wanted() != 1 => (
                        Cell::Lines(found.iter().map(line).collect()),
                        Cell::Numbers(found.iter().map(|found| found.score).collect()),
                    ),
                    [best, ..] => (Cell::Line(line(best)), Cell::Number(best.score)),
                    [] => (Cell::Nothing, Cell::Nothing),
                };
                [best, score, Cell::Nothing, Cell::Nothing]
            }
        }
    }

    /// Whether one record alone may keep several cores busy.
    pub(super) fn shares_records(&self) -> bool {
        match self {
            Prepared::Sentiment(_) => false,
            Prepared::Match { task, .. } => task.len() >= WORTH_SHARING,
        }
    }

    /// How many pairs have been looked at since it was made ready, where there are pairs.
    pub(super) fn pairs(&self) -> Option<Pairs> {
        match self {
            Prepared::Sentiment(_) => None,
            Prepared::Match { task, .. } => Some(task.pairs()),
        }
    }
}
