//! Text as a dataset: files, pipes and readers, cut into records that are lent as text.

mod file;
mod files;
mod input;
mod lines;
mod loaded;
mod numbering;
mod os;
mod record;
mod stream;
mod table;
mod texts;

pub use files::TextFiles;
pub use lines::MAX_RECORD_BYTES;
pub use loaded::LoadedRecords;
pub use record::TextRecord;
pub use stream::TextStream;
pub use texts::Texts;
