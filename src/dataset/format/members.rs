//! All members of a JSON object.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::dataset::fields::{FieldValue, NamedValues, column_of};
use crate::dataset::non_finite;

/// Returns all members of a JSON object, in their order. If a name is repeated, the first place has the last value.
pub(super) fn members(record: &str) -> serde_json::Result<NamedValues<'_>> {
    let written = |(name, json)| (name, FieldValue::Json(Cow::Borrowed(json)));
    let error = match serde_json::from_str::<Members<'_>>(record) {
        Ok(Members(members)) => return Ok(members.into_iter().map(written).collect()),
        Err(error) => error,
    };
    let replaced = non_finite::replaced(record).ok_or(error)?;
    let Members(members) = serde_json::from_str(&replaced)?;
    // Every replacement is as long as what it replaces, so a value in the copy has the same place as in the record.
    let written = |(name, json): (Cow<'_, str>, &str)| {
        let start = column_of(&replaced, json).map(|column| column as usize - 1)?;
        let written = record.get(start..start + json.len())?;
        let value = match written == json {
            true => FieldValue::Json(Cow::Borrowed(written)),
            false => FieldValue::NotJson(written),
        };
        Some((Cow::Owned(name.into_owned()), value))
    };
    Ok(members.into_iter().filter_map(written).collect())
}

/// The members of an object, without repeated names.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

#[derive(Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        /// Number of members up to which a comparison with all of them is faster than a table.
        const FEW: usize = 16;

        let mut members: Self::Value = Vec::with_capacity(FEW);
        let mut places: HashMap<Cow<'de, str>, usize> = HashMap::new();
        while let Some((name, json)) = map.next_entry::<MemberName<'de>, &'de RawValue>()? {
            let (name, json) = (name.0, json.get());
            let place = match members.len() {
                ..=FEW => members.iter().position(|(known, _)| *known == name),
                _ => {
                    if places.is_empty() {
                        let known = members.iter().enumerate();
                        places.extend(known.map(|(place, (name, _))| (name.clone(), place)));
                    }
                    places.get(&name).copied()
                }
            };
            match place {
                Some(place) => members[place].1 = json,
                None => {
                    if !places.is_empty() {
                        places.insert(name.clone(), members.len());
                    }
                    members.push((name, json));
                }
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(record: &str) -> Vec<(String, FieldValue<'_>)> {
        let members = members(record).expect("an object").into_iter();
        members
            .map(|(name, value)| (name.into_owned(), value))
            .collect()
    }

    #[test]
    fn members_come_in_order_and_a_repeated_name_has_its_last_value() {
        let json = |text: &'static str| FieldValue::Json(text.into());
        let expected = [
            ("b", json("[1, 2]")),
            ("a\"", json("3")),
            ("c", json("null")),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(
            shown(r#" {"b": 1,"a\"":3,"b": [1, 2],"c":null} "#),
            expected
        );
        assert!(members("[1]").is_err());
    }

    #[test]
    fn values_that_are_not_json_are_given_as_they_are_written() {
        let found = shown(r#"{"x": NaN,"y":[-Infinity],"z":1.50}"#);
        let expected = [
            ("x", FieldValue::NotJson("NaN")),
            ("y", FieldValue::NotJson("[-Infinity]")),
            ("z", FieldValue::Json("1.50".into())),
        ];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }

    #[test]
    fn many_members_are_told_apart_as_few_are() {
        let name = |number: usize| format!("name{}", number % 40);
        let members: Vec<_> = (0..100)
            .map(|number| format!("\"{}\":{number}", name(number)))
            .collect();
        let record = format!("{{{}}}", members.join(","));
        let last = |number: usize| {
            if number < 20 {
                number + 80
            } else {
                number + 40
            }
        };
        let expected: Vec<_> = (0..40)
            .map(|number| {
                (
                    name(number),
                    FieldValue::Json(last(number).to_string().into()),
                )
            })
            .collect();
        assert_eq!(shown(&record), expected);
    }
}
