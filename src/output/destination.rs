//! An open output, which is standard output, a pipe, or a file that is renamed into place when it is complete.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
#[cfg(feature = "parquet")]
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::identity::target_of;
use super::kept::{keep, persist};
use super::leftovers::{is_written_elsewhere, prefix_for};
use super::replaced;
use super::requested::{Output, STANDARD, partial_of, refused};
use super::written::FileHasher;
use crate::error::{Error, NotWritten};
use crate::plan::WrittenFile;
use crate::synced::{OpenOutput, SyncFile, folder_of, sync_folder, to_disk};

/// An open output. [`Endpoints::open`](super::Endpoints::open) returns it.
#[derive(Debug)]
pub struct Destination {
    target: Target,
    /// The name of the output in error messages, such as "the scores". `requested` is its path as the user gave it.
    what: String,
    requested: PathBuf,
    /// `None` if the bytes are not hashed.
    hasher: Option<FileHasher>,
}

#[derive(Debug)]
enum Target {
    Stdout(io::Stdout),
    /// A pipe or a device, to which the output is written directly.
    Special(File),
    File(NewFile),
}

/// A new file that still has its temporary name.
#[derive(Debug)]
struct NewFile {
    file: NamedTempFile,
    /// The path with links resolved. If the user's path is a link, the link is kept and its target is replaced.
    path: PathBuf,
    /// Whether an existing file at the path may be replaced.
    force: bool,
    keeps_partial: bool,
    /// Whether an existing partial file may be replaced.
    replaces_partial: bool,
    /// Whether an existing partial file is removed when this file is complete, or replaced if this file cannot have its name.
    removes_partial: bool,
    /// How the file and its folder are synced. `None` if they are not synced.
    sync: Option<SyncFile>,
}

/// The file that keeps the scores of a run that ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialFile {
    /// The path of the file that keeps the scores.
    pub path: PathBuf,
    /// Number of records, counted from the first one, whose scores the file holds.
    pub records: u64,
    /// Whether the file has replaced the partial file of an earlier run.
    pub replaced: bool,
    /// Whether the file lacks the end of its compressed data, or its footer if it is columnar, because a write failed.
    /// The file then holds the scores of at most `records` records, and programs that read it report that it is
    /// incomplete.
    pub is_cut: bool,
}

impl Destination {
    pub(super) fn open(output: &Output) -> Result<Self, Error> {
        Ok(Destination {
            target: Target::open(output)?,
            what: output.what.clone(),
            requested: output.path.clone(),
            hasher: output.hashed.then(FileHasher::default),
        })
    }

    /// Returns whether this destination is standard output.
    pub fn is_standard_output(&self) -> bool {
        matches!(self.target, Target::Stdout(_))
    }

    /// Returns the temporary path that the file has until it is complete, or `None` if the output is not a file.
    pub fn unfinished(&self) -> Option<PathBuf> {
        match &self.target {
            Target::File(new) => Some(new.file.path().to_owned()),
            Target::Stdout(_) | Target::Special(_) => None,
        }
    }

    /// Opens the file once more, to sync it. Returns `None` if the output is not a file that is synced, or if it cannot be
    /// opened again.
    pub(super) fn to_sync(&self) -> Option<OpenOutput> {
        match &self.target {
            Target::File(NewFile {
                file,
                sync: Some(_),
                ..
            }) => Some(OpenOutput {
                path: self.requested.clone(),
                file: OpenOptions::new().write(true).open(file.path()).ok()?,
            }),
            _ => None,
        }
    }

    /// Returns the length and the hash of the bytes that were written so far, or `None` if the output is not
    /// [hashed](Output::hashed).
    pub fn written(&self) -> Option<WrittenFile> {
        self.hasher.as_ref().map(FileHasher::written)
    }

