//! The body of a call: the record as JSON, or a template with fields of the record.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::dataset::{FieldValue, Fields, TextRecord, non_finite};
use crate::error::BadRecord;

/// A template for the body of a call: JSON in which `{{field}}` stands for a field of the record.
///
/// In the place of a value, `{{field}}` is replaced by the field as JSON: a text with its quotes, or a number, a list and
/// so on as they are. Inside a string, it is replaced by the text of the field, escaped as JSON demands; a field that is
/// no text is written as its JSON. A cell of a table is a text. Fields are named as in [`Fields`]: `text`, `user.name` or
/// `/user/0`. To write `{{` itself, write `\u007b\u007b` inside a string.
///
/// ```
/// use manyhands::dataset::TextRecord;
/// use manyhands::remote::BodyTemplate;
///
/// let template: BodyTemplate = r#"{"stars": {{stars}}, "prompt": "Rate this: {{text}}"}"#.parse()?;
/// let record = TextRecord::json(r#"{"stars": 4, "text": "So \"good\"."}"#);
/// let body = template.fill(&record)?;
/// assert_eq!(body, br#"{"stars": 4, "prompt": "Rate this: So \"good\"."}"#);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyTemplate {
    text: String,
    /// What comes before each field.
    before: Vec<(String, Gap)>,
    /// What comes after the last field.
    after: String,
    names: Vec<String>,
    fields: Fields,
}

/// The place of a field in a template.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gap {
    /// The place of a value.
    Value,
    /// A place inside a string.
    InString,
}

/// The error of a template that is not JSON, or whose fields cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}{message}")]
pub struct BadBodyTemplate {
    place: String,
    message: String,
}

impl BadBodyTemplate {
    fn at(text: &str, place: usize, message: impl Into<String>) -> Self {
        let before = &text[..place];
        let line = before.matches('\n').count() + 1;
        let column = place - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        BadBodyTemplate {
            place: format!("line {line}, column {column}: "),
            message: message.into(),
        }
    }
}

impl BodyTemplate {
    /// The names of the fields, in the order of the template. A name comes as often as in the template.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The body for a record.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of its format, or if one of the fields has no value: the record lacks the
    /// field, or it is `null` in JSON or an empty cell of a table.
    pub fn fill(&self, record: &TextRecord<'_>) -> Result<Vec<u8>, BadRecord> {
        let values = self.fields.of(record)?;
        let mut body = Vec::with_capacity(self.text.len() + record.as_str().len());
        for (place, (before, gap)) in self.before.iter().enumerate() {
            body.extend_from_slice(before.as_bytes());
            let value = values.get(place);
            if value.is_missing() {
                return Err(values.no_value(place, "a value"));
            }
            match gap {
                Gap::Value => write_value(&mut body, value),
                Gap::InString if is_half(value) => {
                    return Err(values.unexpected(place, "a string"));
                }
                Gap::InString => write_text(&mut body, value),
            }
        }
        body.extend_from_slice(self.after.as_bytes());
        Ok(body)
    }
}

/// Whether a value is a string with half of a surrogate pair, which is no character.
fn is_half(value: &FieldValue<'_>) -> bool {
    value.to_json().is_some_and(|json| json.starts_with('"')) && value.as_text().is_none()
}

/// Writes a field as JSON.
fn write_value(body: &mut Vec<u8>, value: &FieldValue<'_>) {
    match value.to_json() {
        Some(json) => body.extend_from_slice(json.as_bytes()),
        None => {
            body.push(b'"');
            write_text(body, value);
            body.push(b'"');
        }
    }
}

/// Writes a field as a part of a string of JSON.
fn write_text(body: &mut Vec<u8>, value: &FieldValue<'_>) {
    let text = match value.as_text() {
        Some(text) => text,
        None => value.to_json().unwrap_or_default(),
    };
    // This cannot fail, since a text is written to memory.
    let _ = text.serialize(&mut Serializer::with_formatter(body, NoQuotes));
}

/// Writes strings of JSON without their quotes.
struct NoQuotes;

impl Formatter for NoQuotes {
    fn begin_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }
}

/// The whole record as JSON.
pub(super) fn whole<'r>(record: &TextRecord<'r>) -> Result<Cow<'r, str>, BadRecord> {
    let json = record.to_json()?;
    let is_json = |json: &str| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
    // A record of another format has just been written as JSON.
    if matches!(json, Cow::Owned(_)) || is_json(&json) {
        return Ok(json);
    }
    let nulled = non_finite::nulled(&json);
    if is_json(&nulled) {
        return Ok(Cow::Owned(nulled));
    }
    let reason = record.fields().err();
    Err(reason.unwrap_or_else(|| BadRecord::new("expected a record that is JSON", None)))
}

impl FromStr for BodyTemplate {
    type Err = BadBodyTemplate;

    fn from_str(text: &str) -> Result<Self, BadBodyTemplate> {
        let mut before = Vec::new();
        let mut names = Vec::new();
        // The template with each field replaced by something that is as long, so that the parser's places are right.
        let mut sample = String::with_capacity(text.len());
        let mut scanner = StringScanner::default();
        let mut copied = 0;
        while let Some(start) = text[copied..].find("{{").map(|start| copied + start) {
            let literal = &text[copied..start];
            scanner.pass(literal);
            let inside = &text[start + 2..];
            let Some(length) = inside.find("}}") else {
                return Err(BadBodyTemplate::at(
                    text,
                    start,
                    "expected a field such as {{text}}, found {{ without }} after it; write \\u007b\\u007b for the \
                     characters themselves",
                ));
            };
            let name = inside[..length].trim();
            if name.is_empty() {
                let message = "expected the name of a field, such as {{text}}, found no name";
                return Err(BadBodyTemplate::at(text, start, message));
            }
            let (gap, stand_in) = match scanner.in_string {
                true => (Gap::InString, "xxxx"),
                false => (Gap::Value, "null"),
            };
            before.push((literal.to_owned(), gap));
            names.push(name.to_owned());
            sample += literal;
            sample += stand_in;
            let fill = if scanner.in_string { "x" } else { " " };
            sample += &fill.repeat(length);
            copied = start + 2 + length + 2;
        }
        let after = &text[copied..];
        sample += after;
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&sample) {
            return Err(not_json(text, &error));
        }
        Ok(BodyTemplate {
            text: text.to_owned(),
            before,
            after: after.to_owned(),
            fields: Fields::new(names.iter().cloned(), [""; 0]),
            names,
        })
    }
}

/// The error of a template that is not JSON.
fn not_json(text: &str, error: &serde_json::Error) -> BadBodyTemplate {
    let message = error.to_string();
    // The place is at the beginning of our own message.
    let what = message.split(" at line ").next().unwrap_or_default();
    BadBodyTemplate {
        place: match text.trim() {
            "" => String::new(),
            _ => format!("line {}, column {}: ", error.line(), error.column()),
        },
        message: format!(
            "expected JSON once the fields are filled in, such as {{\"text\": {{{{text}}}}}}, found none: {what}"
        ),
    }
}

/// Knows whether a place in JSON is inside a string.
#[derive(Default)]
struct StringScanner {
    in_string: bool,
    is_escaped: bool,
}

impl StringScanner {
    fn pass(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_string => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }
}

impl PartialEq for BodyTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for BodyTemplate {
    /// Writes the template as it was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for BodyTemplate {
    type Error = BadBodyTemplate;

    fn try_from(text: String) -> Result<Self, BadBodyTemplate> {
        text.parse()
    }
}

impl From<BodyTemplate> for String {
    fn from(template: BodyTemplate) -> String {
        template.text
    }
}
