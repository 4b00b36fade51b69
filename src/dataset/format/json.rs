//! JSON lines: one object per line, whose fields are read in one pass without copying.

mod walk;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::members::members;
use super::path::follow;
use super::{Boundaries, Columns, Format, Lines, RecordText};
use crate::dataset::fields::{FieldValue, Fields, NamedValues, column_of, kind_of};
use crate::dataset::non_finite;
use crate::error::BadRecord;
use walk::walk;

/// One JSON object per line.
#[derive(Debug)]
pub(in crate::dataset) struct JsonLines;

/// The format of datasets whose name does not determine another format.
pub(in crate::dataset) static JSON_LINES: JsonLines = JsonLines;

impl Format for JsonLines {
    fn boundaries(&self) -> Boundaries {
        Boundaries::Lines(Lines { json: true })
    }

    #[inline]
    fn read<'a>(
        &self,
        _: &Columns,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        let record = record.text;
        if plain_members_of(record, fields, values).is_some() {
            return Ok(());
        }
        values.fill(FieldValue::Missing);
        if members_of(record, fields, values).is_err() {
            values.fill(FieldValue::Missing);
            read_again(record, fields, values)?;
        }
        Ok(())
    }

    fn all<'a>(
        &self,
        _: &'a Columns,
        record: RecordText<'a>,
    ) -> Result<NamedValues<'a>, BadRecord> {
        members(record.text).map_err(|error| bad_json(&error))
    }

    fn field_names(&self, _: &Columns, record: &str) -> Vec<String> {
        let record = non_finite::replaced(record).map_or(Cow::Borrowed(record), Cow::Owned);
        let names = serde_json::from_str::<MemberNames>(&record);
        names.map_or_else(|_| Vec::new(), |names| names.0)
    }

    fn to_json<'a>(&self, _: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        Ok(Cow::Borrowed(record))
    }
}

/// Reads the fields of a record without anything unusual. Returns `None` if something is unusual; some of the fields
/// have then been read.
#[inline]
fn plain_members_of<'a>(
    record: &'a str,
    fields: &Fields,
    values: &mut [FieldValue<'a>],
) -> Option<()> {
    if fields.has_paths() {
        return None;
    }
    walk(record, |name, value| {
        if let Some(place) = fields.place_of(name) {
            values[place] = FieldValue::Json(Cow::Borrowed(value));
        }
    })
}

/// Reads the fields of a record in one pass.
#[inline]
fn members_of<'a>(
    record: &'a str,
    fields: &Fields,
    values: &mut [FieldValue<'a>],
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(record);
    json.deserialize_map(FieldsVisitor { fields, values })?;
    json.end()
}

/// A second, slower pass over a record that is not JSON. If the record is JSON except for numbers that are not finite,
/// the pass returns its values. Otherwise it finds what is wrong with the record, and where.
fn read_again<'a>(
    line: &'a str,
    fields: &Fields,
    values: &mut [FieldValue<'a>],
) -> Result<(), BadRecord> {
    let blank = line.len() - line.trim_ascii_start().len();
    if !line[blank..].starts_with('{') {
        let found = kind_of(&line[blank..]);
        let message = format!("expected a JSON object, found {found}");
        return Err(BadRecord::new(message, blank as u64 + 1));
    }
    let replaced = non_finite::replaced(line);
    let json = replaced.as_deref().unwrap_or(line);
    let mut found = vec![FieldValue::Missing; values.len()];
    members_of(json, fields, &mut found).map_err(|error| bad_json(&error))?;
    // Every replacement is as long as what it replaces, so a value in `json` has the same place as in `line`.
    for (value, found) in values.iter_mut().zip(&found) {
        let start = found.json().and_then(|part| column_of(json, part));
        if let (FieldValue::Json(part), Some(start)) = (found, start) {
            let start = start as usize - 1;
            let written = &line[start..start + part.len()];
            *value = match written == part {
                true => FieldValue::Json(Cow::Borrowed(written)),
                false => FieldValue::NotJson(written),
            };
        }
    }
    Ok(())
}

