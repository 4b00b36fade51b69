//! What the values of an answer must be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::remote::answer::beginning;
use crate::remote::{AnswerValue, ProgramAnswer};

/// What a value of each answer must be: `NAME=number`, `NAME=text` or `NAME=boolean`; `NAME=0..1` for a number from 0 to
/// 1, both included, of which either may be left out; or `NAME=good|bad` for one of these texts.
///
/// A number must be finite. If an answer does not fit, the service is asked once more. If the second answer does not fit
/// either, the record fails.
///
/// ```
/// use manyhands::remote::Expect;
///
/// let expect: Expect = "label=good|bad|neutral".parse()?;
/// assert_eq!(expect.name(), "label");
/// assert!("score=0..1".parse::<Expect>().is_ok() && "score=-1..".parse::<Expect>().is_ok());
/// # Ok::<(), manyhands::remote::BadExpect>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expect {
    name: String,
    expected: ExpectedValue,
    /// What follows the name, as it is written.
    written: String,
}

#[derive(Clone, Debug, PartialEq)]
enum ExpectedValue {
    Number,
    Text,
    Boolean,
    Range { from: f64, to: f64 },
    OneOf(Vec<String>),
}

/// The error of a text that does not say what a value must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected NAME= and number, text, boolean, a range such as 0..1, or texts such as good|bad, found {0}"
)]
pub struct BadExpect(String);

impl Expect {
    /// The name of the value.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks an answer.
    pub(super) fn check(&self, answer: &ProgramAnswer) -> Result<(), String> {
        let value = answer.get(&self.name);
        let fits = match (&self.expected, value) {
            (ExpectedValue::Number, Some(AnswerValue::Number(number))) => number.is_finite(),
            (ExpectedValue::Range { from, to }, Some(AnswerValue::Number(number))) => {
                (from..=to).contains(&number)
            }
            (ExpectedValue::Text, Some(AnswerValue::Text(_))) => true,
            (ExpectedValue::Boolean, Some(AnswerValue::Json(json))) => {
                matches!(&**json, "true" | "false")
            }
            (ExpectedValue::OneOf(texts), Some(AnswerValue::Text(text))) => {
                texts.iter().any(|known| **known == **text)
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let found = match value {
            None => "no value".to_owned(),
            Some(AnswerValue::Number(number)) => number.to_string(),
            Some(AnswerValue::Text(text)) => format!("the text \"{}\"", beginning(text)),
            Some(AnswerValue::Json(json)) => beginning(json),
        };
        let advice = self.advice(value);
        let name = beginning(&self.name);
        Err(format!(
            "expected {} for \"{name}\" in the answer, found {found}{advice}",
            self.expected
        ))
    }

    /// What to do about a value that does not fit, if this is known.
    fn advice(&self, value: Option<&AnswerValue>) -> &'static str {
        let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
        match (&self.expected, value) {
            (
                ExpectedValue::Number | ExpectedValue::Range { .. },
                Some(AnswerValue::Text(text)),
            ) if is_number(text) => "; to read a text as a number, end its --pick with #",
            _ => "",
        }
    }
}

impl fmt::Display for ExpectedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpectedValue::Number => f.write_str("a number"),
            ExpectedValue::Text => f.write_str("a text"),
            ExpectedValue::Boolean => f.write_str("true or false"),
            ExpectedValue::Range { from, to } if to.is_infinite() => {
                write!(f, "a number from {from} on")
            }
            ExpectedValue::Range { from, to } if from.is_infinite() => {
                write!(f, "a number up to {to}")
            }
            ExpectedValue::Range { from, to } => write!(f, "a number from {from} to {to}"),
            ExpectedValue::OneOf(texts) => write!(f, "one of {}", beginning(&texts.join(", "))),
        }
    }
}

/// Reads a range such as `0..1`. `None` if it is none, or contains no number.
fn range(text: &str) -> Option<ExpectedValue> {
    let (from, to) = text.split_once("..")?;
    let end = |written: &str, open: f64| match written.trim() {
        "" => Some(open),
        written => {
            let number: Option<f64> = written.parse().ok();
            number.filter(|number| number.is_finite())
        }
    };
    let (from, to) = (end(from, f64::NEG_INFINITY)?, end(to, f64::INFINITY)?);
    let has_end = from.is_finite() || to.is_finite();
    (has_end && from <= to).then_some(ExpectedValue::Range { from, to })
}

/// Reads texts such as `good|bad`. `None` if there are fewer than two, or if one of them is empty.
fn texts(text: &str) -> Option<ExpectedValue> {
    let texts: Vec<String> = text.split('|').map(|text| text.trim().to_owned()).collect();
    let is_good = texts.len() > 1 && texts.iter().all(|text| !text.is_empty());
    is_good.then_some(ExpectedValue::OneOf(texts))
}

impl FromStr for Expect {
    type Err = BadExpect;

    fn from_str(text: &str) -> Result<Self, BadExpect> {
        let found = || BadExpect(format!("`{}`", beginning(text)));
        let (name, written) = text.split_once('=').ok_or_else(found)?;
        let (name, written) = (name.trim(), written.trim());
        if name.is_empty() {
            return Err(found());
        }
        let expected = match written {
            "number" => Some(ExpectedValue::Number),
            "text" => Some(ExpectedValue::Text),
            "boolean" => Some(ExpectedValue::Boolean),
            _ => texts(written).or_else(|| range(written)),
        };
        Ok(Expect {
            name: name.to_owned(),
            expected: expected.ok_or_else(found)?,
            written: written.to_owned(),
        })
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.written)
    }
}

impl TryFrom<String> for Expect {
    type Error = BadExpect;

    fn try_from(text: String) -> Result<Self, BadExpect> {
        text.parse()
    }
}

impl From<Expect> for String {
    fn from(expect: Expect) -> String {
        expect.to_string()
    }
}
