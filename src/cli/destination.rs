//! Where scores are written: a file that appears only when it is whole, or standard output.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// An open place for scores.
#[derive(Debug)]
pub(super) enum Destination {
    Stdout,
    /// A pipe or a device, written to as it is.
    Special(File),
    /// A file. Until all is written it has another name, so that a run that was stopped leaves
    /// nothing behind that looks finished.
    New(NamedTempFile, PathBuf),
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
            return Ok(Destination::Stdout);
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
            .filter(|folder| !folder.as_os_str().is_empty());
        new_file(folder.unwrap_or(Path::new(".")))
            .map(|file| Destination::New(file, path.to_owned()))
            .map_err(|error| refuse(format!("cannot be created: {error}")))
    }

    /// Gives the file its name, now that it is whole.
    pub(super) fn finish(self) -> Result<(), anyhow::Error> {
        match self {
            Destination::Stdout => io::stdout().flush()?,
            Destination::Special(mut file) => file.flush()?,
            Destination::New(file, path) => {
                file.persist(&path).map_err(|error| Refused {
                    reason: format!("cannot be created: {}", error.error),
                    path,
                })?;
            }
        }
        Ok(())
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
        match self {
            Destination::Stdout => io::stdout().write(bytes),
            Destination::Special(file) => file.write(bytes),
            Destination::New(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Destination::Stdout => io::stdout().flush(),
            Destination::Special(file) => file.flush(),
            Destination::New(file, _) => file.flush(),
        }
    }
}
