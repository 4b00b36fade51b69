//! The bytes of an input as they are stored, and how a wait for bytes is interrupted.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use super::fault::InputFault;
use super::identity::FileIdentity;
use super::os::{known_length, open_at_once, open_of_known_length};
use crate::error::Error;
use crate::sync::atomic::AtomicBool;

/// The path that represents standard input, and the name of standard input in messages.
pub(super) const STANDARD_INPUT: (&str, &str) = ("-", "<stdin>");

/// The bytes of an input as they are stored, which may be compressed.
pub(super) enum RawInput<'r> {
    /// A reader that was passed by the caller. Only the reader knows what it waits for, so a read is never
    /// interrupted.
    Reader(Box<dyn Read + Send + 'r>),
    /// A file, a pipe or a device.
    Open {
        file: File,
        /// The length that a file had when it was opened, in bytes; 0 if the length is not known.
        length: u64,
    },
    /// A file, a pipe or a device that is not opened until it is first read. An open file occupies a file
    /// descriptor, and a stream may have more files than there are descriptors.
    Later {
        path: PathBuf,
        /// What shows that a file is still the same when it is opened again. `None` for a pipe or a device.
        file: Option<FileIdentity>,
    },
}

impl RawInput<'_> {
    /// Opens what a path names, and returns the input with its name for messages. A pipe is not opened yet, because
    /// opening it may wait until a program writes to it.
    ///
    /// # Errors
    ///
    /// Returns an error if the path names nothing, or a directory, or a file that cannot be opened.
    pub(super) fn at(path: &Path) -> Result<(PathBuf, Self), Error> {
        if path == Path::new(STANDARD_INPUT.0) {
            let name = PathBuf::from(STANDARD_INPUT.1);
            let input = RawInput::stdin().map_err(|error| Error::unreadable(&name, error))?;
            return Ok((name, input));
        }
        let unreadable = |error| Error::unreadable(path, error);
        let file = match open_of_known_length(path)? {
            Some((file, _)) => Some(FileIdentity::of(&file).map_err(unreadable)?),
            None => None,
        };
        let name = path.to_owned();
        let path = name.clone();
        Ok((name, RawInput::Later { path, file }))
    }

    /// Opens standard input. On unix, this does not use [`io::Stdin`], because the bytes that `Stdin` has read ahead
    /// cannot be taken from it without waiting.
    fn stdin() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            let own = io::stdin().as_fd().try_clone_to_owned()?;
            let file = File::from(own);
            let length = known_length(&file)?.unwrap_or_default();
            Ok(RawInput::Open { file, length })
        }
        #[cfg(not(unix))]
        Ok(RawInput::Reader(Box::new(io::stdin())))
    }

    /// Returns another input that reads the same file from its beginning, or `None` if this is no file that was named
    /// by a path.
    pub(super) fn same_file(&self) -> Option<Self> {
        match self {
            RawInput::Later {
                path,
                file: Some(file),
            } => Some(RawInput::Later {
                path: path.clone(),
                file: Some(*file),
            }),
            _ => None,
        }
    }

    /// Whether this is a file of known length.
    pub(super) fn is_stored(&self) -> bool {
        match self {
            RawInput::Reader(_) => false,
            RawInput::Open { length, .. } => *length > 0,
            RawInput::Later { file, .. } => file.is_some(),
        }
    }

    /// Returns the file, if its length is known and exactly its first `read` bytes have been read.
    #[cfg(feature = "parquet")]
    pub(super) fn whole_file(&mut self, read: u64) -> io::Result<Option<File>> {
        match self {
            RawInput::Open { file, length } if *length > 0 => {
                let is_whole = file.stream_position()? == read;
                is_whole.then(|| file.try_clone()).transpose()
            }
            _ => Ok(None),
        }
    }

    /// Waits until there are bytes to read, and reads them. Returns `None` if the stream is closed during the wait.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        closed: &AtomicBool,
    ) -> Result<Option<usize>, InputFault> {
        loop {
            let read = match self {
                RawInput::Reader(reader) => reader.read(room),
                RawInput::Open { file, length } => {
                    if !waiting::until_readable(file, closed)? {
                        return Ok(None);
                    }
                    match file.read(room) {
                        // Another program, which also has the pipe or device open, has read the bytes first.
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                        // This compares the position in the file, not the number of bytes read here, because another
                        // program that reads from the same open file takes some of the bytes.
                        Ok(0) if *length > 0 && file.stream_position()? < *length => {
                            return Err(InputFault::Changed);
                        }
                        read => read,
                    }
                }
                RawInput::Later { path, file } => {
                    *self = match file {
                        Some(known) => RawInput::Open {
                            length: known.length(),
                            file: known.open(path)?.ok_or(InputFault::Changed)?,
                        },
                        None => RawInput::Open {
                            file: open_at_once(path)?,
                            length: 0,
                        },
                    };
                    continue;
                }
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Ok(read.map(Some)?),
            }
        }
    }
}

