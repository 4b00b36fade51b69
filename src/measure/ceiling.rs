//! Ceilings: what so many threads are good for on this machine, whatever they run.

use std::collections::BTreeSet;

use super::cell::walls;
use super::comparison::{Comparison, Turn};
use super::contest::{Played, Warm};
use super::copies::Copiers;
use super::kernels::{Arithmetic, BYTES_EACH, Kernel, Memory, Program};
use super::rounds::{Ran, Subject, Turns};
use super::statistics::{median, ratio};
use super::why::Ceiling;
use super::workload::Workload;
use crate::error::Error;

/// What the copies run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Arithmetic in registers alone.
    Arithmetic,
    /// Reading more memory than the caches hold.
    Memory,
    /// The sequential program.
    Copies,
}

/// So many copies of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) kind: Kind,
    pub(super) threads: usize,
}

/// The kernels, made ready.
pub(super) struct Kernels<'w> {
    threads: BTreeSet<usize>,
    arithmetic: Arithmetic,
    memory: Option<Memory>,
    program: Program<'w>,
    /// Copies of the program have a turn in every so-many-th round.
    every: usize,
    /// Of this machine. What is beyond takes its time in turns, so that kernels are not short there.
    hardware_threads: usize,
}

/// Copies of the program may take this share of the time of all cells.
const COPIES_SHARE: f64 = 0.25;
/// They have so many turns all the same, where there are as many rounds.
const LEAST_TURNS: usize = 5;

impl<'w> Kernels<'w> {
    /// For ceilings beside these cells, the first of which is sequential.
    pub(super) fn ready(cells: &'w [Warm<'_>], comparison: &Comparison) -> Option<Self> {
        let machine = &comparison.machine;
        let threads: BTreeSet<usize> = cells.iter().map(|cell| cell.threads).chain([1]).collect();
        let most = threads.last().copied().unwrap_or(1);
        let base: &dyn Workload = &*cells.first()?.workload;
        Some(Kernels {
            every: every(cells, &threads, comparison),
            hardware_threads: machine.hardware_threads(),
            arithmetic: Arithmetic::calibrated(),
            memory: Memory::touched(most, machine),
            program: Program(base),
            threads,
        })
    }

    /// Which ceilings there are. One copy of the sequential program is the first cell.
    pub(super) fn levels(&self) -> Vec<Level> {
        let of = |kind: Kind, from: usize| {
            let threads = self.threads.range(from..);
            threads.map(move |&threads| Level { kind, threads })
        };
        let memory = self.memory.iter().flat_map(|_| of(Kind::Memory, 1));
        of(Kind::Arithmetic, 1)
            .chain(memory)
            .chain(of(Kind::Copies, 2))
            .collect()
    }

    /// The most copies.
    pub(super) fn most(&self) -> usize {
        self.threads.last().copied().unwrap_or(1)
    }

    /// What has its turn for a level; `None` of a kernel that there is not.
    pub(super) fn subject<'k: 'c, 'c>(
        &'k self,
        level: Level,
        copiers: &'c Copiers<'k>,
    ) -> Option<Box<dyn Subject + 'c>> {
        let kernel: &dyn Kernel = match level.kind {
            Kind::Arithmetic => &self.arithmetic,
            Kind::Memory => self.memory.as_ref()?,
            Kind::Copies => &self.program,
        };
        let copies = level.kind == Kind::Copies;
        Some(Box::new(InCopies {
            kernel,
            copiers,
            threads: level.threads,
            every: match copies || level.threads > self.hardware_threads {
                true => self.every,
                false => 1,
            },
            repeats: copies,
        }))
    }
}

/// In every how many-th round copies of the program have a turn.
///
/// So many copies have so many times as much to do as a cell has: with a turn in each round they would
/// take half of the time, and more with more threads. The kernels are short instead.
fn every(cells: &[Warm<'_>], threads: &BTreeSet<usize>, comparison: &Comparison) -> usize {
    let turn = |cell: &Warm<'_>| cell.cold.first_run.max(comparison.settings.least_turn);
    let all: f64 = cells.iter().map(turn).sum();
    let hardware_threads = comparison.machine.hardware_threads() as f64;
    let copies = threads.range(2..).map(|&threads| {
        let in_turns = (threads as f64 / hardware_threads).max(1.0);
        cells.first().map_or(0.0, turn) * in_turns
    });
    let thinned = copies.sum::<f64>() / (all * COPIES_SHARE);
    let most = (comparison.settings.rounds / LEAST_TURNS).max(1);
    (thinned.ceil() as usize).clamp(1, most)
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Arithmetic => "arithmetic",
            Kind::Memory => "memory",
            Kind::Copies => "copies",
        }
    }
}

