//! The fields of a JSON object that a task looks at, read in one pass without copying.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::TextRecord;
use crate::error::BadRecord;

/// Which fields of a JSON object to read: the text, and others as they stand.
///
/// ```
/// use manyhands::dataset::{Fields, TextRecord};
///
/// let fields = Fields::new("text", ["movie"]);
/// let line = TextRecord::json(r#"{"movie": "tt0030563", "stars": 4, "text": "Good \"fun\"."}"#);
/// let values = fields.of(&line)?;
/// assert_eq!(values.text, "Good \"fun\".");
/// assert_eq!(values.raw[0], Some(r#""tt0030563""#));
/// # Ok::<(), manyhands::error::BadRecord>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fields {
    text: String,
    others: Vec<String>,
    /// The text is among the others too, so it must be read as it stands first.
    text_too: bool,
}

/// The fields of one record.
#[derive(Clone, Debug, Default)]
pub struct FieldValues<'a> {
    /// The text, borrowed from the record unless it holds escapes.
    pub text: Cow<'a, str>,
    /// The other fields as JSON, in the order they were asked for; `None` where the record has no
    /// such field.
    pub raw: Vec<Option<&'a str>>,
}

impl Fields {
    /// Reads the string in the field `text`, and the JSON of the fields `others`.
    pub fn new<N: Into<String>>(
        text: impl Into<String>,
        others: impl IntoIterator<Item = N>,
    ) -> Self {
        let text = text.into();
        let others: Vec<String> = others.into_iter().map(Into::into).collect();
        let text_too = others.contains(&text);
        Fields {
            text,
            others,
            text_too,
        }
    }

    /// The fields of one record. Of a field that stands twice the last one counts.
    ///
    /// # Errors
    ///
    /// Where the line is not a JSON object or its text is missing or not a string.
    pub fn of<'a>(&self, line: &TextRecord<'a>) -> Result<FieldValues<'a>, BadRecord> {
        let text = line.as_str();
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(Reader(self))
            .and_then(|values| json.end().map(|()| values))
            .or_else(|_| self.look_again(text))
    }

    /// A second, slower look at a line that could not be read in one pass: what is wrong with it,
    /// and where; or its values after all, where only a field that does not count was wrong.
    fn look_again<'a>(&self, line: &'a str) -> Result<FieldValues<'a>, BadRecord> {
        let blank = line.len() - line.trim_ascii_start().len();
        if !line[blank..].starts_with('{') {
            let found = kind_of(&line[blank..]);
            let message = format!("expected a JSON object, found {found}");
            return Err(BadRecord::new(message, blank as u64 + 1));
        }
        let members: Members<'_> = serde_json::from_str(line).map_err(|error| bad_json(&error))?;
        let last = |wanted: &str| {
            let mut named = members.0.iter().rev();
            named.find(|(name, _)| name == wanted).map(|(_, raw)| *raw)
        };
        let Some(text) = last(&self.text) else {
            let message = format!(
                "expected a field {:?}; the record's fields: {}",
                self.text,
                members.names()
            );
            return Err(BadRecord::new(message, blank as u64 + 1));
        };
        let json = text.get();
        let Ok(Text(text)) = serde_json::from_str(json) else {
            let found = match kind_of(json) {
                // It is JSON, so its escapes are well-formed; they may yet stand for nothing.
                "a string" => "a string with half a surrogate pair, which is no character",
                other => other,
            };
            let message = format!("expected a string in field {:?}, found {found}", self.text);
            return Err(BadRecord::new(
                message,
                TextRecord::json(line).column_of(json),
            ));
        };
        let raw = self.others.iter().map(|other| last(other));
        Ok(FieldValues {
            text,
            raw: raw.map(|raw| raw.map(RawValue::get)).collect(),
        })
    }
}

/// The reason of a JSON error without the place, which is told apart from it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end])
        .to_owned()
}

pub(super) fn bad_json(error: &serde_json::Error) -> BadRecord {
    let message = match error.classify() {
        serde_json::error::Category::Data => reason(error),
        _ => format!(
            "expected a JSON object, found a broken one: {}",
            reason(error)
        ),
    };
    BadRecord::new(message, error.column() as u64)
}

/// What kind of value something is that may be JSON, in words, judged by its beginning.
pub(crate) fn kind_of(json: &str) -> &'static str {
    match json.as_bytes() {
        [b'"', ..] => "a string",
        [b'{', ..] => "an object",
        [b'[', ..] => "an array",
        [b'-' | b'0'..=b'9', ..] => "a number",
        [b't', b'r', b'u', b'e', ..] | [b'f', b'a', b'l', b's', b'e', ..] => "a boolean",
        [b'n', b'u', b'l', b'l', ..] => "null",
        [0xef, 0xbb, 0xbf, ..] => "a byte-order mark",
        _ => "text that is not JSON",
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads the wanted fields of an object.
struct Reader<'f>(&'f Fields);

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = FieldValues<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<FieldValues<'de>, M::Error> {
        let fields = self.0;
        let mut text = None;
        let mut raw = vec![None; fields.others.len()];
        while let Some(name) = members.next_key_seed(NameReader(fields))? {
            match name {
                Name::Text => text = Some(members.next_value::<Text<'de>>()?.0),
                Name::Other(other) => {
                    raw[other] = Some(members.next_value::<&'de RawValue>()?.get());
                }
                Name::Unknown => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        if fields.text_too {
            let other = fields.others.iter().position(|name| *name == fields.text);
            if let Some(json) = other.and_then(|other| raw[other]) {
                text = Some(
                    serde_json::from_str::<Text<'de>>(json)
                        .map_err(serde::de::Error::custom)?
                        .0,
                );
            }
        }
        let text = text.ok_or_else(|| serde::de::Error::missing_field("text"))?;
        Ok(FieldValues { text, raw })
    }
}

/// Which of the wanted fields a name is.
enum Name {
    Text,
    Other(usize),
    Unknown,
}

struct NameReader<'f>(&'f Fields);

impl<'de> DeserializeSeed<'de> for NameReader<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Name, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for NameReader<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        let fields = self.0;
        if name == fields.text && !fields.text_too {
            return Ok(Name::Text);
        }
        let other = fields.others.iter().position(|other| other == name);
        Ok(other.map_or(Name::Unknown, Name::Other))
    }
}

/// Every member of an object, for explaining what is wrong with it.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Members<'_> {
    /// How many names are told, …
    const TOLD: usize = 8;
    /// … and how many characters of each.
    const TOLD_CHARACTERS: usize = 40;

    /// The first names, for a message.
    fn names(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        let names = self.0.iter().take(Self::TOLD).map(|(name, _)| {
            match name.char_indices().nth(Self::TOLD_CHARACTERS) {
                Some((end, _)) => format!("{:?}…", &name[..end]),
                None => format!("{name:?}"),
            }
        });
        let more = (self.0.len() > Self::TOLD).then(|| "…".to_owned());
        names.chain(more).collect::<Vec<_>>().join(", ")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Members)
    }
}
