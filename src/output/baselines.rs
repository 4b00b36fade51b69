//! Baselines: saved comparisons to which later comparisons are compared. Each baseline is one file in a folder.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::destination::Destination;
use super::endpoints::Endpoints;
use super::requested::{Output, refused};
use crate::error::Error;
use crate::measure::{Comparison, SCHEMA};

/// A folder of baselines, which are saved comparisons to which later comparisons are compared.
///
/// ```
/// use manyhands::output::Baselines;
///
/// let folder = tempfile::tempdir()?;
/// let baselines = Baselines::new(folder.path());
/// let error = baselines.load(&"main".parse()?).unwrap_err();
/// assert!(error.to_string().starts_with("no baseline is called \"main\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Baselines {
    folder: PathBuf,
}

/// The name of a baseline. It consists of letters, digits, `-`, `_` and `.`, and does not begin with `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineName(String);

/// The file of a baseline, after a check that it can be written.
#[derive(Debug)]
#[must_use = "nothing is saved before `save` is called"]
pub struct BaselineFile {
    path: PathBuf,
}

/// The fields that a saved comparison has in every version of the schema.
#[derive(Deserialize)]
struct Header {
    schema: u32,
}

impl Baselines {
    /// Uses this folder for the baselines. The folder need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Baselines {
            folder: folder.into(),
        }
    }

    fn path(&self, name: &BaselineName) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// Returns the names of all baselines in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let name = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let name = file.to_str()?.strip_suffix(".json")?;
            Some(name.parse::<BaselineName>().ok()?.0)
        };
        let mut names: Vec<_> = entries.filter_map(name).collect();
        names.sort();
        names
    }

    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if there is no baseline of this name, or if its file is not a comparison that this
    /// version can read.
    pub fn load(&self, name: &BaselineName) -> Result<Comparison, Error> {
        let path = self.path(name);
        let invalid = |why: String| Error::Plan(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Plan(self.missing(name)),
            _ => invalid(format!("cannot be read: {error}")),
        })?;
        let again = format!("save it again with --save-baseline {name}");
        let Ok(Header { schema }) = serde_json::from_str(&text) else {
            return Err(invalid(
                "is not a comparison; choose another name".to_owned(),
            ));
        };
        if schema != SCHEMA {
            let other = format!("has schema {schema}, but this version reads {SCHEMA}; {again}");
            return Err(invalid(other));
        }
        serde_json::from_str(&text)
            .map_err(|error| invalid(format!("is not a complete comparison: {error}; {again}")))
    }

    fn missing(&self, name: &BaselineName) -> String {
        let folder = self.folder.display();
        let known = match self.names().as_slice() {
            [] => format!("{folder} has no baselines"),
            names => format!("{folder} has {}", names.join(", ")),
        };
        format!("no baseline is called \"{name}\"; {known}; save one with --save-baseline {name}")
    }

    /// Creates the folder and checks that a baseline of this name can be saved. Call it before the measurement, which
    /// takes minutes.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the folder cannot be written, or if a file of this name exists that is not a
    /// comparison.
    pub fn prepare(&self, name: &BaselineName) -> Result<BaselineFile, Error> {
        let refused = |error| cannot_save(&self.folder, error);
        fs::create_dir_all(&self.folder).map_err(refused)?;
        let file = BaselineFile {
            path: self.path(name),
        };
        file.exists()
            .map_err(|error| cannot_save(&file.path, error))?;
        // This only tests that the file can be created. The temporary file is removed at once, since a signal during
        // the measurement would leave it behind.
        drop(file.create().map_err(refused)?);
        Ok(file)
    }
}

impl BaselineFile {
    /// Returns the path of the baseline's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the comparison to the file, and replaces an earlier baseline of this name. Returns whether there was an
    /// earlier baseline.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be written.
    pub fn save(&self, comparison: &Comparison) -> Result<bool, Error> {
        let refused = |error| cannot_save(&self.path, error);
        let replaced = self.exists().map_err(refused)?;
        let saved = self.create().and_then(|file| {
            let mut out = BufWriter::new(file);
            serde_json::to_writer(&mut out, comparison)?;
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.finish().map_err(io::Error::other)
        });
        saved.map(|()| replaced).map_err(refused)
    }

    /// Returns whether the path already holds a comparison. If it holds any other file, this is an error, since that
    /// file may be the user's data.
    fn exists(&self) -> io::Result<bool> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            text => text?,
        };
        serde_json::from_slice::<Header>(&text)
            .map(|_| true)
            .map_err(|_| {
                let reason = "the file exists and is not a comparison; choose another name";
                io::Error::new(io::ErrorKind::AlreadyExists, reason)
            })
    }

    /// Creates the file under a temporary name.
    fn create(&self) -> io::Result<Destination> {
        let output = Output::new("the baseline", &self.path).force(true);
        Endpoints::new().open(&output).map_err(io::Error::other)
    }
}

fn cannot_save(path: &Path, error: io::Error) -> Error {
    refused(path, format!("the baseline cannot be saved: {error}"))
}

impl FromStr for BaselineName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || text.starts_with('.') || !text.chars().all(is_allowed) {
            return Err("expected letters, digits, and - _ . between them".to_owned());
        }
        Ok(BaselineName(text.to_owned()))
    }
}

impl fmt::Display for BaselineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
