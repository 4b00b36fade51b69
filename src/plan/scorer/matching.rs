//! `match`: the best matches of a text in a reference.

use std::path::{Path, PathBuf};
use std::slice;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Cell, Cells, Column, PreparedScorer, Scorer, ScorerColumns, ScorerInput};
use crate::dataset::{FormatName, OpenOptions, Texts};
use crate::error::Error;
use crate::plan::not_scored::NotScored;
use crate::plan::{Plan, UnknownName};
use crate::task::matching::{Found, Match, Matching, Measure, Pairs};

/// Number of texts in the reference from which the threads of the pool share the search for one record.
const WORTH_SHARING: usize = 1 << 16;

/// The scorer `match`: the best matches of a text in a reference, by
/// [`Match`](crate::task::matching::Match).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MatchOptions {
    /// How to find the matches.
    pub matching: Matching,
    /// The file of the reference, see [`Texts`](crate::dataset::Texts).
    pub against: PathBuf,
    /// The field of the reference's records that holds the text. `None` means the [fields](Plan::fields) of the plan.
    pub field: Option<String>,
    /// The format of the reference. `None` means that it is found.
    pub format: Option<FormatName>,
}

impl MatchOptions {
    /// The options to find matches in the file `against`.
    pub fn new(matching: Matching, against: impl Into<PathBuf>) -> Self {
        MatchOptions {
            matching,
            against: against.into(),
            field: None,
            format: None,
        }
    }
}

impl Scorer for MatchOptions {
    fn columns(&self, _plan: &Plan) -> ScorerColumns {
        let score = Column::numbers_in("score", 0.0, self.matching.measure().max_score());
        ScorerColumns::new([Column::other("best"), score]).main_column("score")
    }

    fn inputs(&self) -> Vec<&Path> {
        vec![&self.against]
    }

    fn subtitle(&self) -> Option<String> {
        let measure = self.matching.measure();
        Some(format!("against {} by {measure}", self.against.display()))
    }

    fn prepare(&self, plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        let fields = self.field.as_ref().map_or(&*plan.fields, slice::from_ref);
        let mut options = OpenOptions::new().max_record(plan.max_record);
        if let Some(format) = self.format {
            options = options.format(format);
        }
        let texts = Texts::read_with(&self.against, fields, &options)?;
        if texts.is_empty() {
            let message = "holds no texts to find matches among";
            return Err(Error::input(&self.against, message));
        }
        Ok(Box::new(MatchWithLines {
            task: self.matching.against(texts.iter()),
            lines: texts.into_lines(),
        }))
    }
}

/// A prepared reference, and the line number of each of its texts.
#[derive(Debug)]
struct MatchWithLines {
    task: Match,
    lines: Vec<u64>,
}

impl PreparedScorer for MatchWithLines {
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let found = self.task.score(&input.text()?);
        let line = |found: &Found| self.lines[found.index];
        let cells = match found.as_slice() {
            _ if self.task.settings().wanted() != 1 => [
                Cell::Lines(found.iter().map(line).collect()),
                Cell::Numbers(found.iter().map(|found| found.score).collect()),
            ],
            [best, ..] => [Cell::Line(line(best)), Cell::Number(best.score)],
            [] => [Cell::Nothing, Cell::Nothing],
        };
        Ok(cells.into())
    }

    fn shares_records(&self) -> bool {
        self.task.len() >= WORTH_SHARING
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(self.task.pairs())
    }
}

impl FromStr for Measure {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        crate::plan::by_name("measure", name, &Measure::ALL, Measure::name)
    }
}

/// The arguments of `match` on a command line.
#[cfg(feature = "cli")]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With match")]
pub(super) struct MatchArguments {
    /// Find matches among the texts of this file, the reference: the lines of a .txt file, or a field of the
    /// records of a .jsonl, .csv or .tsv file.
    #[arg(
        long,
        value_name = "REFERENCE",
        required_if_eq(super::arguments::WITH, "match")
    )]
    against: Option<PathBuf>,

    /// Use the texts in this field of the reference's records [default: the field of --field].
    #[arg(long, value_name = "FIELD")]
    against_field: Option<String>,

    /// Read the reference in this format [default: found as for --format].
    #[arg(long, value_name = "FORMAT")]
    against_format: Option<FormatName>,

    /// Compare by this measure: ratio, partial, token-sort, token-set, token-ratio or wratio, which score from
    /// 0 to 100; levenshtein, osa, indel, jaro or jaro-winkler, which score from 0 to 1 [default: ratio].
    #[arg(long, value_name = "MEASURE")]
    measure: Option<Measure>,

    /// Accept only matches with at least this score [default: the best match counts, however bad it is].
    #[arg(long, value_name = "SCORE")]
    cutoff: Option<f64>,

    /// Find this many matches for each record.
    #[arg(long, value_name = "K", default_value = "1", value_parser = super::arguments::from_one)]
    best: usize,

    /// Compare only letters and digits, in lower case.
    #[arg(long)]
    process: bool,
}

#[cfg(feature = "cli")]
impl super::arguments::FromArguments for MatchOptions {
    type Arguments = MatchArguments;

    fn from_arguments(arguments: MatchArguments) -> Result<Self, Error> {
        let MatchArguments {
            against,
            against_field,
            against_format,
            measure,
            cutoff,
            best,
            process,
        } = arguments;
        let against = against.ok_or_else(|| Error::Plan("match needs --against".to_owned()))?;
        let measure = measure.unwrap_or_default();
        let mut matching = Matching::by(measure).best(best).process(process);
        if let Some(cutoff) = cutoff {
            let most = measure.max_score();
            if !(0.0..=most).contains(&cutoff) {
                let message = format!("--cutoff {cutoff}: {measure} scores from 0 to {most}");
                return Err(Error::Plan(message));
            }
            matching = matching.cutoff(cutoff);
        }
        Ok(MatchOptions {
            matching,
            against,
            field: against_field,
            format: against_format,
        })
    }
}