/// So many copies of a kernel, which have their turn.
struct InCopies<'k, 'c> {
    kernel: &'k dyn Kernel,
    copiers: &'c Copiers<'k>,
    threads: usize,
    every: usize,
    repeats: bool,
}

impl Subject for InCopies<'_, '_> {
    fn run(&mut self) -> Result<Ran, Error> {
        let copied = self.copiers.run(self.kernel, self.threads)?;
        Ok(Ran {
            wall: copied.wall,
            cpu: copied.cpu,
            digest: None,
            timing: None,
        })
    }

    fn every(&self) -> usize {
        self.every
    }

    fn repeats(&self) -> bool {
        self.repeats
    }
}

/// What so many copies have done beside one.
pub(super) fn ceilings(comparison: &Comparison, played: &Played<'_, '_>) -> Vec<Ceiling> {
    let Some((_, sequential)) = played.cells.first() else {
        return Vec::new();
    };
    let one_copy = Level {
        kind: Kind::Copies,
        threads: 1,
    };
    let all = played.ceilings.iter().map(|(level, turns)| (level, turns));
    let all: Vec<_> = all.chain([(&one_copy, sequential)]).collect();
    let of = |&(level, turns): &(&Level, &Turns)| {
        let alone = all
            .iter()
            .find(|(other, _)| other.kind == level.kind && other.threads == 1);
        let (_, alone) = alone?;
        let (alone, together) = paired(&alone.turns, &turns.turns);
        let gain = ratio(&alone, &together, &comparison.settings);
        let copies = level.threads as f64;
        let bytes = copies * BYTES_EACH as f64 / median(&together);
        Some(Ceiling {
            kernel: level.kind.name().to_owned(),
            threads: level.threads,
            speed_up: gain.map(|times| times * copies),
            bytes_per_second: (level.kind == Kind::Memory).then_some(bytes),
            turns: turns.turns.clone(),
        })
    };
    let mut ceilings: Vec<Ceiling> = all.iter().filter_map(of).collect();
    ceilings.sort_by(|one, other| {
        let key = |ceiling: &Ceiling| (ceiling.kernel.clone(), ceiling.threads);
        key(one).cmp(&key(other))
    });
    ceilings
}

/// How many times as long each of so many copies of the sequential program takes as one alone; 1 where
/// that was not measured.
pub(super) fn slowdown(ceilings: &[Ceiling], threads: usize) -> f64 {
    let copies =
        |ceiling: &&Ceiling| ceiling.kernel == Kind::Copies.name() && ceiling.threads == threads;
    let gain = ceilings
        .iter()
        .find(copies)
        .map(|ceiling| ceiling.speed_up.value);
    let slowdown = gain.map_or(1.0, |gain| threads as f64 / gain);
    if slowdown.is_finite() {
        slowdown.max(1.0)
    } else {
        1.0
    }
}

/// The times of two subjects in the rounds that both had a turn in.
pub(super) fn paired(one: &[Turn], other: &[Turn]) -> (Vec<f64>, Vec<f64>) {
    let in_both =
        |turn: &&Turn, turns: &[Turn]| turns.iter().any(|other| other.round == turn.round);
    let one_too: Vec<Turn> = one
        .iter()
        .filter(|turn| in_both(turn, other))
        .copied()
        .collect();
    let other_too: Vec<Turn> = other
        .iter()
        .filter(|turn| in_both(turn, one))
        .copied()
        .collect();
    (walls(&one_too), walls(&other_too))
}

/// The share of the time of all turns that the ceilings took.
pub(super) fn share(played: &Played<'_, '_>) -> f64 {
    let time = |turns: &[Turn]| -> f64 {
        let turns = turns.iter();
        turns.map(|turn| turn.wall * f64::from(turn.runs)).sum()
    };
    let cells: f64 = played
        .cells
        .iter()
        .map(|(_, turns)| time(&turns.turns))
        .sum();
    let ceilings = played.ceilings.iter();
    let ceilings: f64 = ceilings.map(|(_, turns)| time(&turns.turns)).sum();
    match cells + ceilings {
        all if all > 0.0 => ceilings / all,
        _ => 0.0,
    }
}
