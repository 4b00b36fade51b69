//! Text as a dataset: files, pipes and readers, divided into records that are lent as text.

mod beginning;
mod buffer;
mod columnar;
mod compression;
mod encoding;
mod fault;
mod file;
mod files;
mod handle;
mod identity;
mod input;
mod input_file;
mod legacy;
mod lent;
mod limit;
mod loaded;
mod members;
mod numbering;
mod options;
mod os;
mod pulled;
mod raw;
mod record;
mod record_bytes;
mod sample;
mod stream;
#[cfg(feature = "parquet")]
mod temporary;
mod text_encoding;
mod unpack;
mod values;

#[cfg(feature = "parquet")]
pub use columnar::ColumnarFiles;
#[cfg(feature = "parquet")]
pub(in crate::dataset) use columnar::ColumnarInput;
pub use files::TextFiles;
pub use input_file::InputFile;
pub use lent::LentRecord;
pub(crate) use lent::{OwnedRecord, RecordCopies, RecordHead};
pub use limit::MAX_RECORD_BYTES;
pub use loaded::LoadedRecords;
pub use options::OpenOptions;
pub use record::TextRecord;
pub use record_bytes::RecordBytes;
pub(crate) use sample::SampleDraw;
pub(in crate::dataset) use stream::Access;
pub use stream::TextStream;
pub use text_encoding::{TextEncoding, UnknownEncoding};
pub use values::FieldValues;
