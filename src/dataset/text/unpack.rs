//! Compressed inputs, which are unpacked as they are read.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use super::compression::Compression;
use super::fault::InputFault;
use super::members::{FollowedByOther, PackedMembers};
use super::pulled::{PulledBytes, StopOfReading, StopSlot};
use super::raw::RawInput;
use crate::sync::atomic::AtomicBool;

/// The number of compressed bytes that are requested from an input at a time.
const PACKED_BYTES: usize = 64 << 10;

/// A part of the message with which zstd refuses a frame whose window is larger than the limit of 2²⁷ bytes.
const TOO_MUCH_MEMORY: &str = "too much memory";

/// A compressed input. The thread that reads it unpacks the bytes.
pub(super) struct Unpacker<'r> {
    compression: Compression,
    unpacked: PackedMembers<'r>,
    /// The reason why no more compressed bytes can be read.
    stopped: StopSlot,
    /// Number of bytes that were unpacked.
    bytes: u64,
}

impl<'r> Unpacker<'r> {
    /// Starts to unpack an input from which the bytes `first` have been read. When `closed` becomes true, a read that
    /// waits for more bytes ends, and nothing more can be read after that.
    pub(super) fn new(
        compression: Compression,
        first: Vec<u8>,
        raw: RawInput<'r>,
        closed: &Arc<AtomicBool>,
    ) -> Result<Self, InputFault> {
        if let Some(message) = compression.missing() {
            return Err(InputFault::Refused(message.into()));
        }
        let (mut raw, closed) = (raw, Arc::clone(closed));
        let rest = Box::new(move |room: &mut [u8]| raw.read(room, &closed));
        let (packed, stopped) = PulledBytes::new(first, rest);
        Ok(Unpacker {
            compression,
            unpacked: PackedMembers::new(
                compression,
                BufReader::with_capacity(PACKED_BYTES, packed),
            )?,
            stopped,
            bytes: 0,
        })
    }

    /// Waits until there are unpacked bytes, and reads them. Returns `None` if the stream is closed during the wait.
    pub(super) fn read(&mut self, room: &mut [u8]) -> Result<Option<usize>, InputFault> {
        loop {
            let error = match self.unpacked.read(room) {
                Ok(read) => {
                    self.bytes += read as u64;
                    return Ok(Some(read));
                }
                Err(error) => error,
            };
            match self.stopped.take() {
                Some(StopOfReading::Closed) => return Ok(None),
                Some(StopOfReading::Fault(fault)) => return Err(fault),
                None if error.kind() == io::ErrorKind::Interrupted => {}
                None => return Err(self.damaged(&error)),
            }
        }
    }

    fn damaged(&self, error: &io::Error) -> InputFault {
        let (name, bytes) = (self.compression.name(), self.bytes);
        let is_followed = error
            .get_ref()
            .is_some_and(|error| error.is::<FollowedByOther>());
        InputFault::Damaged(if error.kind() == io::ErrorKind::UnexpectedEof {
            format!(
                "ends in the middle of its {name} data, after {bytes} unpacked bytes; it is incomplete, so get it again"
            )
        } else if is_followed {
            format!(
                "has other data after its {name} data, after {bytes} unpacked bytes; if that data does not belong to \
                 the file, remove it, or unpack the file with {name} -d"
            )
        } else if error.to_string().contains(TOO_MUCH_MEMORY) {
            format!(
                "needs more than 128 MiB of memory to be unpacked, because it was compressed with a long window \
                 ({name} --long); unpack it first with {name} -d --long=31"
            )
        } else {
            format!(
                "cannot be unpacked after {bytes} unpacked bytes, because its {name} data is damaged ({error}); check \
                 the file with {name} -t"
            )
        })
    }
}
