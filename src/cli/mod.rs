//! The command line, which uses only the library's public interface.

mod bench;
mod command_error;
mod command_words;
mod endings;
mod failures;
mod failures_arguments;
mod gate;
mod generate;
mod merge;
mod on_failure;
mod output_rules;
mod page_arguments;
mod progress;
mod score;
mod scoring_arguments;
mod shard_arguments;
mod signals;
mod text;
mod worker;

use std::fmt;
use std::io::Write as _;

use anstream::ColorChoice;
use clap::{Parser, Subcommand, ValueEnum};
use manyhands::exit::Exit;

use command_error::CommandError;
use text::{ERROR, paint, plain};

/// Score every record of a large dataset on every core, with the same answer every time.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Use color in this case: on a terminal unless NO_COLOR is set (auto), always, or never.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, global = true,
        display_order = LAST)]
    color: Color,

    /// Print no progress and no notes on standard error. Errors and warnings are still printed, because they change what
    /// the result means.
    #[arg(long, short, global = true, display_order = LAST)]
    quiet: bool,
}

/// Display order of the global options, which puts them after the options of the command.
const LAST: usize = 100;

const AFTER_HELP: &str = "\
Exit codes: 0 all records scored (or a shard is complete), 1 some failed, 2 wrong usage, 3 bad input, \
4 halted by failures, 5 output could not be written, \
6 executors gave different answers, 7 slower than the baseline allows, \
8 workers or threads could not be started or kept, 9 budget spent, 124 stopped by the deadline, 129, 130 and 143 stopped by the signals HUP, INT and TERM.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Score every record of one or more files, and print a report.
    Score(Box<score::Score>),
    /// Put the partial answers of shards together, and print the report of the whole.
    Merge(merge::MergeShards),
    /// Write generated reviews to standard output. The same seed gives the same reviews.
    Generate(generate::Generate),
    /// Measure how well scoring scales on this machine, and explain what limits it.
    Bench(Box<bench::Bench>),
    /// Score the records that the parent process sends.
    #[command(hide = true)]
    Worker,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Arguments {
    /// Sets when color is used in all later output.
    pub fn choose_color(&self) {
        match self.color {
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
    }

    /// Runs the command.
    pub(crate) fn run(self) -> Result<Exit, CommandError> {
        match self.command {
            Command::Score(score) => score.run(self.quiet),
            Command::Merge(merge) => merge.run(self.quiet),
            Command::Generate(generate) => generate.run(self.quiet),
            Command::Bench(bench) => bench.run(self.quiet),
            Command::Worker => worker::run(),
        }
    }
}

/// Prints a line on standard error. If printing fails, nothing happens, and the exit code still reports the result;
/// `eprintln!` would panic instead.
fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints the error of a command, unless the command ends without a message. Returns how the command ends.
pub(crate) fn print_error(error: &CommandError) -> Exit {
    let exit = error.exit();
    if exit != Exit::Success {
        note(format_args!("{} {}", paint(ERROR, "error:"), plain(error)));
    }
    exit
}
