//! Writes the records that could not be scored, with their bytes unchanged, and the reasons.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::ser::{SerializeMap, Serializer};
use twox_hash::XxHash3_128;

use super::complete::{CompleteFailures, CompleteFile, CompleteRunFiles, FailuresContents};
use super::destination::{Destination, PartialFile};
use super::encoder::{OutputCompression, OutputEncoder};
use super::frames::{push_frame, split_frame};
use crate::dataset::{FormatName, InputFile, LentRecord, RecordHead};
use crate::error::{Error, Failure};
use crate::plan::Scored;
use crate::sink::{InOrder, RecordOutcome, Room, Sink};
use crate::sync::{Mutex, lock};
use crate::visible;

/// Longest time to wait for a write in progress.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Writes the failed records of a run, with their bytes unchanged, so that the user can correct and score them. The
/// reason of each failure is written to a second file, as a line of JSON.
///
/// All records of the file have the format of the first one, and the same header if they are from a table. A failed
/// record of another format or header is left out. A record that is too long is also left out. After the run,
/// [`left_out`](FailuresFile::left_out) returns the number of these records. The file of the reasons marks them.
#[derive(Debug)]
pub struct FailuresFile {
    out: InOrder<FailureLines>,
    heads: Arc<Heads>,
    left_out: Mutex<u64>,
    is_compressed: bool,
}

/// The formats and headers of failed records. A record refers to its format and header by a place in this list.
type Heads = Mutex<Vec<RecordHead>>;

/// Receives failed records in their order.
#[derive(Debug)]
struct FailureLines {
    records: OutputEncoder,
    reasons: OutputEncoder,
    heads: Arc<Heads>,
    /// The places of the formats and headers of the failed records. The first one is that of the file.
    places: Vec<usize>,
    header_bytes: u64,
    failed: u64,
    left_out: u64,
}

/// Stands for the place of a record whose format is not known. Such a record cannot be written.
const NO_HEAD: u64 = u64::MAX;

impl FailuresFile {
    /// Returns the path of the file of reasons that belongs to the file of failed records at `path`.
    pub fn reasons_of(path: &Path) -> PathBuf {
        path.with_added_extension("reasons.jsonl")
    }

    /// Checks the ending of a file name. If the ending stands for a format, the inputs must have this format, because
    /// the file would otherwise be read in the wrong format later. The formats of pipes are not known beforehand.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if the ending names another format than an input has.
    pub fn check(path: &Path, inputs: &[InputFile]) -> Result<(), Error> {
        let name = match OutputCompression::of(path) {
            OutputCompression::None => path.as_os_str(),
            _ => path.file_stem().unwrap_or_default(),
        };
        let ending = Path::new(name).extension().and_then(OsStr::to_str);
        let Some(ending) = ending.filter(|ending| FormatName::of_ending(ending).is_some()) else {
            return Ok(());
        };
        let other = inputs.iter().find_map(|input| {
            let format = input
                .format
                .filter(|format| !fits(ending, format.of_text()))?;
            Some((&input.path, format))
        });
        match other {
            None => Ok(()),
            Some((input, format)) => Err(Error::Plan(format!(
                "{}: failed records are written as they stand in the input, and {} is {}; choose a name that \
                 ends in .{}",
                path.display(),
                input.display(),
                match format.is_columnar() {
                    false => format.to_string(),
                    true => format!(
                        "{format}, whose records are written as {}",
                        format.of_text()
                    ),
                },
                match format.of_text() {
                    FormatName::Text => "txt",
                    format => format.name(),
                }
            ))),
        }
    }

