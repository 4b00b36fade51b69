//! Gives a temporary file the name that it keeps.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use super::leftovers::PREFIX;
use super::requested::partial_of;

/// Renames the temporary file to `path`. Replaces an existing file at `path` only if `force` is true.
pub(super) fn persist(
    mut file: NamedTempFile,
    path: &Path,
    force: bool,
) -> Result<(), PersistError> {
    loop {
        let named = match force {
            true => file.persist(path),
            false => file.persist_noclobber(path),
        };
        match named {
            Ok(_) => return Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::Interrupted => file = error.file,
            Err(error) => return Err(error),
        }
    }
}

/// Keeps a file under a name that does not make it look complete. The first of these that is possible is used: the
/// name `PATH.partial`, the temporary name without the leading dot, the temporary name itself, or a copy in the
/// nearest folder that still exists. Returns the path of the kept file, and whether another file was replaced.
pub(super) fn keep(file: NamedTempFile, path: &Path, force: bool) -> io::Result<(PathBuf, bool)> {
    let partial = partial_of(path);
    let existed = force && fs::symlink_metadata(&partial).is_ok();
    let file = match persist(file, &partial, force) {
        Ok(()) => return Ok((partial, existed)),
        Err(error) => error.file,
    };
    let temporary = file.path().file_name().unwrap_or_default().to_owned();
    let unique = temporary.to_string_lossy();
    let unique = format!("manyhands-{}.partial", unique.trim_start_matches(PREFIX));
    let beside = path.with_file_name(&unique);
    let file = match persist(file, &beside, false) {
        Ok(()) => return Ok((beside, false)),
        Err(error) => error.file,
    };
    if file.path().exists() {
        // No file in the folder can be renamed, for example because the folder has become read-only.
        let kept = file.keep().map_err(|error| error.error)?;
        drop(kept);
        return Ok((path.with_file_name(&temporary), false));
    }
    if let Some(moved) = moved_to(file.as_file()) {
        // The folder has been renamed. If a file there already has the name without the dot, this file keeps its
        // temporary name.
        let visible = moved.with_file_name(&unique);
        let is_free = fs::symlink_metadata(&visible).is_err();
        let is_renamed = is_free && fs::rename(&moved, &visible).is_ok();
        return Ok((if is_renamed { visible } else { moved }, false));
    }
    copy(file, path, &unique).map(|copy| (copy, false))
}

/// Returns the current path of an open file, if the system reports the path and the file still has a name.
#[cfg(target_os = "linux")]
fn moved_to(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;

    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let has_that_path = id(fs::symlink_metadata(&path).ok()?) == id(file.metadata().ok()?);
    has_that_path.then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn moved_to(_file: &File) -> Option<PathBuf> {
    None
}

/// Copies a file whose folder was deleted. This works because the contents exist as long as the file is open.
fn copy(mut file: NamedTempFile, path: &Path, name: &str) -> io::Result<PathBuf> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for folder in path.ancestors().skip(1).chain([Path::new(".")]) {
        if !folder.is_dir() {
            continue;
        }
        let to = folder.join(name);
        let copied = OpenOptions::new().write(true).create_new(true).open(&to);
        let copied = copied.and_then(|mut copy| {
            file.as_file_mut().seek(SeekFrom::Start(0))?;
            io::copy(file.as_file_mut(), &mut copy)
        });
        match copied {
            Ok(_) => return Ok(to),
            Err(error) => last = error,
        }
    }
    Err(last)
}
