//! What the bytes of a stream come from, and how waiting for them is broken off.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::sync::atomic::AtomicBool;

/// Where bytes come from.
pub(super) enum Input<'r> {
    /// Given by whoever made the stream. Nobody but itself knows what it waits for, so a read of it is
    /// never broken off.
    Reader(Box<dyn Read + Send + 'r>),
    /// A file, a pipe or a device.
    Open(File),
    /// A pipe or a device, to be opened when it is first read.
    Later(PathBuf),
}

impl Input<'_> {
    /// Standard input. Not by way of [`io::Stdin`] where it can be helped: what that has read ahead
    /// cannot be asked for without waiting.
    pub(super) fn stdin() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            let own = io::stdin().as_fd().try_clone_to_owned()?;
            Ok(Input::Open(File::from(own)))
        }
        #[cfg(not(unix))]
        Ok(Input::Reader(Box::new(io::stdin())))
    }

    /// Reads what is there, waiting for something to be; `None` where it is closed meanwhile.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        closed: &AtomicBool,
    ) -> io::Result<Option<usize>> {
        loop {
            let read = match self {
                Input::Reader(reader) => reader.read(room),
                Input::Open(file) => {
                    if !waiting::until_readable(file, closed)? {
                        return Ok(None);
                    }
                    match file.read(room) {
                        // Somebody else has it open too, and was quicker.
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                        read => read,
                    }
                }
                Input::Later(path) => {
                    *self = Input::Open(waiting::open(path)?);
                    continue;
                }
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map(Some),
            }
        }
    }
}

#[cfg(unix)]
mod waiting {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

    /// How often a wait looks whether it is to end.
    const TICK: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 10_000_000,
    };

    /// Waits until a read would not wait; `false` where it is closed before that.
    pub(super) fn until_readable(file: &File, closed: &AtomicBool) -> io::Result<bool> {
        let mut watched = [PollFd::new(file, PollFlags::IN)];
        while !closed.load(Acquire) {
            match poll(&mut watched, Some(&TICK)) {
                Ok(0) | Err(Errno::INTR) => {}
                // Also where it is at its end, or broken: then the read tells.
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Opens a pipe or a device. To open a named pipe that nobody writes to would wait for somebody
    /// who does, and nothing but a signal to this very thread could break that off.
    #[cfg(target_os = "linux")]
    pub(super) fn open(path: &Path) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};

        // Then it is the poll that waits: Linux calls a pipe which had no writer when it was opened
        // ended only after there has been one.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a pipe or a device. Systems differ in what a poll says of a named pipe that has had no
    /// writer yet, and some would call it ended; so this waits for one, and a stop waits with it.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }
}

#[cfg(not(unix))]
mod waiting {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

    pub(super) fn until_readable(_file: &File, closed: &AtomicBool) -> io::Result<bool> {
        Ok(!closed.load(Acquire))
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }
}
