//! Columnar files, read in parts by all workers at the same time.

mod shard;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::block::DecodedBlock;
use super::broken::damaged_from_here;
use super::file::ColumnarFile;
use super::kind::ColumnarInput;
use super::shared_blocks::SharedBlocks;
use crate::dataset::text::fault::InputFault;
use crate::dataset::text::handle::FileHandle;
use crate::dataset::text::input_file::InputFile;
use crate::dataset::text::lent::LentRecord;
use crate::dataset::text::limit::RecordLimit;
use crate::dataset::text::options::OpenOptions;
use crate::dataset::text::os::{files_to_keep_open, open_of_known_length};
use crate::dataset::text::record::TextRecord;
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};
use crate::sync::{Mutex, lock};

/// The smallest number of parts into which the records are divided, unless there are fewer records. The number is large
/// enough that even many workers can share the end of a run evenly.
const PARTS_AIM: u64 = 1 << 16;
/// The largest memory for JSON that is kept for the next records, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Parquet files and Arrow IPC files as one dataset (feature `parquet`). This type is created by
/// [`OpenOptions::open`](crate::dataset::OpenOptions::open).
///
/// A record becomes one line of JSON with the columns of the [wanted fields](OpenOptions::fields); other columns are
/// not read. So a task gives the answer that it gives for the same records in JSON lines. The line of a record is its
/// number in its file, from 1.
///
/// Integers and decimal numbers have all their digits, and a `float` has the digits of the `double` with the same
/// value. Dates, times and durations become texts in the forms of ISO 8601. A time with a time zone is written in UTC.
/// A list becomes an array, and a struct or a map becomes an object. Bytes that are UTF-8 become a text. Other bytes
/// become an object like `{"hex":"ffd8"}`, which no task takes for a text.
///
/// A row group of a Parquet file is decoded in blocks of up to 65,536 records or about 4 MiB of unpacked columns. A
/// record batch of an Arrow file is decoded as a whole. Workers share decoded blocks, of which at most two per worker
/// are kept.
#[derive(Debug)]
pub struct ColumnarFiles {
    files: Vec<FileBlocks>,
    /// Number of records in a part.
    part_records: u64,
    /// The records of all files that belong to the dataset: all of them, unless the dataset is a shard.
    wanted: Range<u64>,
    /// The parts that contain the wanted records.
    parts: Range<usize>,
    limit: RecordLimit,
    /// Number of blocks of all files.
    block_count: u64,
    blocks: SharedBlocks<DecodedBlock>,
    /// Memory for the JSON of records, which is reused.
    spare: Mutex<Vec<Vec<u8>>>,
}

/// One file, with the numbers of its parts.
#[derive(Debug)]
struct FileBlocks {
    path: Arc<Path>,
    /// The length of the file in bytes.
    length: u64,
    file: ColumnarFile,
    /// The index of the first record of the file.
    first_record: u64,
    records: u64,
    groups: Vec<GroupPlace>,
    /// The parts of the file.
    parts: Range<usize>,
}

/// Where a group begins in the dataset.
#[derive(Debug)]
struct GroupPlace {
    /// Number of records of the file that come before the group.
    record: u64,
    /// Number of blocks and of parts of the dataset that come before the group.
    block: u64,
    part: usize,
}

/// Neighbouring parts of one block.
struct PartsOfBlock {
    file: usize,
    /// The number of the block in the dataset.
    number: u64,
    /// The records of the parts, counted from the first record of the block.
    records: Range<u64>,
    /// The number of the block's first record in its file, from 0.
    first: u64,
    /// The first part after these.
    end: usize,
}

impl ColumnarFiles {
    pub(in crate::dataset) fn open_with(
        options: &OpenOptions,
        paths: impl IntoIterator<Item = (impl AsRef<Path>, ColumnarInput)>,
    ) -> Result<Self, Error> {
        let most_open = files_to_keep_open();
        let open = |(number, (path, kind)): (usize, (_, ColumnarInput))| {
            let path: &Path = AsRef::as_ref(&path);
            let (file, length) = open_of_known_length(path)?.ok_or_else(|| Error::changed(path))?;
            let mut handle = FileHandle::Open(file);
            if number >= most_open {
                handle.close(path)?;
            }
            let path: Arc<Path> = Arc::from(path);
            let file = ColumnarFile::open(kind, &path, handle, length, options);
            let file = file.map_err(|fault| fault.error(&path))?;
            Ok((path, length, file))
        };
        let files = paths.into_iter().enumerate().map(open);
        let files = files.collect::<Result<Vec<_>, Error>>()?;
        let records = files.iter().map(|(_, _, file)| file.records());
        let records = records.fold(0, u64::saturating_add);
        let part_records = (records / PARTS_AIM).max(1);
        Ok(Self::divide(
            files,
            part_records,
            options.limit(),
            0..records,
        ))
    }

