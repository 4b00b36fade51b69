//! Makes sure that a file and its name are on the disk, so that they are still there after a power failure.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// How a file or a folder is synced. Tests pass a function that fails.
pub(crate) type SyncFile = fn(&File) -> io::Result<()>;

/// Waits until the contents of a file, or the names in a folder, are on the disk.
pub(crate) fn to_disk(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Returns the folder that contains the file at this path.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Syncs the names in a folder. Some file systems do not support this, and a folder may be writable but not readable.
/// In these cases the names cannot be synced by any program, so this is not an error.
///
/// # Errors
///
/// Returns an error if the system could not write the names.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path, sync: SyncFile) -> io::Result<()> {
    let opened = match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    match sync(&opened) {
        Err(error) if is_unsupported(&error) => Ok(()),
        synced => synced,
    }
}

/// Whether a file system says that it cannot sync a folder.
#[cfg(unix)]
fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, Unsupported};

    matches!(error.kind(), InvalidInput | Unsupported)
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path, _sync: SyncFile) -> io::Result<()> {
    Ok(())
}

/// A file that is written during a run and must be on the disk at its end.
#[derive(Debug)]
pub(crate) struct OpenOutput {
    /// Its path, as the user gave it.
    pub(crate) path: PathBuf,
    /// A handle of the file, which may still have a temporary name. It was opened for itself: the system reports an error of
    /// writing to each handle once, so the handle that syncs the complete file sees the error too.
    pub(crate) file: File,
}