    /// Creates a file that writes failed records to `records`, and their reasons to `reasons`. The name of the first
    /// file, which is `path`, chooses its compression.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if there is not enough memory for a compressor.
    pub fn new(records: Destination, reasons: Destination, path: &Path) -> Result<Self, Error> {
        let compression = OutputCompression::of(path);
        let records = OutputEncoder::new(records, compression);
        let reasons = OutputEncoder::new(reasons, OutputCompression::None);
        let heads = Arc::new(Heads::default());
        let lines = FailureLines {
            records: records.map_err(Error::Output)?,
            reasons: reasons.map_err(Error::Output)?,
            heads: Arc::clone(&heads),
            places: Vec::new(),
            header_bytes: 0,
            failed: 0,
            left_out: 0,
        };
        Ok(FailuresFile {
            out: InOrder::new(lines),
            heads,
            left_out: Mutex::default(),
            is_compressed: compression != OutputCompression::None,
        })
    }

    /// Renames the files into place after a complete run. If no record has failed, both are empty.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if the last bytes cannot be written, and [`Error::Destination`] if a file cannot be
    /// renamed.
    pub fn finish(&self) -> Result<(), Error> {
        let complete = self.complete()?;
        complete.map_or(Ok(()), CompleteRunFiles::publish)
    }

    /// Completes the files after a complete run, without renaming them into place. Returns `None` if
    /// [`keep_partial`](FailuresFile::keep_partial) was called before.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if the last bytes cannot be written, and [`Error::Destination`] if an output is
    /// [synced](super::Output::synced) and its file cannot be synced.
    pub fn complete(&self) -> Result<Option<CompleteRunFiles>, Error> {
        let files = self.complete_files()?;
        Ok(files.map(|files| CompleteRunFiles::new(None, Some(files))))
    }

    /// Completes the file of the records and that of the reasons.
    pub(super) fn complete_files(&self) -> Result<Option<CompleteFailures>, Error> {
        let Some(written) = self.out.take(Duration::MAX) else {
            return Ok(None);
        };
        let lines = written.out;
        *lock(&self.left_out) = lines.left_out;
        let contents = FailuresContents {
            is_compressed: self.is_compressed,
            header_bytes: lines.header_bytes,
            heads: lines.head_hashes(),
        };
        let complete = |out: OutputEncoder| {
            let destination = out.finish().map_err(Error::Output)?;
            CompleteFile::new(destination, "the complete file")
        };
        Ok(Some(CompleteFailures {
            records: complete(lines.records)?,
            reasons: complete(lines.reasons)?,
            contents,
        }))
    }

    /// Keeps what was written so far as partial files. Returns the partial file of the records, or `None` if no record
    /// has failed so far or if the output is not a file.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if a file cannot be kept under any name.
    pub fn keep_partial(&self) -> Result<Option<PartialFile>, Error> {
        let Some(written) = self.out.take(TIMEOUT) else {
            return Ok(None);
        };
        *lock(&self.left_out) = written.out.left_out;
        let lines = written.out;
        let kept = lines.records.keep_partial(lines.failed)?;
        lines.reasons.keep_partial(lines.failed)?;
        Ok(kept)
    }

    /// Removes the files.
    pub fn discard(&self) {
        drop(self.out.take(TIMEOUT));
    }

    /// Number of failed records that the file does not contain. It is known once the file is finished or kept.
    pub fn left_out(&self) -> u64 {
        *lock(&self.left_out)
    }

    /// Returns the place of a record's format and header in the list.
    fn place_of(&self, record: &LentRecord<'_>) -> u64 {
        let head = record.head();
        let mut heads = lock(&self.heads);
        let known = heads.iter().position(|known| *known == head);
        let place = known.unwrap_or_else(|| {
            heads.push(head);
            heads.len() - 1
        });
        place as u64
    }
}

/// Whether records of a format can be read from a file whose name has this ending.
fn fits(ending: &str, format: FormatName) -> bool {
    match format {
        // The endings `jsonl` and `ndjson` stand for one record per line, so a JSON document needs the ending `json`.
        FormatName::Json => ending.eq_ignore_ascii_case("json"),
        // When a CSV file is read, its delimiter is found from the header, so it may be a tab.
        FormatName::Tsv if ending.eq_ignore_ascii_case("csv") => true,
        format => FormatName::of_ending(ending) == Some(format),
    }
}

