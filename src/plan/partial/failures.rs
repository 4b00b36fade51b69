//! Failures and slow records as plain data.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{BadRecord, Failure, FailureKind, Place};
use crate::plan::plain_place::PlainPlace;
use crate::report::SlowRecord;

/// A [`Failure`] as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::plan) struct PlainFailure {
    pub(in crate::plan) index: u64,
    pub(in crate::plan) place: Option<PlainPlace>,
    kind: FailureKind,
    cause: String,
}

impl From<&Failure> for PlainFailure {
    fn from(failure: &Failure) -> Self {
        PlainFailure {
            index: failure.index,
            place: failure.place.as_ref().map(PlainPlace::from),
            kind: failure.kind(),
            cause: failure.cause.to_string(),
        }
    }
}

impl From<PlainFailure> for Failure {
    fn from(failure: PlainFailure) -> Self {
        Failure {
            index: failure.index,
            place: failure.place.map(Place::from),
            worker: 0,
            cause: Arc::new(BadRecord::new(failure.cause, None).of_kind(failure.kind)),
        }
    }
}

/// The kind of these failures, if they have the same kind.
pub(in crate::plan) fn common_kind(
    mut kinds: impl Iterator<Item = FailureKind>,
) -> Option<FailureKind> {
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// A [`SlowRecord`] as plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::plan) struct PlainSlow {
    pub(in crate::plan) index: u64,
    records: u32,
    pub(in crate::plan) place: Option<PlainPlace>,
    pub(in crate::plan) time: Duration,
}

impl From<&SlowRecord> for PlainSlow {
    fn from(slow: &SlowRecord) -> Self {
        PlainSlow {
            index: slow.index,
            records: slow.records,
            place: slow.place.as_ref().map(PlainPlace::from),
            time: slow.time,
        }
    }
}

impl From<PlainSlow> for SlowRecord {
    fn from(slow: PlainSlow) -> Self {
        SlowRecord {
            index: slow.index,
            records: slow.records,
            place: slow.place.map(Place::from),
            time: slow.time,
        }
    }
}
