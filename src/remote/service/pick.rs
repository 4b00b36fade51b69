//! Which values are taken out of an answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::pointer::{BadPointer, JsonPointer, described};
use crate::remote::AnswerValue;
use crate::remote::answer::{ProgramJson, beginning, parse_body};

/// A value that is taken out of each answer: `NAME=/pointer`, or `NAME=/pointer#/inner`.
///
/// The pointer is a [`JsonPointer`] into the answer. With `#`, the value there must be a text that holds JSON itself, and
/// the pointer after `#` leads into this JSON; `#` without a pointer takes all of it. Models of language often put JSON
/// into a fence of three backticks, which is left out.
///
/// ```
/// use manyhands::remote::Pick;
///
/// let pick: Pick = "label=/choices/0/message/content#/label".parse()?;
/// assert_eq!(pick.name(), "label");
/// # Ok::<(), manyhands::remote::BadPick>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pick {
    name: String,
    /// The pointer into the answer, and a pointer into each text that holds JSON.
    pointers: Vec<JsonPointer>,
}

/// The error of a text that does not say which value is taken out of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPick {
    /// There is no name.
    #[error(
        "expected NAME=/pointer, such as label=/choices/0/message/content, found `{0}`, which has no name"
    )]
    Name(String),
    /// There is no pointer.
    #[error("in the value \"{name}\": {error}")]
    Pointer {
        /// The name of the value.
        name: String,
        /// What is wrong with the pointer.
        error: BadPointer,
    },
}

impl Pick {
    /// The name of the value.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the value out of an answer. If there is none, returns what the answer has instead.
    pub(super) fn take(&self, answer: ProgramJson<'_>) -> Result<AnswerValue, String> {
        take(&self.name, &self.pointers, answer).map_err(|found| {
            format!(
                "expected a value for \"{}\" at {} in the answer, but {found}",
                beginning(&self.name),
                Shown(&self.pointers)
            )
        })
    }
}

/// Takes the value with this name that the first pointer, and then those after it, lead to.
fn take(
    name: &str,
    pointers: &[JsonPointer],
    document: ProgramJson<'_>,
) -> Result<AnswerValue, String> {
    let Some((pointer, inner)) = pointers.split_first() else {
        return document.value(name);
    };
    let value = pointer.find(document)?;
    let place = match pointer.as_str() {
        "" => "the value",
        pointer => pointer,
    };
    if value.json() == "null" {
        return Err(format!("{place} is null"));
    }
    if inner.is_empty() {
        return value.value(name);
    }
    let Ok(text) = serde_json::from_str::<String>(value.json()) else {
        let found = described(value.json());
        return Err(format!("{place} is {found}, not a text that holds JSON"));
    };
    let unfenced = without_fence(&text);
    let taken = parse_body(unfenced.as_bytes(), |json| take(name, inner, json));
    taken.unwrap_or_else(|_| {
        let found = beginning(unfenced);
        Err(format!("{place} is a text that is not JSON: `{found}`"))
    })
}

/// The text inside a fence of three backticks, if the whole text is in one. The first line of a fence may name a language.
fn without_fence(text: &str) -> &str {
    const FENCE: &str = "```";
    let text = text.trim();
    let inside = text.strip_prefix(FENCE);
    let inside = inside.and_then(|inside| inside.strip_suffix(FENCE));
    let Some(inside) = inside else {
        return text;
    };
    let after_word = inside.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
    match after_word.starts_with(['\n', '\r', ' ', '{', '[']) {
        true => after_word.trim(),
        false => inside.trim(),
    }
}

/// Pointers, as they are written.
struct Shown<'a>(&'a [JsonPointer]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, pointer) in self.0.iter().enumerate() {
            let separator = if place > 0 { "#" } else { "" };
            write!(f, "{separator}{pointer}")?;
        }
        Ok(())
    }
}

impl FromStr for Pick {
    type Err = BadPick;

    fn from_str(text: &str) -> Result<Self, BadPick> {
        let (name, place) = text.split_once('=').unwrap_or(("", ""));
        if name.trim().is_empty() || name.contains('/') {
            return Err(BadPick::Name(beginning(text)));
        }
        let pointers = place.split('#').map(str::parse);
        let pointers: Result<Vec<JsonPointer>, BadPointer> = pointers.collect();
        match pointers {
            Ok(pointers) => Ok(Pick {
                name: name.trim().to_owned(),
                pointers,
            }),
            Err(error) => Err(BadPick::Pointer {
                name: name.trim().to_owned(),
                error,
            }),
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, Shown(&self.pointers))
    }
}

impl TryFrom<String> for Pick {
    type Error = BadPick;

    fn try_from(text: String) -> Result<Self, BadPick> {
        text.parse()
    }
}

impl From<Pick> for String {
    fn from(pick: Pick) -> String {
        pick.to_string()
    }
}
