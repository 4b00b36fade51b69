//! Runs that are killed, fail, or lose what the disk had not yet, and go on with `--resume`. Each of them must end as one
//! calm run.
//!
//! Every test makes a number of rounds that suits a machine of two cores. `MANYHANDS_CHAOS=N` makes N rounds of each
//! instead. What is drawn by chance follows from `MANYHANDS_CHAOS_SEED`, which each test prints. `MANYHANDS_CHAOS_BINARY` names another program than
//! the one that was built with the tests.
#![cfg(all(target_os = "linux", feature = "cli"))]

mod case;
mod chance;
mod end;
mod errors;
mod kept;
mod killed;
mod kills;
mod paid;
mod power;
mod program;
mod scene;
#[cfg(feature = "http")]
mod service;
mod system_calls;
mod traced;

/// How long a command may take. It is longer than any takes on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
