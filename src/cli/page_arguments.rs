//! The arguments of the HTML page.

use std::path::{Path, PathBuf};

use clap::Args;
use manyhands::output::{Endpoints, Output, PageFile};

use super::command_error::CommandError;

/// The arguments of the HTML page.
#[derive(Debug, Args)]
pub(super) struct PageArguments {
    /// Write the report to this file, as an HTML page with plots that uses no network and no scripts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl PageArguments {
    /// The path of the page.
    pub(super) fn path(&self) -> Option<&Path> {
        self.html.as_deref()
    }

    /// Whether the user has asked for a page.
    pub(super) fn is_wanted(&self) -> bool {
        self.html.is_some()
    }

    /// Opens the file of the page before the run, if the user has asked for a page.
    pub(super) fn open(
        &self,
        endpoints: &mut Endpoints,
        force: bool,
    ) -> Result<Option<PageFile>, CommandError> {
        self.open_set(endpoints, |output| output.force(force))
    }

    /// Does the same. `set` determines how the file is written.
    pub(super) fn open_set(
        &self,
        endpoints: &mut Endpoints,
        set: impl FnOnce(Output) -> Output,
    ) -> Result<Option<PageFile>, CommandError> {
        let Some(file) = &self.html else {
            return Ok(None);
        };
        if file == Path::new("-") {
            let reason = "--html: the page cannot be written to standard output; name a file, such as --html report.html";
            return Err(CommandError::Usage(reason.to_owned()));
        }
        let output = set(Output::new("the page", file));
        Ok(Some(PageFile::open(endpoints, &output)?))
    }
}
