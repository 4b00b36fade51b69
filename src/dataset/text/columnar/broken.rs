//! Why a columnar file, or a part of it, cannot be read.

use super::kind::ColumnarInput;
use crate::dataset::text::fault::InputFault;
use crate::panics::caught;

/// Why a columnar file, or a part of it, cannot be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// The file cannot be read.
    Unreadable(InputFault),
    /// The bytes are not those of such a file, for the reason in this message.
    Damaged(String),
    /// The file cannot be used, for the reason in this message.
    Refused(String),
}

/// Calls a decoder. A decoder may panic if a file is damaged, so a panic is damage.
pub(super) fn decoding<T>(decode: impl FnOnce() -> Result<T, Broken>) -> Result<T, Broken> {
    caught(decode).unwrap_or_else(|panicked| Err(Broken::Damaged(panicked.to_string())))
}

impl Broken {
    /// Returns the reason why no further record can be decoded.
    ///
    /// # Errors
    ///
    /// Returns the fault if the file cannot be read.
    pub(super) fn reason(self) -> Result<String, InputFault> {
        match self {
            Broken::Unreadable(fault) => Err(fault),
            Broken::Damaged(reason) | Broken::Refused(reason) => Ok(reason),
        }
    }

    /// Returns the fault of a file that cannot be opened for this reason.
    pub(super) fn fault(self, kind: ColumnarInput) -> InputFault {
        match self {
            Broken::Unreadable(fault) => fault,
            Broken::Refused(message) => InputFault::Refused(message.into()),
            Broken::Damaged(reason) => {
                let name = kind.name();
                let message = format!(
                    "cannot be read as {name}: it is incomplete, damaged, or of another format ({reason}); write the file \
                     again, or name its format with --format"
                );
                InputFault::Refused(message.into())
            }
        }
    }
}

/// The message of a run that ends at a record because the file is damaged from this record on.
pub(super) fn damaged_from_here(kind: ColumnarInput, reason: &str) -> String {
    let name = kind.name();
    format!(
        "cannot be read on from this record, because the data of {name} is damaged or incomplete ({reason}); get or write \
         the file again"
    )
}
