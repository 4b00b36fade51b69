//! Works out why it scales as it does.

use std::collections::BTreeSet;

use super::bounds;
use super::ceiling;
use super::comparison::Comparison;
use super::contest::{Played, Warm};
use super::losses;
use super::record_times;
use super::replay;
use super::rounds::Turns;
use super::scaling;
use super::timeline::timeline;
use super::why::{Ceiling, Losses, Why};
use crate::error::Error;

/// Works out why the cells of a comparison scale as they do.
pub(super) fn explain(comparison: &Comparison, played: &Played<'_, '_>) -> Result<Why, Error> {
    let ceilings = ceiling::ceilings(comparison, played);
    let mut why = Why {
        ceilings_share: ceiling::share(played),
        losses: all_losses(&ceilings, comparison, played),
        ceilings,
        ..Why::default()
    };
    for (one, _) in &played.cells {
        why.timelines.push(timeline(one)?);
    }
    reckon(&mut why, comparison, played)?;
    Ok(why)
}

/// The losses of every cell that tells what its workers did.
fn all_losses(
    ceilings: &[Ceiling],
    comparison: &Comparison,
    played: &Played<'_, '_>,
) -> Vec<Losses> {
    let Some((_, base)) = played.cells.first() else {
        return Vec::new();
    };
    let efficiencies = comparison.cells.iter().map(|cell| cell.efficiency.value);
    let of = |((cell, turns), efficiency): (&(&Warm<'_>, Turns), f64)| {
        let slowdown = ceiling::slowdown(ceilings, cell.threads);
        let spent = losses::with_sequential(&turns.turns, &turns.timings, &base.turns, slowdown);
        losses::losses(&cell.executor, cell.threads, efficiency, &spent)
    };
    played
        .cells
        .iter()
        .zip(efficiencies)
        .filter_map(of)
        .collect()
}

/// What the records take, and what follows from that.
fn reckon(why: &mut Why, comparison: &Comparison, played: &Played<'_, '_>) -> Result<(), Error> {
    why.fits = scaling::fits(comparison);
    let (Some(cell), Some((base, _))) = (comparison.sequential(), played.cells.first()) else {
        return Ok(());
    };
    let mut recorded = record_times::record(&*base.workload)?;
    recorded.scale_to(cell.wall.median);
    why.predictions = replay::predictions(comparison, &why.ceilings, played, &recorded);
    let records = recorded.figures();
    let threads: BTreeSet<usize> = why.predictions.iter().map(|one| one.workers).collect();
    let bounds = threads
        .into_iter()
        .map(|threads| bounds::bound(&records, threads));
    why.bounds = bounds.collect();
    why.records = Some(records);
    Ok(())
}
