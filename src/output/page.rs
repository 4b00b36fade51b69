//! The file that a page is written to.

use std::io::Write as _;
use std::path::PathBuf;

use super::destination::Destination;
use super::endpoints::Endpoints;
use super::requested::Output;
use crate::error::Error;

/// The file of a page. It is opened before a run and written after the run, so that a path that cannot be written is
/// reported before any record is scored.
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
/// file.write(&page::of_answer(&answer))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PageFile {
    output: Output,
    /// The opened file. It is `None` for a pipe or a device, which is opened only when the page is complete, because
    /// the reader of a pipe stops as soon as a writer closes the pipe.
    destination: Option<Destination>,
}

impl PageFile {
    /// Opens the file of a page.
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`Endpoints::open`].
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

    /// Returns the temporary path that the file has until it is complete, or `None` if the page is written to a pipe
    /// or a device.
    pub fn unfinished(&self) -> Option<PathBuf> {
        self.destination.as_ref().and_then(Destination::unfinished)
    }

    /// Writes the page, and renames the file into place.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if the file cannot be written, and [`Error::Destination`] if it cannot be renamed.
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
            .map_err(Error::Output)?;
        destination.finish()
    }
}
