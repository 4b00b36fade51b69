//! A page on its way to its file.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::destination::Destination;
use super::endpoints::Endpoints;
use super::requested::Output;
use crate::error::Error;

/// The file of a page: opened before a run, so that a place where it cannot be written is found before
/// the work is done, and written after it.
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
    /// `None` for a pipe or a device, which is opened when the page is there: a reader of a pipe takes the
    /// first end for the last.
    destination: Option<Destination>,
}

impl PageFile {
    /// Opens the file of a page.
    ///
    /// # Errors
    ///
    /// As [`Endpoints::open`].
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

    /// The file under the name that it has until it is whole.
    pub fn unfinished(&self) -> Option<PathBuf> {
        self.destination.as_ref().and_then(Destination::unfinished)
    }

    /// Writes the page, and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`Error::Destination`] if it cannot be written, or cannot have its name.
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
                // Its reader has had enough.
                io::ErrorKind::BrokenPipe => Error::Output(error),
                _ => output.refused(format!("cannot be written: {error}")),
            })?;
        destination.finish()
    }
}
