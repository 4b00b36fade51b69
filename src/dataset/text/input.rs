//! The inputs from which the text of a stream comes, unpacked and decoded.

use std::io::Read;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::beginning::{Beginning, beginning_of};
use super::compression::Compression;
use super::fault::InputFault;
use super::legacy::{EncodingMessages, Examined, LegacyCheck};
use super::options::OpenOptions;
use super::raw::RawInput;
use super::text_encoding::TextDecoder;
use super::unpack::Unpacker;
use crate::error::Error;
use crate::sync::atomic::AtomicBool;

/// The number of bytes that are requested from a file at a time to find out what it is.
const FIRST_BYTES: usize = 4 << 10;

/// An input of a stream.
pub(super) struct Input<'r> {
    bytes: InputBytes<'r>,
    decoder: Option<TextDecoder>,
    look: Look,
    /// The bytes that were read to find out what the input is and that have not been given yet.
    first: Vec<u8>,
    /// Number of the first bytes that can be given.
    ready: usize,
    /// Whether the input ended among its first bytes.
    ended: bool,
    /// The damage that was found after the first bytes. They are given before the damage is reported.
    damaged: Option<InputFault>,
    /// Whether the input is a file, so that a read does not wait for the program that writes it.
    is_stored: bool,
    legacy: LegacyCheck,
    refuses_legacy: bool,
    /// Whether the user has named the encoding of the text.
    is_decoded: bool,
    messages: &'static EncodingMessages,
}

/// What has still to be found out from the first bytes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Its first bytes show what the input is.
    Kind,
    /// Its first characters show whether the text is UTF-8.
    Characters,
    Nothing,
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
    fn new(raw: RawInput<'r>, options: &OpenOptions) -> Self {
        let (encoding, lossy) = options.decoding();
        Input {
            is_stored: raw.is_stored(),
            bytes: InputBytes::Stored(raw),
            decoder: TextDecoder::new(encoding, lossy),
            look: Look::Kind,
            first: Vec::new(),
            ready: 0,
            ended: false,
            damaged: None,
            legacy: LegacyCheck::new(),
            refuses_legacy: options.refuses_legacy(),
            is_decoded: encoding.is_some(),
            messages: options.encoding_messages(),
        }
    }

    /// An input whose bytes come from a reader that was passed by the caller.
    pub(super) fn reader(reader: impl Read + Send + 'r, options: &OpenOptions) -> Self {
        Input::new(RawInput::Reader(Box::new(reader)), options)
    }

    /// Opens what a path names, and returns the input with its name for messages. A pipe is not opened yet, because
    /// opening it may wait until a program writes to it.
    ///
    /// # Errors
    ///
    /// Returns an error if the path names nothing, or a directory, or a file that cannot be opened or is plainly not
    /// text.
    pub(super) fn at(path: &Path, options: &OpenOptions) -> Result<(PathBuf, Self), Error> {
        let (name, raw) = RawInput::at(path)?;
        if let Some(file) = raw.same_file() {
            // A file of another kind is refused before anything is scored.
            let begun = Input::new(file, options).begin();
            begun.map_err(|fault| fault.error(&name))?;
        }
        Ok((name, Input::new(raw, options)))
    }

    /// Whether the input is a file, so that a read does not wait for the program that writes it.
    pub(super) fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// Reads the beginning of a file until its kind is known. Damage after the first unpacked bytes is no error here,
    /// because the records before it can be scored.
    fn begin(&mut self) -> Result<(), InputFault> {
        let (mut room, open) = (vec![0; FIRST_BYTES], Arc::default());
        let mut is_first = true;
        while self.look != Look::Nothing {
            match self.read_stored(&mut room, &open) {
                Err(InputFault::Damaged(_)) if !is_first => break,
                read => {
                    if read? == Some(0) {
                        break;
                    }
                }
            }
            is_first = false;
        }
        Ok(())
    }

    /// Waits until there are bytes to read, and reads them as UTF-8 if their encoding is known. Returns `None` if the
    /// stream is closed during the wait; after that, nothing more can be read.
    ///
    /// # Errors
    ///
    /// Returns a fault if the input cannot be read or unpacked, or is plainly not text.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        closed: &Arc<AtomicBool>,
    ) -> Result<Option<usize>, InputFault> {
        let Some(mut decoder) = self.decoder.take() else {
            return self.read_stored(room, closed);
        };
        let read = decoder.read(room, |room| self.read_stored(room, closed));
        self.decoder = Some(decoder);
        read
    }

    /// Reads unpacked bytes.
    fn read_stored(
        &mut self,
        room: &mut [u8],
        closed: &Arc<AtomicBool>,
    ) -> Result<Option<usize>, InputFault> {
        while self.look != Look::Nothing && self.ready == 0 {
            let read = match self.bytes.read(room, closed) {
                Err(damaged @ InputFault::Damaged(_)) if !self.first.is_empty() => {
                    self.damaged = Some(damaged);
                    0
                }
                read => match read? {
                    Some(read) => read,
                    None => return Ok(None),
                },
            };
            self.first.extend_from_slice(&room[..read]);
            self.look(read == 0, closed)?;
            if read == 0 && self.look != Look::Kind {
                self.look = Look::Nothing;
                self.ended = true;
            }
        }
        if self.first.is_empty() {
            if let Some(damaged) = &self.damaged {
                return Err(damaged.clone());
            }
            if self.ended {
                // Another read is avoided, because a terminal would wait for more input although it has reported the
                // end.
                return Ok(Some(0));
            }
            return self.bytes.read(room, closed);
        }
        let length = room.len().min(self.ready);
        room[..length].copy_from_slice(&self.first[..length]);
        self.first.drain(..length);
        self.ready -= length;
        self.legacy.pass_on(length);
        Ok(Some(length))
    }

    /// Examines the first bytes. If they are compressed, the input is unpacked from here on.
    fn look(&mut self, is_all: bool, closed: &Arc<AtomicBool>) -> Result<(), InputFault> {
        if self.look == Look::Kind {
            match beginning_of(&self.first, is_all, self.is_decoded) {
                Beginning::TooShort => return Ok(()),
                Beginning::Refused(message) => return Err(InputFault::refused(message)),
                Beginning::Utf16 => return Err(InputFault::refused(self.messages.utf_16)),
                Beginning::Compressed(compression) => return self.unpack(compression, closed),
                Beginning::Text => self.look = Look::Characters,
            }
        }
        let examined = match self.refuses_legacy {
            true => self.legacy.examine(&self.first, is_all),
            false => Examined::Done,
        };
        match examined {
            Examined::Legacy => return Err(InputFault::refused(self.messages.legacy)),
            Examined::Ready(bytes) => self.ready = bytes,
            Examined::Done => {
                self.ready = self.first.len();
                self.look = Look::Nothing;
            }
        }
        Ok(())
    }

    /// Unpacks the input from its beginning. `compression` is the kind that its first bytes show.
    fn unpack(
        &mut self,
        compression: Compression,
        closed: &Arc<AtomicBool>,
    ) -> Result<(), InputFault> {
        let nothing = InputBytes::Stored(RawInput::Reader(Box::new(std::io::empty())));
        let InputBytes::Stored(raw) = mem::replace(&mut self.bytes, nothing) else {
            return Err(InputFault::refused(
                "is compressed twice; unpack it once before it is read",
            ));
        };
        let first = mem::take(&mut self.first);
        let unpacker = Unpacker::new(compression, first, raw, closed)?;
        self.bytes = InputBytes::Unpacked(unpacker);
        Ok(())
    }
}
