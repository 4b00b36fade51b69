//! Where scores are written: a file that appears only when it is whole, or standard output.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// An open place for scores.
#[derive(Debug)]
pub(super) enum Destination {
    Stdout(io::Stdout),
    /// A pipe or a device, written to as it is.
    Special(File),
    /// A file. Until all is written it has another name, so that a run that was stopped leaves
    /// nothing behind that looks finished.
    New {
        file: NamedTempFile,
        path: PathBuf,
        /// Whether a file that has come there meanwhile may be overwritten.
        force: bool,
    },
}

/// Why a file is not written to.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub(super) struct Refused {
    path: PathBuf,
    reason: String,
}

impl Destination {
    /// Opens `path` for writing; `-` is standard output. A file that exists is refused unless
    /// `force` is given, one of the `inputs` always.
    pub(super) fn open(path: &Path, force: bool, inputs: &[PathBuf]) -> Result<Self, Refused> {
        let refuse = |reason: String| Refused {
            path: path.to_owned(),
            reason,
        };
        if path == Path::new("-") {
            return Ok(Destination::Stdout(io::stdout()));
        }
        if let Ok(existing) = fs::metadata(path) {
            if existing.is_dir() {
                return Err(refuse("is a directory; name a file in it".to_owned()));
            }
            if !existing.is_file() {
                let file = fs::OpenOptions::new().write(true).open(path);
                return file
                    .map(Destination::Special)
                    .map_err(|error| refuse(format!("cannot be written: {error}")));
            }
            let same =
                |input: &PathBuf| fs::canonicalize(input).ok() == fs::canonicalize(path).ok();
            if inputs.iter().any(same) {
                return Err(refuse(
                    "is an input; write the scores to another file".to_owned(),
                ));
            }
            if !force {
                let reason = "exists already; choose another name, or overwrite it with --force";
                return Err(refuse(reason.to_owned()));
            }
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let reason = format!("there is no folder {}; make it first", folder.display());
            return Err(refuse(reason));
        }
        let file =
            new_file(folder).map_err(|error| refuse(format!("cannot be created: {error}")))?;
        Ok(Destination::New {
            file,
            path: path.to_owned(),
            force,
        })
    }

    /// The file under the name it has until all is written.
    pub(super) fn unfinished(&self) -> Option<PathBuf> {
        match self {
            Destination::New { file, .. } => Some(file.path().to_owned()),
            Destination::Stdout(_) | Destination::Special(_) => None,
        }
    }

    /// Gives the file its name, now that it is whole and flushed.
    pub(super) fn finish(self) -> Result<(), anyhow::Error> {
        if let Destination::New { file, path, force } = self {
            let named = if force {
                file.persist(&path)
            } else {
                file.persist_noclobber(&path)
            };
            named.map_err(|error| Refused {
                reason: format!("cannot be created: {}", error.error),
                path,
            })?;
        }
        Ok(())
    }

    /// Keeps the file, which is not whole, under a name that says so, and returns that name.
    pub(super) fn finish_so_far(self) -> Result<Option<PathBuf>, anyhow::Error> {
        let Destination::New { file, path, .. } = self else {
            return Ok(None);
        };
        let mut name = path.into_os_string();
        name.push(".partial");
        let path = PathBuf::from(name);
        file.persist(&path).map_err(|error| Refused {
            reason: format!("cannot be created: {}", error.error),
            path: path.clone(),
        })?;
        Ok(Some(path))
    }

    fn out(&mut self) -> &mut dyn Write {
        match self {
            Destination::Stdout(out) => out,
            Destination::Special(file) => file,
            Destination::New { file, .. } => file,
        }
    }
}

/// A file with the permissions of any new file, not those of a secret one.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".manyhands-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
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
