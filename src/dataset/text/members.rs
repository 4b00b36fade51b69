//! Unpacks compressed data that consists of several members, as in a file that was made by joining compressed files.
//!
//! The crates for unpacking cannot tell damaged data from other data that follows the compressed data. Therefore a
//! crate unpacks only one member at a time here, and the bytes after a member are examined before they are unpacked.

use std::io::{self, BufRead, Read};
use std::mem;

use flate2::bufread::GzDecoder;
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

use super::compression::{Compression, LONGEST_MARK};

/// The error of a member that is followed by something other than another member or zeros.
#[derive(Debug, thiserror::Error)]
#[error("other data follows")]
pub(super) struct FollowedByOther;

/// A reader of the unpacked bytes of all members. Zeros after a member are ignored, as gzip ignores them: some programs
/// fill up the last block of a file with zeros.
pub(super) struct PackedMembers<'r> {
    compression: Compression,
    member: Box<dyn PackedMember<'r> + Send + 'r>,
}

/// A reader of one member. At the end of the member, a read returns 0.
trait PackedMember<'r>: Read {
    /// The bytes after the member.
    fn rest(&mut self) -> &mut Rest<'r>;

    /// Starts to unpack the next member.
    fn restart(&mut self) -> io::Result<()>;
}

impl<'r> PackedMembers<'r> {
    /// Starts to unpack.
    ///
    /// # Errors
    ///
    /// Returns an error if there is not enough memory, or if this build cannot read the kind of compression.
    pub(super) fn new(
        compression: Compression,
        packed: impl BufRead + Send + 'r,
    ) -> io::Result<Self> {
        let rest = Rest {
            front: Vec::new(),
            packed: Box::new(packed),
        };
        let member: Box<dyn PackedMember<'r> + Send + 'r> = match compression {
            Compression::Gzip => Box::new(GzDecoder::new(rest)),
            Compression::Zstd => Box::new(ZstdFrame {
                rest,
                decoder: ZstdDecoder::new()?,
                ended: false,
            }),
            #[cfg(feature = "bzip2")]
            Compression::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(rest)),
            #[cfg(feature = "xz")]
            Compression::Xz => Box::new(lzma_rust2::XzReader::new(rest, false)),
            #[allow(unreachable_patterns)] // A build with every feature has all kinds.
            other => return Err(io::Error::new(io::ErrorKind::Unsupported, other.left_out())),
        };
        Ok(PackedMembers {
            compression,
            member,
        })
    }
}

impl Read for PackedMembers<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.member.read(room)?;
            if read > 0 || room.is_empty() {
                return Ok(read);
            }
            let rest = self.member.rest();
            rest.skip_zeros()?;
            match rest.peek(LONGEST_MARK)? {
                [] => return Ok(0),
                next if self.compression.is_mark_of(next) => self.member.restart()?,
                _ => return Err(io::Error::other(FollowedByOther)),
            }
        }
    }
}

/// The compressed bytes that have not been unpacked yet.
struct Rest<'r> {
    /// The bytes that were read to be examined. They come before those of `packed`.
    front: Vec<u8>,
    packed: Box<dyn BufRead + Send + 'r>,
}

impl Default for Rest<'_> {
    fn default() -> Self {
        Rest {
            front: Vec::new(),
            packed: Box::new(io::empty()),
        }
    }
}

impl Rest<'_> {
    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.fill_buf()?.iter();
            let zeros = bytes.take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                return Ok(());
            }
            self.consume(zeros);
        }
    }

    /// Returns the next bytes, without consuming them: `length` bytes, or fewer at the end.
    fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.front.len() < length {
            let bytes = self.packed.fill_buf()?;
            let taken = bytes.len().min(length - self.front.len());
            if taken == 0 {
                break;
            }
            self.front.extend_from_slice(&bytes[..taken]);
            self.packed.consume(taken);
        }
        Ok(&self.front[..self.front.len().min(length)])
    }
}

impl BufRead for Rest<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.front.is_empty() {
            true => self.packed.fill_buf(),
            false => Ok(&self.front),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self.front.is_empty() {
            true => self.packed.consume(amount),
            false => _ = self.front.drain(..amount),
        }
    }
}

impl Read for Rest<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let length = bytes.len().min(room.len());
        room[..length].copy_from_slice(&bytes[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<'r> PackedMember<'r> for GzDecoder<Rest<'r>> {
    fn rest(&mut self) -> &mut Rest<'r> {
        self.get_mut()
    }

    fn restart(&mut self) -> io::Result<()> {
        let rest = mem::take(self.get_mut());
        self.reset(rest);
        Ok(())
    }
}

/// A reader of one frame of zstd, which may be one without data.
struct ZstdFrame<'r> {
    rest: Rest<'r>,
    decoder: ZstdDecoder<'static>,
    /// Whether the frame has been unpacked to its end.
    ended: bool,
}

impl Read for ZstdFrame<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !room.is_empty() {
            let packed = self.rest.fill_buf()?;
            let is_all = packed.is_empty();
            let mut from = InBuffer::around(packed);
            let mut to = OutBuffer::around(&mut *room);
            // The decoder returns 0 at the end of the frame.
            self.ended = self.decoder.run(&mut from, &mut to)? == 0;
            let (consumed, written) = (from.pos(), to.pos());
            self.rest.consume(consumed);
            if written > 0 {
                return Ok(written);
            }
            if is_all && !self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

impl<'r> PackedMember<'r> for ZstdFrame<'r> {
    fn rest(&mut self) -> &mut Rest<'r> {
        &mut self.rest
    }

    fn restart(&mut self) -> io::Result<()> {
        self.ended = false;
        self.decoder.reinit()
    }
}

#[cfg(feature = "bzip2")]
impl<'r> PackedMember<'r> for bzip2::bufread::BzDecoder<Rest<'r>> {
    fn rest(&mut self) -> &mut Rest<'r> {
        self.get_mut()
    }

    fn restart(&mut self) -> io::Result<()> {
        let rest = mem::take(self.get_mut());
        *self = bzip2::bufread::BzDecoder::new(rest);
        Ok(())
    }
}

#[cfg(feature = "xz")]
impl<'r> PackedMember<'r> for lzma_rust2::XzReader<Rest<'r>> {
    fn rest(&mut self) -> &mut Rest<'r> {
        self.inner_mut()
    }

    fn restart(&mut self) -> io::Result<()> {
        let rest = mem::take(self.inner_mut());
        *self = lzma_rust2::XzReader::new(rest, false);
        Ok(())
    }
}
