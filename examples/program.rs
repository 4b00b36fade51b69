//! Scores records with a program from Rust: the mean of the numbers with which it answers, and the records that failed.
//!
//! ```sh
//! cargo run --release --example program -- data/reviews.jsonl python3 examples/exec/score.py
//! ```

#![cfg_attr(not(unix), allow(unused_imports))]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use manyhands::dataset::OpenOptions;
use manyhands::prelude::*;
#[cfg(unix)]
use manyhands::remote::{Program, guard};

#[cfg(unix)]
fn main() -> ExitCode {
    // The library starts this executable again as the guard of each program. If this process is killed, its guards end
    // the programs.
    if let Some(exit) = guard() {
        return exit;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "expected a file of records, and a program with its arguments";
    let (file, program) = arguments.next().zip(arguments.next()).ok_or(usage)?;
    let program = Program::new(program)
        .arguments(arguments)
        .guarded_by(std::env::current_exe()?)
        .timeout(Duration::from_secs(60));

    let records = OpenOptions::new().open(&[file])?;
    let executor = WorkStealing::new(2);
    let report = program.answer(&records, &Cancel::new(), |answers| {
        Pipeline::new(answers, fallible(Program::number("score")))
            .executor(&executor)
            .on_failure(OnFailure::SKIP)
            .aggregate((Mean::new(), Top::new(3)))
    })??;

    let (mean, top) = report.value;
    println!("{} records scored, {} failed", report.scored, report.failed);
    println!("mean {mean}");
    for best in top {
        println!("{} record {}", best.score, best.index + 1);
    }
    for failure in report.failures {
        println!("failed: {failure}");
    }
    Ok(())
}

#[cfg(not(unix))]
fn main() {
    eprintln!("programs are started on Unix systems only");
}
