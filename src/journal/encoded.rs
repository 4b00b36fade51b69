//! How values are written into a journal, and read from it.

use serde::{Deserialize, Serialize};

use super::fault::JournalFault;

/// Appends a value to `to`.
///
/// # Errors
///
/// Returns an error if the value cannot be written, for example because it has a path that is not Unicode. `to` is then
/// empty.
pub(crate) fn encode(value: &(impl Serialize + ?Sized), to: &mut Vec<u8>) -> postcard::Result<()> {
    *to = postcard::to_extend(value, std::mem::take(to))?;
    Ok(())
}

/// Reads a value that fills all the bytes. Returns `None` if they are something else.
pub(crate) fn decode<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

/// The fault of a run with a value that cannot be kept. `what` names the value.
pub(super) fn not_encoded(what: &str, error: &postcard::Error) -> JournalFault {
    JournalFault::new(format!(
        "{what} cannot be written down: {error}; use a type whose lengths are known and whose paths are Unicode"
    ))
}
