//! Where scores and pages are written: a file that appears only when it is whole, or standard output.

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

/// The scores of a run that ended early.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) path: PathBuf,
    /// Of so many records from the first on.
    pub(super) records: u64,
    /// Whether there was a file of that name.
    pub(super) replaced: bool,
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
        let partial = partial(path);
        if inputs.iter().any(|input| is_same(input, &partial)) {
            let partial = partial.display();
            return Err(refuse(format!(
                "if the run were stopped, its scores would go to {partial}, which is an input"
            )));
        }
        Self::open_file(path, "the scores", force, inputs)
    }

    /// The same for a file that is written at once, when all of it is known.
    pub(super) fn open_file(
        path: &Path,
        what: &str,
        force: bool,
        inputs: &[PathBuf],
    ) -> Result<Self, Refused> {
        let refuse = |reason: String| Refused {
            path: path.to_owned(),
            reason,
        };
        if let Ok(existing) = fs::metadata(path) {
            if existing.is_dir() {
                return Err(refuse("is a directory; name a file in it".to_owned()));
            }
            if inputs.iter().any(|input| is_same(input, path)) {
                return Err(refuse(format!("is an input; write {what} to another file")));
            }
            if !existing.is_file() {
                let file = fs::OpenOptions::new().write(true).open(path);
                return file
                    .map(Destination::Special)
                    .map_err(|error| refuse(format!("cannot be written: {error}")));
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

    /// Keeps the file, which has the scores of so many records, under a name that says that it is not
    /// whole. A file without any is not kept.
    pub(super) fn finish_so_far(self, records: u64) -> Result<Option<Kept>, anyhow::Error> {
        let Destination::New { file, path, .. } = self else {
            return Ok(None);
        };
        if records == 0 {
            return Ok(None);
        }
        let path = partial(&path);
        let replaced = path.exists();
        file.persist(&path).map_err(|error| Refused {
            reason: format!("cannot be created: {}", error.error),
            path: path.clone(),
        })?;
        Ok(Some(Kept {
            path,
            records,
            replaced,
        }))
    }

    fn out(&mut self) -> &mut dyn Write {
        match self {
            Destination::Stdout(out) => out,
            Destination::Special(file) => file,
            Destination::New { file, .. } => file,
        }
    }
}

/// Where the scores go of a run that ends early.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Whether two paths, of which the first may be `-`, name one file or pipe. A device may well be both
/// read and written to, as a terminal is.
#[cfg(unix)]
fn is_same(input: &Path, output: &Path) -> bool {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

    let input = match input == Path::new("-") {
        true => Path::new("/dev/stdin"),
        false => input,
    };
    let (Ok(input), Ok(output)) = (fs::metadata(input), fs::metadata(output)) else {
        return false;
    };
    !output.file_type().is_char_device()
        && (input.dev(), input.ino()) == (output.dev(), output.ino())
}

#[cfg(not(unix))]
fn is_same(input: &Path, output: &Path) -> bool {
    let real = |path| fs::canonicalize(path).ok();
    real(output).is_some_and(|output| real(input) == Some(output))
}

/// A file with the permissions of any new file, not those of a secret one.
pub(super) fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
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