#[cfg(unix)]
mod waiting {
    use std::fs::File;
    use std::io;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

    /// How often a waiting worker checks whether the stream is closed: every 10 ms.
    const TICK: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 10_000_000,
    };

    /// Waits until a read would return at once. Returns `false` if the stream is closed before that.
    pub(super) fn until_readable(file: &File, closed: &AtomicBool) -> io::Result<bool> {
        let mut watched = [PollFd::new(file, PollFlags::IN)];
        while !closed.load(Acquire) {
            match poll(&mut watched, Some(&TICK)) {
                Ok(0) | Err(Errno::INTR) => {}
                // The input has bytes, is at its end, or is broken. The read that follows shows which of these is
                // true.
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

#[cfg(not(unix))]
mod waiting {
    use std::fs::File;
    use std::io;

    use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

    pub(super) fn until_readable(_file: &File, closed: &AtomicBool) -> io::Result<bool> {
        Ok(!closed.load(Acquire))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use super::*;
    use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// The poll of every reader returns, but one reader takes the bytes before the others read them.
    #[test]
    fn readers_of_one_pipe_share_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("there is mkfifo").success());
        let input = || RawInput::Open {
            file: open_at_once(&path).expect("it is there"),
            length: 0,
        };
        // All readers are opened before the writer: a reader that is opened later would not see the end of the pipe.
        let inputs = [(); 4].map(|()| input());
        let read = AtomicUsize::new(0);
        let read_all = &|mut input: RawInput<'_>| {
            while let Some(more) = input
                .read(&mut [0; 1], &AtomicBool::new(false))
                .expect("it can be read")
                && more > 0
            {
                read.fetch_add(more, Relaxed);
            }
        };
        std::thread::scope(|scope| {
            let readers = inputs.map(|input| scope.spawn(move || read_all(input)));
            let mut pipe = File::create(&path).expect("there are readers");
            for written in 1..=2000 {
                pipe.write_all(b"x").expect("they read");
                // For each byte, all readers wait.
                while read.load(Relaxed) < written && !readers.iter().all(|one| one.is_finished()) {
                    std::thread::yield_now();
                }
            }
            drop(pipe);
        });
        assert_eq!(read.into_inner(), 2000);
    }

    /// The test reads the memory of this process, in which the byte at address 0 cannot be read.
    #[test]
    fn an_error_of_the_system_is_reported() {
        let file = File::open("/proc/self/mem").expect("it can be opened");
        let mut input = RawInput::Open { file, length: 0 };
        let fault = input.read(&mut [0; 1], &AtomicBool::new(false));
        let told = fault
            .expect_err("nothing can be read")
            .error(Path::new("broken"));
        let told = told.to_string();
        assert!(
            told.starts_with("broken: cannot be read: Input/output error"),
            "{told}"
        );
    }
}
