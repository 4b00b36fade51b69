//! JSON lines: one object per line, whose fields are read in one pass without copying.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::columns::list;
use super::{Columns, Format};
use crate::dataset::fields::{FieldValues, Fields, column_of};
use crate::error::BadRecord;

/// One JSON object per line.
#[derive(Debug)]
pub(in crate::dataset) struct JsonLines;

/// The format of datasets whose name does not determine another format.
pub(in crate::dataset) static JSON_LINES: JsonLines = JsonLines;

impl Format for JsonLines {
    fn endings(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson", "json"]
    }

    fn read<'a>(
        &self,
        _: &Columns,
        record: &'a str,
        fields: &Fields,
    ) -> Result<FieldValues<'a>, BadRecord> {
        let mut json = serde_json::Deserializer::from_str(record);
        json.deserialize_map(FieldsVisitor(fields))
            .and_then(|values| json.end().map(|()| values))
            .or_else(|_| read_again(record, fields))
    }

    fn to_json<'a>(&self, _: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        Ok(Cow::Borrowed(record))
    }
}

/// A second, slower pass over a record that could not be read in one pass. It finds what is wrong with the record,
/// and where. If the only wrong field appears again later with a valid value, the pass returns the values instead of
/// an error.
fn read_again<'a>(line: &'a str, fields: &Fields) -> Result<FieldValues<'a>, BadRecord> {
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
    let Some(text) = last(&fields.text) else {
        let message = format!(
            "expected a field {:?}; the record's fields: {}",
            fields.text,
            list(members.0.iter().map(|(name, _)| name))
        );
        return Err(BadRecord::new(message, blank as u64 + 1));
    };
    let json = text.get();
    let Ok(Text(text)) = serde_json::from_str(json) else {
        let found = match kind_of(json) {
            // The value is valid JSON, so its escapes are well-formed, but an escape may still not represent a
            // character.
            "a string" => "a string with half a surrogate pair, which is no character",
            other => other,
        };
        let message = format!(
            "expected a string in field {:?}, found {found}",
            fields.text
        );
        return Err(BadRecord::new(message, column_of(line, json)));
    };
    let raw = fields.others.iter().map(|other| last(other));
    Ok(FieldValues {
        text,
        raw: raw
            .map(|raw| raw.map(|raw| Cow::Borrowed(raw.get())))
            .collect(),
    })
}

/// Returns the message of a JSON error, without the line and the column.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end])
        .to_owned()
}

pub(in crate::dataset) fn bad_json(error: &serde_json::Error) -> BadRecord {
    let message = match error.classify() {
        serde_json::error::Category::Data => reason(error),
        _ => format!(
            "expected a JSON object, found a broken one: {}",
            reason(error)
        ),
    };
    BadRecord::new(message, error.column() as u64)
}

/// Returns the kind of a JSON value in words, which is determined from the first characters of the value.
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

/// A JSON string, which is borrowed unless it contains escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads the wanted fields of an object.
struct FieldsVisitor<'f>(&'f Fields);

impl<'de> Visitor<'de> for FieldsVisitor<'_> {
    type Value = FieldValues<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<FieldValues<'de>, M::Error> {
        let fields = self.0;
        let mut text = None;
        let mut raw = vec![None; fields.others.len()];
        while let Some(name) = members.next_key_seed(NameVisitor(fields))? {
            match name {
                WantedField::Text => text = Some(members.next_value::<Text<'de>>()?.0),
                WantedField::Other(other) => {
                    raw[other] = Some(Cow::Borrowed(members.next_value::<&'de RawValue>()?.get()));
                }
                WantedField::Unknown => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        if fields.text_too {
            let other = fields.others.iter().position(|name| *name == fields.text);
            if let Some(Cow::Borrowed(json)) = other.and_then(|other| raw[other].as_ref()) {
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

/// The wanted field to which a name refers.
enum WantedField {
    Text,
    Other(usize),
    Unknown,
}

struct NameVisitor<'f>(&'f Fields);

impl<'de> DeserializeSeed<'de> for NameVisitor<'_> {
    type Value = WantedField;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<WantedField, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for NameVisitor<'_> {
    type Value = WantedField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<WantedField, E> {
        let fields = self.0;
        if name == fields.text && !fields.text_too {
            return Ok(WantedField::Text);
        }
        let other = fields.others.iter().position(|other| other == name);
        Ok(other.map_or(WantedField::Unknown, WantedField::Other))
    }
}

/// All members of an object, from which the error message explains what is wrong with the object.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

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
