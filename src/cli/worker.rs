//! `manyhands worker`: a worker process of the executor `process-pool`, started by none but it.

use std::process::ExitCode;

use super::Usage;

/// Answers to whoever started it, until standard input ends.
pub(super) fn run() -> Result<ExitCode, anyhow::Error> {
    manyhands::plan::serve().map_err(|error| Usage(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}
