//! The bytes of records that cannot be given to a task.

use std::sync::Arc;

use crate::dataset::format::RecordLayout;
use crate::error::{BadRecord, RejectedRecord};

/// The bytes of a record that could not be given to a task.
#[derive(Debug)]
pub struct RecordBytes {
    pub(super) bytes: Vec<u8>,
    pub(super) layout: RecordLayout,
}

/// Adds the record to the reason why it cannot be given to a task, so that it can be lent to a sink.
pub(super) fn with_bytes(bad: BadRecord, bytes: &[u8], layout: &RecordLayout) -> BadRecord {
    let record = RecordBytes {
        bytes: bytes.to_owned(),
        layout: layout.clone(),
    };
    bad.with_record(RejectedRecord::new(Arc::new(record)))
}
