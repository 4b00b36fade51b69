//! The files in which a system describes itself: the files of this machine, or made-up files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A folder that holds `proc` and `sys`.
#[derive(Debug)]
pub(super) struct Tree {
    /// `None` on systems without such files.
    root: Option<PathBuf>,
}

impl Tree {
    pub(super) fn of_this_machine() -> Self {
        let linux = cfg!(any(target_os = "linux", target_os = "android"));
        Tree {
            root: linux.then(|| PathBuf::from("/")),
        }
    }

    #[cfg(test)]
    pub(super) fn below(root: &Path) -> Self {
        Tree {
            root: Some(root.to_owned()),
        }
    }

    /// The text of a file; `None` if it cannot be read, for any reason.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.as_ref()?.join(path)).ok()
    }

    /// The text of a file that contains one word.
    pub(super) fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = self.read(path)?;
        let word = text.trim();
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The first result that `find` returns for a line of a file. The rest of the file is not read.
    pub(super) fn first_line_with<T>(
        &self,
        path: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let file = File::open(self.root.as_ref()?.join(path)).ok()?;
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines.into_iter().find_map(|line| find(&line))
    }

    /// The names in a folder; none if it cannot be read.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let folder = self.root.as_ref().map(|root| root.join(path));
        let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
        let names = entries.into_iter().flatten().map_while(Result::ok);
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    pub(super) fn is_folder(&self, path: &Path) -> bool {
        let root = self.root.as_ref();
        root.is_some_and(|root| root.join(path).is_dir())
    }
}
