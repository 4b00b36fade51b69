//! Writers for arrays whose values consist of the values of other arrays.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::RunEndIndexType;
use arrow_array::{Array, OffsetSizeTrait};

use super::writer::{ValueWriter, WriteValue, push_json};

/// Appends the values at these indices as an array of JSON.
fn push_list(json: &mut Vec<u8>, values: &ValueWriter, indices: std::ops::Range<usize>) {
    json.push(b'[');
    for (place, index) in indices.enumerate() {
        if place > 0 {
            json.push(b',');
        }
        values.write(index, json);
    }
    json.push(b']');
}

pub(super) fn lists<O: OffsetSizeTrait>(array: &dyn Array, values: ValueWriter) -> WriteValue {
    let offsets = array.as_list::<O>().offsets().clone();
    Box::new(move |index, json| {
        let [start, end] = [offsets[index], offsets[index + 1]].map(O::as_usize);
        push_list(json, &values, start..end);
    })
}

pub(super) fn list_views<O: OffsetSizeTrait>(array: &dyn Array, values: ValueWriter) -> WriteValue {
    let array = array.as_list_view::<O>();
    let (offsets, sizes) = (array.offsets().clone(), array.sizes().clone());
    Box::new(move |index, json| {
        let [start, size] = [offsets[index], sizes[index]].map(O::as_usize);
        push_list(json, &values, start..start + size);
    })
}

pub(super) fn lists_of_one_size(array: &dyn Array, values: ValueWriter) -> WriteValue {
    let array = array.as_fixed_size_list();
    let size = usize::try_from(array.value_length()).unwrap_or_default();
    Box::new(move |index, json| push_list(json, &values, index * size..(index + 1) * size))
}

/// Writes the members of objects, in their order.
#[derive(Debug)]
pub(super) struct MemberWriter {
    /// For each member, the writer of its values, and the bytes before a value: a brace or a comma, the name and a
    /// colon.
    members: Vec<(Vec<u8>, ValueWriter)>,
}

impl MemberWriter {
    pub(super) fn new<'a>(members: impl IntoIterator<Item = (&'a str, ValueWriter)>) -> Self {
        let members = members
            .into_iter()
            .enumerate()
            .map(|(place, (name, values))| {
                let mut before = vec![if place == 0 { b'{' } else { b',' }];
                push_json(&mut before, name);
                before.push(b':');
                (before, values)
            });
        MemberWriter {
            members: members.collect(),
        }
    }

    /// Appends the object at `index`.
    #[inline]
    pub(super) fn write(&self, index: usize, json: &mut Vec<u8>) {
        if self.members.is_empty() {
            json.push(b'{');
        }
        for (before, values) in &self.members {
            json.extend_from_slice(before);
            values.write(index, json);
        }
        json.push(b'}');
    }
}

pub(super) fn objects(members: MemberWriter) -> WriteValue {
    Box::new(move |index, json| members.write(index, json))
}

/// Maps become objects. If a key is not a text, the JSON of the key becomes a text.
pub(super) fn maps(array: &dyn Array, keys: ValueWriter, values: ValueWriter) -> WriteValue {
    let offsets = array.as_map().offsets().clone();
    Box::new(move |index, json| {
        json.push(b'{');
        let (start, end) = (offsets[index] as usize, offsets[index + 1] as usize);
        for entry in start..end {
            if entry > start {
                json.push(b',');
            }
            let begin = json.len();
            keys.write(entry, json);
            if json.get(begin) != Some(&b'"') {
                let key = String::from_utf8_lossy(&json[begin..]).into_owned();
                json.truncate(begin);
                push_json(json, &key);
            }
            json.push(b':');
            values.write(entry, json);
        }
        json.push(b'}');
    })
}

pub(super) fn dictionary(array: &dyn Array, values: ValueWriter) -> WriteValue {
    // If there are no values, all keys are null, so no key is looked up.
    let array = array.as_any_dictionary();
    let keys = match array.values().is_empty() {
        true => Vec::new(),
        false => array.normalized_keys(),
    };
    Box::new(move |index, json| values.write(keys[index], json))
}

pub(super) fn runs<R: RunEndIndexType>(array: &dyn Array, values: ValueWriter) -> WriteValue {
    let array = array.as_run::<R>().clone();
    Box::new(move |index, json| values.write(array.get_physical_index(index), json))
}

pub(super) fn union(array: &dyn Array, children: HashMap<i8, ValueWriter>) -> WriteValue {
    let array = array.as_union().clone();
    Box::new(
        move |index, json| match children.get(&array.type_id(index)) {
            Some(values) => values.write(array.value_offset(index), json),
            None => json.extend_from_slice(b"null"),
        },
    )
}
