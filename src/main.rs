//! The `manyhands` command: parses the arguments, runs the command, and returns its exit code.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // This process may be the guard of a program that scores records. Guards are started often, so this comes first.
    #[cfg(unix)]
    if let Some(exit) = manyhands::remote::guard() {
        return exit;
    }
    let arguments = cli::Arguments::parse();
    arguments.choose_color();
    let exit = arguments
        .run()
        .unwrap_or_else(|error| cli::print_error(&error));
    exit.into()
}
