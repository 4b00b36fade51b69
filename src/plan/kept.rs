//! The fields of a record that are copied beside its scores.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::dataset::FieldValue;

/// The values of the fields that a plan [keeps](super::Plan::keep), in the order of the plan.
///
/// One string holds all values of a record, so a record takes three allocations, no matter how many fields are kept. If
/// no field is kept, a record takes no allocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept(Option<Box<KeptFields>>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct KeptFields {
    text: String,
    values: Vec<KeptValue>,
}

/// One value: the place where it ends in the text, and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct KeptValue {
    end: usize,
    kind: KeptKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum KeptKind {
    Missing,
    Json,
    Text,
}

impl Kept {
    /// Copies these values. NaN, the infinities and empty cells become `null`, as scores files and worker processes
    /// write them.
    pub(super) fn of<'v>(
        values: impl ExactSizeIterator<Item = &'v FieldValue<'v>> + Clone,
    ) -> Self {
        if values.len() == 0 {
            return Kept(None);
        }
        let lengths = values.clone().map(|value| shown(value).1.len());
        let mut kept = KeptFields {
            text: String::with_capacity(lengths.sum()),
            values: Vec::with_capacity(values.len()),
        };
        for (kind, text) in values.map(shown) {
            kept.text.push_str(&text);
            kept.values.push(KeptValue {
                end: kept.text.len(),
                kind,
            });
        }
        Kept(Some(Box::new(kept)))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |kept| kept.values.len())
    }

    /// Whether no fields are kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values. A value that is not [missing](FieldValue::Missing) is JSON, or the text of a cell that is not
    /// empty.
    pub fn iter(&self) -> impl Iterator<Item = FieldValue<'_>> {
        self.0.iter().flat_map(|kept| kept.iter())
    }
}

impl KeptFields {
    fn iter(&self) -> impl Iterator<Item = FieldValue<'_>> {
        let mut start = 0;
        self.values.iter().map(move |value| {
            // If the text and the ends come from another process, they may be inconsistent.
            let text = self.text.get(start..value.end).unwrap_or_default();
            start = value.end;
            match value.kind {
                KeptKind::Missing => FieldValue::Missing,
                KeptKind::Json => FieldValue::Json(Cow::Borrowed(text)),
                KeptKind::Text => FieldValue::Text(Cow::Borrowed(text)),
            }
        })
    }
}

fn shown<'v>(value: &'v FieldValue<'v>) -> (KeptKind, Cow<'v, str>) {
    match (value, value.to_json()) {
        (_, Some(json)) => (KeptKind::Json, json),
        (FieldValue::Text(text), None) if text.is_empty() => (KeptKind::Json, "null".into()),
        (FieldValue::Text(text), None) => (KeptKind::Text, Cow::Borrowed(text)),
        _ => (KeptKind::Missing, "".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_order() {
        let values = [
            FieldValue::Json("\"a\"".into()),
            FieldValue::Missing,
            FieldValue::Text("é".into()),
            FieldValue::Text("".into()),
            FieldValue::NotJson("NaN"),
            FieldValue::NotJson("[NaN,1]"),
        ];
        let kept = Kept::of(values.iter());
        let expected = [
            FieldValue::Json("\"a\"".into()),
            FieldValue::Missing,
            FieldValue::Text("é".into()),
            FieldValue::Json("null".into()),
            FieldValue::Json("null".into()),
            FieldValue::Json("[null,1]".into()),
        ];
        assert!(kept.iter().eq(expected));
        assert_eq!((kept.len(), kept.is_empty()), (6, false));
        assert!(Kept::of([].iter()).is_empty());
    }
}
