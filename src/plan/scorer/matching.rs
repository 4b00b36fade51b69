//! `match`: the best matches of a text in a reference.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::slice;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    AnyScorer, Cell, CellKind, Cells, Column, PreparedScorer, Quote, RESERVED, Scorer,
    ScorerColumns, ScorerInput,
};
use crate::dataset::{FormatName, OpenOptions, RecordsLeftOut, Texts};
use crate::error::Error;
use crate::plan::not_scored::NotScored;
use crate::plan::{Plan, UnknownName};
use crate::task::matching::{Match, Matching, Measure, Pairs};

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
    #[serde(with = "crate::plan::path_text")]
    pub against: PathBuf,
    /// The field of the reference's records that holds the text. `None` means the [fields](Plan::fields) of the plan.
    pub field: Option<String>,
    /// The format of the reference. `None` means that the format is found as for the files of the plan.
    pub format: Option<FormatName>,
    /// Fields of the reference's records that are copied to the scores of the records that they match. The name `*`
    /// stands for all fields of the reference; the [plan](crate::plan::Opened::plan) of an opened reference has their
    /// names instead. A name that another column of the scores has is prefixed by `against_`.
    pub keep: Vec<String>,
}

impl MatchOptions {
    /// The options to find matches in the file `against`.
    pub fn new(matching: Matching, against: impl Into<PathBuf>) -> Self {
        MatchOptions {
            matching,
            against: against.into(),
            field: None,
            format: None,
            keep: Vec::new(),
        }
    }

    /// Number of values in the list of each cell. `None` if a cell holds one value.
    fn several(&self) -> Option<usize> {
        Some(self.matching.wanted()).filter(|wanted| *wanted != 1)
    }

    /// The names of the columns of kept fields. No other column of the scores has such a name.
    fn kept_columns(&self, plan: &Plan) -> Vec<String> {
        let own = RESERVED.into_iter().chain(OWN);
        let kept = plan.keep.iter().map(String::as_str);
        let mut taken: HashSet<String> = own.chain(kept).map(str::to_owned).collect();
        let fields = self.keep.iter().filter(|field| *field != ALL);
        let names = fields.map(|field| {
            let mut name = field.clone();
            while !taken.insert(name.clone()) {
                name.insert_str(0, PREFIX);
            }
            name
        });
        names.collect()
    }
}

/// The names of the columns that every scores file of matches has.
const OWN: [&str; 3] = ["best", "match", "score"];
/// The name that stands for all fields.
const ALL: &str = "*";
/// Largest number of fields of a reference that are kept.
const MOST_KEPT: usize = u16::MAX as usize;
/// The prefix of a kept field whose name another column has.
const PREFIX: &str = "against_";

/// How many texts a reference has, and how many of its records have none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReferenceSummary {
    /// Number of texts.
    pub texts: u64,
    /// The records that are left out, because they have no text, or because they have more or fewer fields than the
    /// header. `None` if there are none.
    pub left_out: Option<RecordsLeftOut>,
}

impl ReferenceSummary {
    /// The reference of this scorer, if it has one.
    pub(in crate::plan) fn of(scorer: &dyn PreparedScorer) -> Option<Self> {
        scorer.reference().map(|texts| ReferenceSummary {
            texts: texts.len() as u64,
            left_out: texts.left_out().cloned(),
        })
    }
}

impl Scorer for MatchOptions {
    fn columns(&self, plan: &Plan) -> ScorerColumns {
        let [best, text, score] = OWN;
        let range = self.matching.measure().max_score();
        let own = [
            Column::other(best, CellKind::Lines),
            Column::other(text, CellKind::Texts),
            Column::numbers_in(score, 0.0, range),
        ];
        let kept = self.kept_columns(plan).into_iter();
        let kept = kept.map(|name| Column::other(&name, CellKind::Any));
        let columns = own.into_iter().chain(kept);
        let columns = columns.map(|column| column.several(self.several()));
        ScorerColumns::new(columns.collect::<Vec<_>>()).main_column(score)
    }

