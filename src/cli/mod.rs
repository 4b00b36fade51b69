//! The command line: a thin shell over the library's public interface.

mod baselines;
mod bench;
mod failures;
mod fault;
mod gate;
mod generate;
mod page;
mod progress;
mod score;
mod scoring;
mod text;
mod watch;
mod worker;

use std::fmt;
use std::io::Write as _;

use anstream::ColorChoice;
use clap::{Parser, Subcommand, ValueEnum};
use manyhands::exit::Exit;

use fault::Fault;
use text::{ERROR, paint, plain};

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

    /// No progress and no notes on standard error; errors are still printed.
    #[arg(long, short, global = true, display_order = LAST)]
    quiet: bool,
}

/// Where the options of every command stand in its help: behind its own.
const LAST: usize = 100;

const AFTER_HELP: &str = "\
Exit codes: 0 all records scored, 1 some failed, 2 wrong usage, 3 bad input, \
4 halted by failures, 5 output could not be written, \
6 executors gave different answers, 7 slower than the baseline allows, \
8 workers or threads could not be started or kept, 124 out of time, 129, 130 and 143 stopped by the signals HUP, INT and TERM.";

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
    pub(crate) fn run(self) -> Result<Exit, Fault> {
        match self.command {
            Command::Score(score) => score.run(self.quiet),
            Command::Generate(generate) => generate.run(self.quiet),
            Command::Bench(bench) => bench.run(self.quiet),
            Command::Worker => worker::run(),
        }
    }
}

/// A line on standard error. Not `eprintln!`, which panics where standard error is full or has been
/// closed: then there is nobody left to tell, but the exit code still says how it went.
fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Tells what has ended a command, unless it is to end quietly, and says how it ends.
pub(crate) fn tell(fault: &Fault) -> Exit {
    let exit = fault.exit();
    if exit != Exit::Success {
        note(format_args!("{} {}", paint(ERROR, "error:"), plain(fault)));
    }
    exit
}
