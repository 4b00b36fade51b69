//! What a run hears from worker processes, and what becomes of it.

use std::sync::{Arc, OnceLock};

use super::answer::{Answer, Counts, pairs};
use super::podiums::Bars;
use super::scored::Scored;
use crate::dataset::JsonLine;
use crate::error::{Cause, Error};
use crate::remote::{Answered, Supervised, Terms, Unanswered, ask};
use crate::stop::Cancel;
use crate::sync::{Mutex, lock};
use crate::task::Task;
use crate::task::matching::Pairs;

/// What all worker processes of a run tell.
pub(super) struct Heard {
    bars: Arc<Bars>,
    pairs: Mutex<Option<Pairs>>,
}

impl Heard {
    pub(super) fn new(bars: Arc<Bars>) -> Self {
        Heard {
            bars,
            pairs: Mutex::default(),
        }
    }

    /// How many pairs they have looked at, where there are pairs.
    pub(super) fn pairs(&self) -> Option<Pairs> {
        *lock(&self.pairs)
    }
}

impl Terms for Heard {
    type Note = (f64, f64);
    type Answer = Answer;
    type Account = Option<Counts>;

    fn note(&self) -> (f64, f64) {
        self.bars.both()
    }

    fn account(&self, account: Option<Counts>) {
        if let Some(counts) = account {
            *lock(&self.pairs).get_or_insert_default() += pairs(counts);
        }
    }
}

/// Takes over what worker processes have made of records.
pub(super) struct TakeOver {
    /// How many columns the scorer has.
    pub(super) width: usize,
}

impl Task<Answered<Answer>> for TakeOver {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, record: &Answered<Answer>) -> Result<Scored, Cause> {
        record.take()?.into_scored(record.at(), self.width)
    }
}

/// Asks a worker process about one record after the other, where each must wait until it may be started.
pub(super) struct AskEach<'a> {
    pool: &'a Supervised<'a>,
    heard: &'a Heard,
    width: usize,
    /// Cancelled if no worker process is left to ask, so that the run stops.
    cancel: &'a Cancel,
    error: OnceLock<Error>,
}

impl<'a> AskEach<'a> {
    pub(super) fn new(
        pool: &'a Supervised<'a>,
        heard: &'a Heard,
        width: usize,
        cancel: &'a Cancel,
    ) -> Self {
        AskEach {
            pool,
            heard,
            width,
            cancel,
            error: OnceLock::new(),
        }
    }

    /// Why nobody could be asked, if it came to that.
    pub(super) fn into_error(self) -> Option<Error> {
        self.error.into_inner()
    }
}

impl Task<JsonLine<'_>> for &AskEach<'_> {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, record: &JsonLine<'_>) -> Result<Scored, Cause> {
        let answer = ask(self.pool, self.heard, record.as_str());
        let answer = answer.unwrap_or_else(|error| {
            let _ = self.error.set(error);
            self.cancel.cancel();
            Err(Unanswered::Interrupted)
        });
        answer?.into_scored(record.at(), self.width)
    }
}
