//! Works out why it scales as it does.

use super::ceiling;
use super::comparison::Comparison;
use super::contest::{Played, Warm};
use super::losses;
use super::rounds::Turns;
use super::timeline::timeline;
use super::why::{Ceiling, Losses, Why};
use crate::error::Error;

/// Works out why the cells of a comparison scale as they do.
pub(super) fn explain(comparison: &Comparison, played: &Played<'_, '_>) -> Result<Why, Error> {
    let ceilings = ceiling::ceilings(comparison, played);
    let mut why = Why {
        ceilings_share: ceiling::share(played),
        losses: all_losses(&ceilings, played),
        ceilings,
        ..Why::default()
    };
    for (one, _) in &played.cells {
        why.timelines.push(timeline(one)?);
    }
    Ok(why)
}

/// The losses of every cell that tells what its workers did.
fn all_losses(ceilings: &[Ceiling], played: &Played<'_, '_>) -> Vec<Losses> {
    let Some((_, base)) = played.cells.first() else {
        return Vec::new();
    };
    let of = |(cell, turns): &(&Warm<'_>, Turns)| {
        let slowdown = ceiling::slowdown(ceilings, cell.threads);
        let spent = losses::with_sequential(&turns.turns, &turns.timings, &base.turns, slowdown);
        losses::losses(&cell.executor, cell.threads, &spent)
    };
    played.cells.iter().filter_map(of).collect()
}
