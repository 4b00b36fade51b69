//! The inputs from which the bytes of a stream come, unpacked if they are compressed.

use std::io::Read;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::beginning::{Beginning, beginning_of};
use super::fault::InputFault;
use super::raw::RawInput;
use super::unpack::Unpacker;
use crate::error::Error;
use crate::sync::atomic::AtomicBool;

/// The number of bytes that are requested from a file at a time to find out what it is.
const FIRST_BYTES: usize = 4 << 10;

/// An input of a stream.
pub(super) struct Input<'r> {
    bytes: InputBytes<'r>,
    /// The bytes that were read to find out what the input is, and the number of these that were given.
    first: (Vec<u8>, usize),
    /// Whether it is known that the bytes are text.
    is_text: bool,
}

/// Where the bytes of an input come from.
enum InputBytes<'r> {
    Stored(RawInput<'r>),
    Unpacked(Unpacker<'r>),
}

impl InputBytes<'_> {
    fn read(&mut self, room: &mut [u8], closed: &AtomicBool) -> Result<Option<usize>, InputFault> {
        match self {
            InputBytes::Stored(raw) => raw.read(room, closed),
            InputBytes::Unpacked(unpacker) => unpacker.read(room),
        }
    }
}

impl<'r> Input<'r> {
    fn new(raw: RawInput<'r>) -> Self {
        Input {
            bytes: InputBytes::Stored(raw),
            first: (Vec::new(), 0),
            is_text: false,
        }
    }

    /// An input whose bytes come from a reader that was passed by the caller.
    pub(super) fn reader(reader: impl Read + Send + 'r) -> Self {
        Input::new(RawInput::Reader(Box::new(reader)))
    }

    /// Opens what a path names, and returns the input with its name for messages. A pipe is not opened yet, because
    /// opening it may wait until a program writes to it.
    ///
    /// # Errors
    ///
    /// Returns an error if the path names nothing, or a directory, or a file that cannot be opened or is plainly not
    /// text.
    pub(super) fn at(path: &Path) -> Result<(PathBuf, Self), Error> {
        let (name, raw) = RawInput::at(path)?;
        if let Some(file) = raw.same_file() {
            // A file of another kind is refused before anything is scored.
            let begun = Input::new(file).begin();
            begun.map_err(|fault| fault.error(&name))?;
        }
        Ok((name, Input::new(raw)))
    }

    /// Reads the first bytes of a file, until it is known what they are.
    fn begin(&mut self) -> Result<(), InputFault> {
        let read = self.read(&mut [0; FIRST_BYTES], &Arc::default());
        read.map(|_| ())
    }

    /// Waits until there are bytes to read, and reads them. Returns `None` if the stream is closed during the wait;
    /// after that, nothing more can be read.
    ///
    /// # Errors
    ///
    /// Returns a fault if the input cannot be read or unpacked, or is plainly not text.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        closed: &Arc<AtomicBool>,
    ) -> Result<Option<usize>, InputFault> {
        while !self.is_text {
            let Some(read) = self.bytes.read(room, closed)? else {
                return Ok(None);
            };
            self.first.0.extend_from_slice(&room[..read]);
            self.look(read == 0, closed)?;
        }
        let (first, given) = &mut self.first;
        if *given == first.len() {
            return self.bytes.read(room, closed);
        }
        let length = room.len().min(first.len() - *given);
        room[..length].copy_from_slice(&first[*given..*given + length]);
        *given += length;
        if *given == first.len() {
            self.first = (Vec::new(), 0);
        }
        Ok(Some(length))
    }

    /// Looks at the first bytes. If they are compressed, the input is unpacked from here on.
    fn look(&mut self, is_all: bool, closed: &Arc<AtomicBool>) -> Result<(), InputFault> {
        match beginning_of(&self.first.0, is_all) {
            Beginning::TooShort => {}
            Beginning::Text => self.is_text = true,
            Beginning::Refused(message) => return Err(InputFault::Refused(message)),
            Beginning::Compressed(compression) => {
                let first = mem::take(&mut self.first.0);
                let nothing = InputBytes::Stored(RawInput::Reader(Box::new(std::io::empty())));
                let InputBytes::Stored(raw) = mem::replace(&mut self.bytes, nothing) else {
                    return Err(InputFault::refused(
                        "is compressed twice; unpack it once before it is read",
                    ));
                };
                let unpacker = Unpacker::new(compression, first, raw, closed)?;
                self.bytes = InputBytes::Unpacked(unpacker);
            }
        }
        Ok(())
    }
}