    /// A worker process sends the places of its matches in the reference, so it need not keep other fields.
    fn for_worker(&self) -> Option<AnyScorer> {
        let keep = Vec::new();
        Some(AnyScorer::Match(MatchOptions {
            keep,
            ..self.clone()
        }))
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
        let texts = Texts::read_keeping(&self.against, fields, &self.keep, &options)?;
        if texts.is_empty() {
            return Err(match texts.left_out() {
                Some(left_out) => {
                    let RecordsLeftOut {
                        first_line, reason, ..
                    } = left_out.clone();
                    Error::bad_record(&self.against, first_line, reason)
                }
                None => Error::input(&self.against, "holds no texts to find matches among"),
            });
        }
        let kept = texts.kept_fields().len();
        if kept > MOST_KEPT {
            let message = format!("has {kept} fields to keep, but at most {MOST_KEPT} can be kept");
            return Err(Error::input(&self.against, message));
        }
        let resolved = self.keep.iter().any(|field| field == ALL).then(|| {
            let keep = texts.kept_fields().map(str::to_owned).collect();
            AnyScorer::Match(MatchOptions {
                keep,
                ..self.clone()
            })
        });
        Ok(Box::new(MatchWithTexts {
            task: self.matching.against(texts.iter()),
            texts: Arc::new(texts),
            resolved,
        }))
    }
}

/// A prepared reference, and its texts with their lines and kept fields.
#[derive(Debug)]
struct MatchWithTexts {
    task: Match,
    texts: Arc<Texts>,
    resolved: Option<AnyScorer>,
}

impl MatchWithTexts {
    /// The cells of a record with these matches, best first. Each match is the place of a text, and its score.
    fn cells(&self, found: &[(u32, f64)]) -> Cells {
        let kept = 0..self.texts.kept_fields().len() as u16;
        let quote = |place, field| Quote::new(&self.texts, place, field);
        let line = |place: u32| self.texts.line(place as usize);
        if self.task.settings().wanted() != 1 {
            let places = || found.iter().map(|(place, _)| *place);
            let quotes = |field| Cell::Quotes(places().map(|place| quote(place, field)).collect());
            let own = [
                Cell::Lines(places().map(line).collect()),
                quotes(None),
                Cell::Numbers(found.iter().map(|(_, score)| *score).collect()),
            ];
            return with_kept(own, kept.map(|field| quotes(Some(field))));
        }
        match found.first() {
            Some(&(place, score)) => {
                let own = [
                    Cell::Line(line(place)),
                    Cell::Quote(quote(place, None)),
                    Cell::Number(score),
                ];
                with_kept(
                    own,
                    kept.map(|field| Cell::Quote(quote(place, Some(field)))),
                )
            }
            None => with_kept(Default::default(), kept.map(|_| Cell::Nothing)),
        }
    }
}

/// Returns the cells that all records have, and then those of the kept fields.
fn with_kept(own: [Cell; OWN.len()], kept: impl ExactSizeIterator<Item = Cell>) -> Cells {
    match kept.len() {
        0 => own.into(),
        _ => own.into_iter().chain(kept).collect::<Vec<_>>().into(),
    }
}

impl PreparedScorer for MatchWithTexts {
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let found = self.task.score(&input.text()?).into_iter();
        // A reference of more texts does not fit in memory.
        let found = found.map(|found| (found.index as u32, found.score));
        Ok(self.cells(&found.collect::<Vec<_>>()))
    }

    fn reference(&self) -> Option<&Arc<Texts>> {
        Some(&self.texts)
    }

    fn resolved(&self) -> Option<AnyScorer> {
        self.resolved.clone()
    }

    fn completed(&self, cells: Cells) -> Cells {
        if self.texts.kept_fields().len() == 0 {
            return cells;
        }
        let found: Vec<(u32, f64)> = match cells.known() {
            [_, Cell::Quote(quote), Cell::Number(score)] => vec![(quote.place(), *score)],
            [_, Cell::Quotes(quotes), Cell::Numbers(scores)] => {
                let places = quotes.iter().map(Quote::place);
                places.zip(scores.iter().copied()).collect()
            }
            _ => Vec::new(),
        };
        self.cells(&found)
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

    /// Copy these fields of the best match's record to its line of scores. Separate them by commas; '*' copies all
    /// fields. A name that another column has gets the prefix against_.
    #[arg(long, value_name = "FIELD,...")]
    against_keep: Vec<super::arguments::FieldNames>,

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
            against_keep,
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
            keep: super::arguments::FieldNames::all(&against_keep),
        })
    }
}
