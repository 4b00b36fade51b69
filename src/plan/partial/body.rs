//! The contents of a partial answer, apart from the state of the aggregator.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{NamedHash, PlainFailure, PlainSlow};
use crate::dataset::shard::ShardExtent;
use crate::dataset::{Delimiter, FormatName, InputFile, RecordsLeftOut, Shard};
use crate::error::{BadRecord, FailureKind};
use crate::plan::calls_report::CallsSum;
use crate::plan::path_text::path_of;
use crate::plan::shard_notes::NamedKinds;
use crate::plan::{ReferenceSummary, WrittenFailures, WrittenFile};
use crate::task::matching::Pairs;

/// The contents of a partial answer, apart from the state of the aggregator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::plan) struct PartialBody {
    /// The numbers of the first and of the last shard, from 1, and the number of shards of the dataset.
    pub(in crate::plan) first: u64,
    pub(in crate::plan) last: u64,
    pub(in crate::plan) of: u64,
    /// The plan as JSON, without what may differ between shards.
    pub(in crate::plan) plan: String,
    /// The name of the scorer.
    pub(in crate::plan) scorer: String,
    /// The names and hashes of the files that the scorer reads.
    pub(in crate::plan) contents: Vec<NamedHash>,
    pub(in crate::plan) extent: ShardExtent,
    pub(in crate::plan) records: u64,
    pub(in crate::plan) failed: u64,
    pub(in crate::plan) skipped: u64,
    /// The first failures, at most [`Report::FAILURES_KEPT`](crate::report::Report::FAILURES_KEPT).
    pub(in crate::plan) failures: Vec<PlainFailure>,
    /// The kind of the failures that are kept, if it is the same for all.
    pub(in crate::plan) kind: Option<FailureKind>,
    /// The inputs that the shards have read.
    pub(in crate::plan) inputs: Vec<PlainInput>,
    pub(in crate::plan) field_names: Vec<String>,
    pub(in crate::plan) absent: Vec<String>,
    /// The reference, if the scorer has one.
    pub(in crate::plan) reference: Option<PlainReference>,
    pub(in crate::plan) pairs: Option<Pairs>,
    pub(in crate::plan) calls: Option<CallsSum>,
    pub(in crate::plan) began: SystemTime,
    pub(in crate::plan) slowest: Vec<PlainSlow>,
    /// What is known of each shard, in order.
    pub(in crate::plan) each: Vec<OneShard>,
    /// The columns of the answers of a program or a service, each with its kind, ordered by name.
    pub(in crate::plan) columns: NamedKinds,
}

/// What is known of a single shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::plan) struct OneShard {
    pub(in crate::plan) records: u64,
    /// The hash of the records, which are numbered from the beginning of the shard.
    pub(in crate::plan) records_hash: u64,
    pub(in crate::plan) scores: Option<WrittenFile>,
    pub(in crate::plan) failures: Option<WrittenFailures>,
    /// If the shard begins inside a file: the name of the file, the number of the shard's records that begin in the file,
    /// and the number of lines of the file before the shard. The lines are counted from the place where the partial answer
    /// begins, if that is inside the same file.
    pub(in crate::plan) first_lines: Option<(Vec<u8>, u64, u64)>,
    pub(in crate::plan) wall: Duration,
    pub(in crate::plan) cpu: Option<Duration>,
    /// The mean times of a worker: busy, in the task, preempted, waiting for input, and waiting for the limit.
    pub(in crate::plan) worker: [Duration; 5],
}

impl PartialBody {
    /// The first and the last shard.
    pub(in crate::plan) fn ends(&self) -> (Shard, Shard) {
        let shard = |number| Shard::new(number, self.of).unwrap_or(Shard::WHOLE);
        (shard(self.first), shard(self.last))
    }

    /// The shards as a text such as `shard 3/16` or `shards 3–5/16`.
    pub(in crate::plan) fn shards_text(&self) -> String {
        shards_text(self.first, self.last, self.of)
    }

