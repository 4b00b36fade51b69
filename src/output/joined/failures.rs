//! Joins the files of failures of the shards of a dataset to those of the whole.

use std::io::Write as _;
use std::path::Path;

use memchr::memchr;

use super::failures_copier::ReasonsCopier;
use super::shard::ShardFailures;
use super::source::ShardSource;
use crate::error::Error;
use crate::output::complete::{CompleteFailures, CompleteFile, CompleteRunFiles, FailuresContents};
use crate::output::destination::Destination;
use crate::output::encoder::{OutputCompression, OutputEncoder};
use crate::plan::WrittenFailures;

/// The file of failures of the whole and that of the reasons, which are complete and still have their temporary names.
#[derive(Debug)]
#[must_use = "the files are removed unless they are published"]
#[non_exhaustive]
pub struct JoinedFailures {
    /// Number of failed records.
    pub failed: u64,
    /// Number of failed records that the file of failures does not contain. The file of the reasons marks them.
    pub left_out: u64,
    /// The files. [Publish](CompleteRunFiles::publish) them to rename them into place.
    pub files: CompleteRunFiles,
}

/// Writes the failed records of all shards of a dataset, which are given in their order, to `records`, and their reasons
/// to `reasons`. Both files equal, byte for byte, those that a [`FailuresFile`](super::super::FailuresFile) writes in a
/// single run over the whole dataset. The name of the file of the records, which is `path`, chooses its compression.
///
/// All records of the file have the format and the header of the first failed record of the whole. So records of a shard
/// that have others are left out, and their reasons are marked.
///
/// Each file is compared with what its shard has written. If a file differs, the result is an error and no file.
///
/// ```
/// use manyhands::dataset::Shard;
/// use manyhands::output::*;
/// use manyhands::plan::{Plan, RunOptions};
///
/// let folder = tempfile::tempdir()?;
/// let path = |name: &str| folder.path().join(name);
/// std::fs::write(path("in.jsonl"), "{\"text\":\"good\"}\n{\"text\":7}\n")?;
/// let mut plan = Plan::new([path("in.jsonl")]);
/// plan.shard = Some(Shard::WHOLE);
/// let mut endpoints = Endpoints::new();
/// let mut open = |name: &str| endpoints.open(&Output::new("failures", path(name)).hashed(true));
///
/// // Usually, each shard is scored by a process of its own.
/// let (records, reasons) = (path("bad.jsonl"), path("bad.jsonl.reasons.jsonl"));
/// let failures = FailuresFile::new(open("bad.jsonl")?, open("bad.jsonl.reasons.jsonl")?, &records)?;
/// plan.open_whole_records()?.run_partial(RunOptions::default().scores(&failures))?;
/// let files = failures.complete()?.ok_or("the run was complete")?;
/// let written = files.failures().ok_or("the files are hashed")?;
/// files.publish()?;
///
/// let shard = ShardFailures {
///     records_path: &records,
///     reasons_path: &reasons,
///     written: &written,
///     records: 2,
///     records_before: 0,
///     first_lines: None,
/// };
/// let all = path("all.jsonl");
/// let joined = join_failures(&[shard], open("all.jsonl")?, open("all.jsonl.reasons.jsonl")?, &all)?;
/// assert_eq!(joined.failed, 1);
/// joined.files.publish()?;
/// assert_eq!(std::fs::read_to_string(all)?, "{\"text\":7}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`Error::Input`] if a file is not the one that its shard has written. Also if records of a shard do not fit in
/// the file of the whole, and the shard has left out records that do. Returns [`Error::Output`] if the files cannot be
/// written, and [`Error::Destination`] if an output is [synced](super::super::Output::synced) and its file cannot be
/// synced.
pub fn join_failures(
    shards: &[ShardFailures<'_>],
    records: Destination,
    reasons: Destination,
    path: &Path,
) -> Result<JoinedFailures, Error> {
    let compression = OutputCompression::of(path);
    let encoder = |to, compression| OutputEncoder::new(to, compression).map_err(Error::Output);
    let mut records = encoder(records, compression)?;
    let mut reasons = encoder(reasons, OutputCompression::None)?;
    let mut first: Option<&ShardFailures<'_>> = None;
    let (mut failed, mut left_out) = (0, 0);
    let mut heads: Vec<u128> = Vec::new();
    for shard in shards {
        let has_head = !shard.written.heads.is_empty();
        let fits = has_head && fits(shard, first)?;
        if fits {
            let skipped = first.map_or(0, |_| shard.written.header_bytes);
            copy_records(shard, skipped, &mut records)?;
            first = first.or(Some(shard));
        }
        for head in &shard.written.heads {
            if !heads.contains(head) {
                heads.push(*head);
            }
        }
        let copier = ReasonsCopier::new(shard, has_head && !fits);
        let copied = copy_reasons(shard, copier, &mut reasons)?;
        failed += copied.0;
        left_out += copied.1;
    }
    let complete = |out: OutputEncoder| {
        let destination = out.finish().map_err(Error::Output)?;
        CompleteFile::new(destination, "the complete file")
    };
    let files = CompleteFailures {
        records: complete(records)?,
        reasons: complete(reasons)?,
        contents: FailuresContents {
            is_compressed: compression != OutputCompression::None,
            header_bytes: first.map_or(0, |first| first.written.header_bytes),
            heads,
        },
    };
    Ok(JoinedFailures {
        failed,
        left_out,
        files: CompleteRunFiles::new(None, Some(files)),
    })
}

/// Whether the records of a shard have the format and header of those of the first shard with records. If they have not,
/// the shard must not have left out a record that has.
fn fits(shard: &ShardFailures<'_>, first: Option<&ShardFailures<'_>>) -> Result<bool, Error> {
    let Some(first) = first else {
        return Ok(true);
    };
    let wanted = first.written.heads.first();
    let mut heads = shard.written.heads.iter();
    if heads.next() == wanted {
        return Ok(true);
    }
    match heads.any(|head| Some(head) == wanted) {
        false => Ok(false),
        true => Err(Error::input(
            shard.records_path,
            format!(
                "lacks failed records of its shard that have the format and header of those in {}, because the first one \
                 has others; score the inputs of each format and header by themselves, or in one run",
                first.records_path.display()
            ),
        )),
    }
}

/// Copies the failed records of a shard, without this number of bytes at their beginning.
fn copy_records(
    shard: &ShardFailures<'_>,
    mut skipped: u64,
    to: &mut OutputEncoder,
) -> Result<(), Error> {
    let WrittenFailures {
        records,
        is_compressed,
        ..
    } = shard.written;
    let mut source = ShardSource::open(shard.records_path, *records, *is_compressed)?;
    while source.fill()? {
        let bytes = source.rest();
        let length = bytes.len();
        let begin = usize::try_from(skipped).map_or(length, |skipped| skipped.min(length));
        skipped -= begin as u64;
        if begin < length {
            to.write_all(&bytes[begin..]).map_err(Error::Output)?;
        }
        source.take(length);
    }
    source.finish(None)
}

/// Copies the reasons of a shard. Returns the number of failed records, and how many of them are left out.
fn copy_reasons(
    shard: &ShardFailures<'_>,
    mut copier: ReasonsCopier<'_>,
    to: &mut OutputEncoder,
) -> Result<(u64, u64), Error> {
    let mut source = ShardSource::open(shard.reasons_path, shard.written.reasons, false)?;
    let mut room = Vec::new();
    while source.fill()? {
        room.clear();
        let bytes = source.rest();
        let mut copied = 0;
        while let Some(end) = memchr(b'\n', &bytes[copied..]) {
            if let Err(wrong) = copier.copy(&bytes[copied..=copied + end], &mut room) {
                return source.finish(Some(wrong)).map(|()| (0, 0));
            }
            copied += end + 1;
        }
        source.take(copied);
        if !room.is_empty() {
            to.write_all(&room).map_err(Error::Output)?;
        }
    }
    let wrong = match source.rest() {
        [] => None,
        _ => Some("it ends inside a reason".to_owned()),
    };
    source.finish(wrong)?;
    Ok((copier.failed, copier.left_out))
}
