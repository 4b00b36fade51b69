//! The records of a columnar input as JSON lines, one after the other.

use std::fs::File;
use std::io::{BufReader, Read};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;

use super::block::DecodedBlock;
use super::broken::{Broken, damaged_from_here, decoding};
use super::file::{ColumnarFile, open_unnamed};
use super::kind::ColumnarInput;
use super::projection::wanted_columns;
use crate::dataset::format::RecordLayout;
use crate::dataset::text::fault::InputFault;
use crate::dataset::text::options::OpenOptions;

/// The length of the JSON that is written at a time, in bytes.
const JSON_BYTES: usize = 64 << 10;

/// The records of a columnar input as JSON lines, in their order.
pub(in crate::dataset::text) struct ColumnarReader<'r> {
    source: BlockSource<'r>,
    kind: ColumnarInput,
    /// How the JSON of the records is read.
    pub(in crate::dataset::text) layout: RecordLayout,
    block: DecodedBlock,
    /// The place of the next record in the block.
    next: usize,
    json: Vec<u8>,
    /// Number of bytes of `json` that the caller has received.
    given: usize,
}

/// Where the blocks come from.
enum BlockSource<'r> {
    File {
        file: Box<ColumnarFile>,
        /// The next block: its group, and its number in the group.
        group: usize,
        block: u64,
    },
    Stream {
        messages: Box<StreamReader<BufReader<Box<dyn Read + Send + 'r>>>>,
        columns: Vec<usize>,
    },
    Ended,
}

impl<'r> ColumnarReader<'r> {
    /// Reads a file from its beginning. The path of the file is not needed, because the file stays open.
    pub(in crate::dataset::text) fn of_file(
        kind: ColumnarInput,
        file: File,
        options: &OpenOptions,
    ) -> Result<Self, InputFault> {
        let file = open_unnamed(kind, file, options)?;
        let layout = file.layout.clone();
        let source = BlockSource::File {
            file: Box::new(file),
            group: 0,
            block: 0,
        };
        Ok(Self::new(kind, source, layout))
    }

    /// Reads an Arrow IPC stream.
    pub(in crate::dataset::text) fn of_stream(
        reader: impl Read + Send + 'r,
        options: &OpenOptions,
    ) -> Result<Self, InputFault> {
        let kind = ColumnarInput::ArrowStream;
        let reader: Box<dyn Read + Send + 'r> = Box::new(reader);
        let opened = decoding(|| {
            let messages = StreamReader::try_new_buffered(reader, None)?;
            let schema = messages.schema();
            let columns = wanted_columns(&schema, options).map_err(Broken::Refused)?;
            Ok((messages, schema, columns))
        });
        let (messages, schema, columns) = opened.map_err(|broken| broken.fault(kind))?;
        let names = schema.fields().iter().map(|field| field.name().clone());
        let layout = RecordLayout::columnar(kind.format(), names.collect());
        let messages = Box::new(messages);
        Ok(Self::new(
            kind,
            BlockSource::Stream { messages, columns },
            layout,
        ))
    }

    fn new(kind: ColumnarInput, source: BlockSource<'r>, layout: RecordLayout) -> Self {
        ColumnarReader {
            source,
            kind,
            layout,
            block: DecodedBlock::default(),
            next: 0,
            json: Vec::new(),
            given: 0,
        }
    }

    /// Reads bytes of JSON lines, and returns their number. Returns 0 after the last line.
    ///
    /// # Errors
    ///
    /// Returns a fault if the input cannot be read or is damaged. The caller has then received all records before the
    /// damage.
    pub(in crate::dataset::text) fn read(&mut self, room: &mut [u8]) -> Result<usize, InputFault> {
        while self.given == self.json.len() {
            if !self.write_on()? {
                return Ok(0);
            }
        }
        let length = room.len().min(self.json.len() - self.given);
        room[..length].copy_from_slice(&self.json[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }

    /// Writes the next records as JSON. Returns `false` if there are none.
    fn write_on(&mut self) -> Result<bool, InputFault> {
        self.given = 0;
        self.json.clear();
        while self.next == self.block.records() {
            if let Some(reason) = self.block.broken.take() {
                self.source = BlockSource::Ended;
                self.block = DecodedBlock::default();
                self.next = 0;
                return Err(InputFault::Damaged(damaged_from_here(self.kind, &reason)));
            }
            self.next = 0;
            match self.source.next()? {
                Some(block) => self.block = block,
                None => {
                    self.block = DecodedBlock::default();
                    return Ok(false);
                }
            }
        }
        while self.next < self.block.records() && self.json.len() < JSON_BYTES {
            self.block.write(self.next, &mut self.json);
            self.json.push(b'\n');
            self.next += 1;
        }
        Ok(true)
    }
}

impl BlockSource<'_> {
    /// Decodes the next block. Returns `None` after the last one.
    fn next(&mut self) -> Result<Option<DecodedBlock>, InputFault> {
        match self {
            BlockSource::Ended => Ok(None),
            BlockSource::File { file, group, block } => {
                while let Some(stored) = file.groups.get(*group) {
                    if *block < stored.blocks() {
                        let decoded = file.decode(*group, *block)?;
                        *block += 1;
                        return Ok(Some(decoded));
                    }
                    *group += 1;
                    *block = 0;
                }
                Ok(None)
            }
            BlockSource::Stream { messages, columns } => {
                let next = decoding(|| {
                    let next: Option<RecordBatch> = messages.next().transpose()?;
                    Ok(next.map(|all| all.project(columns)).transpose()?)
                });
                let mut block = DecodedBlock::default();
                match next {
                    Ok(None) => return Ok(None),
                    Ok(Some(columns)) => block.push(&columns),
                    Err(broken) => block.broken = Some(broken.reason()?),
                }
                Ok(Some(block))
            }
        }
    }
}
