//! The file that a page is written to.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::destination::Destination;
use super::endpoints::Endpoints;
use super::requested::Output;
use crate::error::Error;

/// The file of a page. It is opened before a run and written after it, so that a path that cannot be written
/// is reported before the work is done.
///
/// ```
/// use manyhands::output::{Endpoints, Output, PageFile};
/// use manyhands::page;
/// use manyhands::plan::{Plan, RunOptions};
///
/// let folder = tempfile::tempdir()?;
/// let output = Output::new("the page", folder.path().join("report.html"));
/// let file = PageFile::open(&mut Endpoints::new(), &output)?;
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let answer = plan.open()?.run(RunOptions::default())?;
/// file.write(&page::of_answer(&plan, &answer))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PageFile {
    output: Output,
    /// `None` for a pipe or a device, which is opened once the page is ready: the reader of a pipe stops at
    /// the first end.
    destination: Option<Destination>,
}

impl PageFile {
    /// Opens the file of a page.
    ///
    /// # Errors
    ///
    /// Same as [`Endpoints::open`].
    pub fn open(endpoints: &mut Endpoints, output: &Output) -> Result<Self, Error> {
        endpoints.output(output)?;
        let existing = std::fs::metadata(&output.path);
        let destination = match existing {
            Ok(existing) if !existing.is_file() => None,
            _ => Some(Destination::open(output)?),
        };
        Ok(PageFile {
            output: output.clone(),
            destination,
        })
    }

    /// The path of the file until it is complete.
    pub fn unfinished(&self) -> Option<PathBuf> {
        self.destination.as_ref().and_then(Destination::unfinished)
    }

    /// Writes the page, and renames the file into place.
    ///
    /// # Errors
    ///
    /// [`Error::Destination`] if the file cannot be written or renamed.
    pub fn write(self, page: &str) -> Result<(), Error> {
        let PageFile {
            output,
            destination,
        } = self;
        let mut destination = match destination {
            Some(destination) => destination,
            None => Destination::open(&output)?,
        };
        destination
            .write_all(page.as_bytes())
            .and_then(|()| destination.flush())
            .map_err(|error| match error.kind() {
                // The reader has closed the pipe.
                io::ErrorKind::BrokenPipe => Error::Output(error),
                _ => output.refused(format!("cannot be written: {error}")),
            })?;
        destination.finish()
    }
}
