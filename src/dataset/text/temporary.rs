//! Temporary files for inputs that can only be read from their end.

use std::fs::File;
use std::io::{self, Write as _};

use super::fault::InputFault;

/// The number of bytes that are copied at a time.
const COPIED_BYTES: usize = 256 << 10;

/// Copies an input to a temporary file without a name: the bytes `first`, and the bytes that `read` reads until it
/// reads 0 bytes. Returns `None` if `read` returns `None`, because the stream is closed.
pub(super) fn copied(
    first: &[u8],
    mut read: impl FnMut(&mut [u8]) -> Result<Option<usize>, InputFault>,
) -> Result<Option<File>, InputFault> {
    let failed = |error: io::Error| {
        let message = format!(
            "can only be read from a file, and cannot be copied to a temporary one ({error}); save it to a file first"
        );
        InputFault::Refused(message.into())
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    file.write_all(first).map_err(failed)?;
    let mut room = vec![0; COPIED_BYTES];
    loop {
        match read(&mut room)? {
            None => return Ok(None),
            Some(0) => return Ok(Some(file)),
            Some(length) => file.write_all(&room[..length]).map_err(failed)?,
        }
    }
}
