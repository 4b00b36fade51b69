//! Where comparisons are kept that later ones are held against: one file each in a folder.

use std::fs;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::str::FromStr;

use manyhands::measure::{Comparison, SCHEMA};
use manyhands::output::{Destination, Endpoints, Output};
use serde::Deserialize;

use super::fault::Fault;

/// The folder of the baselines.
#[derive(Clone, Debug)]
pub(super) struct Baselines(pub(super) PathBuf);

/// What a baseline is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

/// A place for a baseline, which is there only when it is whole.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
}

/// What every comparison in a file has, of whatever schema.
#[derive(Deserialize)]
struct Kept {
    schema: u32,
}

/// A share, such as `5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share(pub(super) f64);

impl Baselines {
    fn path(&self, name: &Name) -> PathBuf {
        self.0.join(format!("{}.json", name.0))
    }

    /// The names there are, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let name = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let name = file.to_str()?.strip_suffix(".json")?;
            Some(name.parse::<Name>().ok()?.0)
        };
        let mut names: Vec<_> = entries.filter_map(name).collect();
        names.sort();
        names
    }

    /// Reads a baseline.
    pub(super) fn load(&self, name: &Name) -> Result<Comparison, Fault> {
        let path = self.path(name);
        let refused = |why: String| Fault::Usage(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::Usage(self.missing(name)),
            _ => refused(format!("cannot be read: {error}")),
        })?;
        let again = format!("save it again with --save-baseline {}", name.0);
        let Ok(Kept { schema }) = serde_json::from_str(&text) else {
            let reason = "is not a comparison; choose another name";
            return Err(refused(reason.to_owned()));
        };
        if schema != SCHEMA {
            let other = format!("has schema {schema}, and this version reads {SCHEMA}; {again}");
            return Err(refused(other));
        }
        serde_json::from_str(&text)
            .map_err(|error| refused(format!("is not a whole comparison: {error}; {again}")))
    }

    fn missing(&self, name: &Name) -> String {
        let folder = self.0.display();
        let there = match self.names().as_slice() {
            [] => format!("there is none in {folder}"),
            names => format!("in {folder} there is {}", names.join(", ")),
        };
        format!(
            "no baseline is called \"{name}\"; {there}; save one with --save-baseline {name}",
            name = name.0
        )
    }

    /// Finds out whether a baseline could be saved, before minutes are spent on measuring.
    pub(super) fn place(&self, name: &Name) -> Result<Place, Fault> {
        let place = Place {
            path: self.path(name),
        };
        let refused = || Fault::write(format!("cannot save the baseline in {}", self.0.display()));
        fs::create_dir_all(&self.0).map_err(refused())?;
        place.look().map_err(place.refused())?;
        // Closed again: a command that is ended by a signal would leave it behind.
        drop(place.create().map_err(refused())?);
        Ok(place)
    }
}

impl Place {
    /// Writes the comparison there, over the one that has the name already, and says where.
    pub(super) fn save(self, comparison: &Comparison) -> Result<String, Fault> {
        let replaced = self.look().map_err(self.refused())?;
        let saved = self.create().and_then(|file| {
            let mut out = BufWriter::new(file);
            serde_json::to_writer(&mut out, comparison)?;
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.finish().map_err(io::Error::other)
        });
        saved.map_err(self.refused())?;
        let instead = if replaced {
            ", in place of the one before"
        } else {
            ""
        };
        Ok(format!(
            "saved as baseline {}{instead}",
            self.path.display()
        ))
    }

    /// Whether there is a comparison already; an error where there is anything else, such as the
    /// records of somebody who keeps baselines beside them.
    fn look(&self) -> io::Result<bool> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            text => text?,
        };
        serde_json::from_slice::<Kept>(&text)
            .map(|_| true)
            .map_err(|_| {
                let reason = "it is there already and is not a comparison; choose another name";
                io::Error::new(io::ErrorKind::AlreadyExists, reason)
            })
    }

    /// The file under its temporary name.
    fn create(&self) -> io::Result<Destination> {
        let output = Output::new("the baseline", &self.path).force(true);
        Endpoints::new().open(&output).map_err(io::Error::other)
    }

    fn refused(&self) -> impl FnOnce(io::Error) -> Fault + use<> {
        Fault::write(format!("cannot save the baseline {}", self.path.display()))
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || text.starts_with('.') || !text.chars().all(good) {
            return Err("expected letters, digits, and - _ . between them".to_owned());
        }
        Ok(Name(text.to_owned()))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Share {
    type Err = String;

    /// A bare number is refused: nobody can tell whether 5 means 5 % or five times as slow.
    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text
            .strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=10_000.0).contains(&percent) => Ok(Share(percent / 100.0)),
            _ => Err("expected a share such as 5% or 2.5%".to_owned()),
        }
    }
}
