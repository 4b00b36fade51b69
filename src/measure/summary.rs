//! Summarises the turns of each contender as a [`Measurement`].

use super::comparison::{Comparison, Cost, Measurement};
use super::figures::{processor_times, wall_times};
use super::round_results::RoundResults;
use super::statistics::{detectable, ratio, rounds_needed, spread};

/// The difference that the number of rounds in `rounds_needed` must detect, as a share of the time.
const REFERENCE_DIFFERENCE: f64 = 0.03;

/// Adds the measurements and the COST of each executor to the comparison.
pub(super) fn summarise(comparison: &mut Comparison, results: &RoundResults<'_, '_>) {
    let settings = comparison.settings.clone();
    let Some((_, base)) = results.contenders.first() else {
        return;
    };
    let base_cpu = processor_times(&base.turns);
    let base = wall_times(&base.turns);
    let (records, bytes) = (comparison.workload.records, comparison.workload.bytes);
    for (contender, history) in &results.contenders {
        let times = wall_times(&history.turns);
        let wall = spread(&times, &settings);
        let cpu = processor_times(&history.turns);
        let both = cpu.as_ref().zip(base_cpu.as_ref());
        let cpu_ratio = both.map(|(cpu, base)| ratio(cpu, base, &settings));
        let speed_up = ratio(&base, &times, &settings);
        let threads = contender.threads.max(1) as f64;
        comparison.measurements.push(Measurement {
            executor: contender.executor.clone(),
            threads: contender.threads,
            cold: contender.cold,
            turns: history.turns.clone(),
            wall,
            cpu: cpu.map(|times| spread(&times, &settings)),
            speed_up,
            cpu_ratio,
            detectable: detectable(&speed_up, settings.confidence),
            rounds_needed: rounds_needed(
                &speed_up,
                settings.rounds,
                settings.confidence,
                REFERENCE_DIFFERENCE,
            ),
            efficiency: speed_up.map(|speed_up| speed_up / threads),
            records_per_second: records as f64 / wall.median,
            bytes_per_second: bytes.map(|bytes| bytes as f64 / wall.median),
        });
    }
    comparison.costs = costs(&comparison.measurements);
}

/// The COST of each executor, in the order in which the executors first appear.
fn costs(measurements: &[Measurement]) -> Vec<Cost> {
    let mut costs: Vec<Cost> = Vec::new();
    for measurement in measurements.iter().skip(1) {
        let known = costs
            .iter()
            .position(|cost| cost.executor == measurement.executor);
        let index = known.unwrap_or_else(|| {
            costs.push(Cost {
                executor: measurement.executor.clone(),
                threads: None,
            });
            costs.len() - 1
        });
        if measurement.speed_up.low > 1.0 {
            let threads = measurement.threads;
            let least = costs[index].threads.map_or(threads, |n| n.min(threads));
            costs[index].threads = Some(least);
        }
    }
    costs
}
