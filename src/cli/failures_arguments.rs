//! The arguments of the file of failures.

use std::path::{Path, PathBuf};

use clap::Args;
use manyhands::Error;
use manyhands::output::{Destination, Endpoints, FailuresFile, Output};
use manyhands::plan::Opened;

use super::command_error::CommandError;
use super::output_rules::OutputRules;
use super::signals::{SignalWatch, open_destination};

/// The arguments of the file of failures.
#[derive(Debug, Args)]
pub(super) struct FailuresArguments {
    /// Write the records that cannot be scored to this file, unchanged and with the header of their table, so that they
    /// can be corrected and scored. Records of Parquet and Arrow files are written as JSON lines. The reasons are written
    /// to FILE.reasons.jsonl.
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
}

impl FailuresArguments {
    /// Whether the user has asked for a file of failures.
    pub(super) fn is_wanted(&self) -> bool {
        self.failures.is_some()
    }

    /// Returns an error if the name of the file does not fit the formats of the inputs.
    pub(super) fn check(&self, opened: &Opened) -> Result<(), CommandError> {
        let Some(path) = &self.failures else {
            return Ok(());
        };
        check_name(path)?;
        Ok(FailuresFile::check(path, &opened.inputs())?)
    }

    /// The files that exist after a complete run: that of the records, and that of the reasons.
    pub(super) fn paths(&self) -> Option<[PathBuf; 2]> {
        let path = self.failures.as_ref()?;
        Some([path.clone(), FailuresFile::reasons_of(path)])
    }

    /// Opens the files, if the user has asked for them.
    pub(super) fn open(
        &self,
        endpoints: &mut Endpoints,
        rules: OutputRules<'_>,
        watch: &SignalWatch,
    ) -> Result<Option<Result<FailuresFile, Error>>, CommandError> {
        let Some(path) = &self.failures else {
            return Ok(None);
        };
        let set = |output: Output| rules.apply(output);
        let [records, reasons] = open_both(path, set, endpoints, watch)?;
        Ok(Some(FailuresFile::new(records, reasons, path)))
    }
}

/// Returns an error if the failed records cannot be written to a file of this name.
pub(super) fn check_name(path: &Path) -> Result<(), CommandError> {
    if path == Path::new("-") {
        let reason =
            "--failures: two files are written, so it cannot be standard output; name a file";
        return Err(CommandError::Usage(reason.to_owned()));
    }
    Ok(())
}

/// Opens the file of failed records and that of their reasons. `set` sets how they are written.
pub(super) fn open_both(
    path: &Path,
    set: impl Fn(Output) -> Output,
    endpoints: &mut Endpoints,
    watch: &SignalWatch,
) -> Result<[Destination; 2], CommandError> {
    let mut open = |what, path: &Path| {
        let output = set(Output::new(what, path));
        open_destination(watch, endpoints, &output)
    };
    let records = open("the failed records", path)?;
    let reasons = open("the reasons", &FailuresFile::reasons_of(path))?;
    Ok([records, reasons])
}
