//! The answer of a program for a record.

#[cfg(all(test, not(shuttle)))]
mod tests;
mod values;

use std::fmt;
use std::hash::BuildHasher as _;
use std::str::FromStr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dataset::non_finite;
use crate::error::Cause;
use crate::visible::escaped;

use self::values::SCORE;
pub use self::values::{AnswerValue, ProgramAnswer};

/// The name of the value of an answer that is a bare text.
const LABEL: &str = "label";

/// The name of the member with which an answer says why the record failed.
const ERROR: &str = "error";

/// What a JSON string contains that is JSON but not text. Python writes such strings.
const HALF: &str = "half of a surrogate pair";

/// The whitespace of JSON.
const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The longest name that a value may have, in bytes. Every new name makes a new column, which the run keeps.
const MOST_NAME_BYTES: usize = 1_000;

/// Reads a line of a program.
///
/// # Errors
///
/// Returns an error if the text is not one JSON value or cannot be used as an answer, and if the program says that the
/// record failed. In the latter case, the message of the error is the one of the program.
impl FromStr for ProgramAnswer {
    type Err = Cause;

    fn from_str(line: &str) -> Result<Self, Cause> {
        Ok(parse(line.as_bytes())??)
    }
}

/// What a program says of a record: its answer, or the reason why the record has none.
pub(super) type Said = Result<ProgramAnswer, String>;

/// A line that is no answer. The lines after it may belong to other records than expected, so they cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadAnswer(pub(super) String);

impl BadAnswer {
    fn new(expected: ExpectedJson, found: &str) -> Self {
        let expected = match expected {
            ExpectedJson::Body => {
                return BadAnswer(format!("expected JSON in the answer, found {found}"));
            }
            ExpectedJson::One => "one JSON value on the line".to_owned(),
            ExpectedJson::List(records) => {
                format!("a JSON list on the line, with one answer for each of {records} records")
            }
        };
        let advice = "the program must write everything else to its standard error";
        BadAnswer(format!("expected {expected}, found {found}; {advice}"))
    }
}

/// The JSON that is expected on a line, or as the body of an answer.
#[derive(Clone, Copy)]
enum ExpectedJson {
    One,
    List(usize),
    #[cfg_attr(not(feature = "http"), expect(dead_code))]
    Body,
}

/// Reads the line with which a program answers for one record.
pub(super) fn parse(line: &[u8]) -> Result<Said, BadAnswer> {
    read(line, ExpectedJson::One, |line| line.said())
}

/// Reads the line with which a program answers for `records` records at once.
pub(super) fn parse_list(line: &[u8], records: usize) -> Result<Vec<Said>, BadAnswer> {
    let expected = ExpectedJson::List(records);
    let answers = read(line, expected, |line| line.list())?;
    match answers.len() {
        found if found == records => Ok(answers),
        1 => Err(BadAnswer::new(expected, "1 answer")),
        found => Err(BadAnswer::new(expected, &format!("{found} answers"))),
    }
}

/// Reads the body of an answer over HTTP, from which `take` takes what it needs.
#[cfg(feature = "http")]
pub(super) fn parse_body<T>(
    body: &[u8],
    take: impl Fn(ProgramJson<'_>) -> T,
) -> Result<T, BadAnswer> {
    read(body, ExpectedJson::Body, |json| {
        json.is_json().then(|| take(json))
    })
}

/// Reads a line. `read_json` returns `None` if the line is not the JSON that is expected.
fn read<T>(
    line: &[u8],
    expected: ExpectedJson,
    read_json: impl Fn(ProgramJson<'_>) -> Option<T>,
) -> Result<T, BadAnswer> {
    let Ok(text) = simdutf8::basic::from_utf8(line) else {
        let line = String::from_utf8_lossy(line);
        let found = format!("text that is not UTF-8: `{}`", beginning(&line));
        return Err(BadAnswer::new(expected, &found));
    };
    let written = text.trim_matches(WHITESPACE);
    let plain = ProgramJson {
        json: written,
        written,
    };
    if let Some(answer) = read_json(plain) {
        return Ok(answer);
    }
    // A number that is not finite is found by what surrounds it, so the line is made the only value of a list.
    let replaced = non_finite::replaced(&format!("[{written}]"));
    let json = replaced.as_deref();
    let json = json.and_then(|list| list.get(1..list.len() - 1));
    let answer = json.and_then(|json| read_json(ProgramJson { json, written }));
    answer.ok_or_else(|| match written {
        "" if matches!(expected, ExpectedJson::Body) => BadAnswer::new(expected, "nothing"),
        "" => BadAnswer::new(expected, "an empty line"),
        _ => BadAnswer::new(expected, &format!("`{}`", beginning(written))),
    })
}

/// The beginning of a text, for a message.
pub(super) fn beginning(text: &str) -> String {
    const MOST_CHARACTERS: usize = 60;
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text).into_owned(),
    }
}

