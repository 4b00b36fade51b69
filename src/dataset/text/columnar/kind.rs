//! Kinds of columnar files, and how each is recognised.

use crate::dataset::FormatName;
use crate::dataset::text::compression::begins;

/// A kind of file that stores its records by column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) enum ColumnarInput {
    Parquet,
    /// An Arrow IPC file (Feather, version 2), whose record batches can be read in any order.
    ArrowFile,
    /// An Arrow IPC stream, whose record batches can only be read one after the other.
    ArrowStream,
}

/// The marks with which files of each kind begin. Parquet itself has a mark of four bytes, with which text may begin
/// too. So the fifth byte is also compared: a page header and the footer both begin with this byte. No text in UTF-8
/// begins like an Arrow IPC stream.
const MARKS: [(&[u8], ColumnarInput); 3] = [
    (b"PAR1\x15", ColumnarInput::Parquet),
    (b"ARROW1\0\0", ColumnarInput::ArrowFile),
    (b"\xff\xff\xff\xff", ColumnarInput::ArrowStream),
];

impl ColumnarInput {
    /// Recognises the kind of a file that begins with `first`.
    pub(in crate::dataset::text) fn of(first: &[u8]) -> Option<Self> {
        let mut marks = MARKS.into_iter();
        let found = marks.find(|(mark, _)| first.starts_with(mark));
        found.map(|(_, kind)| kind)
    }

    /// Whether more bytes are needed to know the kind of a file that begins with `first`.
    pub(in crate::dataset::text) fn may_begin_with(first: &[u8]) -> bool {
        MARKS.iter().any(|(mark, _)| begins(first, mark).is_none())
    }

    /// Returns the columnar kind as which a file that begins with `first` is read: the requested one, or the one that
    /// `first` shows if no format is requested. `None` if the file is not read as a columnar file.
    pub(in crate::dataset::text) fn requested(
        format: Option<FormatName>,
        first: &[u8],
    ) -> Option<Self> {
        let found = Self::of(first);
        match format {
            None => found,
            Some(FormatName::Parquet) => Some(ColumnarInput::Parquet),
            Some(FormatName::Arrow) if found == Some(ColumnarInput::ArrowStream) => found,
            Some(FormatName::Arrow) => Some(ColumnarInput::ArrowFile),
            Some(_) => None,
        }
    }

    /// The format of the records.
    pub(in crate::dataset::text) fn format(self) -> FormatName {
        match self {
            ColumnarInput::Parquet => FormatName::Parquet,
            ColumnarInput::ArrowFile | ColumnarInput::ArrowStream => FormatName::Arrow,
        }
    }

    /// The name of the kind for messages, with its article.
    pub(in crate::dataset::text) fn name(self) -> &'static str {
        match self {
            ColumnarInput::Parquet => "a Parquet file",
            ColumnarInput::ArrowFile => "an Arrow file",
            ColumnarInput::ArrowStream => "an Arrow stream",
        }
    }

    /// Why a file of this kind cannot be read as text. `requested` is the format that the user has named.
    pub(in crate::dataset::text) fn not_text(self, requested: Option<FormatName>) -> String {
        let name = self.name();
        match (requested, self.missing()) {
            (_, Some(missing)) => missing,
            (Some(requested), None) => format!(
                "is {name}, so it cannot be read as {requested}; leave --format out, or name it {}",
                self.format()
            ),
            (None, None) => {
                format!("is {name}, which is no text; open it with OpenOptions::open")
            }
        }
    }

    /// If this build cannot read columnar files, returns a message that says so and what to do.
    pub(in crate::dataset::text) fn missing(self) -> Option<String> {
        let name = self.name();
        let is_missing = !cfg!(feature = "parquet");
        is_missing.then(|| {
            format!(
                "is {name}, and this program was built without the feature that reads it; build the program with \
                 --features parquet, or convert the file to CSV or JSON lines first"
            )
        })
    }
}