    fn divide(
        files: Vec<(Arc<Path>, u64, ColumnarFile)>,
        part_records: u64,
        limit: RecordLimit,
        wanted: Range<u64>,
    ) -> Self {
        let (mut part, mut block, mut first_record) = (0_usize, 0_u64, 0_u64);
        let files = files.into_iter().map(|(path, length, file)| {
            let first_part = part;
            let mut records = 0_u64;
            let groups = file.groups.iter().map(|group| {
                let place = GroupPlace {
                    record: records,
                    block,
                    part,
                };
                let parts = group.parts(part_records);
                part = part.saturating_add(usize::try_from(parts).unwrap_or(usize::MAX));
                block = block.saturating_add(group.blocks());
                records = records.saturating_add(group.records);
                place
            });
            let groups = groups.collect();
            let first = first_record;
            first_record = first_record.saturating_add(records);
            FileBlocks {
                path,
                length,
                file,
                first_record: first,
                records,
                groups,
                parts: first_part..part,
            }
        });
        let mut divided = ColumnarFiles {
            files: files.collect(),
            part_records,
            wanted,
            parts: 0..0,
            limit,
            block_count: block,
            blocks: SharedBlocks::default(),
            spare: Mutex::default(),
        };
        divided.parts = divided.wanted_parts();
        divided
    }

    /// Number of records of all files.
    fn all_records(&self) -> u64 {
        let records = self.files.iter().map(|file| file.records);
        records.fold(0, u64::saturating_add)
    }

    fn into_files(self) -> Vec<(Arc<Path>, u64, ColumnarFile)> {
        let files = self.files.into_iter();
        files
            .map(|file| (file.path, file.length, file.file))
            .collect()
    }

    /// Sets the number of records in a part so that they have about this number of bytes in the files. The answer of a
    /// run does not depend on this number.
    #[must_use]
    pub(in crate::dataset) fn with_part_bytes(self, part_bytes: u64) -> Self {
        let records = u128::from(self.all_records());
        let in_part = records * u128::from(part_bytes) / u128::from(self.bytes().max(1));
        let in_part = u64::try_from(in_part).unwrap_or(u64::MAX).max(1);
        let (limit, wanted) = (self.limit, self.wanted.clone());
        Self::divide(self.into_files(), in_part, limit, wanted)
    }

    /// The files and their formats.
    pub fn files(&self) -> Vec<InputFile> {
        let files = self.files.iter();
        files
            .map(|file| InputFile::new(&file.path, file.length, Some(&file.file.layout)))
            .collect()
    }

    /// Number of bytes of the files.
    pub fn bytes(&self) -> u64 {
        let lengths = self.files.iter().map(|file| file.length);
        lengths.fold(0, u64::saturating_add)
    }

    /// The numbers that parts of the dataset have among the parts of all files.
    fn parts_of_files(&self, parts: Range<usize>) -> Range<usize> {
        let before = self.parts.start;
        parts.start + before..parts.end + before
    }

    /// The first of these parts, up to the last one that belongs to the same block.
    fn parts_of_block(&self, parts: &Range<usize>) -> PartsOfBlock {
        let file = self
            .files
            .partition_point(|file| file.parts.end <= parts.start);
        let FileBlocks {
            file: columnar,
            groups,
            ..
        } = &self.files[file];
        // A group without records has no parts, so several groups may begin at the same part. The last of them has this
        // part.
        let group = groups.partition_point(|group| group.part <= parts.start) - 1;
        let (stored, place) = (columnar.groups[group], &groups[group]);
        let (block, start) = stored.block_of((parts.start - place.part) as u64, self.part_records);
        let records = stored.records_of(block);
        let in_block = records.end - records.start;
        let left = (in_block - start).div_ceil(self.part_records);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let taken = (parts.end - parts.start).min(left);
        let end = start.saturating_add((taken as u64).saturating_mul(self.part_records));
        PartsOfBlock {
            file,
            number: place.block + block,
            records: start..end.min(in_block),
            first: place.record + records.start,
            end: parts.start + taken,
        }
    }

