//! Temporary files that killed runs have left behind.

use std::fs::{self, DirEntry, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use twox_hash::XxHash3_64;

use super::identity::target_of;
use crate::synced::folder_of;

/// Prefix of the temporary name that a file has until it is complete.
pub(super) const PREFIX: &str = ".manyhands-";

/// A file that a killed run has left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leftover {
    /// The path of the file.
    pub path: PathBuf,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The time of the last write, if the system reports it.
    pub written: Option<SystemTime>,
}

/// Returns the files that killed runs have left behind in the folder of the file `path`, sorted by name. Each file
/// holds what its run had written before it was killed, and the last line may be incomplete.
///
/// A run locks its temporary files, and the system releases the locks when the process ends, whatever the reason. So
/// a file that is not locked belongs to no running process.
///
/// ```
/// use manyhands::output::leftovers;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join(".manyhands-3x9a0k"), "{\"record\":1}\n")?;
/// let found = leftovers(&folder.path().join("out.jsonl"));
/// assert_eq!(found[0].bytes, 13);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn leftovers(path: &Path) -> Vec<Leftover> {
    let named = temporary_files(folder_of(path), PREFIX);
    let mut found: Vec<_> = named
        .filter_map(|entry| of(path.with_file_name(entry.file_name())))
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Removes the files that killed runs have left behind of an output at the path `path`, and that no process holds. This is for
/// a run that has everything that is in them.
///
/// Where the file system has no locks, nothing is removed, because another run may be writing these files.
pub fn remove_leftovers_of(path: &Path) {
    let path = target_of(path);
    for entry in temporary_files(folder_of(&path), &prefix_for(&path)) {
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let left = path.with_file_name(entry.file_name());
        // The lock is held until the file has no name any more.
        if let Ok(file) = File::open(&left)
            && file.try_lock_shared().is_ok()
        {
            let _ = fs::remove_file(&left);
        }
    }
}

/// What is in a folder under names that begin with `begin`. A folder that cannot be read counts as empty.
fn temporary_files(folder: &Path, begin: &str) -> impl Iterator<Item = DirEntry> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(move |entry| {
        let name = entry.file_name();
        name.as_encoded_bytes().starts_with(begin.as_bytes())
    })
}

/// The beginning of the temporary names of files that will have the same name as the file `path`.
pub(super) fn prefix_for(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let hash = XxHash3_64::oneshot(name.as_encoded_bytes());
    format!("{PREFIX}{hash:016x}-")
}

/// Whether a running process writes another file in the folder of the temporary file `own` whose temporary name has the
/// same beginning.
pub(super) fn is_written_elsewhere(own: &Path, begin: &str) -> bool {
    let mut others = temporary_files(folder_of(own), begin)
        .filter(|entry| Some(&*entry.file_name()) != own.file_name());
    others.any(|other| {
        let file = File::open(own.with_file_name(other.file_name()));
        let lock = file.map(|file| file.try_lock_shared());
        matches!(lock, Ok(Err(TryLockError::WouldBlock)))
    })
}

fn of(path: PathBuf) -> Option<Leftover> {
    // Only regular files are opened, since opening a pipe would wait for its writer.
    let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
    let file = is_file.then(|| File::open(&path).ok()).flatten()?;
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        return None;
    }
    let metadata = file.metadata().ok()?;
    Some(Leftover {
        path,
        bytes: metadata.len(),
        written: metadata.modified().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_same_output_that_no_process_holds_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.jsonl");
        let of = |path: &Path, end: &str| {
            let name = prefix_for(path) + end;
            let new = File::create_new(folder.path().join(&name)).expect("a new file");
            (name, new)
        };
        let (_, left) = of(&path, "left");
        drop(left);
        let (held, file) = of(&path, "held");
        file.lock().expect("it is free");
        let (other, _) = of(Path::new("other.jsonl"), "left");
        remove_leftovers_of(&path);
        let names = fs::read_dir(folder.path()).expect("a folder").flatten();
        let names = names.map(|entry| entry.file_name().into_string());
        let mut names: Vec<_> = names.map(|name| name.expect("a text")).collect();
        names.sort();
        let mut expected = [held, other];
        expected.sort();
        assert_eq!(names, expected);
    }
}
