//! Reads and merges the states of partial answers on all cores.

use std::sync::Arc;
use std::thread;

use super::MergingAggregator;
use crate::aggregation::{Aggregator, StateError};
use crate::error::Error;
use crate::machine::usable_cores;
use crate::plan::Plan;
use crate::plan::partial::{PartialAnswer, refused};
use crate::plan::summary::{PlaceInWhole, PlanAggregator};
use crate::plan::thresholds::Thresholds;
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Returns the merged state of these partial answers. `moves` has the place of each of them in the whole.
///
/// Each thread takes the next partial answer and merges its state into a fork of one aggregator. Forks share their groups,
/// so these are in memory once, beside those of one partial answer for each thread. The states are commutative, so their
/// order does not matter.
///
/// # Errors
///
/// Returns an error if a state cannot be read, or is none of this plan.
pub(super) fn merged(
    plan: &Plan,
    partials: &[PartialAnswer],
    moves: &[PlaceInWhole],
) -> Result<MergingAggregator, Error> {
    let thresholds = Arc::new(Thresholds::new(plan.top));
    let mut all: MergingAggregator = PlanAggregator::new(plan, thresholds, |_| None);
    let next = AtomicUsize::new(0);
    let (forks, failed) = (Mutex::new(Vec::new()), Mutex::new(None));
    let work = |mut fork: MergingAggregator| {
        loop {
            let place = next.fetch_add(1, Relaxed);
            let Some((partial, by)) = partials.get(place).zip(moves.get(place)) else {
                break;
            };
            if let Err(error) = absorb(&mut fork, partial, *by) {
                next.store(partials.len(), Relaxed);
                lock(&failed).get_or_insert(error);
                break;
            }
        }
        lock(&forks).push(fork);
    };
    let threads = usable_cores().min(partials.len());
    thread::scope(|scope| {
        let work = &work;
        for _ in 1..threads {
            let fork = all.fork();
            let thread = thread::Builder::new().name("manyhands-merging".to_owned());
            // Without a further thread, the calling thread merges everything.
            let _ = thread.spawn_scoped(scope, move || work(fork));
        }
        work(all.fork());
    });
    for fork in std::mem::take(&mut *lock(&forks)) {
        all.merge(fork);
    }
    match lock(&failed).take() {
        Some(error) => Err(error),
        None => Ok(all),
    }
}

/// Merges the state of a partial answer.
fn absorb(
    all: &mut MergingAggregator,
    partial: &PartialAnswer,
    by: PlaceInWhole,
) -> Result<(), Error> {
    let bytes = partial.state.read()?;
    all.absorb(&bytes, by).map_err(|error| {
        let reason = match error {
            StateError::Damaged | StateError::NoState => "is damaged or cut short".to_owned(),
            other => other.to_string(),
        };
        let remedy = "score its shard again with this version of the program";
        refused(&partial.path_or_name(), format!("{reason}; {remedy}"))
    })
}
