//! The configurations that take part in a comparison, and the results of their rounds, as plain data.

use super::comparison::ColdStart;
use super::figures::Turn;
use super::runnable::Runnable;
use crate::error::Error;
use crate::machine::Meanwhile;
use crate::report::Timing;

/// A configuration to compare: an executor with a number of threads.
pub(super) struct Contender<'a> {
    pub(super) executor: String,
    pub(super) threads: usize,
    /// Starts the executor.
    pub(super) make: Box<dyn Fn() -> Result<Box<dyn Runnable + 'a>, Error> + 'a>,
}

/// A contender whose executor has been started and has made its first run.
pub(super) struct ReadyContender<'a> {
    pub(super) executor: String,
    pub(super) threads: usize,
    pub(super) cold: ColdStart,
    pub(super) runnable: Box<dyn Runnable + 'a>,
}

/// The turns of one contender or ceiling.
#[derive(Clone, Debug, Default)]
pub(super) struct TurnHistory {
    pub(super) turns: Vec<Turn>,
    /// The timing of the fastest run of each turn; empty for a ceiling.
    pub(super) timings: Vec<Timing>,
}

/// What the copies of a ceiling run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KernelKind {
    /// Computation in registers.
    Arithmetic,
    /// Reading more data than the caches hold.
    Memory,
    /// The sequential program.
    Copies,
}

/// A ceiling: a kernel with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CeilingLevel {
    pub(super) kind: KernelKind,
    pub(super) threads: usize,
}

/// The results of all rounds.
pub(super) struct RoundResults<'w, 'a> {
    /// The first contender is `sequential`.
    pub(super) contenders: Vec<(&'w ReadyContender<'a>, TurnHistory)>,
    pub(super) ceilings: Vec<(CeilingLevel, TurnHistory)>,
    /// What happened on the machine during the rounds.
    pub(super) meanwhile: Meanwhile,
}

impl KernelKind {
    /// The name of the kernel in a [`Ceiling`](super::Ceiling).
    pub(super) fn name(self) -> &'static str {
        match self {
            KernelKind::Arithmetic => "arithmetic",
            KernelKind::Memory => "memory",
            KernelKind::Copies => "copies",
        }
    }
}
