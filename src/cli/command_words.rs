//! The words of the command line, as reports show them.

use std::path::{Path, PathBuf};

#[cfg(feature = "http")]
use manyhands::plan::arguments::without_secrets;

/// Returns the arguments with which the program was started. The first one is the name of the program.
/// Secrets are left out.
pub(super) fn arguments() -> Vec<String> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(PathBuf::from);
    let name = program.as_deref().and_then(Path::file_name);
    let all = name.map(ToOwned::to_owned).into_iter().chain(arguments);
    let words = all
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    #[cfg(feature = "http")]
    return without_secrets(words);
    #[cfg(not(feature = "http"))]
    words
}
