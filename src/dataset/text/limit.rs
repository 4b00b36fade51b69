//! The limit on the length of a record.

use super::encoding::BYTE_ORDER_MARK;
use crate::error::{BadRecord, FailureKind};

/// The default limit on the length of a record, in bytes without its line ending.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

/// The message about a record that is within the limit but does not fit in memory.
pub(super) const OUT_OF_MEMORY: &str =
    "holds a record that does not fit in memory; lower the limit (--max-record)";

/// The limit on the length of a record.
///
/// Whether a record is longer than the limit depends only on its bytes. Only the beginning of a longer record is
/// kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordLimit {
    bytes: usize,
}

impl RecordLimit {
    pub(super) fn new(bytes: u64) -> Self {
        RecordLimit {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        }
    }

    /// Whether a record of this many bytes, not counting its line ending, is too long.
    pub(super) fn excludes(self, bytes: usize) -> bool {
        bytes > self.bytes
    }

    /// The number of bytes that are kept of a record. A record of this many bytes is too long, even if they include a
    /// byte-order mark and a carriage return.
    pub(super) fn kept(self) -> usize {
        self.bytes.saturating_add(BYTE_ORDER_MARK.len() + 2)
    }

    /// Why a record that is too long fails.
    pub(super) fn too_long(self) -> BadRecord {
        let message = format!(
            "expected a record of at most {} bytes, found a longer one; if it is meant to be that \
             long, raise the limit (--max-record)",
            self.bytes
        );
        BadRecord::new(message, None).of_kind(FailureKind::TooLong)
    }
}

impl Default for RecordLimit {
    fn default() -> Self {
        Self::new(MAX_RECORD_BYTES)
    }
}