    /// Renames the complete file into place. If the output is [synced](Output::synced), the contents of the file are
    /// written to the disk before, and its name after this.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be renamed, because another file has been given that name in
    /// the meantime or because the folder no longer exists. The complete file is then kept under another name, which
    /// the error states: `PATH.partial` if this is free or its file would have been removed now, so that the next run
    /// finds it there, and otherwise a name that no other file has. Also returns [`Error::Destination`] if the file or its folder cannot be synced. The file is
    /// then removed.
    pub fn finish(self) -> Result<(), Error> {
        self.sync()?;
        self.publish("the complete file")
    }

    /// Syncs the contents of the complete file, if the output is synced.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be synced. It must then not be published.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let Target::File(NewFile {
            file,
            sync: Some(sync),
            ..
        }) = &self.target
        else {
            return Ok(());
        };
        // A sync is never tried again: the system may report success for bytes that it has given up.
        sync(file.as_file()).map_err(|error| {
            let reason =
                format!("cannot be synced to the disk: {error}; the file is not kept; run again");
            refused(&self.requested, reason)
        })
    }

    /// Renames the file into place. Errors describe the file as `contents`.
    pub(super) fn publish(self, contents: &str) -> Result<(), Error> {
        match self.target {
            Target::File(new) => new.publish(&self.requested, contents),
            Target::Stdout(_) | Target::Special(_) => Ok(()),
        }
    }

    /// Keeps the first `bytes` bytes of the file, or all if there are fewer, as `PATH.partial`. These bytes must
    /// contain the scores of the first `records` records. Returns `None`, and keeps no file, if there are no records,
    /// if the output is not a file, or if it was opened without [`keep_partial`](Output::keep_partial).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be kept under any name.
    pub fn keep_partial(self, records: u64, bytes: u64) -> Result<Option<PartialFile>, Error> {
        match self.target {
            Target::File(new) if records > 0 && new.keeps_partial => {
                new.keep_partial(&self.requested, records, bytes).map(Some)
            }
            Target::File(_) | Target::Stdout(_) | Target::Special(_) => Ok(None),
        }
    }

    /// Does the same as [`keep_partial`](Destination::keep_partial), but keeps all bytes.
    pub(super) fn keep_whole_partial(self, records: u64) -> Result<Option<PartialFile>, Error> {
        self.keep_partial(records, u64::MAX)
    }

    /// Returns whether this destination is a file, which is renamed into place when it is complete.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.target, Target::File(_))
    }

    /// Adds the name and the place of this output to the error of a write.
    fn naming(&self, error: io::Error) -> io::Error {
        let place = match self.target {
            Target::Stdout(_) => "standard output".into(),
            Target::Special(_) | Target::File(_) => self.requested.to_string_lossy(),
        };
        NotWritten::naming(&self.what, &place, error)
    }

    /// Cuts the file after this number of bytes. The next byte is written there. From then on, the hash of the file is
    /// not known.
    ///
    /// # Errors
    ///
    /// Returns an error if the output is not a file, or if it cannot be cut.
    #[cfg(feature = "parquet")]
    pub(super) fn cut_to(&mut self, bytes: u64) -> io::Result<()> {
        let Target::File(new) = &mut self.target else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        self.hasher = None;
        let file = new.file.as_file_mut();
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes)).map(|_| ())
    }

    fn out(&mut self) -> &mut dyn Write {
        match &mut self.target {
            Target::Stdout(out) => out,
            Target::Special(file) => file,
            // The inner file is used, since `NamedTempFile` would add the temporary name to every error.
            Target::File(new) => new.file.as_file_mut(),
        }
    }
}

