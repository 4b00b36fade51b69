//! Ceilings: the speed-ups that this machine allows for several copies of a kernel, which share no data.

use std::collections::BTreeSet;

use super::analysis::Ceiling;
use super::comparison::Comparison;
use super::copies::CopyThreads;
use super::figures::{Turn, wall_times};
use super::kernels::{Arithmetic, BYTES_EACH, Kernel, MeasuredProgram, Memory};
use super::round_results::{CeilingLevel, KernelKind, ReadyContender, RoundResults, TurnHistory};
use super::rounds::{SingleRun, Subject};
use super::runnable::Runnable;
use super::statistics::{median, ratio};
use crate::error::Error;

/// The kernels, ready to run.
pub(super) struct Kernels<'w> {
    /// The numbers of threads to measure.
    threads: BTreeSet<usize>,
    arithmetic: Arithmetic,
    memory: Option<Memory>,
    program: MeasuredProgram<'w>,
    /// Number of rounds from one turn of a long kernel to its next turn. Long kernels are copies of the
    /// program, and copies of any kernel that outnumber the hardware threads.
    round_interval: usize,
    hardware_threads: usize,
}

/// Largest share of the time of all contenders that copies of the program may take.
const COPIES_SHARE: f64 = 0.25;
/// Smallest number of turns that copies of the program have, unless there are fewer rounds.
const LEAST_TURNS: usize = 5;

impl<'w> Kernels<'w> {
    /// Prepares the kernels for the numbers of threads of these contenders. The first contender is
    /// `sequential`, which is the program that the kernel `copies` runs.
    pub(super) fn for_contenders(
        contenders: &'w [ReadyContender<'_>],
        comparison: &Comparison,
    ) -> Option<Self> {
        let machine = &comparison.machine;
        let threads = contenders.iter().map(|contender| contender.threads);
        let threads: BTreeSet<usize> = threads.chain([1]).collect();
        let most = threads.last().copied().unwrap_or(1);
        let base: &dyn Runnable = &*contenders.first()?.runnable;
        Some(Kernels {
            round_interval: round_interval(contenders, &threads, comparison),
            hardware_threads: machine.hardware_threads(),
            arithmetic: Arithmetic::calibrated(),
            memory: Memory::touched(most, machine),
            program: MeasuredProgram(base),
            threads,
        })
    }

    /// The ceilings to measure. A single copy of the program is left out, because the first contender already
    /// measures it.
    pub(super) fn levels(&self) -> Vec<CeilingLevel> {
        let levels = |kind: KernelKind, from: usize| {
            let threads = self.threads.range(from..);
            threads.map(move |&threads| CeilingLevel { kind, threads })
        };
        let memory = self
            .memory
            .iter()
            .flat_map(|_| levels(KernelKind::Memory, 1));
        levels(KernelKind::Arithmetic, 1)
            .chain(memory)
            .chain(levels(KernelKind::Copies, 2))
            .collect()
    }

    /// The largest number of copies.
    pub(super) fn most_copies(&self) -> usize {
        self.threads.last().copied().unwrap_or(1)
    }

    /// The subject that measures a ceiling; `None` if its kernel is not available.
    pub(super) fn subject<'k: 'c, 'c>(
        &'k self,
        level: CeilingLevel,
        copy_threads: &'c CopyThreads<'k>,
    ) -> Option<Box<dyn Subject + 'c>> {
        let kernel: &dyn Kernel = match level.kind {
            KernelKind::Arithmetic => &self.arithmetic,
            KernelKind::Memory => self.memory.as_ref()?,
            KernelKind::Copies => &self.program,
        };
        let is_program = level.kind == KernelKind::Copies;
        let is_long = is_program || level.threads > self.hardware_threads;
        Some(Box::new(CopiesSubject {
            kernel,
            copy_threads,
            threads: level.threads,
            round_interval: if is_long { self.round_interval } else { 1 },
            fills_turns: is_program,
        }))
    }
}

/// Returns in which rounds the copies of the program have a turn: in every round if the result is 1, in every third
/// round if it is 3.
///
/// With ten threads, the ten copies of the program do ten times the work of one run of an executor. If the copies had a
/// turn in every round, they would take half of the time of the comparison, and a larger share with more threads. The
/// other kernels are short, so they have a turn in every round.
fn round_interval(
    contenders: &[ReadyContender<'_>],
    threads: &BTreeSet<usize>,
    comparison: &Comparison,
) -> usize {
    let least_turn = comparison.settings.least_turn;
    let turn = |contender: &ReadyContender<'_>| {
        let time = contender.cold.first_run.max(least_turn);
        time.as_secs_f64()
    };
    let all: f64 = contenders.iter().map(turn).sum();
    let hardware_threads = comparison.machine.hardware_threads() as f64;
    let copies = threads.range(2..).map(|&threads| {
        let copies_per_hardware_thread = (threads as f64 / hardware_threads).max(1.0);
        contenders.first().map_or(0.0, turn) * copies_per_hardware_thread
    });
    let interval = copies.sum::<f64>() / (all * COPIES_SHARE);
    let most = (comparison.settings.rounds / LEAST_TURNS).max(1);
    (interval.ceil() as usize).clamp(1, most)
}

