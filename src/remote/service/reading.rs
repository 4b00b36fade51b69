//! How the body of an answer becomes values.

use super::{Expect, Pick, ServiceBudget, ServiceOptions};
use crate::error::Refused;
use crate::remote::ProgramAnswer;
use crate::remote::answer::{ProgramJson, parse_body};

/// How answers are read.
#[derive(Debug)]
pub(super) struct AnswerReader {
    picks: Vec<Pick>,
    expects: Vec<Expect>,
    budget: Option<ServiceBudget>,
}

/// What was read in an answer.
#[derive(Debug, PartialEq)]
pub(super) struct ReadAnswer {
    /// What the answer costs, if the run has a budget. An error if the answer does not say so.
    pub(super) cost: Option<Result<u64, String>>,
    pub(super) answer: Result<ProgramAnswer, Unfit>,
}

/// Why an answer cannot be used.
#[derive(Debug, PartialEq)]
pub(super) enum Unfit {
    /// The service says that the record failed.
    Refused(Refused),
    /// The answer is not what was expected.
    Unexpected(String),
}

impl AnswerReader {
    pub(super) fn new(options: &ServiceOptions) -> Self {
        AnswerReader {
            picks: options.picks.clone(),
            expects: options.expects.clone(),
            budget: options.budget.clone(),
        }
    }

    pub(super) fn read(&self, body: &[u8]) -> ReadAnswer {
        let read = parse_body(body, |json| ReadAnswer {
            cost: self.budget.as_ref().map(|budget| budget.cost(json)),
            answer: self.answer(json),
        });
        // What is not JSON has no cost.
        read.unwrap_or_else(|bad| ReadAnswer {
            cost: None,
            answer: Err(Unfit::Unexpected(bad.to_string())),
        })
    }

    fn answer(&self, json: ProgramJson<'_>) -> Result<ProgramAnswer, Unfit> {
        let answer = match self.picks.is_empty() {
            true => self.whole(json)?,
            false => {
                let picks = self.picks.iter();
                let values = picks.map(|pick| Ok((pick.name().to_owned(), pick.take(json)?)));
                let values: Result<Vec<_>, String> = values.collect();
                ProgramAnswer::new(values.map_err(Unfit::Unexpected)?)
            }
        };
        for expect in &self.expects {
            expect.check(&answer).map_err(Unfit::Unexpected)?;
        }
        Ok(answer)
    }

    /// Reads an answer as the line of a program is read.
    fn whole(&self, json: ProgramJson<'_>) -> Result<ProgramAnswer, Unfit> {
        let said = json.said();
        // What was read is JSON, so that there always is an answer or a reason.
        let said = said.unwrap_or_else(|| Ok(ProgramAnswer::default()));
        said.map_err(|reason| Unfit::Refused(Refused { reason }))
    }
}
