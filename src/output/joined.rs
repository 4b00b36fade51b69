//! Joins the scores files of the shards of a dataset to the scores file of the whole, and their files of failures to that
//! of the whole.
//!
//! The lines are copied. Only the numbers of records change, and the lines of the places of failures. So the results are
//! the files that a single run writes, byte for byte.

mod copying;
mod counted_number;
mod delimited;
mod failures;
mod failures_copier;
mod json_lines;
mod matched;
mod shard;
mod shard_numbers;
mod source;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::Path;

use super::complete::CompleteFile;
use super::destination::Destination;
use super::encoder::OutputEncoder;
use super::scores::{ScoresFormat, ScoresOptions};
use crate::error::Error;

use copying::RecordCopier;
use delimited::DelimitedCopier;
pub use failures::{JoinedFailures, join_failures};
use json_lines::JsonLinesCopier;
pub use matched::{ShardFiles, match_files};
pub use shard::{FirstLines, ShardFailures, ShardScores};
use source::{BegunScores, ShardSource};

/// The scores file of the whole, which is complete and still has its temporary name.
#[derive(Debug)]
#[must_use = "the file is removed unless it is published"]
#[non_exhaustive]
pub struct Joined {
    /// Number of records in the file.
    pub records: u64,
    /// The file. [Publish](CompleteFile::publish) it to rename it into place.
    pub file: CompleteFile,
}

