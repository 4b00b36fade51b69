//! Creates and opens the files of journals.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::described::{DescribedRun, EarlierRuns};
use super::disk::{JournalDisk, StoredFile, read_full, write_all};
use super::earlier::{EarlierAnswers, EarlierBytes};
use super::fault::{JournalFault, bad_line, cannot, damaged_behind, exists, in_use};
use super::format::{
    BlockPlace, MOST_LINE_BYTES, first_line, is_cut_in_first_line, parse_first_line,
};
use super::reading::JournalReader;
use super::sizes::TableSizes;
use crate::error::Error;
use crate::synced::{folder_of, sync_folder, to_disk};

/// Prefix of the temporary name that a journal has until its first line is on the disk. Other temporary files of a run have
/// the same prefix.
const PREFIX: &str = ".manyhands-";

/// Creates the journal of a run with its first line, and locks it. It gets its name when the line is on the disk, so a journal
/// whose first line is incomplete is never seen.
pub(super) fn create_file(path: &Path, salt: u64, run: &DescribedRun) -> Result<StoredFile, Error> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => cannot(path, "created", &error),
    };
    let folder = folder_of(path);
    if fs::symlink_metadata(path).is_ok() {
        return Err(exists(path));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let new = builder.tempfile_in(folder).map_err(failed)?;
    lock_file(new.as_file(), path)?;
    let disk = StoredFile::new(
        new.as_file().try_clone().map_err(failed)?,
        folder.to_owned(),
    );
    write_beginning(&disk, salt, run).map_err(failed)?;
    new.persist_noclobber(path)
        .map_err(|error| failed(error.error))?;
    sync_folder(folder, to_disk).map_err(|error| cannot(path, "synced to the disk", &error))?;
    Ok(disk)
}

/// Writes the first line, and which run the answers behind it belong to, and syncs them.
pub(super) fn write_beginning(
    disk: &dyn JournalDisk,
    salt: u64,
    run: &DescribedRun,
) -> io::Result<()> {
    let mut bytes = first_line(salt).into_bytes();
    let at = bytes.len() as u64;
    bytes.extend(run.block(BlockPlace { salt, at }));
    write_all(disk, &bytes, 0)?;
    disk.sync()
}

/// Opens an existing journal, and locks it.
pub(super) fn open_file(path: &Path) -> Result<StoredFile, Error> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Error::unreadable(path, error),
        _ => cannot(path, "opened", &error),
    };
    // Only regular files are opened, since opening a pipe might wait for another program.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::input(
            path,
            "is not a file; give the output another name",
        ));
    }
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(failed)?;
    lock_file(&file, path)?;
    if is_removed(&file) {
        let reason =
            "the run that used it has just finished and removed it; its output is complete";
        return Err(JournalFault::new(reason).error(path));
    }
    Ok(StoredFile::new(file, folder_of(path).to_owned()))
}

/// Locks the file for this run. The system releases the lock when the process ends, whatever the reason. Some file systems
/// have no locks, which is no error.
fn lock_file(file: &File, path: &Path) -> Result<(), Error> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(in_use(path)),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(cannot(path, "locked", &error)),
    }
}

/// Returns an error if a run is using the journal. If it cannot be opened, nothing is known.
pub(super) fn check_unused(path: &Path) -> Result<(), Error> {
    // Only regular files are opened, since opening a pipe might wait for another program.
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let file = is_file.then(|| File::open(path).ok()).flatten();
    match file.map(|file| file.try_lock_shared()) {
        Some(Err(TryLockError::WouldBlock)) => Err(in_use(path)),
        _ => Ok(()),
    }
}

/// Whether the file has lost its name between being opened and being locked.
#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_removed(_file: &File) -> bool {
    false
}

/// Verifies a journal, begins it anew if it ends within its first line, cuts what a power failure or a kill has left incomplete at its end, and syncs it. From then on, it says
/// that new answers belong to `run`. Returns where its blocks are, the answers in them, and what these belong to.
///
/// # Errors
///
/// Returns an error, and leaves the file as it is, if it is no journal, or if bytes that were on the disk have been
/// changed.
pub(super) fn recover(
    path: &Path,
    disk: &Arc<dyn JournalDisk>,
    run: &DescribedRun,
    sizes: TableSizes,
) -> Result<(EarlierBytes, EarlierAnswers, EarlierRuns), Error> {
    let unreadable = |error| Error::unreadable(path, error);
    let mut line = vec![0; MOST_LINE_BYTES];
    let read = read_full(&**disk, &mut line, 0).map_err(unreadable)?;
    if is_cut_in_first_line(&line[..read]) {
        // The run that has created the file has died before it had an answer, or the disk has lost it all.
        disk.truncate(0)
            .and_then(|()| write_beginning(&**disk, fastrand::u64(..), run))
            .map_err(|error| cannot(path, "begun anew", &error))?;
        return recover(path, disk, run, sizes);
    }
    let (begin, salt) = parse_first_line(&line[..read]).map_err(|bad| bad_line(path, &bad))?;
    let length = disk.length().map_err(unreadable)?;
    let mut bytes = EarlierBytes {
        salt,
        begin,
        end: begin,
    };
    let mut answers = EarlierAnswers::new(path, disk, bytes, sizes)?;
    let mut runs = EarlierRuns::new(run);
    let mut reader = JournalReader::new(&**disk, salt, begin, length);
    while let Some(block) = reader.next().map_err(unreadable)? {
        runs.add(answers.add(&block)?);
        if let Some(run) = block.run {
            runs.begin(run);
        }
    }
    bytes.end = reader.at();
    answers.end_at(bytes.end);
    if bytes.end < length {
        let claimed = reader.claimed_behind().map_err(unreadable)?;
        if claimed.is_some_and(|claimed| claimed > bytes.end) {
            return Err(damaged_behind(path, bytes.end));
        }
        disk.truncate(bytes.end)
            .map_err(|error| cannot(path, "cut", &error))?;
    }
    if runs.must_describe() {
        let at = bytes.end;
        let block = run.block(BlockPlace { salt, at });
        write_all(&**disk, &block, at).map_err(|error| cannot(path, "written", &error))?;
        bytes.end += block.len() as u64;
    }
    // An earlier process may have written blocks without syncing them. This run will say of them that they are on the disk.
    disk.sync()
        .map_err(|error| cannot(path, "synced to the disk", &error))?;
    Ok((bytes, answers, runs))
}
