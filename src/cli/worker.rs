//! `manyhands worker`: a worker process of the executor `process-pool`, started by none but it.

use manyhands::exit::Exit;

use super::fault::Fault;

/// Answers to whoever started it, until standard input ends.
pub(super) fn run() -> Result<Exit, Fault> {
    manyhands::plan::serve().map_err(|error| Fault::Usage(error.to_string()))?;
    Ok(Exit::Success)
}
