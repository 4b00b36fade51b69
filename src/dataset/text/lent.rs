//! Records as they stand in their inputs.

use super::record::TextRecord;
use crate::dataset::Position;
use crate::dataset::format::RecordLayout;

/// A record as it stands in its input. A dataset lends it to the [sink](crate::sink::Sink) of a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LentRecord<'a> {
    /// A record of text.
    Text(TextRecord<'a>),
}

/// A copy of a record of text.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRecord {
    text: String,
    position: Position,
    layout: RecordLayout,
}

impl OwnedRecord {
    /// Copies a record.
    pub(crate) fn of(record: &TextRecord<'_>) -> Self {
        OwnedRecord {
            text: record.as_str().to_owned(),
            position: record.position(),
            layout: record.layout().clone(),
        }
    }

    /// The record.
    pub(crate) fn record(&self) -> TextRecord<'_> {
        TextRecord::new(&self.text, self.position, &self.layout)
    }
}
