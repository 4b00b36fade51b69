//! Files as the operating system sees them: their length, if it is reliable, and reads at any place.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::Error;

/// Opens a file that is as long as the system says, and returns it with its length in bytes. Returns `None` if the
/// length is not known until the whole file has been read: for example, if the file is a pipe or a device, or is
/// generated as it is read, like the files under `/proc` and `/sys`.
pub(super) fn open_of_known_length(path: &Path) -> Result<Option<(File, u64)>, Error> {
    let unreadable = |error| Error::unreadable(path, error);
    // The metadata is read before the file is opened, because opening a pipe waits until a program writes to it.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Error::input(path, "is a directory; name the files in it"));
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    let file = File::open(path).map_err(unreadable)?;
    let length = known_length(&file).map_err(unreadable)?;
    Ok(length.map(|length| (file, length)))
}

/// Returns the length of an open file in bytes, if the file is a regular one and is as long as the system says.
pub(super) fn known_length(file: &File) -> io::Result<Option<u64>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let length = metadata.len();
    // The system is right if an empty file has no first byte, and if any other file has its last byte.
    let holds = match read_exact_at(file, &mut [0], length.saturating_sub(1)) {
        Ok(()) => true,
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof => false,
            io::ErrorKind::NotSeekable => return Ok(None),
            _ => return Err(error),
        },
    };
    Ok((holds == (length > 0)).then_some(length))
}

/// The number of files that a dataset keeps open: half of the files that the process may have open.
#[cfg(unix)]
pub(super) fn files_to_keep_open() -> usize {
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit / 2).unwrap_or(usize::MAX)
    })
}

/// The number of files that a dataset keeps open.
#[cfg(not(unix))]
pub(super) fn files_to_keep_open() -> usize {
    256
}

/// Opens a pipe or a device without waiting for a writer: opening a named pipe in the usual way would wait for one,
/// and only a signal to this thread could interrupt the wait. A read from the returned file may fail with
/// [`WouldBlock`](io::ErrorKind::WouldBlock).
#[cfg(target_os = "linux")]
pub(super) fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    // The wait takes place in the poll before a read: on Linux, a pipe that had no writer when it was opened counts
    // as ended only after it has had a writer.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = File::options();
    options.custom_flags(flags.bits() as i32);
    options.read(true).open(path)
}

/// Opens a pipe or a device. On some systems, a poll reports that a named pipe has ended if it has had no writer yet.
/// Therefore this function waits for a writer, and a run that is stopped meanwhile waits too.
#[cfg(not(target_os = "linux"))]
pub(super) fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Fills `room` with the bytes of the file that begin at `place`.
///
/// # Errors
///
/// Returns [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file ends before `room` is full.
#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, room: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, room, place)
}

/// Fills `room` with the bytes of the file that begin at `place`.
///
/// # Errors
///
/// Returns [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file ends before `room` is full.
#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, room: &mut [u8], place: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;

    let mut done = 0;
    while done < room.len() {
        match file.seek_read(&mut room[done..], place + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_known_length() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        for content in ["", "x", "xyz"] {
            fs::write(&path, content).expect("a file");
            let (file, length) = open_of_known_length(&path)
                .expect("it can be opened")
                .expect("it is a file");
            assert_eq!(length, content.len() as u64);
            let mut room = vec![0; content.len()];
            read_exact_at(&file, &mut room, 0).expect("it can be read");
            assert_eq!(room, content.as_bytes());
        }
        let file = File::open(&path).expect("it is there");
        let mut room = [0; 2];
        read_exact_at(&file, &mut room, 1).expect("it can be read");
        assert_eq!(&room, b"yz");
        let error = read_exact_at(&file, &mut room, 2).expect_err("there is one byte");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_folder_or_a_missing_file_cannot_be_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = |path: &Path| open_of_known_length(path).expect_err("no file").to_string();
        assert!(error(folder.path()).ends_with(": is a directory; name the files in it"));
        assert!(error(&folder.path().join("none")).contains(": no such file; "));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_generated_as_it_is_read_has_no_length() {
        for path in ["/proc/version", "/dev/null"] {
            let opened = open_of_known_length(Path::new(path));
            assert!(opened.expect("it is there").is_none(), "{path}");
            let file = open_at_once(Path::new(path)).expect("it is there");
            assert_eq!(known_length(&file).expect("it can be asked"), None);
        }
    }
}
