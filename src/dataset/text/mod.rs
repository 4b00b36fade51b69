//! Text as a dataset: files, pipes and readers, cut into records that are lent as text.

mod buffer;
mod encoding;
mod file;
mod files;
mod input;
mod limit;
mod loaded;
mod numbering;
mod options;
mod os;
mod record;
mod stream;

pub use files::TextFiles;
pub use limit::MAX_RECORD_BYTES;
pub use loaded::LoadedRecords;
pub use options::OpenOptions;
pub use record::TextRecord;
pub use stream::TextStream;
