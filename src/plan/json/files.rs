//! The inputs of a run as JSON.

use serde::Serialize;

use crate::dataset::{Delimiter, FormatName, InputFile};

#[derive(Serialize)]
pub(super) struct FileJson {
    path: String,
    format: Option<FormatName>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    format_was_guessed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<Delimiter>,
    bytes: u64,
}

impl FileJson {
    pub(super) fn of(file: &InputFile) -> Self {
        FileJson {
            path: file.path.display().to_string(),
            format: file.format,
            format_was_guessed: file.format_was_guessed,
            delimiter: file.delimiter,
            bytes: file.bytes,
        }
    }
}
