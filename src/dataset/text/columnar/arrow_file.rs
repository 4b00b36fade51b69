//! Arrow IPC files, whose record batches can be read in any order.

use std::sync::Arc;

use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Endianness, convert, root_as_footer, root_as_message};
use arrow_schema::ArrowError;

use super::block::DecodedBlock;
use super::broken::Broken;
use super::group::RecordGroup;
use super::projection::wanted_columns;
use super::stored::StoredBytes;
use crate::dataset::text::options::OpenOptions;

/// The number of bytes at the end of a file that contain the length of the footer and a mark.
const END_BYTES: u64 = 10;
/// The bytes before the length of a message. Older files lack these bytes.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// An Arrow IPC file whose record batches can be read in any order.
#[derive(Debug)]
pub(super) struct StoredArrow {
    bytes: Arc<StoredBytes>,
    decoder: FileDecoder,
    blocks: Vec<Block>,
}

impl From<ArrowError> for Broken {
    fn from(error: ArrowError) -> Self {
        Broken::Damaged(error.to_string())
    }
}

fn damaged(reason: &str) -> Broken {
    Broken::Damaged(reason.to_owned())
}

impl StoredArrow {
    /// Opens a file. Also returns the record batches of the file and the names of its columns.
    pub(super) fn open(
        bytes: Arc<StoredBytes>,
        options: &OpenOptions,
    ) -> Result<(Self, Vec<RecordGroup>, Vec<String>), Broken> {
        let footer = read_footer(&bytes)?;
        let footer = root_as_footer(&footer).map_err(|error| Broken::Damaged(error.to_string()))?;
        let schema = footer
            .schema()
            .ok_or_else(|| damaged("its footer has no schema"))?;
        if schema.endianness() != Endianness::Little || cfg!(target_endian = "big") {
            return Err(Broken::Refused(
                "has numbers in an order of bytes that this machine does not use; write it as a Parquet file".to_owned(),
            ));
        }
        let schema = Arc::new(convert::try_fb_to_schema(schema)?);
        let names = schema.fields().iter().map(|field| field.name().clone());
        let names = names.collect();
        let columns = wanted_columns(&schema, options).map_err(Broken::Refused)?;
        let mut decoder = FileDecoder::new(schema, footer.version()).with_projection(columns);
        for block in footer.dictionaries().iter().flatten() {
            decoder.read_dictionary(block, &read_block(&bytes, block)?)?;
        }
        let blocks: Vec<Block> = footer.recordBatches().iter().flatten().copied().collect();
        let groups = blocks.iter().map(|block| {
            Ok(RecordGroup {
                records: records_in(&bytes, block)?,
                block_records: u64::MAX,
            })
        });
        let groups = groups.collect::<Result<_, Broken>>()?;
        let file = StoredArrow {
            bytes,
            decoder,
            blocks,
        };
        Ok((file, groups, names))
    }

    /// Decodes a record batch, and appends its records to the block.
    pub(super) fn decode(&self, group: usize, block: &mut DecodedBlock) -> Result<(), Broken> {
        let place = &self.blocks[group];
        let columns = self
            .decoder
            .read_record_batch(place, &read_block(&self.bytes, place)?)?;
        if let Some(columns) = columns {
            block.push(&columns);
        }
        Ok(())
    }
}

fn read_footer(bytes: &StoredBytes) -> Result<Vec<u8>, Broken> {
    let is_short = || damaged("it has no footer");
    let end = bytes.length().checked_sub(END_BYTES).ok_or_else(is_short)?;
    let last = bytes.read(end, END_BYTES).map_err(Broken::Unreadable)?;
    let last = last.and_then(|last| <[u8; END_BYTES as usize]>::try_from(last).ok());
    let length = read_footer_length(last.ok_or_else(is_short)?)? as u64;
    let start = end.checked_sub(length).ok_or_else(is_short)?;
    let footer = bytes.read(start, length).map_err(Broken::Unreadable)?;
    footer.ok_or_else(is_short)
}

/// The place of a message in the file, the length of its header, and the length of the whole message, in bytes. `None`
/// if one of them is negative or too large.
fn extent(block: &Block) -> Option<(u64, u64, u64)> {
    let start = u64::try_from(block.offset()).ok()?;
    let header = u64::try_from(block.metaDataLength()).ok()?;
    let body = u64::try_from(block.bodyLength()).ok()?;
    Some((start, header, header.checked_add(body)?))
}

/// Reads a message as a whole.
fn read_block(bytes: &StoredBytes, block: &Block) -> Result<Buffer, Broken> {
    let beyond = || damaged("a record batch is beyond the end of the file");
    let (start, _, length) = extent(block).ok_or_else(beyond)?;
    bytes.check(start, length).ok_or_else(beyond)?;
    let length = usize::try_from(length).map_err(|_| beyond())?;
    let mut room = MutableBuffer::try_from_len_zeroed(length).map_err(|error| {
        Broken::Refused(format!(
            "has a record batch that does not fit in memory ({error})"
        ))
    })?;
    bytes
        .read_to(start, &mut room)
        .map_err(Broken::Unreadable)?;
    Ok(room.into())
}

/// Reads the number of records of a record batch from its header.
fn records_in(bytes: &StoredBytes, block: &Block) -> Result<u64, Broken> {
    let beyond = || damaged("a record batch is beyond the end of the file");
    let (start, header, _) = extent(block).ok_or_else(beyond)?;
    let header = bytes.read(start, header).map_err(Broken::Unreadable)?;
    let header = header.ok_or_else(beyond)?;
    let message = match header.strip_prefix(&CONTINUATION) {
        Some(rest) => rest.get(4..),
        None => header.get(4..),
    };
    let message = root_as_message(message.ok_or_else(beyond)?);
    let message = message.map_err(|error| Broken::Damaged(error.to_string()))?;
    let columns = message.header_as_record_batch();
    let columns = columns.ok_or_else(|| damaged("a record batch has another kind of header"))?;
    u64::try_from(columns.length()).map_err(|_| damaged("a record batch has a negative length"))
}
