//! What more workers would bring: the recorded times of the records, replayed through the executors in
//! simulation.

mod costs;
mod simulation;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::comparison::{Cell, Comparison};
use super::contest::Played;
use super::record_times::{Recorded, WORKERS};
use super::statistics::median;
use super::why::{Ceiling, Prediction};
use crate::report::Timing;
use costs::{Costs, Kind};
use simulation::Crew;

/// What so many threads get done here, as a multiple of what one does: that of as many copies of the
/// sequential program, and no less than one.
///
/// Copies count until the last of them ends, so that one which had no core for a while can make two look
/// slower than one. What is handed out in portions is not held up by that: the other worker takes more.
struct Gains(Vec<(usize, f64)>);

impl Gains {
    fn of(ceilings: &[Ceiling]) -> Self {
        let copies = ceilings.iter().filter(|one| one.kernel == "copies");
        let mut gains: Vec<(usize, f64)> = copies
            .map(|one| (one.threads, one.speed_up.value.max(1.0)))
            .filter(|(threads, _)| *threads > 1)
            .collect();
        gains.push((1, 1.0));
        gains.sort_by_key(|(threads, _)| *threads);
        Gains(gains)
    }

    fn measured_to(&self) -> usize {
        self.0.last().map_or(1, |(threads, _)| *threads)
    }

    /// How many times longer each of so many threads takes than one alone. Between two numbers of
    /// threads that were measured the gain is taken to lie on a straight line.
    fn slowdown(&self, threads: usize) -> f64 {
        let above = self.0.partition_point(|(measured, _)| *measured < threads);
        let (high, gain) = self.0[above.min(self.0.len() - 1)];
        let (low, less) = self.0[above.saturating_sub(1)];
        let gain = if high > low {
            let way = (threads - low) as f64 / (high - low) as f64;
            less + way * (gain - less)
        } else {
            gain
        };
        threads as f64 / gain
    }
}

/// What a simulation says of each executor that has its threads in this process, with 1, 2, 4 … workers
/// and those that were measured.
pub(super) fn predictions(
    comparison: &Comparison,
    ceilings: &[Ceiling],
    played: &Played<'_, '_>,
    recorded: &Recorded,
) -> Vec<Prediction> {
    let gains = Gains::of(ceilings);
    let mut predictions = vec![alone(comparison, recorded)];
    if recorded.waits {
        // Records that wait do not keep a core, and more of them than cores can be at it.
        return predictions;
    }
    let state = state(played);
    let mut names: Vec<&str> = Vec::new();
    for cell in comparison.cells.iter().skip(1) {
        if names.contains(&cell.executor.as_str()) {
            continue;
        }
        names.push(&cell.executor);
        let Some(kind) = Kind::of(&cell.executor) else {
            continue;
        };
        let costs = Costs::measure(kind, recorded.step);
        let cells = comparison.cells.iter();
        let cells: Vec<&Cell> = cells.filter(|one| one.executor == cell.executor).collect();
        let powers = std::iter::successors(Some(1), |workers| Some(workers * 2));
        let powers = powers.take_while(|workers| *workers <= WORKERS);
        let numbers: BTreeSet<usize> = powers.chain(cells.iter().map(|one| one.threads)).collect();
        for workers in numbers {
            let replayed = |slowdown: &dyn Fn(usize) -> f64| {
                let crew = Crew {
                    workers: workers.min(recorded.most_workers),
                    costs: &costs,
                    slowdown,
                };
                let ran = crew.run(&recorded.stretches, &mut |_| {});
                ran.time + recorded.serial + state * (ran.workers - 1) as f64
            };
            let measured = cells.iter().find(|one| one.threads == workers);
            predictions.push(Prediction {
                executor: cell.executor.clone(),
                workers,
                ideal: replayed(&|_| 1.0),
                here: (workers <= gains.measured_to())
                    .then(|| replayed(&|active| gains.slowdown(active))),
                measured: measured.map(|one| one.wall.median),
            });
        }
    }
    predictions
}

/// Of `sequential` there is nothing to simulate.
fn alone(comparison: &Comparison, recorded: &Recorded) -> Prediction {
    let time = recorded.work() + recorded.serial;
    let base = comparison.sequential();
    Prediction {
        executor: base.map_or_else(String::new, |base| base.executor.clone()),
        workers: 1,
        ideal: time,
        here: Some(time),
        measured: base.map(|base| base.wall.median),
    }
}

/// What the state of one more worker costs in the end, to be merged: the median over the cells that had
/// any.
fn state(played: &Played<'_, '_>) -> f64 {
    let finish = |timing: &Timing| timing.finish.as_secs_f64();
    let Some((_, base)) = played.cells.first() else {
        return 0.0;
    };
    let base = median(&base.timings.iter().map(finish).collect::<Vec<_>>());
    let mut states = Vec::new();
    for (_, turns) in &played.cells {
        for timing in &turns.timings {
            let began = timing.workers.iter().filter(|one| one.began()).count();
            if began > 1 {
                states.push((finish(timing) - base) / (began - 1) as f64);
            }
        }
    }
    // NaN where there are none.
    median(&states).max(0.0)
}
