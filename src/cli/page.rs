//! The report as a page, in a file.

use std::path::{Path, PathBuf};

use clap::Args;
use manyhands::output::{Endpoints, Output, PageFile};

use super::fault::Fault;

/// Where the page goes.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// Write the report as a page to this file: HTML with its plots, without anything from elsewhere.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Page {
    /// Opens the file of the page before anything long is run, if there is to be one.
    pub(super) fn open(
        &self,
        endpoints: &mut Endpoints,
        force: bool,
    ) -> Result<Option<PageFile>, Fault> {
        let Some(file) = &self.html else {
            return Ok(None);
        };
        if file == Path::new("-") {
            let reason = "the page goes to a file: --html report.html";
            return Err(Fault::Usage(reason.to_owned()));
        }
        let output = Output::new("the page", file).force(force);
        Ok(Some(PageFile::open(endpoints, &output)?))
    }
}
