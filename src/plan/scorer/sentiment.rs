//! `sentiment`: how positive or negative a text is.

use serde::{Deserialize, Serialize};

use super::{Cell, Cells, Column, PreparedScorer, Scorer, ScorerColumns, ScorerInput};
use crate::error::Error;
use crate::plan::Plan;
use crate::plan::not_scored::NotScored;
use crate::task::sentiment::Sentiment;

/// The scorer `sentiment`: how positive or negative a text is, by
/// [`Sentiment`](crate::task::sentiment::Sentiment).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[non_exhaustive]
pub struct SentimentOptions {}

impl Scorer for SentimentOptions {
    fn columns(&self, _plan: &Plan) -> ScorerColumns {
        ScorerColumns::new([
            Column::numbers_in("neg", 0.0, 1.0),
            Column::numbers_in("neu", 0.0, 1.0),
            Column::numbers_in("pos", 0.0, 1.0),
            Column::numbers_in("compound", -1.0, 1.0),
        ])
        .main_column("compound")
    }

    fn prepare(&self, _plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        Ok(Box::new(Sentiment::new()))
    }
}

impl PreparedScorer for Sentiment {
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let score = self.score(&input.text()?);
        let numbers = [score.neg, score.neu, score.pos, score.compound];
        Ok(numbers.map(Cell::Number).into())
    }
}

#[cfg(feature = "cli")]
impl super::arguments::FromArguments for SentimentOptions {
    type Arguments = Self;

    fn from_arguments(arguments: Self) -> Result<Self, Error> {
        Ok(arguments)
    }
}