/// A value as JSON, and as the program wrote it. They differ if the program wrote numbers that JSON does not have: in the
/// JSON, each such number is replaced by another of the same length, so every part of the value has the same place in
/// both.
#[derive(Clone, Copy)]
pub(super) struct ProgramJson<'a> {
    json: &'a str,
    written: &'a str,
}

impl<'a> ProgramJson<'a> {
    /// The value as JSON.
    #[cfg(feature = "http")]
    pub(super) fn json(self) -> &'a str {
        self.json
    }

    /// The part of this value whose JSON is `json`, which must be borrowed from the JSON of this value.
    pub(super) fn part(self, json: &'a RawValue) -> Self {
        let json = json.get();
        let start = (json.as_ptr() as usize).wrapping_sub(self.json.as_ptr() as usize);
        let written = self.written.get(start..start.wrapping_add(json.len()));
        ProgramJson {
            json,
            written: written.unwrap_or(json),
        }
    }

    fn is_json(self) -> bool {
        serde_json::from_str::<IgnoredAny>(self.json).is_ok()
    }

    /// What the program says of a record; `None` if this is not JSON.
    pub(super) fn said(self) -> Option<Said> {
        let said = match self.json.as_bytes().first() {
            Some(b'{') => self.object(),
            Some(b'"') => self
                .value(LABEL)
                .map(|value| ProgramAnswer::of(LABEL, value)),
            Some(b'-' | b'0'..=b'9') => self
                .value(SCORE)
                .map(|value| ProgramAnswer::of(SCORE, value)),
            _ => self.other(),
        };
        // What was read without an error is JSON.
        (said.is_ok() || self.is_json()).then_some(said)
    }

    /// The answers for several records; `None` if this is not a list in JSON.
    fn list(self) -> Option<Vec<Said>> {
        let list: Vec<&RawValue> = serde_json::from_str(self.json).ok()?;
        list.into_iter()
            .map(|json| self.part(json).said())
            .collect()
    }

    /// An answer that is neither a number, a text nor an object.
    fn other(self) -> Said {
        let found = match self.json {
            "null" => return Ok(ProgramAnswer::default()),
            json if json.starts_with('[') => "a list",
            _ => "a boolean",
        };
        Err(format!(
            "expected a number, a text or an object of them, found {found}"
        ))
    }

    fn object(self) -> Said {
        let mut json = serde_json::Deserializer::from_str(self.json);
        let members = json.deserialize_map(ObjectVisitor(self));
        match members.and_then(|said| json.end().map(|()| said)) {
            Ok(said) => said,
            // If the object is JSON, only a name can be the reason, because the values have not been read.
            Err(_) => Err(format!(
                "expected text as names in the answer, found {HALF}"
            )),
        }
    }

    /// The value of the answer with this name. An error if it cannot be used, or is a number or a text that is not JSON.
    pub(super) fn value(self, name: &str) -> Result<AnswerValue, String> {
        let wrong = |expected: &str, found: &str| {
            let (name, written) = (beginning(name), beginning(self.written));
            format!("expected {expected} in the answer's \"{name}\", found {found}{written}")
        };
        match self.json.as_bytes().first() {
            Some(b'"') => match serde_json::from_str(self.json) {
                Ok(text) => Ok(AnswerValue::Text(text)),
                Err(_) => Err(wrong("text", &format!("{HALF}: "))),
            },
            Some(b'-' | b'0'..=b'9') => match self.number() {
                Some(number) => Ok(AnswerValue::Number(number)),
                None => Err(wrong("a number from -1.8e308 to 1.8e308", "")),
            },
            _ if self.json == self.written => Ok(AnswerValue::Json(self.json.into())),
            _ => Ok(AnswerValue::Json(non_finite::nulled(self.written).into())),
        }
    }

    /// The number. `None` if it is not JSON, or too large.
    fn number(self) -> Option<f64> {
        match self.written {
            "NaN" | "-NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => serde_json::from_str(self.json).ok(),
        }
    }

    /// Why the record failed, if this is the member `error` of an answer.
    fn reason(self) -> String {
        match serde_json::from_str::<String>(self.json) {
            Ok(reason) if reason.trim().is_empty() => {
                "the answer has an empty text as its error".to_owned()
            }
            Ok(reason) => reason,
            Err(_) => self.written.to_owned(),
        }
    }
}

