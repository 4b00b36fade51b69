//! Opening paths: files, pipes and standard input, both for records that are scored and for references.

use std::io::Read;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use super::shard::{InputList, Shard, ShardCuts, ShardEdge, ShardExtent, ShardStart};
use super::text::{
    Access, InputFile, LentRecord, LoadedRecords, OpenOptions, TextFiles, TextRecord, TextStream,
};
#[cfg(feature = "parquet")]
use super::text::{ColumnarFiles, ColumnarInput};
use super::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};

/// Records of text from files, from a stream, or in memory. This type is created by [`OpenOptions::open`].
#[derive(Debug)]
#[non_exhaustive]
pub enum TextSource {
    /// Files that all workers read at the same time.
    Files(TextFiles),
    /// Parquet and Arrow files that all workers read at the same time.
    #[cfg(feature = "parquet")]
    Columnar(ColumnarFiles),
    /// A stream, which can be read once, from the front.
    Stream(TextStream<'static>),
    /// Records in memory.
    Loaded(LoadedRecords),
}

impl OpenOptions {
    /// Opens the paths, which together are one dataset, in the order given. All paths together are read as one stream
    /// if one of them is `-` (standard input), a pipe, a device, a compressed file, a JSON document, an Arrow stream, or a
    /// file whose length the system does not know; if some of them are columnar files and others are not; if the texts are
    /// [decoded](Self::encoding); or if only the [first](Self::head) records are read.
    ///
    /// # Errors
    ///
    /// Returns an error if a path cannot be opened, or if the header of a file lacks a [field](Self::fields) that
    /// will be read. The header of a pipe is not read until the stream reaches the pipe.
    pub fn open<P: AsRef<Path>>(&self, paths: &[P]) -> Result<TextSource, Error> {
        let access = |path: &P| TextStream::access(path.as_ref(), self.requested_format());
        let access: Vec<Access> = paths.iter().map(access).collect();
        #[cfg(feature = "parquet")]
        if self.first_records().is_none()
            && let Some(kinds) = columnar_kinds(&access)
        {
            let files = ColumnarFiles::open_with(self, paths.iter().zip(kinds))?;
            return Ok(TextSource::Columnar(files));
        }
        let from_the_front = self.decodes() || self.first_records().is_some();
        if !from_the_front && access.iter().all(|access| *access == Access::Text) {
            let files = TextFiles::open_with(self, paths)?;
            if files.in_order().is_none() {
                return Ok(TextSource::Files(files));
            }
        }
        Ok(TextSource::Stream(self.stream(paths)?))
    }

    /// Opens the part of the dataset at these paths that belongs to a shard, and returns where it is cut. If the paths are
    /// read as one stream, a shard consists of whole inputs: those whose first byte is in the shard.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open). Also returns an error if an input is no file, because other processes could then not
    /// read the other shards.
    pub(crate) fn open_shard<P: AsRef<Path>>(
        &self,
        paths: &[P],
        shard: Shard,
        start: Option<ShardStart>,
    ) -> Result<(TextSource, ShardCuts), Error> {
        let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
        let lengths = paths.iter().map(|path| length_of(path));
        let lengths = lengths.collect::<Result<Vec<u64>, Error>>()?;
        match self.open(&paths)? {
            TextSource::Files(files) => {
                let (files, cuts) = files.shard(shard, start)?;
                Ok((TextSource::Files(files), cuts))
            }
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => {
                let (files, cuts) = files.shard(shard);
                Ok((TextSource::Columnar(files), cuts))
            }
            TextSource::Stream(_) | TextSource::Loaded(_) => {
                let (wanted, cuts) = whole_inputs(&paths, &lengths, shard);
                Ok((TextSource::Stream(self.stream(&paths[wanted])?), cuts))
            }
        }
    }

    /// Creates a stream that reads from one reader, see [`TextStream::new`].
    pub fn reader<'r>(
        &self,
        name: impl Into<PathBuf>,
        reader: impl Read + Send + 'r,
    ) -> TextStream<'r> {
        TextStream::of_reader(self, name.into(), reader)
    }

    /// Opens the paths as one stream, which is read once.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open).
    pub fn stream<P: AsRef<Path>>(&self, paths: &[P]) -> Result<TextStream<'static>, Error> {
        TextStream::open_with(self, paths)
    }
}

/// The length in bytes of an input that every process can read.
fn length_of(path: &Path) -> Result<u64, Error> {
    if TextStream::is_needed_for(path) {
        let message = "is a pipe, a device or standard input, which only one process can read; save its contents to a \
                       file that every shard can read";
        return Err(Error::input(path, message));
    }
    let found = std::fs::metadata(path).map_err(|error| Error::unreadable(path, error))?;
    Ok(found.len())
}

/// The inputs that belong to a shard of whole inputs, and where it is cut.
fn whole_inputs(paths: &[&Path], lengths: &[u64], shard: Shard) -> (Range<usize>, ShardCuts) {
    let inputs = InputList::of(paths.iter().copied().zip(lengths.iter().copied()));
    let places = shard.bytes(inputs.bytes);
    let first_at = |place: u64| {
        let mut before = 0_u64;
        let begins_after = |length: &u64| {
            let is_after = before >= place;
            before = before.saturating_add(*length);
            is_after
        };
        let file = lengths.iter().position(begins_after);
        file.unwrap_or(lengths.len())
    };
    let end = match shard.is_last() {
        true => lengths.len(),
        false => first_at(places.end),
    };
    // The first shard begins at 0, also if all inputs are empty.
    let begin = match shard.number() {
        1 => 0,
        _ => first_at(places.start),
    };
    let [begin_edge, end_edge] = [begin, end].map(ShardEdge::before_file);
    let cuts = ShardCuts {
        inputs,
        begin: begin_edge,
        end: end_edge,
    };
    (begin..end, cuts)
}

