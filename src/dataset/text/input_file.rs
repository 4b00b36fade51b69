//! The format, the delimiter and the length of an input.

use std::path::Path;
use std::sync::Arc;

use crate::dataset::format::{Delimiter, FormatName, RecordLayout};

/// An input of a dataset, with its format, delimiter and length.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputFile {
    /// The path, or `<stdin>`.
    pub path: Arc<Path>,
    /// The format. `None` if the input has not been read far enough to know its format.
    pub format: Option<FormatName>,
    /// Whether nothing but the first record shows the format: no option, no ending of the name, and no bracket of JSON. The
    /// input is delimited text if this record has the name of the field to score, and otherwise plain text.
    pub format_was_guessed: bool,
    /// The delimiter, if the input is delimited text.
    pub delimiter: Option<Delimiter>,
    /// Whether the delimiter was found from the first record, and is not the usual one of the format.
    pub delimiter_was_found: bool,
    /// The length in bytes. For an input of a stream, the number of bytes that have been read.
    pub bytes: u64,
}

impl InputFile {
    pub(super) fn new(path: &Arc<Path>, bytes: u64, layout: Option<&RecordLayout>) -> Self {
        let delimiter = layout.and_then(RecordLayout::delimiter);
        InputFile {
            path: Arc::clone(path),
            format: layout.map(RecordLayout::name),
            format_was_guessed: layout.is_some_and(RecordLayout::is_guessed),
            delimiter: delimiter.map(|(delimiter, _)| delimiter),
            delimiter_was_found: delimiter.is_some_and(|(_, was_found)| was_found),
            bytes,
        }
    }
}