/// A subject whose turns run several copies of a kernel at the same time, one copy on each thread.
struct CopiesSubject<'k, 'c> {
    kernel: &'k dyn Kernel,
    copy_threads: &'c CopyThreads<'k>,
    threads: usize,
    round_interval: usize,
    fills_turns: bool,
}

impl Subject for CopiesSubject<'_, '_> {
    fn run(&mut self) -> Result<SingleRun, Error> {
        let copies = self.copy_threads.run(self.kernel, self.threads)?;
        Ok(SingleRun {
            wall: copies.wall,
            cpu: copies.cpu,
            digest: None,
            timing: None,
        })
    }

    fn round_interval(&self) -> usize {
        self.round_interval
    }

    fn fills_turns(&self) -> bool {
        self.fills_turns
    }
}

/// The measured ceilings, sorted by kernel and number of threads.
pub(super) fn ceilings(comparison: &Comparison, results: &RoundResults<'_, '_>) -> Vec<Ceiling> {
    let Some((_, sequential)) = results.contenders.first() else {
        return Vec::new();
    };
    let one_copy = CeilingLevel {
        kind: KernelKind::Copies,
        threads: 1,
    };
    let all = results
        .ceilings
        .iter()
        .map(|(level, history)| (level, history));
    let all: Vec<_> = all.chain([(&one_copy, sequential)]).collect();
    let ceiling = |&(level, history): &(&CeilingLevel, &TurnHistory)| {
        let alone = all
            .iter()
            .find(|(other, _)| other.kind == level.kind && other.threads == 1);
        let (_, alone) = alone?;
        let (alone, together) = common_rounds(&alone.turns, &history.turns);
        let relative_speed = ratio(&alone, &together, &comparison.settings);
        let copies = level.threads as f64;
        let bytes = copies * BYTES_EACH as f64 / median(&together);
        Some(Ceiling {
            kernel: level.kind.name().to_owned(),
            threads: level.threads,
            speed_up: relative_speed.map(|speed| speed * copies),
            bytes_per_second: (level.kind == KernelKind::Memory).then_some(bytes),
            turns: history.turns.clone(),
        })
    };
    let mut ceilings: Vec<Ceiling> = all.iter().filter_map(ceiling).collect();
    ceilings.sort_by(|one, other| {
        let key = |ceiling: &Ceiling| (ceiling.kernel.clone(), ceiling.threads);
        key(one).cmp(&key(other))
    });
    ceilings
}

/// Time that a copy of the program takes while `threads - 1` other copies run, as a multiple of its time alone.
/// The result is at least 1, and is 1 if this number of copies was not measured.
pub(super) fn slowdown(ceilings: &[Ceiling], threads: usize) -> f64 {
    let copies = |ceiling: &&Ceiling| {
        ceiling.kernel == KernelKind::Copies.name() && ceiling.threads == threads
    };
    let speed_up = ceilings
        .iter()
        .find(copies)
        .map(|ceiling| ceiling.speed_up.value);
    let slowdown = speed_up.map_or(1.0, |speed_up| threads as f64 / speed_up);
    if slowdown.is_finite() {
        slowdown.max(1.0)
    } else {
        1.0
    }
}

/// The times of two subjects in those rounds in which both had a turn.
fn common_rounds(one: &[Turn], other: &[Turn]) -> (Vec<f64>, Vec<f64>) {
    let in_rounds_of = |turns: &[Turn], others: &[Turn]| -> Vec<f64> {
        let is_common = |turn: &&Turn| others.iter().any(|other| other.round == turn.round);
        let common: Vec<Turn> = turns.iter().filter(is_common).copied().collect();
        wall_times(&common)
    };
    (in_rounds_of(one, other), in_rounds_of(other, one))
}

/// The time that the turns of the ceilings took, as a share of the time of all turns.
pub(super) fn time_share(results: &RoundResults<'_, '_>) -> f64 {
    let time = |history: &TurnHistory| -> f64 {
        let turns = history.turns.iter();
        turns
            .map(|turn| turn.wall.as_secs_f64() * f64::from(turn.runs))
            .sum()
    };
    let contenders = results.contenders.iter();
    let contenders: f64 = contenders.map(|(_, history)| time(history)).sum();
    let ceilings = results.ceilings.iter();
    let ceilings: f64 = ceilings.map(|(_, history)| time(history)).sum();
    match contenders + ceilings {
        all if all > 0.0 => ceilings / all,
        _ => 0.0,
    }
}
