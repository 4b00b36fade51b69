//! What goes through a pipe in one piece: bytes, and a value about them.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// Tells a frame from what somebody else wrote to the same pipe, whose length would be nonsense and
/// waited for in vain.
const MARK: [u8; 4] = *b"mh1\n";
/// The mark, the length of the body (8 bytes, little-endian), that of the tail (4 bytes).
const HEADER: usize = 16;

/// As much is asked of memory at once for what is to be read, since the length may be nonsense after
/// all.
const ROOM: u64 = 1 << 20;

/// A body, and a tail that tells what the body is: behind it, so that a body can be gathered in place
/// before all is known about it, and both leave in one write.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    /// Where the tail begins, once there is one.
    tail: usize,
}

impl Frame {
    pub(super) fn new() -> Self {
        Frame {
            bytes: vec![0; HEADER],
            tail: HEADER,
        }
    }

    /// Starts anew, in the same memory.
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

    /// How many bytes it has memory for.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// What the tail says.
    pub(super) fn tail<'a, T: Deserialize<'a>>(&'a self) -> io::Result<T> {
        postcard::from_bytes(&self.bytes[self.tail..]).map_err(io::Error::other)
    }

    /// Writes it with this tail, in one write where the pipe takes it.
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

    /// Reads the next one in its place; `false` at the end of the input.
    pub(super) fn read(&mut self, from: &mut impl Read) -> io::Result<bool> {
        let mut header = [0; HEADER];
        let mut there = 0;
        while there < HEADER {
            match from.read(&mut header[there..]) {
                Ok(0) if there == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => there += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let (mark, lengths) = header.split_at(4);
        let (body, tail) = lengths.split_at(8);
        let body = body.try_into().map(u64::from_le_bytes).ok();
        let tail = tail.try_into().map(u32::from_le_bytes).ok();
        let (Some(body), Some(tail), true) = (body, tail, mark == MARK) else {
            let message = "found what is no message of a worker";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        self.bytes.clear();
        self.bytes.extend_from_slice(&header);
        let length = body.saturating_add(u64::from(tail));
        self.bytes.reserve(length.min(ROOM) as usize);
        let read = from.take(length).read_to_end(&mut self.bytes)?;
        if read as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.tail = self.bytes.len() - tail as usize;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut pipe = Vec::new();
        let mut frame = Frame::new();
        for body in ["many", "", "hands"] {
            frame.clear();
            frame.push(body.as_bytes());
            frame
                .write(&(7_u8, body), &mut pipe)
                .expect("memory takes it");
        }
        let mut from = pipe.as_slice();
        for body in ["many", "", "hands"] {
            assert!(frame.read(&mut from).expect("a frame"));
            assert_eq!(frame.body(), body.as_bytes());
            assert_eq!(frame.tail::<(u8, &str)>().expect("a tail"), (7, body));
        }
        assert!(!frame.read(&mut from).expect("the end"));
        let cut = &pipe[..pipe.len() - 1];
        let mut from = cut;
        assert!(frame.read(&mut from).expect("the first"));
        assert!(frame.read(&mut from).expect("the second"));
        assert!(frame.read(&mut from).is_err(), "the last is cut off");
        let foreign = b"y\ny\ny\ny\ny\ny\ny\ny\ny\n".as_slice();
        assert!(frame.read(&mut { foreign }).is_err());
    }
}
