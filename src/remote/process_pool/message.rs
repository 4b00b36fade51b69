//! The messages that go through the pipes between a run and its worker processes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// The first bytes of each message. Without this mark, the output of another program would be read as a length,
/// and this side would wait for that many bytes.
const MARK: [u8; 4] = *b"mh1\n";
/// Number of bytes of the header: the mark (4), the length of the body (8, little-endian), the length of the tail
/// (4).
const HEADER: usize = 16;

/// Largest number of bytes of memory that are reserved before a message is read. It is limited because the length
/// in the header may be wrong.
const MAX_RESERVE: u64 = 1 << 20;

/// A body, and a tail that describes the body. The tail follows the body, so that the body can be collected in
/// place before its length is known. Both are written at once.
#[derive(Debug)]
pub(super) struct Message {
    bytes: Vec<u8>,
    /// Offset of the tail in the message, in bytes.
    tail: usize,
}

impl Message {
    pub(super) fn new() -> Self {
        Message {
            bytes: vec![0; HEADER],
            tail: HEADER,
        }
    }

    /// Empties the body, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.tail = HEADER;
    }

    /// Appends to the body.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.tail = self.bytes.len();
    }

    /// Appends a value to the body.
    pub(super) fn push_value<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        postcard::to_io(value, &mut self.bytes).map_err(io::Error::other)?;
        self.tail = self.bytes.len();
        Ok(())
    }

    /// The body.
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[HEADER..self.tail]
    }

    /// Number of bytes of memory that are allocated.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Decodes the tail.
    pub(super) fn tail<'a, T: Deserialize<'a>>(&'a self) -> io::Result<T> {
        postcard::from_bytes(&self.bytes[self.tail..]).map_err(io::Error::other)
    }

    /// Writes the message with this tail, in one write if the pipe has room.
    pub(super) fn write<T: Serialize>(&mut self, tail: &T, to: &mut impl Write) -> io::Result<()> {
        self.bytes.truncate(self.tail);
        postcard::to_io(tail, &mut self.bytes).map_err(io::Error::other)?;
        let body = (self.tail - HEADER) as u64;
        let tail = (self.bytes.len() - self.tail) as u32;
        self.bytes[..4].copy_from_slice(&MARK);
        self.bytes[4..12].copy_from_slice(&body.to_le_bytes());
        self.bytes[12..HEADER].copy_from_slice(&tail.to_le_bytes());
        to.write_all(&self.bytes)?;
        to.flush()
    }

    /// Reads the next message, which replaces this message. Returns `false` at the end of the input.
    pub(super) fn read(&mut self, from: &mut impl Read) -> io::Result<bool> {
        let mut header = [0; HEADER];
        let mut filled = 0;
        while filled < HEADER {
            match from.read(&mut header[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let (mark, lengths) = header.split_at(4);
        let (body, tail) = lengths.split_at(8);
        let body = body.try_into().map(u64::from_le_bytes).ok();
        let tail = tail.try_into().map(u32::from_le_bytes).ok();
        let (Some(body), Some(tail), true) = (body, tail, mark == MARK) else {
            let message = "the output is not a message of a worker";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        // The bytes of the previous message are overwritten, so that only memory that is added is filled with zeros. One
        // call reads as much as the pipe holds: a process that waits to write is then woken once.
        self.bytes[..HEADER].copy_from_slice(&header);
        let (mut end, mut missing) = (HEADER, body.saturating_add(u64::from(tail)));
        while missing > 0 {
            let room = end + missing.min(MAX_RESERVE) as usize;
            if self.bytes.len() < room {
                self.bytes.resize(room, 0);
            }
            match from.read(&mut self.bytes[end..room]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => (end, missing) = (end + read, missing - read as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes.truncate(end);
        self.tail = self.bytes.len() - tail as usize;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe from which one read takes only a few bytes.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(7);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn a_message_overwrites_the_one_before_however_it_arrives() {
        let bodies = ["a long message: many hands make light work", "short", ""];
        let mut pipe = Vec::new();
        for body in bodies {
            let mut message = Message::new();
            message.push(body.as_bytes());
            message.write(&body.len(), &mut pipe).expect("memory");
        }
        let (mut slow, mut message) = (Slow(&pipe), Message::new());
        for body in bodies {
            assert!(message.read(&mut slow).expect("a message"));
            assert_eq!(message.body(), body.as_bytes());
            assert_eq!(message.tail::<usize>().expect("a tail"), body.len());
        }
        assert!(!message.read(&mut slow).expect("the end"));
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let mut pipe = Vec::new();
        let mut message = Message::new();
        for body in ["many", "", "hands"] {
            message.clear();
            message.push(body.as_bytes());
            message
                .write(&(7_u8, body), &mut pipe)
                .expect("memory takes it");
        }
        let mut from = pipe.as_slice();
        for body in ["many", "", "hands"] {
            assert!(message.read(&mut from).expect("a message"));
            assert_eq!(message.body(), body.as_bytes());
            assert_eq!(message.tail::<(u8, &str)>().expect("a tail"), (7, body));
        }
        assert!(!message.read(&mut from).expect("the end"));
        let cut = &pipe[..pipe.len() - 1];
        let mut from = cut;
        assert!(message.read(&mut from).expect("the first"));
        assert!(message.read(&mut from).expect("the second"));
        assert!(message.read(&mut from).is_err(), "the last is cut off");
        let foreign = b"y\ny\ny\ny\ny\ny\ny\ny\ny\n".as_slice();
        assert!(message.read(&mut { foreign }).is_err());
    }
}
