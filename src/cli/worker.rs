//! `manyhands worker`: a worker process. Only the executor `process-pool` starts it.

use manyhands::exit::Exit;

use super::command_error::CommandError;

/// Scores the records that the parent process sends on standard input, until standard input ends.
pub(super) fn run() -> Result<Exit, CommandError> {
    manyhands::plan::serve().map_err(|error| CommandError::Usage(error.to_string()))?;
    Ok(Exit::Success)
}
