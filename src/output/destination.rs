//! An open output: a file that gets its name when it is whole, a pipe, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use super::identity::{folder_of, target_of};
use super::leftovers::PREFIX;
use super::replaced;
use super::requested::{Output, partial_of, refused};
use crate::error::Error;

/// An open output. [`Endpoints::open`](super::Endpoints::open) opens one.
#[derive(Debug)]
pub struct Destination(Target);

#[derive(Debug)]
enum Target {
    Stdout(io::Stdout),
    /// A pipe or a device, written to as it is.
    Special(File),
    File(NewFile),
}

/// A file under its temporary name.
#[derive(Debug)]
struct NewFile {
    file: NamedTempFile,
    /// The path as it was given, for messages.
    asked: PathBuf,
    /// The path without links: a link stays one, and the file it leads to is replaced.
    path: PathBuf,
    /// Whether a file of that name is replaced.
    force: bool,
    keeps_partial: bool,
}

/// What a run that ended early has left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// It holds the first `records` records.
    pub records: u64,
    /// Whether it has replaced what an earlier run had left.
    pub replaced: bool,
}

impl Destination {
    pub(super) fn open(output: &Output) -> Result<Self, Error> {
        if output.path == Path::new("-") {
            return Ok(Destination(Target::Stdout(io::stdout())));
        }
        let existing = fs::metadata(&output.path).ok();
        if existing
            .as_ref()
            .is_some_and(|existing| !existing.is_file())
        {
            let file = OpenOptions::new().write(true).open(&output.path);
            let file =
                file.map_err(|error| output.refused(format!("cannot be written: {error}")))?;
            return Ok(Destination(Target::Special(file)));
        }
        let created = |error| output.refused(format!("cannot be created: {error}"));
        let path = target_of(&output.path);
        let file = new_file(folder_of(&path), existing.is_some()).map_err(created)?;
        // Released by the system when the process ends, so that what a killed run has left can be told
        // from what a run is writing. A file system without locks has no such help.
        let _ = file.as_file().try_lock();
        if let Some(existing) = existing {
            replaced::take_over(file.as_file(), &existing).map_err(created)?;
        }
        Ok(Destination(Target::File(NewFile {
            file,
            asked: output.path.clone(),
            path,
            force: output.force,
            keeps_partial: output.keeps_partial,
        })))
    }

    /// Whether it is standard output.
    pub fn is_standard_output(&self) -> bool {
        matches!(self.0, Target::Stdout(_))
    }

    /// The file under the name that it has until it is whole.
    pub fn unfinished(&self) -> Option<PathBuf> {
        match &self.0 {
            Target::File(new) => Some(new.file.path().to_owned()),
            Target::Stdout(_) | Target::Special(_) => None,
        }
    }

    /// Gives the file its name, now that it is whole.
    ///
    /// # Errors
    ///
    /// [`Error::Destination`] if it cannot have that name: another file has taken it, or the folder is
    /// gone. The whole file is then kept under another name, which the error states.
    pub fn finish(self) -> Result<(), Error> {
        self.finish_holding("the whole file")
    }

    /// The same for a file that an error describes as `contents`.
    pub(super) fn finish_holding(self, contents: &str) -> Result<(), Error> {
        match self.0 {
            Target::File(new) => new.finish(contents),
            Target::Stdout(_) | Target::Special(_) => Ok(()),
        }
    }

    /// Keeps the first `bytes` bytes of the file, which hold the first `records` records, under the name
    /// that tells that it is not whole. A file without records is not kept, nor is what a pipe or a device
    /// has taken.
    ///
    /// # Errors
    ///
    /// [`Error::Destination`] if it cannot be kept under any name.
    pub fn keep_partial(self, records: u64, bytes: u64) -> Result<Option<Kept>, Error> {
        match self.0 {
            Target::File(new) if records > 0 => new.keep_partial(records, bytes).map(Some),
            Target::File(_) | Target::Stdout(_) | Target::Special(_) => Ok(None),
        }
    }

    fn out(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Target::Stdout(out) => out,
            Target::Special(file) => file,
            // Not by way of what is around it, which adds its temporary name to every error.
            Target::File(new) => new.file.as_file_mut(),
        }
    }
}

impl NewFile {
    fn finish(self, contents: &str) -> Result<(), Error> {
        let Err(error) = persist(self.file, &self.path, self.force) else {
            if self.force && self.keeps_partial {
                // It belongs to the file that has just been replaced.
                let _ = fs::remove_file(partial_of(&self.path));
            }
            return Ok(());
        };
        let why = match error.error.kind() {
            io::ErrorKind::AlreadyExists => {
                "another program has made a file of that name meanwhile".to_owned()
            }
            io::ErrorKind::NotFound => "its folder is gone".to_owned(),
            _ => format!("cannot get its name: {}", error.error),
        };
        // What another run has left there stays, since this file is whole and must not be lost to it.
        let reason = match keep(error.file, &self.path, false) {
            Ok((kept, _)) => format!("{why}; {contents} is in {}", kept.display()),
            Err(error) => format!("{why}, and {contents} could not be kept elsewhere: {error}"),
        };
        Err(refused(&self.asked, reason))
    }

    fn keep_partial(self, records: u64, bytes: u64) -> Result<Kept, Error> {
        let cannot = |error| {
            let reason = format!("the scores so far could not be kept: {error}");
            refused(&self.asked, reason)
        };
        // A write that failed half-way may have left the beginning of a line.
        self.file.as_file().set_len(bytes).map_err(cannot)?;
        let kept = keep(self.file, &self.path, self.force);
        let (path, replaced) = kept.map_err(cannot)?;
        Ok(Kept {
            path,
            records,
            replaced,
        })
    }
}

/// Gives a file a name, in place of another file only if `force` is given.
fn persist(mut file: NamedTempFile, path: &Path, force: bool) -> Result<(), PersistError> {
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

/// Keeps a file under a name that does not look finished: `PATH.partial`, else its temporary name made
/// visible, else its temporary name, else a copy in the nearest folder that still exists. Says under which,
/// and whether a file was replaced.
fn keep(file: NamedTempFile, path: &Path, force: bool) -> io::Result<(PathBuf, bool)> {
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
        // No file can be renamed here any more, as in a folder that has become read-only.
        let kept = file.keep().map_err(|error| error.error)?;
        drop(kept);
        return Ok((path.with_file_name(&temporary), false));
    }
    if let Some(moved) = moved_to(file.as_file()) {
        // Its folder has another name now. There the file keeps its own name if no better one is free.
        let visible = moved.with_file_name(&unique);
        let is_free = fs::symlink_metadata(&visible).is_err();
        let is_renamed = is_free && fs::rename(&moved, &visible).is_ok();
        return Ok((if is_renamed { visible } else { moved }, false));
    }
    copy(file, path, &unique).map(|copy| (copy, false))
}

/// Where an open file stands now, if the system tells and it still has a name.
#[cfg(target_os = "linux")]
fn moved_to(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;

    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let is_there = id(fs::symlink_metadata(&path).ok()?) == id(file.metadata().ok()?);
    is_there.then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn moved_to(_file: &File) -> Option<PathBuf> {
    None
}

/// Copies a file that has lost its name together with its folder; the open file itself is still there.
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

/// A new file under a temporary name, with the rights of any new file; with `private`, with those of a
/// secret one, until it takes over others.
fn new_file(folder: &Path, private: bool) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(
        match private {
            true => 0o600,
            false => 0o666,
        },
    ));
    #[cfg(not(unix))]
    let _ = private;
    builder.tempfile_in(folder)
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out().flush()
    }
}
