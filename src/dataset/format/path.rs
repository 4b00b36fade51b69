//! Paths into a JSON value, such as `user.text` or `/user/0`.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Returns the value to which the steps lead: each step is the name of a member of an object, or the index of an
/// element of an array, from 0. `None` if there is no such value.
pub(super) fn follow<'a>(json: &'a str, steps: &[String]) -> Option<&'a str> {
    steps.iter().try_fold(json, |json, step| {
        let mut value = serde_json::Deserializer::from_str(json);
        match json.as_bytes().first() {
            Some(b'{') => value.deserialize_map(Member(step)).ok()?,
            Some(b'[') => value.deserialize_seq(Element(index_of(step)?)).ok()?,
            _ => None,
        }
    })
}

/// Returns the index that a step names, by the grammar of JSON pointers (RFC 6901): decimal digits without zeros before
/// them.
fn index_of(step: &str) -> Option<usize> {
    let has_zeros = step.len() > 1 && step.starts_with('0');
    let is_index = step.bytes().all(|byte| byte.is_ascii_digit()) && !has_zeros;
    is_index.then(|| step.parse().ok())?
}

/// Finds the last member of an object with this name.
struct Member<'s>(&'s str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(is_wanted) = members.next_key_seed(IsName(self.0))? {
            if is_wanted {
                found = Some(members.next_value::<&RawValue>()?.get());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Says whether a name is this one.
struct IsName<'s>(&'s str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// Finds the element of an array with this index.
struct Element(usize);

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        let mut found = None;
        let mut index = 0;
        while let Some(element) = elements.next_element::<RawElement<'de>>()? {
            if index == self.0 {
                found = Some(element.0.get());
            }
            index += 1;
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct RawElement<'a>(#[serde(borrow)] &'a RawValue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_through_objects_and_arrays() {
        let json = r#"{"a": [1, {"b/c": "x", "": 7, "0": true}], "a.b": 3, "a": [2, {"b/c": "y", "": 8}]}"#;
        let at = |steps: &[&str]| {
            let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
            follow(json, &steps)
        };
        assert_eq!(at(&["a", "0"]), Some("2"));
        assert_eq!(at(&["a", "1", "b/c"]), Some("\"y\""));
        assert_eq!(at(&["a", "1", ""]), Some("8"));
        assert_eq!(at(&["a.b"]), Some("3"));
        for nowhere in [
            &["a", "2"][..],
            &["a", "x"],
            &["a", "00"],
            &["a", "+0"],
            &["a", ""],
            &["a", "1", "0"],
            &["a.b", "c"],
            &["b"],
        ] {
            assert_eq!(at(nowhere), None, "{nowhere:?}");
        }
    }
}
