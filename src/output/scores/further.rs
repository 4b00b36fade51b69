//! The further columns of a table, whose names are known only when records are scored.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::dataset::FieldValue;
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

/// Counts what a table leaves out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    number: AtomicU64,
    first: Mutex<Option<(u64, String)>>,
}

impl LeftOut {
    /// Counts something that is left out of the record at this index. `name` is the name of its field or column.
    pub(super) fn count(&self, index: u64, name: &str) {
        self.number.fetch_add(1, Relaxed);
        let mut first = lock(&self.first);
        if first.as_ref().is_none_or(|(before, _)| index < *before) {
            *first = Some((index, name.to_owned()));
        }
    }

    /// Returns how often something was left out, the number of the first record from which something was left out, and
    /// the name of what this record lacks. `None` if nothing was left out.
    pub(super) fn counted(&self) -> Option<(u64, u64, String)> {
        let (index, name) = lock(&self.first).clone()?;
        Some((self.number.load(Relaxed), index + 1, name))
    }
}

/// Values that a columnar file leaves out, because they do not fit the types of their columns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfitValues {
    /// Number of these values.
    pub values: u64,
    /// The number of the first record that has such a value, counted from 1.
    pub first: u64,
    /// The column of such a value in this record.
    pub name: String,
}

impl UnfitValues {
    #[cfg(feature = "parquet")]
    pub(super) fn of(left_out: &LeftOut) -> Option<Self> {
        let (values, first, name) = left_out.counted()?;
        Some(UnfitValues {
            values,
            first,
            name,
        })
    }
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

impl KnownColumns {
    /// The place of the column with this name. The place `expected` is compared first, because the fields of most
    /// records have the order of the columns.
    fn place_of(&self, expected: usize, name: &str) -> Option<usize> {
        match self.names.get(expected) {
            Some(column) if column == name => Some(expected),
            _ => self.places.get(name).copied(),
        }
    }
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

    /// Returns the value of each column. Values without a column are left out. If one of these is not empty, and the
    /// user has not named the columns, the record at `index` is counted.
    pub(super) fn place<'n, V>(
        &self,
        columns: &KnownColumns,
        index: u64,
        values: impl Iterator<Item = (&'n str, V)>,
        is_empty: impl Fn(&V) -> bool,
    ) -> Vec<Option<V>> {
        let mut placed: Vec<Option<V>> = columns.names.iter().map(|_| None).collect();
        let mut left_out = None;
        for (expected, (name, value)) in values.enumerate() {
            match columns.place_of(expected, name) {
                Some(place) => placed[place] = Some(value),
                None if is_empty(&value) => {}
                None => left_out = left_out.or(Some(name)),
            }
        }
        if let Some(name) = left_out.filter(|_| !columns.are_named) {
            self.left_out.count(index, name);
        }
        placed
    }

    /// Returns the fields that were left out so far, if there are any.
    pub(super) fn left_out(&self) -> Option<LeftOutFields> {
        let (records, first, name) = self.left_out.counted()?;
        Some(LeftOutFields {
            records,
            first,
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
