//! `manyhands bench`: what is known about the machine.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use manyhands::Machine;

use super::text;

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// Print the facts about this machine: processor, cores, quota, load, memory.
    #[arg(long, required = true)]
    machine: bool,

    /// Print them as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> Result<ExitCode, anyhow::Error> {
        let machine = Machine::look();
        let facts = if self.json {
            serde_json::to_string(&machine)? + "\n"
        } else {
            text::machine::facts(&machine)
        };
        let mut stdout = anstream::stdout().lock();
        stdout
            .write_all(facts.as_bytes())
            .and_then(|()| stdout.flush())
            .context("cannot write the facts")?;
        Ok(ExitCode::SUCCESS)
    }
}
