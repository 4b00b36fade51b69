//! Parquet files, whose row groups are decoded in blocks of records.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelectionPolicy,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;

use super::block::DecodedBlock;
use super::broken::Broken;
use super::group::RecordGroup;
use super::projection::wanted_columns;
use super::stored::{DecodedBytes, StoredBytes};
use crate::dataset::text::options::OpenOptions;

/// The aim for the length of a block: the number of bytes that the wanted columns of its records have before
/// compression.
const BLOCK_BYTES: u64 = 4 << 20;
/// The largest number of records in a block.
const BLOCK_RECORDS: u64 = 64 << 10;
/// The largest number of records that the decoder returns at a time.
const STRETCH_RECORDS: usize = 8 << 10;

/// A Parquet file that can be read at any place.
#[derive(Debug)]
pub(super) struct StoredParquet {
    bytes: Arc<StoredBytes>,
    metadata: ArrowReaderMetadata,
    projection: ProjectionMask,
}

impl StoredParquet {
    /// Opens a file. Also returns the row groups of the file and the names of its columns.
    pub(super) fn open(
        bytes: Arc<StoredBytes>,
        options: &OpenOptions,
    ) -> Result<(Self, Vec<RecordGroup>, Vec<String>), Broken> {
        let read = DecodedBytes::new(&bytes);
        let metadata = ArrowReaderMetadata::load(&read, ArrowReaderOptions::new());
        let metadata = metadata.map_err(|error| broken(&read, &error))?;
        let metadata = with_views(metadata);
        let columns = wanted_columns(metadata.schema(), options).map_err(Broken::Refused)?;
        let projection = ProjectionMask::roots(metadata.parquet_schema(), columns);
        let groups = metadata.metadata().row_groups().iter();
        let groups = groups.map(|group| record_group(group, &projection));
        let groups = groups.collect::<Option<Vec<_>>>().unwrap_or_default();
        let records = groups.iter().map(|group| group.records);
        let records = records.fold(0, u64::saturating_add);
        let counted = metadata.metadata().file_metadata().num_rows();
        if u64::try_from(counted) != Ok(records) {
            return Err(Broken::Damaged(format!(
                "its footer counts {counted} records and {records} in its row groups"
            )));
        }
        let names = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone());
        let names = names.collect();
        let file = StoredParquet {
            bytes,
            metadata,
            projection,
        };
        Ok((file, groups, names))
    }

    /// Decodes consecutive records of a row group, and appends them to the block.
    pub(super) fn decode(
        &self,
        group: usize,
        records: Range<u64>,
        block: &mut DecodedBlock,
    ) -> Result<(), Broken> {
        let read = DecodedBytes::new(&self.bytes);
        let count = |records: u64| usize::try_from(records).unwrap_or(usize::MAX);
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(read.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(self.projection.clone())
                .with_row_selection_policy(RowSelectionPolicy::Selectors)
                .with_offset(count(records.start))
                .with_limit(count(records.end - records.start))
                .with_batch_size(STRETCH_RECORDS)
                .build();
        let reader = reader.map_err(|error| broken(&read, &error))?;
        for columns in reader {
            let columns = columns.map_err(|error| match read.take_fault() {
                Some(fault) => Broken::Unreadable(fault),
                None => Broken::Damaged(error.to_string()),
            })?;
            block.push(&columns);
        }
        Ok(())
    }
}

fn broken(read: &DecodedBytes, error: &ParquetError) -> Broken {
    match read.take_fault() {
        Some(fault) => Broken::Unreadable(fault),
        None => Broken::Damaged(error.to_string()),
    }
}

/// The number of records of a row group, and the number of them that are decoded together. `None` if the file says that
/// the row group has a negative number of records.
fn record_group(group: &RowGroupMetaData, projection: &ProjectionMask) -> Option<RecordGroup> {
    let records = u64::try_from(group.num_rows()).ok()?;
    let columns = group.columns().iter().enumerate();
    let wanted = columns.filter(|(leaf, _)| projection.leaf_included(*leaf));
    let bytes = wanted.map(|(_, column)| u64::try_from(column.uncompressed_size()).unwrap_or(0));
    let bytes = bytes.fold(0, u64::saturating_add).max(1);
    let fitting = u128::from(records) * u128::from(BLOCK_BYTES) / u128::from(bytes);
    let fitting = u64::try_from(fitting).unwrap_or(u64::MAX);
    Some(RecordGroup {
        records,
        block_records: fitting.clamp(1, BLOCK_RECORDS),
    })
}

/// Changes the types of texts and bytes, if possible, so that the decoder does not copy their values.
fn with_views(metadata: ArrowReaderMetadata) -> ArrowReaderMetadata {
    let schema = metadata.schema();
    let fields: Vec<FieldRef> = schema.fields().iter().map(view_field).collect();
    let views = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    if views == *schema {
        return metadata;
    }
    let options = ArrowReaderOptions::new().with_schema(views);
    let viewed = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options);
    viewed.unwrap_or(metadata)
}

fn view_field(field: &FieldRef) -> FieldRef {
    match view_type(field.data_type()) {
        Some(kind) => Arc::new(Field::clone(field).with_data_type(kind)),
        None => Arc::clone(field),
    }
}

/// The type in which the decoder returns values of this type without copying texts and bytes. `None` if the type stays
/// as it is.
fn view_type(kind: &DataType) -> Option<DataType> {
    Some(match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, value) => return view_type(value),
        DataType::List(field) => DataType::List(view_field(field)),
        DataType::LargeList(field) => DataType::LargeList(view_field(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(view_field(field), *size),
        DataType::Map(entries, sorted) => DataType::Map(view_field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(view_field).collect()),
        _ => return None,
    })
}
