//! The further columns of a table, whose names are known only when records are scored.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::dataset::{FieldValue, NamedValues};
use crate::sync::{Mutex, lock};

/// The further columns of a table. They are unknown until enough records have been scored.
#[derive(Debug, Default)]
pub(super) struct FurtherColumns {
    known: OnceLock<KnownColumns>,
    left_out: LeftOut,
}

/// The further columns after they have become known.
#[derive(Debug)]
pub(super) struct KnownColumns {
    pub(super) names: Vec<String>,
    places: HashMap<String, usize>,
    /// Whether the user has named the columns. If so, no warning is printed about values without a column.
    are_named: bool,
}

/// Counts the records that have a value without a column.
#[derive(Debug, Default)]
struct LeftOut {
    records: AtomicU64,
    first: Mutex<Option<(u64, String)>>,
}

/// Fields that a table leaves out, because none of its columns has their names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOutFields {
    /// Number of records that have such a field.
    pub records: u64,
    /// The number of the first of these records, counted from 1.
    pub first: u64,
    /// The name of such a field of the first record.
    pub name: String,
}

impl FurtherColumns {
    /// The columns, if they are known.
    pub(super) fn known(&self) -> Option<&KnownColumns> {
        self.known.get()
    }

    /// Makes the columns known. `are_named` says whether the user has named them.
    pub(super) fn set(&self, names: Vec<String>, are_named: bool) -> &KnownColumns {
        self.known.get_or_init(|| {
            let places = names.iter().cloned().zip(0..).collect();
            KnownColumns {
                names,
                places,
                are_named,
            }
        })
    }

    /// Returns the value of each column. Values without a column are left out. If there are such values, the record is
    /// counted; `index` is its index.
    pub(super) fn place<'v, 'a>(
        &self,
        columns: &KnownColumns,
        index: u64,
        values: &'v NamedValues<'a>,
    ) -> Vec<Option<&'v FieldValue<'a>>> {
        let mut placed = vec![None; columns.names.len()];
        let mut left_out = None;
        for (name, value) in values {
            match columns.places.get(&**name) {
                Some(place) => placed[*place] = Some(value),
                None if text_of(value).is_empty() => {}
                None => left_out = left_out.or(Some(name)),
            }
        }
        if let Some(name) = left_out.filter(|_| !columns.are_named) {
            self.left_out.records.fetch_add(1, Relaxed);
            let mut first = lock(&self.left_out.first);
            if first.as_ref().is_none_or(|(before, _)| index < *before) {
                *first = Some((index, name.clone().into_owned()));
            }
        }
        placed
    }

    /// Returns the fields that were left out so far, if there are any.
    pub(super) fn left_out(&self) -> Option<LeftOutFields> {
        let first = lock(&self.left_out.first).clone();
        first.map(|(index, name)| LeftOutFields {
            records: self.left_out.records.load(Relaxed),
            first: index + 1,
            name,
        })
    }
}

/// Returns the value of a field as a text: a string becomes its contents, no value becomes an empty text, and any other
/// value becomes JSON.
pub(super) fn text_of<'v>(value: &'v FieldValue<'_>) -> Cow<'v, str> {
    match (value.as_text(), value.to_json()) {
        _ if value.is_missing() => Cow::Borrowed(""),
        (Some(text), _) => text,
        (None, Some(json)) if json != "null" => json,
        _ => Cow::Borrowed(""),
    }
}
