//! The arguments of `score --with match`.

use std::path::{Path, PathBuf};

use clap::Args;
use manyhands::plan::{Scorer, ScorerName};
use manyhands::task::matching::{Matching, Measure};

use super::fault::Fault;
use super::from_one;

/// The arguments of `score --with match`.
#[derive(Debug, Args)]
#[command(next_help_heading = "With match")]
pub(super) struct Match {
    /// The reference, a file of texts to find matches among: one a line, or a field of JSON lines
    /// (.jsonl) or of a table (.csv, .tsv).
    #[arg(long, value_name = "REFERENCE", required_if_eq("scorer", "match"))]
    against: Option<PathBuf>,

    /// The field of the reference's records that holds the text; without, the one of --field.
    #[arg(long, value_name = "FIELD", requires = "against")]
    against_field: Option<String>,

    /// How to compare: ratio, partial, token-sort, token-set, token-ratio, wratio, levenshtein, osa,
    /// indel, jaro, jaro-winkler. The first six score from 0 to 100, the others from 0 to 1.
    #[arg(long, value_name = "MEASURE", requires = "against")]
    measure: Option<Measure>,

    /// The least score of a match; without, the best match counts however bad it is.
    #[arg(long, value_name = "SCORE", requires = "against")]
    cutoff: Option<f64>,

    /// How many matches to find for each record.
    #[arg(long, value_name = "K", default_value = "1", value_parser = from_one)]
    best: usize,

    /// Compare letters and digits alone, in lower case.
    #[arg(long, requires = "against")]
    process: bool,
}

impl Match {
    /// The scorer of this name with these options.
    pub(super) fn scorer(&self, name: ScorerName) -> Result<Scorer, Fault> {
        match (name, &self.against) {
            (ScorerName::Match, Some(against)) => Ok(Scorer::Match {
                matching: self.matching()?,
                against: against.clone(),
                field: self.against_field.clone(),
            }),
            (ScorerName::Sentiment, None) => Ok(Scorer::Sentiment),
            (name, _) => Err(Fault::Usage(format!(
                "--against is for --with match, not for --with {name}"
            ))),
        }
    }

    fn matching(&self) -> Result<Matching, Fault> {
        let measure = self.measure.unwrap_or_default();
        let matching = Matching::by(measure).best(self.best).process(self.process);
        match self.cutoff {
            None => Ok(matching),
            Some(cutoff) if (0.0..=measure.max_score()).contains(&cutoff) => {
                Ok(matching.cutoff(cutoff))
            }
            Some(cutoff) => Err(Fault::Usage(format!(
                "--cutoff {cutoff}: {measure} scores from 0 to {}",
                measure.max_score()
            ))),
        }
    }

    /// The file that must not be written to.
    pub(super) fn input(&self) -> Option<&Path> {
        self.against.as_deref()
    }
}