impl Target {
    fn open(output: &Output) -> Result<Self, Error> {
        if output.path == Path::new(STANDARD) {
            return Ok(Target::Stdout(io::stdout()));
        }
        let existing = fs::metadata(&output.path).ok();
        if existing
            .as_ref()
            .is_some_and(|existing| !existing.is_file())
        {
            let file = OpenOptions::new().write(true).open(&output.path);
            let file =
                file.map_err(|error| output.refused(format!("cannot be written: {error}")))?;
            return Ok(Target::Special(file));
        }
        let created = |error| output.refused(format!("cannot be created: {error}"));
        let path = target_of(&output.path);
        let prefix = prefix_for(&path);
        let file = new_file(folder_of(&path), &prefix, existing.is_some()).map_err(created)?;
        // The system releases the lock when the process ends. So, if the file system supports locks, the lock tells a
        // file that a run is still writing from a file that a killed run has left behind.
        // Another run that looks for such files may hold the lock for a moment.
        if let Err(TryLockError::WouldBlock) = file.as_file().try_lock() {
            let _ = file.as_file().lock();
        }
        if output.exclusive && is_written_elsewhere(file.path(), &prefix) {
            let reason = "is being written by another run; wait until that run has ended, or name another file";
            return Err(output.refused(reason));
        }
        if let Some(existing) = existing {
            replaced::take_over(file.as_file(), &existing).map_err(created)?;
        }
        Ok(Target::File(NewFile {
            file,
            path,
            force: output.force,
            keeps_partial: output.keeps_partial,
            replaces_partial: output.force || output.replaces_partial,
            removes_partial: output.replaces_partial || (output.force && output.keeps_partial),
            sync: output.synced.then_some(to_disk),
        }))
    }
}

impl NewFile {
    fn publish(self, requested: &Path, contents: &str) -> Result<(), Error> {
        let Err(error) = persist(self.file, &self.path, self.force) else {
            if self.removes_partial {
                // The existing partial file belongs to the scores that have just been replaced, or to the run that this one
                // has completed, so it is removed.
                let _ = fs::remove_file(partial_of(&self.path));
            }
            return self
                .sync
                .map_or(Ok(()), |sync| sync_name(&self.path, requested, sync));
        };
        let why = match error.error.kind() {
            io::ErrorKind::AlreadyExists => {
                "another program has created a file with that name meanwhile".to_owned()
            }
            io::ErrorKind::NotFound => "its folder no longer exists".to_owned(),
            _ => format!("cannot be renamed into place: {}", error.error),
        };
        // A partial file that would have been removed is of no more use beside the complete file, so it is replaced. Every
        // other one belongs to another run.
        let reason = match keep(error.file, &self.path, self.removes_partial) {
            Ok((kept, _)) => format!("{why}; {contents} is in {}", kept.display()),
            Err(error) => format!("{why}, and {contents} could not be kept elsewhere: {error}"),
        };
        Err(refused(requested, reason))
    }

    fn keep_partial(
        self,
        requested: &Path,
        records: u64,
        bytes: u64,
    ) -> Result<PartialFile, Error> {
        let failed = |error| {
            let reason = format!("the scores so far could not be kept: {error}");
            refused(requested, reason)
        };
        // A failed write may have left half a line at the end of the file, so the file is cut to `bytes` bytes.
        let file = self.file.as_file();
        if bytes < file.metadata().map_err(failed)?.len() {
            file.set_len(bytes).map_err(failed)?;
        }
        let kept = keep(self.file, &self.path, self.replaces_partial);
        let (path, replaced) = kept.map_err(failed)?;
        Ok(PartialFile {
            path,
            records,
            replaced,
            is_cut: false,
        })
    }
}

/// Syncs the folder of a file that has just been renamed to `path`. If this fails, the file is removed, because a file
/// in place would look like one that stays there after a power failure.
fn sync_name(path: &Path, requested: &Path, sync: SyncFile) -> Result<(), Error> {
    sync_folder(folder_of(path), sync).map_err(|error| {
        let removed = match fs::remove_file(path) {
            Ok(()) => "the file was removed again".to_owned(),
            Err(error) => format!("the file could not be removed: {error}"),
        };
        let reason =
            format!("its folder cannot be synced to the disk: {error}; {removed}; run again");
        refused(requested, reason)
    })
}