    /// The part of the contents that two runs of the same shards share.
    pub(in crate::plan) fn has_same_result(&self, other: &Self) -> bool {
        let each = |one: &OneShard, two: &OneShard| {
            let scores = one.scores.zip(two.scores);
            let failures = one.failures.as_ref().zip(two.failures.as_ref());
            one.records == two.records
                && one.records_hash == two.records_hash
                && scores.is_none_or(|(one, two)| one == two)
                && failures.is_none_or(|(one, two)| one == two)
        };
        self.extent == other.extent
            && (self.records, self.failed, self.skipped)
                == (other.records, other.failed, other.skipped)
            && self.failures == other.failures
            && self.each.len() == other.each.len()
            && self
                .each
                .iter()
                .zip(&other.each)
                .all(|(one, two)| each(one, two))
    }

    /// Whether the numbers fit each other, as they do if a run has written them.
    pub(in crate::plan) fn is_sound(&self) -> bool {
        let each = self.each.iter().map(|one| one.records);
        let records = each.fold(0, u64::saturating_add);
        self.first >= 1
            && self.first <= self.last
            && Shard::new(self.last, self.of).is_some()
            && self.each.len() as u64 == self.last - self.first + 1
            && records == self.records
            && self.failed.saturating_add(self.skipped) <= self.records
            && self.failures.len() as u64 <= self.failed
            && self
                .failures
                .iter()
                .all(|failure| failure.index < self.records)
    }
}

/// The shards as a text such as `shard 3/16` or `shards 3–5/16`.
pub(in crate::plan) fn shards_text(first: u64, last: u64, of: u64) -> String {
    match first == last {
        true => format!("shard {first}/{of}"),
        false => format!("shards {first}–{last}/{of}"),
    }
}

/// A [`ReferenceSummary`] as plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::plan) struct PlainReference {
    texts: u64,
    /// The number of records that are left out, the line of the first one, and what is wrong with it.
    left_out: Option<(u64, u64, String)>,
}

impl PlainReference {
    pub(in crate::plan) fn of(reference: &ReferenceSummary) -> Self {
        let left_out = reference.left_out.as_ref();
        PlainReference {
            texts: reference.texts,
            left_out: left_out
                .map(|left| (left.records, left.first_line, left.reason.message.clone())),
        }
    }

    pub(in crate::plan) fn into_summary(self) -> ReferenceSummary {
        ReferenceSummary {
            texts: self.texts,
            left_out: self
                .left_out
                .map(|(records, first_line, reason)| RecordsLeftOut {
                    records,
                    first_line,
                    reason: BadRecord::new(reason, None),
                }),
        }
    }
}

/// An [`InputFile`] as plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::plan) struct PlainInput {
    /// The number of the input in the dataset, from 0.
    pub(in crate::plan) number: u64,
    pub(in crate::plan) path: Vec<u8>,
    format: Option<FormatName>,
    format_was_guessed: bool,
    delimiter: Option<Delimiter>,
    delimiter_was_found: bool,
    bytes: u64,
}

impl PlainInput {
    /// The input with this number, from 0.
    pub(in crate::plan) fn of(number: u64, file: &InputFile) -> Self {
        PlainInput {
            number,
            path: file.path.as_os_str().as_encoded_bytes().to_vec(),
            format: file.format,
            format_was_guessed: file.format_was_guessed,
            delimiter: file.delimiter,
            delimiter_was_found: file.delimiter_was_found,
            bytes: file.bytes,
        }
    }

    pub(in crate::plan) fn into_file(self) -> InputFile {
        let path: Arc<Path> = Arc::from(path_of(self.path));
        InputFile {
            path,
            format: self.format,
            format_was_guessed: self.format_was_guessed,
            delimiter: self.delimiter,
            delimiter_was_found: self.delimiter_was_found,
            bytes: self.bytes,
        }
    }
}
