//! Works out why it scales as it does.

use std::collections::BTreeSet;

use super::bounds;
use super::cell::walls;
use super::comparison::{Comparison, Estimate};
use super::contest::Played;
use super::record_times;
use super::replay;
use super::scaling;
use super::statistics::ratio;
use super::watched::{Portion, Watched};
use super::why::{Ceiling, Timeline, Why};
use super::workload::Workload;
use crate::error::Error;

/// Works out why the cells of a comparison scale as they do.
pub(super) fn explain(comparison: &Comparison, played: &Played<'_, '_>) -> Result<Why, Error> {
    let mut why = Why {
        ceilings: ceilings(comparison, played),
        ..Why::default()
    };
    for (one, _) in &played.cells {
        let (wall, workers) = timeline(&*one.workload)?;
        why.timelines.push(Timeline {
            executor: one.executor.clone(),
            threads: one.threads,
            wall,
            workers,
        });
    }
    reckon(&mut why, comparison, played)?;
    Ok(why)
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

/// What so many copies have done beside one.
fn ceilings(comparison: &Comparison, played: &Played<'_, '_>) -> Vec<Ceiling> {
    let mut ceilings = Vec::new();
    for (level, turns) in &played.ceilings {
        let all = played.ceilings.iter();
        let mut alone = all.filter(|(other, _)| other.kernel == level.kernel && other.threads == 1);
        let Some((_, alone)) = alone.next() else {
            continue;
        };
        let times = walls(&turns.turns);
        let gain = ratio(&walls(&alone.turns), &times, &comparison.settings);
        let copies = level.threads as f64;
        ceilings.push(Ceiling {
            kernel: level.kernel.name().to_owned(),
            threads: level.threads,
            speed_up: Estimate {
                value: gain.value * copies,
                low: gain.low * copies,
                high: gain.high * copies,
            },
            turns: turns.turns.clone(),
        });
    }
    ceilings
}

/// One run, and when each worker was at work in it.
#[allow(clippy::type_complexity)]
fn timeline(workload: &dyn Workload) -> Result<(f64, Vec<Vec<(f64, f64)>>), Error> {
    let watched = Watched::new(workload.executor());
    let answered = workload.run_on(&watched)?;
    let wall = answered.timing.wall.as_secs_f64();
    let mut workers = vec![Vec::new(); workload.executor().workers()];
    for Portion {
        worker,
        from,
        until,
        ..
    } in watched.into_portions()
    {
        let lane: &mut Vec<(f64, f64)> = &mut workers[worker];
        let (from, until) = (from.as_secs_f64(), until.as_secs_f64());
        match lane.last_mut() {
            // Less than a thousandth of the run is not to be seen.
            Some(last) if from - last.1 < wall / 1000.0 => last.1 = until,
            _ => lane.push((from, until)),
        }
    }
    Ok((wall, workers))
}
