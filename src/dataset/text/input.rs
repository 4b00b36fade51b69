//! The inputs from which the text of a stream comes, unpacked and decoded.

#[cfg(feature = "parquet")]
use std::fs::File;
use std::io::Read;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::beginning::{Beginning, beginning_of};
use super::columnar::ColumnarInput;
#[cfg(feature = "parquet")]
use super::columnar::ColumnarReader;
use super::compression::Compression;
use super::fault::InputFault;
use super::legacy::{EncodingMessages, Examined, LegacyCheck};
use super::options::OpenOptions;
#[cfg(feature = "parquet")]
use super::pulled::{PulledBytes, StopOfReading, StopSlot};
use super::raw::RawInput;
#[cfg(feature = "parquet")]
use super::temporary::copied;
use super::text_encoding::TextDecoder;
use super::unpack::Unpacker;
use crate::dataset::format::RecordLayout;
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
    /// The damage that was found after the first bytes. The caller gets these bytes before the damage is reported.
    damaged: Option<InputFault>,
    /// Whether the input is a file, so that a read does not wait for the program that writes it.
    is_stored: bool,
    legacy: LegacyCheck,
    options: OpenOptions,
}

/// What has still to be found out from the first bytes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Its first bytes show what the input is.
    Kind,
    /// Its first characters show whether the text is UTF-8.
    Characters,
    /// The input is a columnar input of this kind, which has not been opened yet.
    Columns(ColumnarInput),
    Nothing,
}