/// Returns the message of a JSON error, without the line and the column.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end])
        .to_owned()
}

pub(in crate::dataset) fn bad_json(error: &serde_json::Error) -> BadRecord {
    let reason = reason(error);
    let message = match error.classify() {
        serde_json::error::Category::Data => reason,
        // A line that was cut off usually ends in a string.
        serde_json::error::Category::Eof if !reason.ends_with("a string") => format!(
            "expected a JSON object, found a broken one: {reason}; if it goes on in the next line, use --format json"
        ),
        _ => format!("expected a JSON object, found a broken one: {reason}"),
    };
    BadRecord::new(message, error.column() as u64)
}

/// Reads the wanted fields of an object.
struct FieldsVisitor<'f, 'v, 'a> {
    fields: &'f Fields,
    values: &'v mut [FieldValue<'a>],
}

impl<'de> Visitor<'de> for FieldsVisitor<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    #[inline]
    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        let FieldsVisitor { fields, values } = self;
        // The values that begin the paths of selectors, by the place of the selector.
        let mut begun: Vec<(usize, &'de str)> = Vec::new();
        while let Some(name) = members.next_key_seed(NameVisitor(fields))? {
            match name {
                WantedField::At(place) => {
                    let json = members.next_value::<&'de RawValue>()?.get();
                    values[place] = FieldValue::Json(Cow::Borrowed(json));
                }
                WantedField::Begins { exact, paths } => {
                    let json = members.next_value::<&'de RawValue>()?.get();
                    if let Some(place) = exact {
                        values[place] = FieldValue::Json(Cow::Borrowed(json));
                    }
                    // Of several fields with the same name, the last one counts.
                    begun.retain(|(place, _)| !paths.contains(place));
                    begun.extend(paths.into_iter().map(|place| (place, json)));
                }
                WantedField::Unknown => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        for (place, json) in begun {
            let path = &fields.selectors()[place].path;
            // A field that has the whole selector as its name comes first.
            if matches!(values[place], FieldValue::Missing)
                && let Some(json) = follow(json, &path[1..])
            {
                values[place] = FieldValue::Json(Cow::Borrowed(json));
            }
        }
        Ok(())
    }
}

/// The wanted fields to which a name refers.
enum WantedField {
    At(usize),
    /// The name begins the paths of the selectors `paths`, and may also be the exact name of a selector.
    Begins {
        exact: Option<usize>,
        paths: Vec<usize>,
    },
    Unknown,
}

struct NameVisitor<'f>(&'f Fields);

impl<'de> DeserializeSeed<'de> for NameVisitor<'_> {
    type Value = WantedField;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<WantedField, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for NameVisitor<'_> {
    type Value = WantedField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<WantedField, E> {
        let fields = self.0;
        Ok(match fields.place_of(name) {
            Some(place) if !fields.has_paths() => WantedField::At(place),
            None if !fields.has_paths() => WantedField::Unknown,
            exact => wanted_by_path(fields, name, exact),
        })
    }
}

/// The wanted field to which a name refers, if there are selectors that may be paths.
fn wanted_by_path(fields: &Fields, name: &str, exact: Option<usize>) -> WantedField {
    let begins = |place: &usize| {
        let path = &fields.selectors()[*place].path;
        path.first().is_some_and(|first| first == name)
    };
    let paths: Vec<usize> = (0..fields.len()).filter(begins).collect();
    match exact {
        _ if !paths.is_empty() => WantedField::Begins { exact, paths },
        Some(place) => WantedField::At(place),
        None => WantedField::Unknown,
    }
}

/// The names of all members of an object, in their order.
struct MemberNames(Vec<String>);

impl<'de> Deserialize<'de> for MemberNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vec<String>, M::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Names).map(MemberNames)
    }
}