    /// Decodes the block with this number.
    fn decode(&self, number: u64) -> Result<DecodedBlock, Error> {
        let begins = |file: &FileBlocks| {
            file.groups
                .first()
                .is_some_and(|group| group.block <= number)
        };
        let with_groups = self.files.iter().filter(|file| !file.groups.is_empty());
        let Some(file) = with_groups.take_while(|file| begins(file)).last() else {
            return Ok(DecodedBlock::default());
        };
        let group = file.groups.partition_point(|group| group.block <= number) - 1;
        let block = number - file.groups[group].block;
        let decoded = file.file.decode(group, block);
        decoded.map_err(|fault: InputFault| fault.error(&file.path))
    }

    /// Visits the records of these parts, which are in `block`, until `visit` returns `Break`.
    fn visit<V>(&self, parts: &PartsOfBlock, block: &DecodedBlock, visit: &mut V) -> ControlFlow<()>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let file = &self.files[parts.file];
        let mut json = lock(&self.spare).pop().unwrap_or_default();
        let mut flow = ControlFlow::Continue(());
        let before_block = file.first_record + parts.first;
        let first = self.wanted.start.saturating_sub(before_block);
        let end = self.wanted.end.saturating_sub(before_block);
        let records = parts.records.start.max(first)..parts.records.end.min(end);
        for record in records.clone() {
            let number = parts.first + record;
            let position = Position {
                index: file.first_record + number - self.wanted.start,
                file: parts.file,
                line: number + 1,
                // The JSON of a record is not a line of the file, so the record has no column.
                column: None,
                fetched: record == records.start,
            };
            if record >= block.records() as u64 {
                let reason = block.broken.as_deref().unwrap_or_default();
                let message = damaged_from_here(file.file.kind(), reason);
                // The run ends at this record. A part after it would also begin with a last record.
                let _ = visit(position, Err(BadRecord::last(message, None)));
                flow = ControlFlow::Break(());
                break;
            }
            json.clear();
            block.write(record as usize, &mut json);
            flow = match std::str::from_utf8(&json) {
                _ if self.limit.excludes(json.len()) => visit(position, Err(self.limit.too_long())),
                Ok(text) => visit(
                    position,
                    Ok(&TextRecord::new(text, position, &file.file.layout)),
                ),
                Err(_) => visit(position, Err(BadRecord::new("expected UTF-8 text", None))),
            };
            if flow.is_break() {
                break;
            }
        }
        if json.capacity() <= KEPT_BYTES {
            lock(&self.spare).push(json);
        }
        flow
    }
}

impl Dataset for ColumnarFiles {
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        self.parts.end - self.parts.start
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let mut outcome = ReadOutcome::default();
        let reader = self.blocks.begin();
        let mut left = self.parts_of_files(parts);
        while !left.is_empty() {
            let parts = self.parts_of_block(&left);
            let began = Instant::now();
            let block = reader.get(parts.number, self.block_count, |number| self.decode(number))?;
            outcome.waited += began.elapsed();
            if self.visit(&parts, &block, &mut visit).is_break() {
                break;
            }
            left.start = parts.end;
        }
        Ok(outcome)
    }

    /// The estimated size of these parts in bytes: all parts of a file are taken to be of the same size.
    fn size(&self, parts: Range<usize>) -> u64 {
        let parts = self.parts_of_files(parts);
        let share = |file: &FileBlocks| {
            let before = |part: usize| {
                let part = part.clamp(file.parts.start, file.parts.end) - file.parts.start;
                let all = (file.parts.end - file.parts.start).max(1);
                (u128::from(file.length) * part as u128 / all as u128) as u64
            };
            before(parts.end) - before(parts.start)
        };
        self.files.iter().map(share).fold(0, u64::saturating_add)
    }

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        Some(LentRecord::Text(*record))
    }

    fn place(&self, position: Position) -> Option<Place> {
        Some(Place {
            path: Arc::clone(&self.files[position.file].path),
            line: position.line,
            column: None,
        })
    }
}
