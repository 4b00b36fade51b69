//! The columns of a scores file.

use crate::error::Error;
use crate::plan::{Plan, RESERVED};

use super::format::ScoresFormat;

/// The columns of a scores file.
#[derive(Clone, Debug)]
pub(super) struct FileColumns {
    /// The columns of the scorer that are known before any record is scored.
    pub(super) scores: Vec<String>,
    /// The fields that are copied from each record.
    pub(super) keep: Vec<String>,
}

impl FileColumns {
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if two columns would have the same name, or if the file is a table and the scorer has
    /// columns that are not known before any record is scored.
    pub(super) fn of(plan: &Plan, format: ScoresFormat) -> Result<Self, Error> {
        let columns = plan.columns();
        if columns.is_open() && format.delimiter().is_some() {
            return Err(Error::Plan(format!(
                "the columns of {} are known only when its records are scored, after the header of a table \
                 is written; write the scores as JSON lines (.jsonl)",
                plan.scorer
            )));
        }
        let columns = columns.known().iter();
        let scores: Vec<_> = columns.map(|column| column.name.clone()).collect();
        for (place, kept) in plan.keep.iter().enumerate() {
            if RESERVED.contains(&kept.as_str()) || scores.contains(kept) {
                let reason = "a column of the scores has that name already";
                let message = format!("cannot keep the field {kept:?}: {reason}");
                return Err(Error::Plan(message));
            }
            if plan.keep[..place].contains(kept) {
                return Err(Error::Plan(format!(
                    "--keep names the field {kept:?} twice"
                )));
            }
        }
        Ok(FileColumns {
            scores,
            keep: plan.keep.clone(),
        })
    }
}
