//! What the turns of each cell come to.

use super::comparison::{Cell, Comparison, Cost, Turn};
use super::contest::Played;
use super::statistics::{detectable, ratio, rounds_needed, spread};

/// The difference that the rounds needed are told for, as a share.
pub(super) const WORTH_TELLING: f64 = 0.03;

/// Puts the figures of all cells into the comparison.
pub(super) fn settle(comparison: &mut Comparison, played: &Played<'_, '_>) {
    let settings = comparison.settings.clone();
    let Some((_, base)) = played.cells.first() else {
        return;
    };
    let base_cpu = processor_times(&base.turns);
    let base = walls(&base.turns);
    let (records, bytes) = (comparison.workload.records, comparison.workload.bytes);
    for (one, turns) in &played.cells {
        let times = walls(&turns.turns);
        let wall = spread(&times, &settings);
        let cpu = processor_times(&turns.turns);
        let both = cpu.as_ref().zip(base_cpu.as_ref());
        let cpu_ratio = both.map(|(of, over)| ratio(of, over, &settings));
        let speed_up = ratio(&base, &times, &settings);
        let threads = one.threads.max(1) as f64;
        comparison.cells.push(Cell {
            executor: one.executor.clone(),
            threads: one.threads,
            cold: one.cold,
            turns: turns.turns.clone(),
            wall,
            cpu: cpu.map(|times| spread(&times, &settings)),
            speed_up,
            cpu_ratio,
            detectable: detectable(&speed_up, settings.confidence),
            rounds_needed: rounds_needed(
                &speed_up,
                settings.rounds,
                settings.confidence,
                WORTH_TELLING,
            ),
            efficiency: speed_up.map(|times| times / threads),
            records_per_second: records as f64 / wall.median,
            bytes_per_second: bytes.map(|bytes| bytes as f64 / wall.median),
        });
    }
    comparison.costs = costs(&comparison.cells);
}

/// The times of the turns, by the clock.
pub(super) fn walls(turns: &[Turn]) -> Vec<f64> {
    turns.iter().map(|turn| turn.wall).collect()
}

/// The processor times of the turns, where the system tells them.
pub(super) fn processor_times(turns: &[Turn]) -> Option<Vec<f64>> {
    turns.iter().map(|turn| turn.cpu).collect()
}

/// Each executor's COST.
fn costs(cells: &[Cell]) -> Vec<Cost> {
    let mut costs: Vec<Cost> = Vec::new();
    for cell in cells.iter().skip(1) {
        let place = costs.iter().position(|cost| cost.executor == cell.executor);
        let place = place.unwrap_or_else(|| {
            costs.push(Cost {
                executor: cell.executor.clone(),
                threads: None,
            });
            costs.len() - 1
        });
        if cell.speed_up.low > 1.0 {
            let least = costs[place]
                .threads
                .map_or(cell.threads, |known| known.min(cell.threads));
            costs[place].threads = Some(least);
        }
    }
    costs
}