impl Sink<Scored> for FailuresFile {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        let RecordOutcome::Failed(failure) = outcome else {
            return;
        };
        let place = record
            .as_ref()
            .map_or(NO_HEAD, |record| self.place_of(record));
        push_frame(bytes, |bytes| bytes.extend_from_slice(&place.to_le_bytes()));
        push_frame(bytes, |bytes| {
            bytes.extend_from_slice(record.as_ref().map_or(&[], LentRecord::bytes));
        });
        push_frame(bytes, |bytes| {
            let written = write_reason(index, failure, bytes);
            // This cannot fail, since it writes numbers and texts to memory.
            debug_assert!(written.is_ok());
        });
    }

    fn wants_records(&self) -> bool {
        true
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.out.write(records, bytes)
    }

    fn end_at(&self, record: u64) {
        self.out.end_at(record);
    }
}

/// Appends the reason of a failure as an object that is not closed.
fn write_reason(index: u64, failure: &Failure, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut json = visible::json_serializer(&mut *bytes);
    let mut line = json.serialize_map(None)?;
    line.serialize_entry("record", &(index + 1))?;
    if let Some(place) = &failure.place {
        line.serialize_entry("file", &place.path.to_string_lossy())?;
        line.serialize_entry("line", &place.line)?;
        line.serialize_entry("column", &place.column)?;
    }
    line.serialize_entry("error", &failure.cause.to_string())?;
    line.end()?;
    drop(json);
    bytes.pop();
    Ok(())
}

impl FailureLines {
    /// The hashes of the formats and headers of the failed records, that of the file first.
    fn head_hashes(&self) -> Vec<u128> {
        let heads = lock(&self.heads);
        let heads = self.places.iter().filter_map(|place| heads.get(*place));
        let hash = |head: &RecordHead| {
            let mut bytes = Vec::new();
            head.identify(&mut bytes);
            XxHash3_128::oneshot(&bytes)
        };
        heads.map(hash).collect()
    }

    /// Appends a failed record to `records`, and its reason to `reasons`.
    fn add(&mut self, place: u64, record: &[u8], reason: &[u8], to: (&mut Vec<u8>, &mut Vec<u8>)) {
        let (records, reasons) = to;
        self.failed += 1;
        reasons.extend_from_slice(reason);
        let place = usize::try_from(place).ok().filter(|_| place != NO_HEAD);
        if let Some(place) = place
            && !self.places.contains(&place)
        {
            if self.places.is_empty()
                && let Some(head) = lock(&self.heads).get(place)
            {
                head.write_header(records);
                self.header_bytes = records.len() as u64;
            }
            self.places.push(place);
        }
        if place.is_some() && place == self.places.first().copied() {
            records.extend_from_slice(record);
            records.push(b'\n');
            reasons.extend_from_slice(b"}\n");
        } else {
            self.left_out += 1;
            reasons.extend_from_slice(b",\"left_out\":true}\n");
        }
    }
}

impl Write for FailureLines {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        self.write_all(block).map(|()| block.len())
    }

    /// Receives a block with those of some consecutive records that have failed.
    fn write_all(&mut self, block: &[u8]) -> io::Result<()> {
        let (mut records, mut reasons) = (Vec::new(), Vec::new());
        let mut rest = block;
        while let Some((place, after)) = split_frame(rest)
            && let Some((record, after)) = split_frame(after)
            && let Some((reason, after)) = split_frame(after)
        {
            let place = place
                .first_chunk()
                .map_or(NO_HEAD, |place| u64::from_le_bytes(*place));
            self.add(place, record, reason, (&mut records, &mut reasons));
            rest = after;
        }
        for (out, bytes) in [(&mut self.records, records), (&mut self.reasons, reasons)] {
            if !bytes.is_empty() {
                out.write_all(&bytes)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.records.flush()?;
        self.reasons.flush()
    }
}