/// Where the bytes of an input come from.
enum InputBytes<'r> {
    Stored(RawInput<'r>),
    Unpacked(Unpacker<'r>),
    /// The JSON lines of a columnar input, and the reason why no more of the input can be read.
    #[cfg(feature = "parquet")]
    Columns(Box<ColumnarReader<'r>>, StopSlot),
}

impl InputBytes<'_> {
    fn read(&mut self, room: &mut [u8], closed: &AtomicBool) -> Result<Option<usize>, InputFault> {
        match self {
            InputBytes::Stored(raw) => raw.read(room, closed),
            InputBytes::Unpacked(unpacker) => unpacker.read(room),
            #[cfg(feature = "parquet")]
            InputBytes::Columns(reader, stopped) => {
                let read = reader.read(room).map(Some);
                read.or_else(|fault| reason_of(stopped, fault))
            }
        }
    }
}

/// Returns the reason why a columnar input cannot be read on as an error, or `None` if the stream was closed.
#[cfg(feature = "parquet")]
fn reason_of<T>(stopped: &StopSlot, fault: InputFault) -> Result<Option<T>, InputFault> {
    match stopped.take() {
        None => Err(fault),
        Some(StopOfReading::Fault(fault)) => Err(fault),
        Some(StopOfReading::Closed) => Ok(None),
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
            options: options.clone(),
        }
    }

    /// How the records of a columnar input are read. `None` for a text.
    pub(super) fn layout(&self) -> Option<&RecordLayout> {
        match &self.bytes {
            #[cfg(feature = "parquet")]
            InputBytes::Columns(reader, _) => Some(&reader.layout),
            _ => None,
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
    /// because the records before the damage can be scored. A columnar file is opened, unless it is compressed, because
    /// it would then have to be unpacked as a whole first.
    fn begin(&mut self) -> Result<(), InputFault> {
        let (mut room, open) = (vec![0; FIRST_BYTES], Arc::default());
        let mut is_first = true;
        loop {
            match self.look {
                Look::Nothing => return Ok(()),
                Look::Columns(kind) => {
                    if matches!(self.bytes, InputBytes::Stored(_)) {
                        self.begin_columns(kind, &open)?;
                    }
                    return Ok(());
                }
                Look::Kind => _ = self.look_on(&mut room, &open)?,
                Look::Characters => match self.read_stored(&mut room, &open) {
                    Err(InputFault::Damaged(_)) if !is_first => return Ok(()),
                    Err(fault) => return Err(fault),
                    Ok(Some(0)) => return Ok(()),
                    Ok(_) => is_first = false,
                },
            }
        }
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
        while self.look == Look::Kind {
            if !self.look_on(room, closed)? {
                return Ok(None);
            }
        }
        if let Look::Columns(kind) = self.look {
            if !self.begin_columns(kind, closed)? {
                return Ok(None);
            }
            self.look = Look::Nothing;
            // The JSON of a columnar input is UTF-8, so it needs no decoder.
            self.decoder = None;
        }
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
            if !self.look_on(room, closed)? {
                return Ok(None);
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

    /// Reads more of the first bytes, and examines them. Returns `false` if the stream is closed.
    fn look_on(&mut self, room: &mut [u8], closed: &Arc<AtomicBool>) -> Result<bool, InputFault> {
        let read = match self.bytes.read(room, closed) {
            Err(damaged @ InputFault::Damaged(_)) if !self.first.is_empty() => {
                self.damaged = Some(damaged);
                0
            }
            read => match read? {
                Some(read) => read,
                None => return Ok(false),
            },
        };
        self.first.extend_from_slice(&room[..read]);
        self.look(read == 0, closed)?;
        if read == 0 && self.look != Look::Kind {
            self.ended = true;
            if self.look == Look::Characters {
                self.look = Look::Nothing;
            }
        }
        Ok(true)
    }

    /// Examines the first bytes. If they are compressed, the input is unpacked from here on.
    fn look(&mut self, is_all: bool, closed: &Arc<AtomicBool>) -> Result<(), InputFault> {
        if self.look == Look::Kind {
            let is_decoded = self.options.decoding().0.is_some();
            let beginning = beginning_of(&self.first, is_all, is_decoded);
            match beginning {
                Beginning::TooShort => return Ok(()),
                Beginning::Compressed(compression) => return self.unpack(compression, closed),
                _ => {}
            }
            let requested = self.options.requested_format();
            if let Some(kind) = ColumnarInput::requested(requested, &self.first) {
                if let Some(message) = kind.missing() {
                    return Err(InputFault::Refused(message.into()));
                }
                self.look = Look::Columns(kind);
                return Ok(());
            }
            match beginning {
                Beginning::Refused(message) => return Err(InputFault::refused(message)),
                Beginning::Utf16 => return Err(InputFault::refused(self.messages().utf_16)),
                Beginning::Columnar(kind) => {
                    return Err(InputFault::Refused(kind.not_text(requested).into()));
                }
                _ => self.look = Look::Characters,
            }
        }
        let examined = match self.options.refuses_legacy() {
            true => self.legacy.examine(&self.first, is_all),
            false => Examined::Done,
        };
        match examined {
            Examined::Legacy => return Err(InputFault::refused(self.messages().legacy)),
            Examined::Ready(bytes) => self.ready = bytes,
            Examined::Done => {
                self.ready = self.first.len();
                self.look = Look::Nothing;
            }
        }
        Ok(())
    }

    fn messages(&self) -> &'static EncodingMessages {
        self.options.encoding_messages()
    }

    /// Opens a columnar input. Returns `false` if the stream is closed meanwhile.
    #[cfg(feature = "parquet")]
    fn begin_columns(
        &mut self,
        kind: ColumnarInput,
        closed: &Arc<AtomicBool>,
    ) -> Result<bool, InputFault> {
        let (reader, stopped) = if kind == ColumnarInput::ArrowStream {
            let (mut bytes, closed) = (self.take_bytes(), Arc::clone(closed));
            let rest = Box::new(move |room: &mut [u8]| bytes.read(room, &closed));
            let (pulled, stopped) = PulledBytes::new(mem::take(&mut self.first), rest);
            match ColumnarReader::of_stream(pulled, &self.options) {
                Ok(reader) => (reader, stopped),
                Err(fault) => return reason_of::<()>(&stopped, fault).map(|_| false),
            }
        } else {
            let Some(file) = self.whole_file(closed)? else {
                return Ok(false);
            };
            self.first = Vec::new();
            let reader = ColumnarReader::of_file(kind, file, &self.options)?;
            (reader, StopSlot::default())
        };
        self.ended = false;
        self.bytes = InputBytes::Columns(Box::new(reader), stopped);
        Ok(true)
    }

    /// Without the feature `parquet`, `look` refuses every columnar input, so this function is not called.
    #[cfg(not(feature = "parquet"))]
    fn begin_columns(
        &mut self,
        kind: ColumnarInput,
        _: &Arc<AtomicBool>,
    ) -> Result<bool, InputFault> {
        Err(InputFault::Refused(
            kind.missing().unwrap_or_default().into(),
        ))
    }

    /// Returns the input as a file that can be read at any place. If the input is no such file, it is copied to a
    /// temporary file without a name. Returns `None` if the stream is closed meanwhile.
    #[cfg(feature = "parquet")]
    fn whole_file(&mut self, closed: &Arc<AtomicBool>) -> Result<Option<File>, InputFault> {
        if let InputBytes::Stored(raw) = &mut self.bytes
            && let Some(file) = raw.whole_file(self.first.len() as u64)?
        {
            return Ok(Some(file));
        }
        if let Some(damaged) = self.damaged.take() {
            return Err(damaged);
        }
        let (bytes, ended) = (&mut self.bytes, self.ended);
        copied(&self.first, |room| match ended {
            true => Ok(Some(0)),
            false => bytes.read(room, closed),
        })
    }

    fn take_bytes(&mut self) -> InputBytes<'r> {
        let nothing = InputBytes::Stored(RawInput::Reader(Box::new(std::io::empty())));
        mem::replace(&mut self.bytes, nothing)
    }

    /// Unpacks the input from its beginning. `compression` is the kind that its first bytes show.
    fn unpack(
        &mut self,
        compression: Compression,
        closed: &Arc<AtomicBool>,
    ) -> Result<(), InputFault> {
        let InputBytes::Stored(raw) = self.take_bytes() else {
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
