//! What scores records outside this process, and the columns of its answers.

#[cfg(any(unix, feature = "http"))]
use super::Cell;
#[cfg(feature = "http")]
use super::HttpOptions;
use super::{Cells, ExecOptions, PreparedScorer, ScorerColumns, ScorerInput};
use crate::error::BadRecord;
use crate::plan::Plan;
use crate::plan::not_scored::NotScored;
#[cfg(any(unix, feature = "http"))]
use crate::remote::{AnswerValue, ProgramAnswer};

/// The column that ranks records and that groups are compared by, unless the user names another one. A bare number
/// that a program answers with is in this column.
const MAIN: &str = "score";

/// What scores the records of a plan outside this process. It decides by itself how many records are in flight, and
/// when a record that has failed is tried again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outside<'a> {
    /// A program of the user, in processes that a run starts.
    Program(&'a ExecOptions),
    /// A service over HTTP.
    #[cfg(feature = "http")]
    Service(&'a HttpOptions),
}

impl Outside<'_> {
    /// Why no executor can be chosen for the records, as the rest of a sentence about the scorer.
    pub(crate) fn instead_of_executor(self) -> &'static str {
        match self {
            Outside::Program(_) => "has worker processes of its own",
            #[cfg(feature = "http")]
            Outside::Service(_) => "calls a service",
        }
    }
}

/// Stands for what scores the records outside this process, which has this name. A run of a plan whose records are scored
/// outside does not ask it for scores.
#[derive(Debug)]
pub(super) struct ScoredOutside(pub(super) &'static str);

impl PreparedScorer for ScoredOutside {
    fn score(&self, _input: &ScorerInput<'_>) -> Result<Cells, NotScored> {
        let message = format!("records are scored by {}, not in this process", self.0);
        Err(BadRecord::new(message, None).into())
    }
}

/// The columns of answers: all of them are found during the run.
pub(super) fn found_columns(plan: &Plan) -> ScorerColumns {
    let main = plan.rank.as_deref().unwrap_or(MAIN);
    ScorerColumns::new([]).open().main_column(main)
}

/// The cells of an answer, each with the name of its value. All of them belong to columns that are found during the
/// run.
#[cfg(any(unix, feature = "http"))]
impl From<ProgramAnswer> for Cells {
    fn from(answer: ProgramAnswer) -> Self {
        let cell = |value| match value {
            AnswerValue::Number(number) => Cell::Number(number),
            AnswerValue::Text(text) => Cell::Label(text),
            AnswerValue::Json(json) => Cell::Json(without_line_ends(json)),
        };
        let values = answer.into_values().into_iter();
        let found = values.map(|(name, value)| (name, cell(value)));
        Cells::from(Vec::new()).with_found(found.collect())
    }
}

/// Returns JSON without line ends, so that it can stand in a line of a scores file. JSON has line ends only between its
/// tokens. An answer is a line, but it may contain a carriage return.
#[cfg(any(unix, feature = "http"))]
fn without_line_ends(json: Box<str>) -> Box<str> {
    match json.contains(['\n', '\r']) {
        true => json.replace(['\n', '\r'], " ").into(),
        false => json,
    }
}

#[cfg(all(test, any(unix, feature = "http")))]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_answer_are_cells_of_found_columns() {
        let line = "{\"score\": 2, \"tone\": \"calm\", \"x\": [1,\r NaN], \"y\": null, \"z\": -Infinity, \"ok\": true}";
        let answer: ProgramAnswer = line.parse().expect("an answer");
        let cells = Cells::from(answer);
        assert!(cells.known().is_empty());
        let found = cells.found().iter();
        let found: Vec<_> = found
            .map(|(name, cell)| (name.as_str(), cell.clone()))
            .collect();
        let expected = [
            ("score", Cell::Number(2.0)),
            ("tone", Cell::Label("calm".into())),
            ("x", Cell::Json("[1,  null]".into())),
            ("z", Cell::Number(f64::NEG_INFINITY)),
            ("ok", Cell::Json("true".into())),
        ];
        assert_eq!(found, expected);
        let empty = Cells::from("null".parse::<ProgramAnswer>().expect("an answer"));
        assert!(empty.known().is_empty() && empty.found().is_empty());
    }

    #[test]
    fn a_number_and_a_text_alone_have_names() {
        let main = found_columns(&Plan::new(["unused"])).main_cell();
        let cells = |line: &str| Cells::from(line.parse::<ProgramAnswer>().expect("an answer"));
        assert_eq!(main.number(&cells("0.5")), Some(0.5));
        assert_eq!(main.number(&cells("\"good\"")), None);
        assert_eq!(cells("\"good\"").found()[0].0, "label");
    }
}
