//! The inputs and outputs of one command. They are compared as files and not as paths.

use std::fs;
use std::io;
use std::path::Path;

use super::destination::Destination;
use super::identity::{Identity, folder_of, target_of};
use super::requested::{Output, partial_of, refused};
use crate::error::Error;

/// The path that means standard input if it is an input, and standard output if it is an output.
const STANDARD: &str = "-";

/// The inputs and outputs of one command. An output that is the same file as an input or as another output is an
/// error, even if the paths differ, for example because of links, `..` or `/dev/stdin`.
///
/// ```
/// use manyhands::output::{Endpoints, Output};
///
/// let folder = tempfile::tempdir()?;
/// let path = |name: &str| folder.path().join(name);
/// let mut endpoints = Endpoints::new();
/// endpoints.input("data/reviews.jsonl");
/// endpoints.output(&Output::new("the scores", path("out.jsonl")).keep_partial(true))?;
/// let same = endpoints.output(&Output::new("the page", path("./out.jsonl")));
/// assert!(same.unwrap_err().to_string().ends_with("is also named for the scores; write the page to another file"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Endpoints {
    inputs: Vec<Identity>,
    outputs: Vec<(Identity, String)>,
}

impl Endpoints {
    /// Creates a collection without inputs and outputs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input. The path `-` means standard input. A file that does not exist is ignored.
    pub fn input(&mut self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        self.inputs.push(match path == Path::new(STANDARD) {
            true => Identity::of_standard_input(),
            false => Identity::of_path(path),
        });
    }

    /// Adds standard output as the output to which `what` is written.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if standard output is also an input or another output, for example if the shell
    /// redirects it with `>> input`.
    pub fn standard_output(&mut self, what: &str) -> Result<(), Error> {
        let output = Output::new(what, "standard output");
        self.add(&output, Identity::of_standard_output())
    }

    /// Adds an output, without opening it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the output is also an input or another output, or if it cannot be written
    /// because the folder does not exist, the path is a folder or a dangling link, the name is too long, or the file
    /// exists and must not be replaced. The same checks apply to the path of the partial file that a run keeps if it
    /// ends early.
    pub fn output(&mut self, output: &Output) -> Result<(), Error> {
        if output.path == Path::new(STANDARD) {
            return self.standard_output(&output.what);
        }
        check_name(output)?;
        self.add(output, Identity::of_path(&output.path))?;
        if output.keeps_partial && is_file_or_new(&output.path) {
            self.add_partial(output)?;
        }
        check_existing(output)
    }

    /// Adds an output and opens it.
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`output`](Endpoints::output), and if the output cannot be opened.
    pub fn open(&mut self, output: &Output) -> Result<Destination, Error> {
        self.output(output)?;
        Destination::open(output)
    }

    fn add(&mut self, output: &Output, identity: Identity) -> Result<(), Error> {
        let what = &output.what;
        if self.inputs.iter().any(|input| input.is(&identity)) {
            let reason = format!("is an input; write {what} to another file");
            return Err(output.refused(reason));
        }
        if let Some((_, other)) = self.outputs.iter().find(|(other, _)| other.is(&identity)) {
            let reason = format!("is also named for {other}; write {what} to another file");
            return Err(output.refused(reason));
        }
        self.outputs.push((identity, what.clone()));
        Ok(())
    }

    fn add_partial(&mut self, output: &Output) -> Result<(), Error> {
        let partial = partial_of(&target_of(&output.path));
        let identity = Identity::of_path(&partial);
        let why = format!(
            "if the run ended early, its scores would go to {}, which",
            partial.display()
        );
        if self.inputs.iter().any(|input| input.is(&identity)) {
            return Err(output.refused(format!("{why} is an input")));
        }
        if let Some((_, other)) = self.outputs.iter().find(|(other, _)| other.is(&identity)) {
            return Err(output.refused(format!("{why} is also named for {other}")));
        }
        match fs::symlink_metadata(&partial) {
            Ok(existing) if existing.is_dir() => {
                return Err(output.refused(format!("{why} is a directory; name another file")));
            }
            Ok(_) if !output.force => {
                let reason = "is left from a run that ended early; move it away, or overwrite it \
                              with --force";
                return Err(refused(&partial, reason));
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                let reason = format!("{why} is too long a name; choose a shorter one");
                return Err(output.refused(reason));
            }
            _ => {}
        }
        self.outputs
            .push((identity, "the scores of an early end".to_owned()));
        Ok(())
    }
}

/// Returns whether a path is a regular file or does not exist. For a pipe or a device it returns false, since what
/// was written there cannot be kept as a partial file.
fn is_file_or_new(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |existing| existing.is_file())
}

/// Returns an error if no file can be created at the path.
fn check_name(output: &Output) -> Result<(), Error> {
    let folder = folder_of(&output.path);
    if !folder.is_dir() {
        let reason = format!(
            "the folder {} does not exist; create it first",
            folder.display()
        );
        return Err(output.refused(reason));
    }
    let name = output.path.as_os_str().as_encoded_bytes();
    if name.is_empty() || name.ends_with(b"/") {
        return Err(output.refused("is not the name of a file; add a file name"));
    }
    match fs::symlink_metadata(&output.path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
            Err(output.refused("the name is too long; choose a shorter one"))
        }
        Ok(link) if link.is_symlink() && fs::metadata(&output.path).is_err() => {
            let target = fs::read_link(&output.path).unwrap_or_default();
            let reason = format!(
                "is a symbolic link to {}, which does not exist; create that file first, or name \
                 another one",
                target.display()
            );
            Err(output.refused(reason))
        }
        _ => Ok(()),
    }
}

/// Returns an error if the path is a folder, or an existing file that must not be replaced.
fn check_existing(output: &Output) -> Result<(), Error> {
    match fs::metadata(&output.path) {
        Ok(existing) if existing.is_dir() => {
            Err(output.refused("is a directory; name a file in it"))
        }
        Ok(existing) if existing.is_file() && !output.force => {
            let reason = "already exists; choose another name, or overwrite it with --force";
            Err(output.refused(reason))
        }
        _ => Ok(()),
    }
}
