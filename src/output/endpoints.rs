//! The inputs and outputs of one command. They are compared as files and not as paths.

use std::fs;
use std::io;
use std::path::Path;

use super::destination::Destination;
use super::identity::{Identity, target_of};
use super::requested::{Output, STANDARD, partial_of, refused};
use crate::error::Error;
use crate::synced::folder_of;

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
            Ok(_) if !output.force && !output.replaces_partial => {
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    /// A folder, and a function that returns a path in it.
    fn folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        (folder, move |name: &str| path.join(name))
    }

    fn scores(path: &Path) -> Output {
        Output::new("the scores", path).keep_partial(true)
    }

    fn reason(added: Result<(), Error>) -> String {
        match added {
            Err(Error::Destination { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_partial_file_that_is_an_input_or_another_output_is_refused() {
        let (_folder, path) = folder();
        let why = format!(
            "if the run ended early, its scores would go to {}, which is ",
            path("out.partial").display()
        );
        let mut endpoints = Endpoints::new();
        endpoints.input(path("out.partial"));
        let refused = reason(endpoints.output(&scores(&path("out"))));
        assert_eq!(refused, format!("{why}an input"));
        let mut endpoints = Endpoints::new();
        let page = Output::new("the page", path("out.partial"));
        endpoints.output(&page).expect("a new file");
        let refused = reason(endpoints.output(&scores(&path("out")).force(true)));
        assert_eq!(refused, format!("{why}also named for the page"));
    }

    #[test]
    fn a_partial_file_is_replaced_only_by_force_and_a_folder_never() {
        let (_folder, path) = folder();
        fs::write(path("out.partial"), "precious").expect("a file");
        let error = Endpoints::new().output(&scores(&path("out")));
        let Err(Error::Destination {
            path: named,
            reason: told,
        }) = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(named, path("out.partial"));
        assert!(
            told.starts_with("is left from a run that ended early; "),
            "{told}"
        );
        let forced = scores(&path("out")).force(true);
        Endpoints::new()
            .output(&forced)
            .expect("it may be replaced");
        fs::create_dir(path("other.partial")).expect("a folder");
        for force in [false, true] {
            let output = scores(&path("other")).force(force);
            let refused = reason(Endpoints::new().output(&output));
            assert!(
                refused.ends_with("which is a directory; name another file"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_name_that_is_too_long_only_for_a_partial_file_is_refused() {
        let (_folder, path) = folder();
        for force in [false, true] {
            let output = scores(&path(&"n".repeat(250))).force(force);
            let refused = reason(Endpoints::new().output(&output));
            assert!(
                refused.ends_with("which is too long a name; choose a shorter one"),
                "{refused}"
            );
        }
    }

    /// What was written to a pipe or a device cannot be kept, so there is no partial file that could be in the way.
    #[test]
    fn a_pipe_or_a_device_has_no_partial_file() {
        let (_folder, path) = folder();
        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.expect("there is mkfifo").success());
        symlink("/dev/null", path("device")).expect("a link");
        for name in ["pipe", "device"] {
            let partial = path(&format!("{name}.partial"));
            fs::write(&partial, "another file").expect("a file");
            let mut endpoints = Endpoints::new();
            endpoints.input(&partial);
            endpoints.output(&scores(&path(name))).expect(name);
            assert_eq!(endpoints.outputs.len(), 1);
        }
    }

    #[test]
    fn the_partial_file_of_a_link_is_beside_its_target() {
        let (_folder, path) = folder();
        fs::create_dir(path("sub")).expect("a folder");
        fs::write(path("sub/target"), "old").expect("a file");
        symlink("sub/target", path("link")).expect("a link");
        let mut endpoints = Endpoints::new();
        let output = scores(&path("link")).force(true);
        endpoints.output(&output).expect("it may be replaced");
        let page = Output::new("the page", path("sub/target.partial"));
        let refused = reason(endpoints.output(&page));
        assert_eq!(
            refused,
            "is also named for the scores of an early end; write the page to another file"
        );
        let page = Output::new("the page", path("link.partial"));
        endpoints.output(&page).expect("this is another file");
    }
}
