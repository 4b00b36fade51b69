//! The compression of an output, between the lines that are written and the destination that receives them.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use super::destination::{Destination, PartialFile};
use crate::error::Error;

/// The compression of a scores file as a whole. A Parquet file cannot be compressed in this way, because it compresses
/// its values itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputCompression {
    /// The file is not compressed.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl OutputCompression {
    /// The compressions that the ending of a name chooses, with their endings.
    const ENDINGS: [(&'static str, OutputCompression); 4] = [
        ("gz", OutputCompression::Gzip),
        ("gzip", OutputCompression::Gzip),
        ("zst", OutputCompression::Zstd),
        ("zstd", OutputCompression::Zstd),
    ];

    /// The compression that the ending of a name chooses, in capitals or not.
    pub(super) fn of(name: &Path) -> Self {
        let ending = name.extension().and_then(OsStr::to_str).unwrap_or_default();
        let mut endings = Self::ENDINGS.iter();
        let chosen = endings.find(|(known, _)| known.eq_ignore_ascii_case(ending));
        chosen.map_or(OutputCompression::None, |(_, compression)| *compression)
    }
}

/// The level of gzip. Only one thread at a time compresses, so a high level would delay the workers. The usual level 6
/// takes about twice the time of level 3, and makes a scores file less than a tenth smaller.
const GZIP_LEVEL: u32 = 3;

/// The level of Zstandard, which is its default.
const ZSTD_LEVEL: i32 = 3;

/// Compresses the bytes of an output. Since it receives the bytes of all records in their order, as one stream, the
/// compressed bytes do not depend on how the bytes are divided among the calls.
pub(super) struct OutputEncoder {
    state: EncoderState,
    /// Number of bytes, before compression, of the calls that have succeeded.
    complete: u64,
    /// Whether a call has failed. If so, the end of the compressed data cannot be unpacked.
    has_failed: bool,
}

enum EncoderState {
    None(Destination),
    Gzip(flate2::write::GzEncoder<Outlet>),
    Zstd(zstd::Encoder<'static, Outlet>),
}

/// The destination of an encoder. It can be taken out even if the encoder cannot complete its data.
pub(super) struct Outlet {
    destination: Option<Destination>,
    /// Number of bytes that have been written.
    #[cfg(feature = "parquet")]
    written: u64,
}

impl Outlet {
    pub(super) fn new(destination: Destination) -> Self {
        Outlet {
            destination: Some(destination),
            #[cfg(feature = "parquet")]
            written: 0,
        }
    }

    /// Takes the destination. Nothing can be written after that.
    pub(super) fn take(&mut self) -> Option<Destination> {
        self.destination.take()
    }
}

/// What is needed to cut a file that cannot be completed.
#[cfg(feature = "parquet")]
impl Outlet {
    /// Number of bytes that have been written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Cuts the file after this number of bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the output is not a file, or if the file cannot be cut.
    pub(super) fn cut_to(&mut self, bytes: u64) -> io::Result<()> {
        self.destination.as_mut().ok_or_else(taken)?.cut_to(bytes)?;
        self.written = bytes;
        Ok(())
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let destination = self.destination.as_mut().ok_or_else(taken)?;
        let written = destination.write(bytes)?;
        #[cfg(feature = "parquet")]
        {
            self.written += written as u64;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.destination.as_mut().map_or(Ok(()), Write::flush)
    }
}

pub(super) fn taken() -> io::Error {
    io::Error::other("the output has been taken before")
}

impl OutputEncoder {
    /// # Errors
    ///
    /// Returns an error if there is not enough memory for the compressor.
    pub(super) fn new(
        destination: Destination,
        compression: OutputCompression,
    ) -> io::Result<Self> {
        let state = match compression {
            OutputCompression::None => EncoderState::None(destination),
            OutputCompression::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                EncoderState::Gzip(flate2::write::GzEncoder::new(
                    Outlet::new(destination),
                    level,
                ))
            }
            OutputCompression::Zstd => {
                EncoderState::Zstd(zstd::Encoder::new(Outlet::new(destination), ZSTD_LEVEL)?)
            }
        };
        Ok(OutputEncoder {
            state,
            complete: 0,
            has_failed: false,
        })
    }

    /// Completes the compressed data, and returns the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the last bytes cannot be written.
    pub(super) fn finish(mut self) -> io::Result<Destination> {
        self.complete()?;
        let mut destination = self.into_destination().ok_or_else(taken)?;
        destination.flush()?;
        Ok(destination)
    }

    /// Keeps what was written as the partial file of the output, as [`Destination::keep_partial`] does. The compressed
    /// data is completed, so that the partial file can be read to its end. This is not possible if a write has failed,
    /// and the partial file then [says so](PartialFile::is_cut).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be kept under any name.
    pub(super) fn keep_partial(mut self, records: u64) -> Result<Option<PartialFile>, Error> {
        let complete = self.complete;
        let is_compressed = !matches!(self.state, EncoderState::None(_));
        // The end of the compressed data is not written to a pipe, so that the reader of the pipe notices that the run
        // has ended early.
        let is_file = self.destination().is_some_and(Destination::is_file);
        let is_cut = is_compressed && is_file && (self.has_failed || self.complete().is_err());
        let Some(destination) = self.into_destination() else {
            return Ok(None);
        };
        if !is_compressed {
            return destination.keep_partial(records, complete);
        }
        let kept = destination.keep_whole_partial(records)?;
        Ok(kept.map(|kept| PartialFile { is_cut, ..kept }))
    }

