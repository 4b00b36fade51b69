//! What the answers of a run may cost together.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::pointer::{JsonPointer, described};
use crate::remote::AnswerValue;
use crate::remote::answer::{ProgramJson, beginning};

/// A budget of a run: `/pointer=N`. Each answer has the number that it costs at this [`JsonPointer`], and all answers of
/// the run may cost N together.
///
/// N is a whole number, which may be written as `2000000`, `2_000_000`, `2e6`, `2000k` or `2M`. A cost that is not a
/// whole number is rounded up.
///
/// ```
/// use manyhands::remote::ServiceBudget;
///
/// let budget: ServiceBudget = "/usage/total_tokens=2M".parse()?;
/// assert_eq!(budget.limit(), 2_000_000);
/// assert_eq!(budget.pointer().as_str(), "/usage/total_tokens");
/// # Ok::<(), manyhands::remote::BadBudget>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceBudget {
    pointer: JsonPointer,
    limit: u64,
}

/// The error of a text that is not a budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a pointer to a number in each answer, and a whole number that all of them may be together, such as \
     /usage/total_tokens=2000000, found `{0}`"
)]
pub struct BadBudget(String);

impl ServiceBudget {
    /// The place in an answer of the number that the answer costs.
    pub fn pointer(&self) -> &JsonPointer {
        &self.pointer
    }

    /// What all answers may cost together.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What an answer costs.
    pub(super) fn cost(&self, answer: ProgramJson<'_>) -> Result<u64, String> {
        let wrong = |found: String| {
            let pointer = &self.pointer;
            format!(
                "expected a number for the budget at {pointer} in the answer, but {found}; without it, the run cannot \
                 keep to its budget"
            )
        };
        let value = self.pointer.find(answer).map_err(wrong)?;
        match value.value("") {
            // The conversion ends at the largest number that fits.
            Ok(AnswerValue::Number(number)) if number >= 0.0 => Ok(number.ceil() as u64),
            _ => Err(wrong(format!("it is {}", described(value.json())))),
        }
    }
}

/// Reads a whole number, perhaps with a unit or an exponent.
fn whole_number(text: &str) -> Option<u64> {
    let text = text.trim().replace('_', "");
    let (digits, factor) = match text.strip_suffix(['k', 'M', 'G']) {
        Some(digits) if text.ends_with('k') => (digits, 1_000),
        Some(digits) if text.ends_with('M') => (digits, 1_000_000),
        Some(digits) => (digits, 1_000_000_000),
        None => (text.as_str(), 1),
    };
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.parse::<u64>().ok()?.checked_mul(factor);
    }
    let number: f64 = digits.parse().ok()?;
    let number = number * factor as f64;
    // Every whole number up to this one has its own `f64`.
    let is_exact = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    is_exact.then_some(number as u64)
}

impl FromStr for ServiceBudget {
    type Err = BadBudget;

    fn from_str(text: &str) -> Result<Self, BadBudget> {
        let found = || BadBudget(beginning(text));
        let (pointer, limit) = text.rsplit_once('=').ok_or_else(found)?;
        let pointer: JsonPointer = pointer.trim().parse().map_err(|_| found())?;
        if pointer.as_str().is_empty() {
            return Err(found());
        }
        let limit = whole_number(limit).filter(|limit| *limit > 0);
        Ok(ServiceBudget {
            pointer,
            limit: limit.ok_or_else(found)?,
        })
    }
}

impl fmt::Display for ServiceBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.pointer, self.limit)
    }
}

impl TryFrom<String> for ServiceBudget {
    type Error = BadBudget;

    fn try_from(text: String) -> Result<Self, BadBudget> {
        text.parse()
    }
}

impl From<ServiceBudget> for String {
    fn from(budget: ServiceBudget) -> String {
        budget.to_string()
    }
}
