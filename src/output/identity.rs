//! The identity of a file, which does not depend on the path by which it is reached.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::synced::folder_of;

/// Identifies what a path leads to. Two paths lead to the same file if they reach the same existing file, or if they
/// have the same name in the same folder, where a file may be created later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The file itself. It is `None` if the file does not exist. It is also `None` for a device, such as a terminal,
    /// and for a socket that is standard input or output, since these may be read and written at the same time.
    file: Option<FileId>,
    /// The folder of the file and its name in that folder. It is `None` for an open file without a name.
    place: Option<(FileId, OsString)>,
}

/// Values that distinguish an existing file or folder from every other file and folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
    /// The path of the file, with links and `..` resolved.
    #[cfg(not(unix))]
    path: PathBuf,
}

impl Identity {
    /// Identifies what a path leads to, after links are followed.
    pub(super) fn of_path(path: &Path) -> Self {
        let existing = fs::metadata(path).ok();
        if existing
            .as_ref()
            .is_some_and(|file| !is_distinct(file) && !is_socket(file))
        {
            return Identity {
                file: None,
                place: None,
            };
        }
        let resolved = resolved(path);
        let place = resolved.as_deref().and_then(|path| {
            let folder = fs::metadata(folder_of(path)).ok()?;
            let folder = file_id(&folder, folder_of(path))?;
            Some((folder, path.file_name()?.to_owned()))
        });
        Identity {
            file: existing.and_then(|file| file_id(&file, path)),
            place,
        }
    }

    /// Identifies the file that is open as standard input.
    pub(super) fn of_standard_input() -> Self {
        Self::of_open(standard::input())
    }

    /// Identifies the file that is open as standard output.
    pub(super) fn of_standard_output() -> Self {
        Self::of_open(standard::output())
    }

    fn of_open(metadata: io::Result<Metadata>) -> Self {
        let metadata = metadata.ok().filter(is_distinct);
        Identity {
            file: metadata.and_then(|metadata| file_id(&metadata, Path::new(""))),
            place: None,
        }
    }

    /// Returns whether both are the same existing file, or the same name in the same folder.
    pub(super) fn is(&self, other: &Identity) -> bool {
        let same_file = self.file.is_some() && self.file == other.file;
        same_file || self.place.is_some() && self.place == other.place
    }
}

/// Returns the path of an existing or future file with links and `..` resolved, or `None` if the folder does not
/// exist.
fn resolved(path: &Path) -> Option<PathBuf> {
    if let Ok(resolved) = fs::canonicalize(path) {
        return Some(resolved);
    }
    let name = path.file_name()?;
    Some(fs::canonicalize(folder_of(path)).ok()?.join(name))
}

/// Returns the path at which a file is created or replaced. That is the target if the path is a link, and otherwise
/// the path itself.
pub(super) fn target_of(path: &Path) -> PathBuf {
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() => resolved(path).unwrap_or_else(|| path.to_owned()),
        _ => path.to_owned(),
    }
}

/// Returns whether it is a mistake to read and write this file at the same time. That is true of regular files,
/// folders and pipes.
#[cfg(unix)]
fn is_distinct(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    metadata.is_file() || metadata.is_dir() || metadata.file_type().is_fifo()
}

#[cfg(unix)]
fn is_socket(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_socket(_metadata: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_distinct(metadata: &Metadata) -> bool {
    metadata.is_file() || metadata.is_dir()
}

#[cfg(unix)]
fn file_id(metadata: &Metadata, _path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;

    Some(FileId {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

#[cfg(not(unix))]
fn file_id(_metadata: &Metadata, path: &Path) -> Option<FileId> {
    let path = fs::canonicalize(path).ok()?;
    Some(FileId { path })
}

#[cfg(unix)]
mod standard {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::fd::{AsFd as _, BorrowedFd};

    pub(super) fn input() -> io::Result<Metadata> {
        of(io::stdin().as_fd())
    }

    pub(super) fn output() -> io::Result<Metadata> {
        of(io::stdout().as_fd())
    }

    fn of(open: BorrowedFd<'_>) -> io::Result<Metadata> {
        File::from(open.try_clone_to_owned()?).metadata()
    }
}

/// Other systems offer no safe way to find out which files are open as standard input and output.
#[cfg(not(unix))]
mod standard {
    use std::fs::Metadata;
    use std::io;

    pub(super) fn input() -> io::Result<Metadata> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) use input as output;
}