/// The kinds of columnar files, if all inputs are such files.
#[cfg(feature = "parquet")]
fn columnar_kinds(access: &[Access]) -> Option<Vec<ColumnarInput>> {
    let kind = |access: &Access| match access {
        Access::Columns(kind) => Some(*kind),
        _ => None,
    };
    let kinds: Vec<ColumnarInput> = access.iter().map(kind).collect::<Option<_>>()?;
    (!kinds.is_empty()).then_some(kinds)
}

impl TextSource {
    /// Sets the length in bytes of the parts into which [files](TextFiles::with_part_bytes) are cut. A part of a columnar
    /// file has about this length in the file, and at least one record. The answer of a run does not depend on this length.
    #[must_use]
    pub fn with_part_bytes(self, bytes: u64) -> Self {
        match self {
            TextSource::Files(files) => TextSource::Files(files.with_part_bytes(bytes)),
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => TextSource::Columnar(files.with_part_bytes(bytes)),
            other => other,
        }
    }

    /// Returns what a shard covers that was opened with these cuts, after a run that has read it to its end.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub(crate) fn extent(&self, cuts: ShardCuts) -> Result<ShardExtent, Error> {
        match self {
            TextSource::Files(files) => files.extent(cuts),
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => Ok(files.extent(cuts)),
            TextSource::Stream(_) | TextSource::Loaded(_) => {
                Ok(cuts.extent(ShardStart::Unquoted, 0, 0))
            }
        }
    }

    /// Reads all records into memory. A stream is read to its end.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn load(self) -> Result<Self, Error> {
        Ok(TextSource::Loaded(match self {
            TextSource::Files(files) => LoadedRecords::of(&files)?.with_inputs(files.files()),
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => LoadedRecords::of(&files)?.with_inputs(files.files()),
            TextSource::Stream(stream) => {
                let loaded = LoadedRecords::of(&stream)?;
                loaded.with_inputs(stream.files())
            }
            TextSource::Loaded(records) => records,
        }))
    }

    /// Draws a random sample and reads it into memory, see [`LoadedRecords::sample`]. A stream is read to its end.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn sample(self, records: u64, seed: u64) -> Result<Self, Error> {
        let sample = LoadedRecords::sample(&self, records, seed)?;
        Ok(TextSource::Loaded(sample.with_inputs(self.files())))
    }

    /// The inputs with their formats, delimiters and lengths. In a stream, the format of an input is known only after
    /// the beginning of the input has been read.
    ///
    /// ```
    /// use manyhands::dataset::{Fields, FormatName, OpenOptions};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("cities.CSV");
    /// std::fs::write(&path, "name;country\nUlm;D\n")?;
    /// let cities = OpenOptions::new().fields(Fields::new(["name"], [""; 0])).open(&[&path])?;
    /// let found = &cities.files()[0];
    /// assert_eq!(found.format, Some(FormatName::Csv));
    /// assert_eq!(found.delimiter.map(|delimiter| delimiter.byte()), Some(b';'));
    /// assert!(found.delimiter_was_found);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(&self) -> Vec<InputFile> {
        match self {
            TextSource::Files(files) => files.files(),
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => files.files(),
            TextSource::Stream(stream) => stream.files(),
            TextSource::Loaded(records) => records.files(),
        }
    }

    /// Number of bytes of the dataset. For a stream, this is the number of bytes that have been read so far.
    pub fn bytes(&self) -> u64 {
        match self {
            TextSource::Files(files) => files.size(0..files.parts()),
            #[cfg(feature = "parquet")]
            TextSource::Columnar(files) => files.bytes(),
            TextSource::Stream(stream) => stream.bytes(),
            TextSource::Loaded(records) => records.bytes(),
        }
    }
}

/// Calls a method of the dataset that a [`TextSource`] contains.
macro_rules! inside {
    ($source:ident, $dataset:ident => $call:expr) => {
        match $source {
            TextSource::Files($dataset) => $call,
            #[cfg(feature = "parquet")]
            TextSource::Columnar($dataset) => $call,
            TextSource::Stream($dataset) => $call,
            TextSource::Loaded($dataset) => $call,
        }
    };
}

impl Dataset for TextSource {
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        inside!(self, dataset => dataset.parts())
    }

    fn is_stream(&self) -> bool {
        inside!(self, dataset => dataset.is_stream())
    }

    fn may_wait_with_records(&self) -> bool {
        inside!(self, dataset => dataset.may_wait_with_records())
    }

    fn close(&self) {
        inside!(self, dataset => dataset.close());
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        inside!(self, dataset => dataset.read(parts, visit))
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        inside!(self, dataset => dataset.size(parts))
    }

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        Some(LentRecord::Text(*record))
    }

    fn place(&self, position: Position) -> Option<Place> {
        inside!(self, dataset => Dataset::place(dataset, position))
    }

    fn index_in_input(&self, index: u64) -> u64 {
        inside!(self, dataset => dataset.index_in_input(index))
    }
}