    fn complete(&mut self) -> io::Result<()> {
        match &mut self.state {
            EncoderState::None(_) => Ok(()),
            EncoderState::Gzip(encoder) => encoder.try_finish(),
            EncoderState::Zstd(encoder) => encoder.do_finish(),
        }
    }

    fn destination(&self) -> Option<&Destination> {
        match &self.state {
            EncoderState::None(destination) => Some(destination),
            EncoderState::Gzip(encoder) => encoder.get_ref().destination.as_ref(),
            EncoderState::Zstd(encoder) => encoder.get_ref().destination.as_ref(),
        }
    }

    fn into_destination(self) -> Option<Destination> {
        match self.state {
            EncoderState::None(destination) => Some(destination),
            EncoderState::Gzip(mut encoder) => encoder.get_mut().take(),
            EncoderState::Zstd(mut encoder) => encoder.get_mut().take(),
        }
    }
}

impl Write for OutputEncoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = match &mut self.state {
            EncoderState::None(destination) => destination.write_all(bytes),
            EncoderState::Gzip(encoder) => encoder.write_all(bytes),
            EncoderState::Zstd(encoder) => encoder.write_all(bytes),
        };
        match written {
            Ok(()) => self.complete += bytes.len() as u64,
            Err(_) => self.has_failed = true,
        }
        written
    }

    /// Flushes the destination. The compressor itself is not flushed, because this would change the compressed bytes.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            EncoderState::None(destination) => destination.flush(),
            EncoderState::Gzip(encoder) => encoder.get_mut().flush(),
            EncoderState::Zstd(encoder) => encoder.get_mut().flush(),
        }
    }
}

impl fmt::Debug for OutputEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputEncoder")
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;
    use crate::output::{Endpoints, Output};

    fn encoder(path: &Path, compression: OutputCompression) -> OutputEncoder {
        let output = Output::new("the scores", path).keep_partial(true);
        let destination = Endpoints::new().open(&output).expect("a new file");
        OutputEncoder::new(destination, compression).expect("memory")
    }

    fn unpacked(bytes: &[u8], compression: OutputCompression) -> Vec<u8> {
        let mut unpacked = Vec::new();
        match compression {
            OutputCompression::None => unpacked.extend(bytes),
            OutputCompression::Gzip => {
                let mut decoder = flate2::read::GzDecoder::new(bytes);
                decoder.read_to_end(&mut unpacked).expect("one member");
                let mut rest = Vec::new();
                decoder.into_inner().read_to_end(&mut rest).expect("memory");
                assert!(rest.is_empty(), "nothing follows the member");
            }
            OutputCompression::Zstd => unpacked = zstd::decode_all(bytes).expect("a frame"),
        }
        unpacked
    }

    const ALL: [OutputCompression; 3] = [
        OutputCompression::None,
        OutputCompression::Gzip,
        OutputCompression::Zstd,
    ];

    /// The bytes that are written in calls of different lengths. They are long enough for a compressor to write some
    /// of them before it is completed.
    fn lines() -> Vec<u8> {
        let line = |number: u64| format!("{number},{}\n", number.wrapping_mul(0x9e37_79b9_7f4a));
        (0..100_000)
            .flat_map(|number| line(number).into_bytes())
            .collect()
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_they_are_divided() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = lines();
        for compression in ALL {
            let files = [7, 4096, lines.len()].map(|length| {
                let path = folder.path().join(format!("{compression:?}-{length}"));
                let mut encoder = encoder(&path, compression);
                for part in lines.chunks(length) {
                    encoder.write_all(part).expect("space");
                    encoder.flush().expect("space");
                }
                encoder
                    .finish()
                    .and_then(|file| file.finish().map_err(io::Error::other))
                    .expect("space");
                fs::read(path).expect("a file")
            });
            assert!(
                files.windows(2).all(|two| two[0] == two[1]),
                "{compression:?}"
            );
            assert_eq!(unpacked(&files[0], compression), lines);
        }
    }

    #[test]
    fn a_partial_file_can_be_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        for compression in ALL {
            let path = folder.path().join(format!("{compression:?}"));
            let mut encoder = encoder(&path, compression);
            encoder.write_all(&lines()).expect("space");
            let kept = encoder
                .keep_partial(100_000)
                .expect("space")
                .expect("a file");
            assert!(!kept.is_cut);
            let bytes = fs::read(kept.path).expect("a file");
            assert_eq!(unpacked(&bytes, compression), lines());
        }
    }

    #[test]
    fn after_a_failed_write_the_partial_file_is_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        for compression in [OutputCompression::Gzip, OutputCompression::Zstd] {
            let path = folder.path().join(format!("{compression:?}"));
            let mut encoder = encoder(&path, compression);
            encoder.write_all(&lines()).expect("space");
            encoder.has_failed = true;
            let kept = encoder.keep_partial(1).expect("space").expect("a file");
            assert!(kept.is_cut);
        }
    }
}
