//! Passes the bytes of an input to a decoder as a reader.

use std::io::{self, Read};
use std::sync::Arc;

use super::fault::InputFault;
use crate::sync::{Mutex, lock};

/// Waits for bytes and reads them. `None` says that the stream was closed during the wait.
pub(super) type ReadBytes<'r> =
    Box<dyn FnMut(&mut [u8]) -> Result<Option<usize>, InputFault> + Send + 'r>;

/// The reason why no more bytes of an input can be read.
pub(super) enum StopOfReading {
    /// The stream was closed while it waited for bytes.
    Closed,
    Fault(InputFault),
}

/// Keeps the reason why no more bytes can be read, because a decoder may change or wrap the error that it receives.
#[derive(Clone, Default)]
pub(super) struct StopSlot(Arc<Mutex<Option<StopOfReading>>>);

impl StopSlot {
    /// Takes the reason out.
    pub(super) fn take(&self) -> Option<StopOfReading> {
        lock(&self.0).take()
    }
}

/// The bytes of an input, as a reader.
pub(super) struct PulledBytes<'r> {
    /// The bytes that were read before the decoder was chosen, and how many of them have been passed to it.
    first: (Vec<u8>, usize),
    rest: ReadBytes<'r>,
    stopped: StopSlot,
}

impl<'r> PulledBytes<'r> {
    /// Creates a reader of the bytes `first` and then of those of `rest`. If no more bytes can be read, the returned
    /// slot contains the reason.
    pub(super) fn new(first: Vec<u8>, rest: ReadBytes<'r>) -> (Self, StopSlot) {
        let stopped = StopSlot::default();
        let pulled = PulledBytes {
            first: (first, 0),
            rest,
            stopped: stopped.clone(),
        };
        (pulled, stopped)
    }
}

impl Read for PulledBytes<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let (first, given) = &mut self.first;
        if *given < first.len() {
            let length = room.len().min(first.len() - *given);
            room[..length].copy_from_slice(&first[*given..*given + length]);
            *given += length;
            return Ok(length);
        }
        let stop = match (self.rest)(room) {
            Ok(Some(read)) => return Ok(read),
            Ok(None) => StopOfReading::Closed,
            Err(fault) => StopOfReading::Fault(fault),
        };
        *lock(&self.stopped.0) = Some(stop);
        Err(io::Error::other("the bytes cannot be read on"))
    }
}
