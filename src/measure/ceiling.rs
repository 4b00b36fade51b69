//! Ceilings: what so many threads are good for on this machine, whatever they run.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

use super::rounds::{Ran, Subject};
use super::workload::Workload;
use crate::error::Error;
use crate::execution::Sequential;
use crate::machine::Machine;

/// What the copies run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Arithmetic in registers alone.
    Arithmetic,
    /// The sequential program.
    Copies,
}

/// So many copies of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) kernel: Kernel,
    pub(super) threads: usize,
}

/// Which ceilings to measure beside cells with so many threads.
pub(super) fn levels(threads: impl Iterator<Item = usize>, _machine: &Machine) -> Vec<Level> {
    let threads: BTreeSet<usize> = threads.chain([1]).collect();
    let kernels = [Kernel::Arithmetic, Kernel::Copies];
    let level = |kernel| {
        let levels = threads.iter();
        levels.map(move |&threads| Level { kernel, threads })
    };
    kernels.into_iter().flat_map(level).collect()
}

impl Kernel {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kernel::Arithmetic => "arithmetic",
            Kernel::Copies => "copies",
        }
    }
}

impl Level {
    pub(super) fn subject<'w>(self, base: &'w dyn Workload) -> Box<dyn Subject + 'w> {
        Box::new(Copies { level: self, base })
    }
}

struct Copies<'w> {
    level: Level,
    base: &'w dyn Workload,
}

impl Copies<'_> {
    fn one(&self) -> Result<(), Error> {
        match self.level.kernel {
            Kernel::Arithmetic => {
                let mut state = black_box(1_u64);
                for _ in 0..10_000_000 {
                    state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                }
                black_box(state);
                Ok(())
            }
            Kernel::Copies => self.base.run_on(&Sequential).map(|_| ()),
        }
    }
}

impl Subject for Copies<'_> {
    fn run(&mut self) -> Result<Ran, Error> {
        let began = Instant::now();
        thread::scope(|scope| {
            let copies: Vec<_> = (1..self.level.threads)
                .map(|_| scope.spawn(|| self.one()))
                .collect();
            self.one()?;
            let joined = copies.into_iter().map(|copy| copy.join().unwrap_or(Ok(())));
            joined.collect::<Result<(), Error>>()
        })?;
        Ok(Ran {
            wall: began.elapsed(),
            cpu: None,
            digest: None,
            timing: None,
        })
    }
}
