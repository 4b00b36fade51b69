//! The command line: a thin shell over the library's public interface.

mod baselines;
mod bench;
mod destination;
mod failures;
mod gate;
mod generate;
mod matching;
mod page;
mod progress;
mod score;
mod scores;
mod scoring;
mod signals;
mod text;
mod worker;

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{Parser, Subcommand, ValueEnum};
use manyhands::Error;

use text::{ERROR, paint, plain};

/// What the command comes back with.
mod exit {
    pub(super) const SOME_FAILED: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const BAD_INPUT: u8 = 3;
    pub(super) const HALTED: u8 = 4;
    pub(super) const NOT_WRITTEN: u8 = 5;
    /// Executors gave different answers.
    pub(super) const DISAGREE: u8 = 6;
    /// Slower than the baseline allows.
    pub(super) const SLOWER: u8 = 7;
    /// As `timeout` has it.
    pub(super) const OUT_OF_TIME: u8 = 124;
}

/// Scores every record of a large dataset on every core, and gives the same answer every time.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, global = true,
        display_order = LAST)]
    color: Colour,

    /// No progress and no notes on standard error; errors are still told.
    #[arg(long, short, global = true, display_order = LAST)]
    quiet: bool,
}

/// Where the options of every command stand in its help: behind its own.
const LAST: usize = 100;

const AFTER_HELP: &str = "\
Exit codes: 0 all records scored, 1 some failed, 2 wrong usage, 3 bad input, \
4 halted by failures, 5 output could not be written, \
6 executors gave different answers, 7 slower than the baseline allows, \
124 out of time, 129, 130 and 143 stopped by the signals HUP, INT and TERM.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Score every record of one or more files, and report.
    Score(Box<score::Score>),
    /// Write made-up reviews to standard output, the same ones for the same seed.
    Generate(generate::Generate),
    /// Measure how well scoring scales on this machine, and tell why not better.
    Bench(Box<bench::Bench>),
    /// Score what the process that has started this one sends.
    #[command(hide = true)]
    Worker,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

impl Arguments {
    /// Sets when to use colour, for everything written from now on.
    pub fn choose_colour(&self) {
        match self.color {
            Colour::Auto => {}
            Colour::Always => ColorChoice::Always.write_global(),
            Colour::Never => ColorChoice::Never.write_global(),
        }
    }

    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, anyhow::Error> {
        match self.command {
            Command::Score(score) => score.run(self.quiet),
            Command::Generate(generate) => generate.run(self.quiet),
            Command::Bench(bench) => bench.run(self.quiet),
            Command::Worker => worker::run(),
        }
    }
}

/// A number of something of which there is one at least.
fn from_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a whole number from 1".to_owned()),
    }
}

/// A wrong use of the command line that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// A line on standard error. Not `eprintln!`, which panics where standard error is full or has been
/// closed: then there is nobody left to tell, but the exit code still says how it went.
fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Tells an error, and returns the exit code for it.
pub fn tell(error: &anyhow::Error) -> ExitCode {
    let Some(code) = code_of(error) else {
        return ExitCode::SUCCESS;
    };
    // The library's errors tell their cause themselves.
    let message = if error.is::<io::Error>() {
        plain(format_args!("{error:#}"))
    } else {
        plain(error)
    };
    note(format_args!("{} {message}", paint(ERROR, "error:")));
    ExitCode::from(code)
}

/// The exit code of an error; none where the reader of the output has gone away, which ends the
/// command quietly.
fn code_of(error: &anyhow::Error) -> Option<u8> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return (!gone(error)).then_some(exit::NOT_WRITTEN);
    }
    if error.is::<destination::Refused>() {
        return Some(exit::NOT_WRITTEN);
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Output(error)) if gone(error) => None,
        Some(Error::Output(_)) => Some(exit::NOT_WRITTEN),
        Some(Error::Input { .. } | Error::Record { .. }) => Some(exit::BAD_INPUT),
        _ => Some(exit::USAGE),
    }
}
