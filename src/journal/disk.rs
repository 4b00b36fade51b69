//! What a journal needs of a disk, and the files of the real one.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A file that is read and written by offset. Tests use one that loses what was not synced.
pub(super) trait JournalDisk: Send + Sync {
    /// Reads bytes from this offset on. May read fewer than there is room for, and none behind the end.
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes bytes from this offset on. May write fewer than it is given.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize>;

    /// Waits until everything that was written is on the disk.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to this length.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// The length of the file in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Makes an empty file without a name, which goes when it is dropped or this process ends.
    fn scratch(&self) -> io::Result<Arc<dyn JournalDisk>>;
}

/// Fills the room from this offset on, except what would lie behind the end of the file. Returns the number of bytes
/// read.
pub(super) fn read_full(
    disk: &dyn JournalDisk,
    mut room: &mut [u8],
    mut at: u64,
) -> io::Result<usize> {
    let length = room.len();
    while !room.is_empty() {
        match disk.read_at(room, at) {
            Ok(0) => break,
            Ok(read) => {
                room = &mut room[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length - room.len())
}

/// Writes all the bytes from this offset on. A write that a signal has interrupted has written nothing, so it is the only
/// one that is made again.
pub(super) fn write_all(disk: &dyn JournalDisk, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write_at(bytes, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                at += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A file of the system, and the folder in which its scratch files are made.
pub(super) struct StoredFile {
    file: File,
    folder: PathBuf,
    /// Held while the file is read or written by moving its only cursor.
    #[cfg(not(unix))]
    cursor: std::sync::Mutex<()>,
}

impl StoredFile {
    pub(super) fn new(file: File, folder: PathBuf) -> Self {
        StoredFile {
            file,
            folder,
            #[cfg(not(unix))]
            cursor: std::sync::Mutex::new(()),
        }
    }

    #[cfg(not(unix))]
    fn at<T>(&self, at: u64, act: impl FnOnce(&mut &File) -> io::Result<T>) -> io::Result<T> {
        use std::io::{Seek as _, SeekFrom};

        let _cursor = self.cursor.lock().unwrap_or_else(|held| held.into_inner());
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        act(&mut file)
    }
}

impl Drop for StoredFile {
    /// Releases the lock. Closing the file would not release it at once if this process is just starting another program,
    /// which holds the file open until it has begun.
    fn drop(&mut self) {
        // Without a lock, there is nothing to release.
        let _ = self.file.unlock();
    }
}

impl JournalDisk for StoredFile {
    #[cfg(unix)]
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, room, at)
    }

    #[cfg(not(unix))]
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        self.at(at, |file| io::Read::read(file, room))
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, bytes, at)
    }

    #[cfg(not(unix))]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        self.at(at, |file| io::Write::write(file, bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn scratch(&self) -> io::Result<Arc<dyn JournalDisk>> {
        let file = tempfile::tempfile_in(&self.folder)?;
        Ok(Arc::new(StoredFile::new(file, self.folder.clone())))
    }
}
