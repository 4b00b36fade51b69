//! The answer of a shard, in a form that can be written to a file, sent to another machine, and merged.

mod body;
mod failures;
mod file;
mod same_plan;

use std::fmt;
use std::path::{Path, PathBuf};

use super::{WrittenFailures, WrittenFile};
use crate::dataset::Shard;
use crate::error::Error;

pub(super) use body::{OneShard, PartialBody, PlainInput, PlainReference, shards_text};
pub(super) use failures::{PlainFailure, PlainSlow, common_kind};
pub(super) use file::StateSource;
pub(super) use same_plan::{NamedHash, contents_of, hash_of, same_for_all_shards};

/// The answer of a shard, or of several neighbouring shards. [`Opened::run_partial`](super::Opened::run_partial) returns
/// it, and [`merge`](super::merge) makes the answer of the whole dataset from the partial answers of all shards.
///
/// # Layout of the file
///
/// | bytes | meaning |
/// |---|---|
/// | the first line | a JSON object for people, with the keys `manyhands` (`partial`), `format` (the version of this layout), `version` (of this library), `shards`, `scorer`, `files`, `records`, `scored`, `failed`, `skipped`, `seconds` |
/// | 8 | length of the body, little-endian |
/// | body | what the shard covers, its counts, its first failures and its times, in the encoding of [postcard](https://postcard.jamesmunns.com/wire-format) |
/// | 16 | XXH3-128 of all bytes before, little-endian |
/// | rest | the state of the plan's aggregator, as [`State::save`](crate::aggregation::State::save) writes it; it ends with a checksum of its own |
///
/// A file that is cut short, has further bytes, or has a changed byte is refused.
///
/// ```
/// use manyhands::dataset::Shard;
/// use manyhands::plan::{PartialAnswer, Plan, RunOptions, merge};
///
/// # let folder = tempfile::tempdir()?;
/// let mut plan = Plan::new(["data/reviews.jsonl"]);
/// let whole = plan.open()?.run(RunOptions::default())?;
/// let mut parts = Vec::new();
/// for number in 1..=3 {
///     plan.shard = Shard::new(number, 3);
///     let (_, partial) = plan.open()?.run_partial(RunOptions::default())?;
///     // Usually, each shard is scored on another machine, which writes its partial answer to a file.
///     let path = folder.path().join(format!("part-{number}.mh"));
///     partial.write(&mut std::fs::File::create(&path)?)?;
///     parts.push(PartialAnswer::open(&path)?);
/// }
/// let merged = merge(parts)?.answer()?;
/// assert_eq!(merged.digest, whole.digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PartialAnswer {
    pub(super) body: PartialBody,
    pub(super) state: StateSource,
    /// The file from which the partial answer was read, for messages.
    pub(super) path: Option<PathBuf>,
}

impl PartialAnswer {
    /// The first and the last of the neighbouring shards that are covered.
    pub fn shards(&self) -> (Shard, Shard) {
        self.body.ends()
    }

    /// Number of records.
    pub fn records(&self) -> u64 {
        self.body.records
    }

    /// Number of records that could not be scored.
    pub fn failed(&self) -> u64 {
        self.body.failed
    }

    /// The scores file that was written by the run of a shard, if there is one. `None` also if the partial answer covers
    /// several shards.
    pub fn scores(&self) -> Option<WrittenFile> {
        match self.body.each.as_slice() {
            [one] => one.scores,
            _ => None,
        }
    }

    /// Notes which scores file the run of the shard has written, so that [`merge`](super::merge) can check that the file
    /// belongs to this answer. Without effect if the partial answer covers several shards.
    pub fn set_scores(&mut self, scores: WrittenFile) {
        if let [one] = self.body.each.as_mut_slice() {
            one.scores = Some(scores);
        }
    }

    /// The files of failures and of reasons that were written by the run of a shard, if there are any. `None` also if the
    /// partial answer covers several shards.
    pub fn failures(&self) -> Option<&WrittenFailures> {
        match self.body.each.as_slice() {
            [one] => one.failures.as_ref(),
            _ => None,
        }
    }

    /// Notes which files of failures and of reasons the run of the shard has written, so that
    /// [`merge`](super::merge) can check that the files belong to this answer. Without effect if the partial answer
    /// covers several shards.
    pub fn set_failures(&mut self, failures: WrittenFailures) {
        if let [one] = self.body.each.as_mut_slice() {
            one.failures = Some(failures);
        }
    }

    /// Whether the shard would be scored again by the run of this plan over this dataset: the same shard of the same
    /// inputs, with the same scorer and options.
    ///
    /// # Errors
    ///
    /// Returns an error if a file that the scorer reads cannot be read.
    pub fn is_of(&self, opened: &super::Opened) -> Result<bool, Error> {
        let plan = opened.plan();
        let shard = plan.shard.unwrap_or(Shard::WHOLE);
        let start = opened.shard_start();
        Ok(self.shards() == (shard, shard)
            && Some(self.body.extent.inputs) == opened.shard_inputs()
            && start.is_none_or(|start| self.body.extent.begin.state == start)
            && self.body.plan == same_for_all_shards(plan)?
            && self.body.contents == contents_of(plan)?)
    }

    /// The name of the partial answer in messages: its file, or its shards.
    pub(super) fn name(&self) -> String {
        match &self.path {
            Some(path) => format!("{} ({})", path.display(), self.body.shards_text()),
            None => self.body.shards_text(),
        }
    }

    /// The path in errors about the file.
    pub(super) fn path_or_name(&self) -> PathBuf {
        let name = || PathBuf::from(self.body.shards_text());
        self.path.clone().unwrap_or_else(name)
    }
}

/// The error about a file that is no partial answer that can be merged.
pub(super) fn refused(path: &Path, reason: impl fmt::Display) -> Error {
    Error::Merge(format!("{}: {reason}", path.display()))
}
