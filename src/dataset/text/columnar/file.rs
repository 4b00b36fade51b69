//! A columnar file that can be read at any place.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::arrow_file::StoredArrow;
use super::block::DecodedBlock;
use super::broken::{Broken, decoding};
use super::group::RecordGroup;
use super::kind::ColumnarInput;
use super::parquet_file::StoredParquet;
use super::stored::StoredBytes;
use crate::dataset::format::RecordLayout;
use crate::dataset::text::fault::InputFault;
use crate::dataset::text::handle::FileHandle;
use crate::dataset::text::options::OpenOptions;

/// A columnar file that can be read at any place.
#[derive(Debug)]
pub(super) struct ColumnarFile {
    kind: ColumnarInput,
    content: Content,
    /// The groups in which the file stores its records.
    pub(super) groups: Vec<RecordGroup>,
    /// How the JSON of the records is read.
    pub(super) layout: RecordLayout,
}

#[derive(Debug)]
enum Content {
    Parquet(StoredParquet),
    Arrow(StoredArrow),
}

impl ColumnarFile {
    /// Opens a file of this kind and length in bytes. The path is only used to open the file again, and is in no
    /// message.
    ///
    /// # Errors
    ///
    /// Returns a fault if the file is not of this kind, or lacks a column for a field that the task needs.
    pub(super) fn open(
        kind: ColumnarInput,
        path: &Arc<Path>,
        handle: FileHandle,
        length: u64,
        options: &OpenOptions,
    ) -> Result<Self, InputFault> {
        let bytes = Arc::new(StoredBytes::new(Arc::clone(path), handle, length));
        let opened = decoding(|| match kind {
            ColumnarInput::Parquet => {
                let (file, groups, names) = StoredParquet::open(bytes, options)?;
                Ok((Content::Parquet(file), groups, names))
            }
            ColumnarInput::ArrowFile | ColumnarInput::ArrowStream => {
                let (file, groups, names) = StoredArrow::open(bytes, options)?;
                Ok((Content::Arrow(file), groups, names))
            }
        });
        let (content, groups, names) = opened.map_err(|broken| broken.fault(kind))?;
        Ok(ColumnarFile {
            kind,
            content,
            groups,
            layout: RecordLayout::columnar(kind.format(), names),
        })
    }

    /// The kind of the file.
    pub(super) fn kind(&self) -> ColumnarInput {
        self.kind
    }

    /// Number of records of all groups.
    pub(super) fn records(&self) -> u64 {
        let records = self.groups.iter().map(|group| group.records);
        records.fold(0, u64::saturating_add)
    }

    /// Decodes a block of a group. If the data is damaged, the block contains the records before the damage, and its
    /// `broken` is the reason.
    ///
    /// # Errors
    ///
    /// Returns a fault if the file cannot be read.
    pub(super) fn decode(&self, group: usize, block: u64) -> Result<DecodedBlock, InputFault> {
        let records = self.groups[group].records_of(block);
        let expected = records.end - records.start;
        let mut decoded = DecodedBlock::default();
        let outcome = decoding(|| self.decode_to(group, records, &mut decoded));
        decoded.broken = match outcome {
            Ok(()) if decoded.records() as u64 == expected => None,
            Ok(()) => Some(format!(
                "expected {expected} records, found {}",
                decoded.records()
            )),
            Err(broken) => Some(broken.reason()?),
        };
        Ok(decoded)
    }

    fn decode_to(
        &self,
        group: usize,
        records: Range<u64>,
        decoded: &mut DecodedBlock,
    ) -> Result<(), Broken> {
        match &self.content {
            Content::Parquet(file) => file.decode(group, records, decoded),
            Content::Arrow(file) => file.decode(group, decoded),
        }
    }
}

/// Opens a columnar file without its path. The path is not needed, because the file stays open.
pub(super) fn open_unnamed(
    kind: ColumnarInput,
    file: File,
    options: &OpenOptions,
) -> Result<ColumnarFile, InputFault> {
    let length = file.metadata()?.len();
    let path = Arc::from(Path::new(""));
    ColumnarFile::open(kind, &path, FileHandle::Open(file), length, options)
}
