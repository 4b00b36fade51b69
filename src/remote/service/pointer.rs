//! JSON pointers, which name a value inside a JSON document, as RFC 6901 defines them.

use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::remote::answer::{ProgramJson, beginning};

/// The largest number of names of members in a message.
const SHOWN_MEMBERS: usize = 8;

/// A JSON pointer, such as `/choices/0/message/content`. The empty pointer names the whole document. In the name of a
/// member, `~1` stands for `/` and `~0` for `~`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JsonPointer(String);

/// The error of a text that is not a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a JSON pointer that begins with /, such as /choices/0/message/content, found `{0}`"
)]
pub struct BadPointer(String);

impl JsonPointer {
    /// The pointer, as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn steps(&self) -> impl Iterator<Item = String> {
        let steps = self.0.split('/').skip(1);
        steps.map(|step| step.replace("~1", "/").replace("~0", "~"))
    }

    /// Finds the value. If there is none, returns what is there instead.
    pub(in crate::remote) fn find<'a>(
        &self,
        document: ProgramJson<'a>,
    ) -> Result<ProgramJson<'a>, String> {
        let mut value = document;
        // The length of the pointer to `value`.
        let mut reached = 0;
        for step in self.steps() {
            value = member(value, &step).ok_or_else(|| {
                let place = match &self.0[..reached] {
                    "" => "the answer".to_owned(),
                    place => place.to_owned(),
                };
                format!("{place} is {}", described(value.json()))
            })?;
            let rest = &self.0[reached + 1..];
            reached += 1 + rest.find('/').unwrap_or(rest.len());
        }
        Ok(value)
    }
}

/// The member of an object, or the value of a list, that a step names.
fn member<'a>(value: ProgramJson<'a>, step: &str) -> Option<ProgramJson<'a>> {
    let json = value.json();
    let mut reader = serde_json::Deserializer::from_str(json);
    let found: Option<&RawValue> = match json.as_bytes().first() {
        Some(b'{') => reader.deserialize_map(MemberVisitor(step)).ok()?,
        Some(b'[') => {
            let is_number = step.bytes().all(|byte| byte.is_ascii_digit())
                && (step == "0" || !step.starts_with('0'));
            let place = is_number.then(|| step.parse().ok())??;
            reader.deserialize_seq(PlaceVisitor(place)).ok()?
        }
        _ => None,
    };
    found.map(|found| value.part(found))
}

/// Finds the last member with a name.
struct MemberVisitor<'n>(&'n str);

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(is_same) = object.next_key_seed(NameEquals(self.0))? {
            match is_same {
                true => found = Some(object.next_value()?),
                false => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads the name of a member, and compares it with another name.
struct NameEquals<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for NameEquals<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for NameEquals<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// Finds the value at a place of a list, which is counted from 0.
struct PlaceVisitor(usize);

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        for _ in 0..self.0 {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// Describes a value for a message.
pub(super) fn described(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'{') => {
            let object: Result<serde_json::Map<_, _>, _> = serde_json::from_str(json);
            let Ok(object) = object else {
                return "an object".to_owned();
            };
            let names = object.keys().take(SHOWN_MEMBERS);
            let names: Vec<String> = names
                .map(|name| format!("\"{}\"", beginning(name)))
                .collect();
            match object.len() {
                0 => "an object without members".to_owned(),
                1..=SHOWN_MEMBERS => format!("an object with {}", names.join(", ")),
                all => format!(
                    "an object with {} and {} more members",
                    names.join(", "),
                    all - SHOWN_MEMBERS
                ),
            }
        }
        Some(b'[') => {
            let list: Result<Vec<IgnoredAny>, _> = serde_json::from_str(json);
            match list.map_or(0, |list| list.len()) {
                0 => "an empty list".to_owned(),
                1 => "a list with 1 value".to_owned(),
                many => format!("a list with {many} values"),
            }
        }
        Some(b'"') => format!("the text {}", beginning(json)),
        Some(b'n') => "null".to_owned(),
        _ => beginning(json),
    }
}

impl FromStr for JsonPointer {
    type Err = BadPointer;

    fn from_str(text: &str) -> Result<Self, BadPointer> {
        let mut tildes = text.split('~').skip(1);
        let is_escaped = tildes.all(|after| after.starts_with(['0', '1']));
        match (text.is_empty() || text.starts_with('/')) && is_escaped {
            true => Ok(JsonPointer(text.to_owned())),
            false => Err(BadPointer(beginning(text))),
        }
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for JsonPointer {
    type Error = BadPointer;

    fn try_from(text: String) -> Result<Self, BadPointer> {
        text.parse()
    }
}

impl From<JsonPointer> for String {
    fn from(pointer: JsonPointer) -> String {
        pointer.0
    }
}
