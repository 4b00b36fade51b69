//! The `manyhands` command: parse, dispatch, exit code.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    arguments.choose_colour();
    let exit = arguments.run().unwrap_or_else(|fault| cli::tell(&fault));
    exit.into()
}
