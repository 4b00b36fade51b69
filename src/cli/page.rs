//! The report as a page, in a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::Usage;
use super::destination::Destination;

/// Where the page goes.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// Write the report as a page to this file: HTML with its plots, without anything from elsewhere.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Page {
    /// Refuses, before anything long is run, a file that could not be written afterwards.
    pub(super) fn check(
        &self,
        force: bool,
        inputs: &[PathBuf],
        scores: Option<&Path>,
    ) -> Result<(), anyhow::Error> {
        let Some(file) = &self.html else {
            return Ok(());
        };
        if file == Path::new("-") {
            let reason = "the page goes to a file: --html report.html";
            return Err(Usage(reason.to_owned()).into());
        }
        if scores == Some(file) {
            let reason = "--scores and --html name the same file";
            return Err(Usage(reason.to_owned()).into());
        }
        // A pipe is opened once: who reads it takes the first end for the last.
        let special = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
        if !std::fs::metadata(file).is_ok_and(special) {
            Destination::open_file(file, "the page", force, inputs)?;
        }
        Ok(())
    }

    /// Writes the page, if there is to be one. The file has its name only when it is whole.
    pub(super) fn write(
        &self,
        force: bool,
        inputs: &[PathBuf],
        page: impl FnOnce() -> String,
    ) -> Result<(), anyhow::Error> {
        let Some(file) = &self.html else {
            return Ok(());
        };
        let mut destination = Destination::open_file(file, "the page", force, inputs)?;
        destination
            .write_all(page().as_bytes())
            .and_then(|()| destination.flush())
            .with_context(|| format!("cannot write {}", file.display()))?;
        destination.finish()
    }
}
