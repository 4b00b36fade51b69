//! Explains why the executors scale as they do.

use std::collections::BTreeSet;

use super::analysis::{Analysis, Ceiling, Losses};
use super::bounds;
use super::ceilings;
use super::comparison::Comparison;
use super::losses;
use super::record_times;
use super::replay;
use super::round_results::{ReadyContender, RoundResults, TurnHistory};
use super::scaling;
use super::timeline::timeline;
use crate::error::Error;

/// Analyses a comparison. Runs every contender once more for its timeline, and `sequential` several more times
/// to record the times of the records.
pub(super) fn explain(
    comparison: &Comparison,
    results: &RoundResults<'_, '_>,
) -> Result<Analysis, Error> {
    let ceilings = ceilings::ceilings(comparison, results);
    let mut analysis = Analysis {
        ceilings_share: ceilings::time_share(results),
        losses: all_losses(&ceilings, comparison, results),
        ceilings,
        fits: scaling::fits(comparison),
        ..Analysis::default()
    };
    for (contender, _) in &results.contenders {
        analysis.timelines.push(timeline(contender)?);
    }
    add_record_times(&mut analysis, comparison, results)?;
    Ok(analysis)
}

/// The losses of every contender whose executor reports what its workers did.
fn all_losses(
    ceilings: &[Ceiling],
    comparison: &Comparison,
    results: &RoundResults<'_, '_>,
) -> Vec<Losses> {
    let Some((_, base)) = results.contenders.first() else {
        return Vec::new();
    };
    let measurements = comparison.measurements.iter();
    let efficiencies = measurements.map(|measurement| measurement.efficiency.value);
    let of = |((contender, history), efficiency): (&(&ReadyContender<'_>, TurnHistory), f64)| {
        let slowdown = ceilings::slowdown(ceilings, contender.threads);
        let samples = losses::with_sequential(history, &base.turns, slowdown);
        losses::losses(&contender.executor, contender.threads, efficiency, &samples)
    };
    let contenders = results.contenders.iter();
    contenders.zip(efficiencies).filter_map(of).collect()
}

/// Records the times of the records, and adds the predictions and bounds that follow from them.
fn add_record_times(
    analysis: &mut Analysis,
    comparison: &Comparison,
    results: &RoundResults<'_, '_>,
) -> Result<(), Error> {
    let (Some(sequential), Some((base, _))) = (comparison.sequential(), results.contenders.first())
    else {
        return Ok(());
    };
    let mut recording = record_times::record(&*base.runnable)?;
    recording.scale_to(sequential.wall.median);
    let histories = results.contenders.iter().map(|(_, history)| history);
    let merge_time = replay::merge_time(histories);
    analysis.predictions =
        replay::predictions(comparison, &analysis.ceilings, merge_time, &recording);
    let records = recording.summary();
    let predictions = analysis.predictions.iter();
    let threads: BTreeSet<usize> = predictions.map(|prediction| prediction.workers).collect();
    let bounds = threads.into_iter();
    analysis.bounds = bounds
        .map(|threads| bounds::bound(&records, threads))
        .collect();
    analysis.records = Some(records);
    Ok(())
}

#[cfg(test)]
mod tests;
