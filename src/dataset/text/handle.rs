//! A file that can be read at any place. It is kept open if there are enough file descriptors.

use std::fs::File;
use std::io;
use std::path::Path;

use super::fault::InputFault;
use super::identity::FileIdentity;
use super::os::read_exact_at;
use crate::error::Error;

/// A file that is read at any place.
#[derive(Debug)]
pub(super) enum FileHandle {
    Open(File),
    /// Each read opens the file, because a dataset may have more files than the process may have open.
    Closed(FileIdentity),
}

impl FileHandle {
    /// Closes the file. Each later read opens it again.
    pub(super) fn close(&mut self, path: &Path) -> Result<(), Error> {
        if let FileHandle::Open(file) = self {
            let identity = FileIdentity::of(file);
            let identity = identity.map_err(|error| Error::unreadable(path, error))?;
            *self = FileHandle::Closed(identity);
        }
        Ok(())
    }

    /// Fills `room` with the bytes of the file that begin at `place`.
    ///
    /// # Errors
    ///
    /// Returns a fault if the file cannot be read, or has changed.
    pub(super) fn read_exact_at(
        &self,
        path: &Path,
        room: &mut [u8],
        place: u64,
    ) -> Result<(), InputFault> {
        let read = match self {
            FileHandle::Open(file) => read_exact_at(file, room, place),
            FileHandle::Closed(identity) => {
                let file = identity.open(path)?;
                read_exact_at(&file.ok_or(InputFault::Changed)?, room, place)
            }
        };
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => InputFault::Changed,
            _ => error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_file_is_read_as_if_it_were_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, "one two").expect("a file");
        let mut handle = FileHandle::Open(File::open(&path).expect("it is there"));
        for _ in 0..2 {
            let mut room = [0; 3];
            handle
                .read_exact_at(&path, &mut room, 4)
                .expect("it can be read");
            assert_eq!(&room, b"two");
            let beyond = handle.read_exact_at(&path, &mut room, 5);
            let fault = beyond.expect_err("it is shorter");
            assert!(matches!(fault, InputFault::Changed), "{fault:?}");
            handle.close(&path).expect("it can be asked");
        }
        std::fs::write(&path, "another").expect("a file");
        handle
            .read_exact_at(&path, &mut [0; 3], 0)
            .expect("it is as long");
        std::fs::remove_file(&path).expect("a file");
        let told = handle.read_exact_at(&path, &mut [0; 3], 0);
        let fault = told.expect_err("it is gone");
        assert!(matches!(fault, InputFault::Changed), "{fault:?}");
    }
}