/// Reads the members of an object.
struct ObjectVisitor<'a>(ProgramJson<'a>);

impl<'a> Visitor<'a> for ObjectVisitor<'a> {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut object: M) -> Result<Said, M::Error> {
        let mut members = ObjectMembers::default();
        let (mut refused, mut unusable) = (None, None);
        while let Some((name, json)) = object.next_entry::<String, &RawValue>()? {
            let member = self.0.part(json);
            if name == ERROR {
                refused = (member.json != "null").then(|| member.reason());
            } else if let Err(reason) = members.put(name, member) {
                unusable.get_or_insert(reason);
            }
        }
        Ok(match refused.or(unusable) {
            Some(reason) => Err(reason),
            None => Ok(members.into_answer()),
        })
    }
}

/// The members of an object that were read so far.
#[derive(Default)]
struct ObjectMembers {
    /// Each name once, in the order in which the names were first read. A value that is `null` is `None`.
    values: Vec<(String, Option<AnswerValue>)>,
    places: Places,
}

impl ObjectMembers {
    /// Adds a member. An error if it cannot be used.
    fn put(&mut self, name: String, member: ProgramJson<'_>) -> Result<(), String> {
        if name.len() > MOST_NAME_BYTES {
            let (length, name) = (name.len(), beginning(&name));
            return Err(format!(
                "expected names of at most {MOST_NAME_BYTES} bytes in the answer, found one of {length}: \"{name}\""
            ));
        }
        let value = match member.json {
            "null" => None,
            _ => Some(member.value(&name)?),
        };
        match self.places.find(&self.values, &name) {
            Some(place) => self.values[place].1 = value,
            None => self.values.push((name, value)),
        }
        Ok(())
    }

    fn into_answer(self) -> ProgramAnswer {
        let values = self.values.into_iter();
        let values = values.filter_map(|(name, value)| Some((name, value?)));
        ProgramAnswer::new(values.collect())
    }
}

/// Finds names among the values that were read so far.
#[derive(Default)]
struct Places {
    /// The places of the names, once there are more than a few. The table is empty before that.
    table: HashTable<usize>,
    hashing: RandomState,
}

impl Places {
    /// The place of the value with this name. If there is none, this function expects it to be pushed next.
    fn find<T>(&mut self, values: &[(String, T)], name: &str) -> Option<usize> {
        /// Number of names up to which a comparison with all of them is faster than a table.
        const FEW: usize = 16;

        if values.len() < FEW {
            return values.iter().position(|(known, _)| known == name);
        }
        let hash = |place: &usize| {
            self.hashing
                .hash_one(values.get(*place).map_or(name, |(known, _)| known))
        };
        // When the names become many, the table gets all of those that were found before.
        for place in self.table.len()..values.len() {
            self.table.insert_unique(hash(&place), place, hash);
        }
        let is_same = |place: &usize| values[*place].0 == name;
        self.table
            .find(self.hashing.hash_one(name), is_same)
            .copied()
    }
}
