//! Warnings about a run. Each reports something that is no failure, but changes the meaning of the answer.

use super::Answer;
use crate::dataset::InputFile;
use crate::error::OnFailure;
use crate::similar::most_similar;

impl Answer {
    /// The warnings that follow from the plan and the records.
    pub(super) fn found_warnings(&self) -> Vec<String> {
        let absent = self.absent.iter().map(|field| self.absent_field(field));
        let others = [self.options_without_effect(), self.nothing_to_rank()];
        absent.chain(others.into_iter().flatten()).collect()
    }

    /// The warning about a field to score, to group by or to keep that no record seems to have.
    fn absent_field(&self, field: &str) -> String {
        let records = match self.report.records.min(OnFailure::GRACE) {
            1 => "the only record has no value".to_owned(),
            records if self.report.records <= OnFailure::GRACE => {
                format!("none of the {records} records has a value")
            }
            _ => "none of the first 1,000 records has a value".to_owned(),
        };
        let similar = match self.similar_field(field) {
            Some(similar) if similar != field => format!("; did you mean {similar:?}?"),
            _ => String::new(),
        };
        format!("{records} in the field {field:?}{similar}")
    }

    /// The warning about a column that the user has chosen to rank the records, if no answer has a number in it.
    fn nothing_to_rank(&self) -> Option<String> {
        let rank = self.plan.rank.as_deref()?;
        let summary = &self.report.value;
        if self.report.scored == 0 || summary.main().is_some() {
            return None;
        }
        let names: Vec<String> = summary.scores.keys().cloned().collect();
        let similar = match most_similar(rank, &names) {
            Some(similar) => format!("; did you mean {similar:?}?"),
            None => String::new(),
        };
        Some(format!(
            "no answer has a number named {rank:?}, so the records are not ranked{similar}"
        ))
    }

    /// The warning about options for delimited text, if no input is delimited text.
    fn options_without_effect(&self) -> Option<String> {
        // The format of an input is not known before it is read, so such an input could be delimited text.
        let mut files = self.files.iter();
        let is_other = |file: &InputFile| file.format.is_some() && file.delimiter.is_none();
        if self.report.records == 0 || !files.all(is_other) {
            return None;
        }
        let option = match (self.plan.delimiter, self.plan.header) {
            (Some(_), true) => "--delimiter has",
            (None, false) => "--no-header has",
            (Some(_), false) => "--delimiter and --no-header have",
            (None, true) => return None,
        };
        Some(format!(
            "{option} no effect, because no input is delimited text"
        ))
    }
}