/// Writes the scores of all shards of a dataset, which are given in their order, to one scores file. The file equals,
/// byte for byte, the one that a single run over the whole dataset writes with the same options.
///
/// The files of the shards may be compressed with gzip or Zstandard, each in another way, and have any names. JSON lines
/// are joined to JSON lines, CSV to CSV, and TSV to TSV. Other formats cannot be joined exactly: JSON has no numbers that
/// are not finite, which a table shows, and the types of the columns of a columnar file follow from the first records of
/// the whole.
///
/// Each file is compared with what its shard has written. If a file differs, the result is an error and no file. If the
/// destination is standard output, the records before this place have already been written.
///
/// ```
/// use std::path::Path;
/// use manyhands::output::*;
///
/// let folder = tempfile::tempdir()?;
/// let (one, two) = (folder.path().join("one.jsonl"), folder.path().join("two.jsonl"));
/// std::fs::write(&one, "{\"record\":1,\"pos\":0.5}\n")?;
/// std::fs::write(&two, "{\"record\":1,\"error\":\"in.jsonl:1:9: no text\"}\n")?;
/// let one = ShardScores {
///     path: &one,
///     records: 1,
///     records_before: 0,
///     written: WrittenFile::of(&one)?,
///     first_lines: None,
/// };
/// let first_lines = FirstLines { path: Path::new("in.jsonl"), records: 1, lines_before: 1 };
/// let two = ShardScores {
///     path: &two,
///     records_before: 1,
///     written: WrittenFile::of(&two)?,
///     first_lines: Some(first_lines),
///     ..one
/// };
/// let out = folder.path().join("out.jsonl");
/// let to = Endpoints::new().open(&Output::new("the scores", &out))?;
/// join_scores(&[one, two], to, &ScoresOptions::of(&out)?)?.file.publish()?;
/// assert_eq!(
///     std::fs::read_to_string(&out)?,
///     "{\"record\":1,\"pos\":0.5}\n{\"record\":2,\"error\":\"in.jsonl:2:9: no text\"}\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`Error::Plan`] if there are no shards, if the numbers of records before the shards are not those of the
/// shards before them, or if the scores of the shards cannot be joined to a file of this format. Returns
/// [`Error::Input`] if a file is not the one that its shard has written, if its format or its header is not that of the
/// other files, or if it is columnar. Returns [`Error::Output`] if the scores cannot be written, and
/// [`Error::Destination`] if the output is [synced](super::Output::synced) and the file cannot be synced.
pub fn join_scores(
    shards: &[ShardScores<'_>],
    to: Destination,
    out: &ScoresOptions,
) -> Result<Joined, Error> {
    if out.columns.is_some() || out.csv_safe {
        let message = "the columns and the texts of a table are those of the shards; give --columns and --csv-safe when \
                       the shards are scored";
        return Err(Error::Plan(message.to_owned()));
    }
    let records = records_of(shards)?;
    let header = header_of(shards, out.format)?;
    let mut encoder = OutputEncoder::new(to, out.compression).map_err(Error::Output)?;
    if !header.is_empty() {
        encoder.write_all(&header).map_err(Error::Output)?;
    }
    let mut room = Vec::new();
    for shard in shards {
        copy(shard, out.format, &mut room, &mut encoder)?;
    }
    let destination = encoder.finish().map_err(Error::Output)?;
    let contents = format!("the complete file with all {records} records");
    let file = CompleteFile::new(destination, contents)?;
    Ok(Joined { records, file })
}

/// Returns the number of all records, after checking that the shards follow each other without a gap.
fn records_of(shards: &[ShardScores<'_>]) -> Result<u64, Error> {
    let mut records = 0_u64;
    for shard in shards {
        if shard.records_before != records {
            return Err(Error::Plan(format!(
                "{}: its first record is number {} of the whole, but the shards before it have {records} records; give \
                 all shards, in their order",
                shard.path.display(),
                shard.records_before.saturating_add(1)
            )));
        }
        records = records.saturating_add(shard.records);
    }
    match shards.is_empty() {
        true => Err(Error::Plan(
            "there are no shards to join; give all of them".to_owned(),
        )),
        false => Ok(records),
    }
}

/// Checks that all files have the format of the output and the same header, and returns the header. It is empty if the
/// format has none. Headers of files without records are ignored unless no file has records, because the columns of a
/// table may follow from its records.
fn header_of(shards: &[ShardScores<'_>], wanted: ScoresFormat) -> Result<Vec<u8>, Error> {
    let mut first: Option<(&Path, ScoresFormat)> = None;
    let mut chosen: Option<(&ShardScores<'_>, Vec<u8>)> = None;
    for shard in shards {
        let (format, header) = lines_of(shard)?;
        let (first, of_first) = *first.get_or_insert((shard.path, format));
        if format != of_first {
            let message = format!(
                "is {}, but {} is {}; write the scores of all shards in the same format",
                named(format),
                first.display(),
                named(of_first)
            );
            return Err(Error::input(shard.path, message));
        }
        if format != wanted {
            return Err(Error::Plan(format!(
                "{}: the scores of the shards are {}, from which {} cannot be made exactly; {}",
                shard.path.display(),
                named(format),
                named(wanted),
                remedy(format, wanted)
            )));
        }
        match &chosen {
            Some((other, _)) if shard.records == 0 && other.records > 0 => {}
            Some((other, of_other)) if (shard.records == 0) == (other.records == 0) => {
                if header != *of_other {
                    return Err(Error::input(
                        shard.path,
                        format!(
                            "has other columns than {}; write the scores of the shards as JSON lines (.jsonl), or name the \
                         columns with --columns",
                            other.path.display()
                        ),
                    ));
                }
            }
            _ => chosen = Some((shard, header)),
        }
    }
    Ok(chosen.map_or(Vec::new(), |(_, header)| header))
}

/// Returns the format of a file and its header.
fn lines_of(shard: &ShardScores<'_>) -> Result<(ScoresFormat, Vec<u8>), Error> {
    match ShardSource::open(shard.path, shard.written, true)?.format()? {
        BegunScores::Lines(format, header) => Ok((format, header)),
        BegunScores::Columnar(kind) => Err(Error::input(
            shard.path,
            format!(
                "is {kind}, whose records cannot be joined; write the scores of the shards as JSON lines (.jsonl) or CSV \
             (.csv)"
            ),
        )),
        BegunScores::Unknown => Err(Error::input(
            shard.path,
            "is no scores file; write the scores of the shards as JSON lines (.jsonl) or CSV (.csv)",
        )),
    }
}

/// What to do if scores of the format `found` were asked for as `wanted`.
fn remedy(found: ScoresFormat, wanted: ScoresFormat) -> String {
    let ending = match found {
        ScoresFormat::Csv => ".csv",
        ScoresFormat::Tsv => ".tsv",
        _ => ".jsonl",
    };
    let other = match wanted {
        ScoresFormat::JsonLines | ScoresFormat::Csv | ScoresFormat::Tsv => {
            format!(", or write the scores of the shards as {}", named(wanted))
        }
        #[cfg(feature = "parquet")]
        ScoresFormat::Parquet | ScoresFormat::Arrow => String::new(),
    };
    format!("end the name of the output in {ending}{other}")
}

fn named(format: ScoresFormat) -> &'static str {
    match format {
        ScoresFormat::JsonLines => "JSON lines",
        ScoresFormat::Csv => "CSV",
        ScoresFormat::Tsv => "TSV",
        #[cfg(feature = "parquet")]
        ScoresFormat::Parquet => "a Parquet file",
        #[cfg(feature = "parquet")]
        ScoresFormat::Arrow => "an Arrow file",
    }
}

/// Copies the records of one shard. `room` is used for lines that are not written yet.
fn copy(
    shard: &ShardScores<'_>,
    format: ScoresFormat,
    room: &mut Vec<u8>,
    encoder: &mut OutputEncoder,
) -> Result<(), Error> {
    let mut copier: Box<dyn RecordCopier> = match format {
        ScoresFormat::Csv => Box::new(DelimitedCopier::new(shard, b',')),
        ScoresFormat::Tsv => Box::new(DelimitedCopier::new(shard, b'\t')),
        _ => Box::new(JsonLinesCopier::new(shard)),
    };
    let mut source = ShardSource::open(shard.path, shard.written, true)?;
    while source.fill()? {
        room.clear();
        match copier.copy(source.rest(), room) {
            Ok(copied) => source.take(copied),
            Err(wrong) => return source.finish(Some(wrong)),
        }
        encoder.write_all(room).map_err(Error::Output)?;
    }
    let wrong = match source.rest() {
        [] => copier.finish().err(),
        _ => Some("it ends inside a record".to_owned()),
    };
    source.finish(wrong)
}
