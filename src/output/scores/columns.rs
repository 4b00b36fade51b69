//! The columns of a scores file, and the names of the fields that are copied to it.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::dataset::{LentRecord, NamedValues};
use crate::error::Error;
use crate::plan::{Plan, RESERVED};

/// The prefix of a field whose name a column of the scores has.
const PREFIX: &str = "input_";

/// The columns of a scores file.
#[derive(Clone, Debug)]
pub(super) struct FileColumns {
    /// The columns of the scorer that are known before any record is scored.
    pub(super) scores: Vec<String>,
    /// The fields that are copied from each record, by their names in the file.
    pub(super) keep: Vec<String>,
    /// Whether all fields are copied from each record.
    keeps_all: bool,
    /// Whether the scorer has columns that are not known before a record is scored.
    is_open: bool,
    /// The names that copied fields must not have.
    taken: HashSet<String>,
}

impl FileColumns {
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if a field is to be copied twice.
    pub(super) fn of(plan: &Plan) -> Result<Self, Error> {
        let columns = plan.columns();
        let known = columns.known().iter();
        let scores: Vec<_> = known.map(|column| column.name.clone()).collect();
        let reserved = RESERVED.iter().map(|name| (*name).to_owned());
        let mut own = FileColumns {
            taken: reserved.chain(scores.iter().cloned()).collect(),
            scores,
            keep: Vec::new(),
            keeps_all: plan.keeps_all(),
            is_open: columns.is_open(),
        };
        let kept = plan.kept_fields();
        for (place, name) in kept.iter().enumerate() {
            if name == Plan::ALL_FIELDS {
                return Err(Error::Plan(
                    "--keep '*' keeps every field; name no other field beside it".to_owned(),
                ));
            }
            if kept[..place].contains(name) {
                return Err(Error::Plan(format!(
                    "--keep names the field {name:?} twice"
                )));
            }
            let name = own.kept_name(Cow::Borrowed(name)).into_owned();
            own.keep.push(name);
        }
        Ok(own)
    }

    /// Whether a record may have further columns, whose names are known only when the record is scored.
    pub(super) fn has_further(&self) -> bool {
        self.keeps_all || self.is_open
    }

    /// Whether all fields are copied from each record.
    pub(super) fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    /// Returns the further fields that are copied from a record, with their names in the file. There are none if the
    /// plan names the fields to copy.
    pub(super) fn further_fields<'a>(&self, record: Option<LentRecord<'a>>) -> NamedValues<'a> {
        let Some(LentRecord::Text(record)) = record.filter(|_| self.keeps_all) else {
            return Vec::new();
        };
        // A record that has a score has been read before, so reading it again does not fail.
        let mut fields = record.fields().unwrap_or_default();
        for (name, _) in &mut fields {
            *name = self.kept_name(std::mem::take(name));
        }
        fields
    }

    /// Returns the name that a field has in the file. If a column has the name, the field is prefixed. So is a field
    /// that has the name of a column after one or more prefixes. Therefore two fields of different names never get the
    /// same name, and the name of a field does not depend on the other fields of its record.
    fn kept_name<'n>(&self, name: Cow<'n, str>) -> Cow<'n, str> {
        let mut base: &str = &name;
        while let Some(shorter) = base.strip_prefix(PREFIX) {
            base = shorter;
        }
        // If the columns are not known, any name may be the name of a column.
        let is_taken = self.taken.contains(base) || (self.is_open && self.keeps_all);
        match is_taken {
            true => Cow::Owned(format!("{PREFIX}{name}")),
            false => name,
        }
    }
}
