//! Predicts the time with other numbers of workers: simulates the executors with the recorded times of the
//! records.

mod costs;
mod simulation;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::analysis::{Ceiling, Prediction};
use super::comparison::{Comparison, Measurement};
use super::record_times::{Recording, WORKERS};
use super::round_results::TurnHistory;
use super::statistics::median;
use crate::report::Timing;
use costs::{Costs, SimulatedExecutor};
use simulation::Simulation;

/// Throughput of several threads on this machine, as a multiple of the throughput of one thread, for each
/// measured number of threads. It is the ceiling of copies of the sequential program, but at least 1.
///
/// A turn of copies lasts until the last of them is done, so a copy that had no core for a while can make two
/// copies look slower than one. An executor does not lose time in this way, because its other workers take more
/// records.
struct CopySpeedUps(Vec<(usize, f64)>);

impl CopySpeedUps {
    fn of(ceilings: &[Ceiling]) -> Self {
        let copies = ceilings.iter().filter(|one| one.kernel == "copies");
        let mut speed_ups: Vec<(usize, f64)> = copies
            .map(|one| (one.threads, one.speed_up.value.max(1.0)))
            .filter(|(threads, _)| *threads > 1)
            .collect();
        speed_ups.push((1, 1.0));
        speed_ups.sort_by_key(|(threads, _)| *threads);
        CopySpeedUps(speed_ups)
    }

    /// The largest measured number of threads.
    fn measured_to(&self) -> usize {
        self.0.last().map_or(1, |(threads, _)| *threads)
    }

    /// Time that each of several busy threads takes, as a multiple of its time alone. Between two measured
    /// numbers of threads the speed-up is interpolated linearly.
    fn slowdown(&self, threads: usize) -> f64 {
        let above = self.0.partition_point(|(measured, _)| *measured < threads);
        let (high, high_speed_up) = self.0[above.min(self.0.len() - 1)];
        let (low, low_speed_up) = self.0[above.saturating_sub(1)];
        let speed_up = if high > low {
            let share = (threads - low) as f64 / (high - low) as f64;
            low_speed_up + share * (high_speed_up - low_speed_up)
        } else {
            high_speed_up
        };
        threads as f64 / speed_up
    }
}

/// Predicts the time of each executor that has its threads in this process, for 1, 2, 4 and so on up to
/// [`WORKERS`] workers, and for the measured numbers of workers.
///
/// `merge_time` is the time in seconds to merge the partial answer of one more worker.
pub(super) fn predictions(
    comparison: &Comparison,
    ceilings: &[Ceiling],
    merge_time: f64,
    recording: &Recording,
) -> Vec<Prediction> {
    let costs = |executor| Costs::measure(executor, recording.step);
    predictions_with(&costs, comparison, ceilings, merge_time, recording)
}

/// Like [`predictions`], but with costs of the executors that the caller provides.
fn predictions_with(
    costs: &dyn Fn(SimulatedExecutor) -> Costs,
    comparison: &Comparison,
    ceilings: &[Ceiling],
    merge_time: f64,
    recording: &Recording,
) -> Vec<Prediction> {
    let speed_ups = CopySpeedUps::of(ceilings);
    let mut predictions = vec![sequential(comparison, recording)];
    if recording.waits {
        // Records that wait need no core, so the number of them that run at once is not limited by the number
        // of cores.
        return predictions;
    }
    let mut names: Vec<&str> = Vec::new();
    for measurement in comparison.measurements.iter().skip(1) {
        let name = measurement.executor.as_str();
        if names.contains(&name) {
            continue;
        }
        names.push(name);
        let Some(executor) = SimulatedExecutor::named(name) else {
            continue;
        };
        let costs = costs(executor);
        let measurements = comparison.measurements.iter();
        let measurements: Vec<&Measurement> =
            measurements.filter(|one| one.executor == name).collect();
        let powers = std::iter::successors(Some(1), |workers| Some(workers * 2));
        let powers = powers.take_while(|workers| *workers <= WORKERS);
        let measured = measurements.iter().map(|one| one.threads);
        let numbers: BTreeSet<usize> = powers.chain(measured).collect();
        for workers in numbers {
            let time = |slowdown: &dyn Fn(usize) -> f64| {
                let simulation = Simulation {
                    workers: workers.min(recording.most_workers),
                    costs: &costs,
                    slowdown,
                };
                let run = simulation.run(&recording.stretches, &mut |_| {});
                run.time + recording.serial + merge_time * (run.workers - 1) as f64
            };
            let measurement = measurements.iter().find(|one| one.threads == workers);
            let is_measured = workers <= speed_ups.measured_to();
            predictions.push(Prediction {
                executor: name.to_owned(),
                workers,
                ideal: time(&|_| 1.0),
                on_this_machine: is_measured.then(|| time(&|busy| speed_ups.slowdown(busy))),
                measured: measurement.map(|one| one.wall.median),
            });
        }
    }
    predictions
}

/// The prediction for `sequential`, which needs no simulation.
fn sequential(comparison: &Comparison, recording: &Recording) -> Prediction {
    let time = recording.work() + recording.serial;
    let base = comparison.sequential();
    Prediction {
        executor: base.map_or_else(String::new, |base| base.executor.clone()),
        workers: 1,
        ideal: time,
        on_this_machine: Some(time),
        measured: base.map(|base| base.wall.median),
    }
}

/// Time in seconds to merge the partial answer of one more worker: the median over all turns with several
/// workers. The first history is that of `sequential`.
pub(super) fn merge_time<'h>(mut histories: impl Iterator<Item = &'h TurnHistory>) -> f64 {
    let finish = |timing: &Timing| timing.finish.as_secs_f64();
    let Some(base) = histories.next() else {
        return 0.0;
    };
    let base = median(&base.timings.iter().map(finish).collect::<Vec<_>>());
    let mut times = Vec::new();
    for timing in histories.flat_map(|history| &history.timings) {
        let began = timing.workers.iter().filter(|one| one.began()).count();
        if began > 1 {
            times.push((finish(timing) - base) / (began - 1) as f64);
        }
    }
    // The median of no values is NaN, which `max` turns into 0.
    median(&times).max(0.0)
}