/// Creates a file under a temporary name that begins with `prefix`, with the usual permissions of new files. If `private` is true, only the
/// user can read the file until it is given the permissions of another file.
fn new_file(folder: &Path, prefix: &str, private: bool) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
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
        let written = self.out().write(bytes);
        let written = written.map_err(|error| self.naming(error))?;
        if let Some(hasher) = &mut self.hasher {
            hasher.add(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out().flush();
        flushed.map_err(|error| self.naming(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Folder(tempfile::tempdir().expect("a folder"))
        }

        fn write(&self, name: &str, content: &str) {
            fs::write(self.0.path().join(name), content).expect("a file");
        }

        fn read(&self, name: &str) -> Option<String> {
            fs::read_to_string(self.0.path().join(name)).ok()
        }

        /// The number of files and folders.
        fn count(&self) -> usize {
            fs::read_dir(self.0.path()).expect("a folder").count()
        }

        /// An output with two lines.
        fn destination(&self, force: bool, keep_partial: bool) -> Destination {
            let output = Output::new("the scores", self.0.path().join("out"));
            let output = output.force(force).keep_partial(keep_partial);
            let mut destination = Destination::open(&output).expect("it can be opened");
            destination.write_all(b"one\ntwo\n").expect("room");
            destination
        }
    }

    #[test]
    fn a_partial_file_has_whole_lines_and_says_whether_it_replaced_another_one() {
        let folder = Folder::new();
        for replaced in [false, true] {
            let kept = folder.destination(true, true).keep_partial(1, 4);
            let kept = kept.expect("it can be kept").expect("a record");
            assert_eq!(kept.path, folder.0.path().join("out.partial"));
            assert_eq!((kept.records, kept.replaced), (1, replaced));
            assert_eq!(folder.read("out.partial").as_deref(), Some("one\n"));
            assert_eq!(folder.count(), 1);
        }
    }

    #[test]
    fn a_partial_file_of_another_run_is_replaced_only_by_force() {
        let folder = Folder::new();
        let destination = folder.destination(false, true);
        folder.write("out.partial", "precious");
        let kept = destination.keep_partial(2, 8).expect("it can be kept");
        let kept = kept.expect("two records");
        assert!(!kept.replaced);
        assert_eq!(folder.read("out.partial").as_deref(), Some("precious"));
        let text = fs::read_to_string(&kept.path).expect("the path is true");
        assert_eq!((text.as_str(), folder.count()), ("one\ntwo\n", 2));
    }

    #[test]
    fn nothing_is_kept_of_no_record() {
        let folder = Folder::new();
        let kept = folder.destination(false, true).keep_partial(0, 0);
        assert_eq!(kept.expect("nothing fails"), None);
        assert_eq!(folder.count(), 0);
    }

    /// Only the partial file of the scores that are replaced is out of date. Every other file of that name is precious.
    #[test]
    fn a_complete_file_removes_only_the_partial_file_that_it_replaces() {
        for force in [false, true] {
            for keep_partial in [false, true] {
                let folder = Folder::new();
                let destination = folder.destination(force, keep_partial);
                folder.write("out.partial", "precious");
                destination.finish().expect("it is renamed");
                assert_eq!(folder.read("out").as_deref(), Some("one\ntwo\n"));
                let is_left = folder.read("out.partial").is_some();
                assert_eq!(is_left, !(force && keep_partial), "{force} {keep_partial}");
            }
        }
    }

    #[test]
    fn a_run_that_goes_on_removes_the_partial_file_of_the_run_before() {
        let folder = Folder::new();
        let output = Output::new("the answer", folder.0.path().join("out"));
        let mut destination = Destination::open(&output.replace_partial(true)).expect("a file");
        destination.write_all(b"one\n").expect("room");
        folder.write("out.partial", "one\n");
        destination.finish().expect("it is renamed");
        assert_eq!((folder.read("out.partial"), folder.count()), (None, 1));
    }

    /// A run that goes on again finds a single file that is left of the runs before, and removes it.
    #[test]
    fn a_complete_file_that_cannot_have_its_name_replaces_only_the_partial_file_that_it_makes_useless()
     {
        for is_of_this_run in [true, false] {
            let folder = Folder::new();
            let output = Output::new("the scores", folder.0.path().join("out"));
            let output = output.keep_partial(true).replace_partial(is_of_this_run);
            let mut destination = Destination::open(&output).expect("a file");
            destination.write_all(b"one\ntwo\n").expect("room");
            folder.write("out.partial", "one\n");
            folder.write("out", "of another program");
            let error = destination.finish().expect_err("the name is taken");
            let kept = match is_of_this_run {
                true => "out.partial",
                false => "manyhands-",
            };
            let message = error.to_string();
            let (_, path) = message
                .split_once("the complete file is in ")
                .expect("a path");
            assert!(path.contains(kept), "{message}");
            assert_eq!(fs::read_to_string(path).expect("it is there"), "one\ntwo\n");
            let expected = match is_of_this_run {
                true => ("one\ntwo\n", 2),
                false => ("one\n", 3),
            };
            let partial = folder.read("out.partial").expect("a partial file");
            assert_eq!((partial.as_str(), folder.count()), expected);
        }
    }

    /// Opens a synced output with two lines, and replaces the function that syncs it.
    fn synced_by(folder: &Folder, sync: SyncFile) -> Destination {
        let output = Output::new("the scores", folder.0.path().join("out"));
        let mut destination = Destination::open(&output.synced(true)).expect("a file");
        destination.write_all(b"one\ntwo\n").expect("room");
        let Target::File(new) = &mut destination.target else {
            panic!("a file");
        };
        assert!(new.sync.is_some());
        new.sync = Some(sync);
        destination
    }

    fn fails(_: &File) -> io::Result<()> {
        Err(io::Error::other("the disk is broken"))
    }

    #[test]
    fn a_synced_file_is_renamed_into_place() {
        let folder = Folder::new();
        synced_by(&folder, to_disk).finish().expect("a disk");
        assert_eq!(folder.read("out").as_deref(), Some("one\ntwo\n"));
    }

    #[test]
    fn a_file_that_cannot_be_synced_is_not_kept() {
        let folder = Folder::new();
        let error = synced_by(&folder, fails).finish().expect_err("it fails");
        let reason = error.to_string();
        assert!(
            reason.contains("cannot be synced to the disk: the disk is broken"),
            "{reason}"
        );
        assert_eq!(folder.count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_whose_folder_cannot_be_synced_is_removed_again() {
        let folder = Folder::new();
        let sync: SyncFile = |file| match file.metadata()?.is_dir() {
            true => fails(file),
            false => Ok(()),
        };
        let error = synced_by(&folder, sync).finish().expect_err("it fails");
        let reason = error.to_string();
        assert!(
            reason.contains("its folder cannot be synced to the disk: the disk"),
            "{reason}"
        );
        assert!(reason.contains("was removed again"), "{reason}");
        assert_eq!(folder.count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_that_cannot_sync_folders_is_no_error() {
        let folder = Folder::new();
        let sync: SyncFile = |file| match file.metadata()?.is_dir() {
            true => Err(io::ErrorKind::InvalidInput.into()),
            false => Ok(()),
        };
        synced_by(&folder, sync)
            .finish()
            .expect("the file is synced");
        assert_eq!(folder.read("out").as_deref(), Some("one\ntwo\n"));
    }

    #[test]
    fn an_output_is_hashed_only_if_this_is_asked_for() {
        let folder = Folder::new();
        assert_eq!(folder.destination(false, false).written(), None);
        let output = Output::new("the scores", folder.0.path().join("out"));
        let mut destination = Destination::open(&output.hashed(true)).expect("a file");
        destination.write_all(b"one\n").expect("room");
        destination.write_all(b"two\n").expect("room");
        let mut hasher = FileHasher::default();
        hasher.add(b"one\ntwo\n");
        assert_eq!(destination.written(), Some(hasher.written()));
        #[cfg(feature = "parquet")]
        {
            destination.cut_to(4).expect("a file");
            assert_eq!(destination.written(), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn other_users_cannot_read_a_file_that_replaces_another_one() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = Folder::new();
        let file = new_file(folder.0.path(), "new", true).expect("a file");
        let mode = file
            .as_file()
            .metadata()
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
