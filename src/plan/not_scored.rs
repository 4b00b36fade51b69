//! The reason why a scorer gives a record no score.

use crate::error::{BadRecord, Cause, Skipped};

/// The reason why a record has no score.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NotScored {
    /// The record cannot be scored, so it fails.
    Bad(BadRecord),
    /// The record needs no score.
    Skipped(Skipped),
}

impl From<BadRecord> for NotScored {
    fn from(bad: BadRecord) -> Self {
        NotScored::Bad(bad)
    }
}

impl From<Skipped> for NotScored {
    fn from(skipped: Skipped) -> Self {
        NotScored::Skipped(skipped)
    }
}

impl From<NotScored> for Cause {
    fn from(not_scored: NotScored) -> Self {
        match not_scored {
            NotScored::Bad(bad) => bad.into(),
            NotScored::Skipped(skipped) => skipped.into(),
        }
    }
}
