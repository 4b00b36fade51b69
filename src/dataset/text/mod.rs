//! Text as a dataset: files, pipes and readers, cut into records that are lent as text.

mod beginning;
mod buffer;
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
mod numbering;
mod options;
mod os;
mod raw;
mod record;
mod stream;
mod text_encoding;
mod unpack;
mod values;

pub use files::TextFiles;
pub use input_file::InputFile;
pub use lent::LentRecord;
pub(crate) use lent::OwnedRecord;
pub use limit::MAX_RECORD_BYTES;
pub use loaded::LoadedRecords;
pub use options::OpenOptions;
pub use record::TextRecord;
pub use stream::TextStream;
pub use text_encoding::{TextEncoding, UnknownEncoding};
pub use values::FieldValues;
