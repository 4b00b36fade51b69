//! Reads and merges the states of partial answers on all cores.

use std::sync::Arc;
use std::thread;

use super::MergingAggregator;
use super::combined::Move;
use crate::aggregation::{Aggregator, Shift, State, StateError};
use crate::error::Error;
use crate::machine::usable_cores;
use crate::plan::Plan;
use crate::plan::partial::{PartialAnswer, refused};
use crate::plan::summary::PlanAggregator;
use crate::plan::thresholds::Thresholds;
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Returns the merged state of these partial answers. `moves` has the place of each of them in the whole.
///
/// Each thread takes the next partial answer, and merges its state with a state that a thread has left behind, so there are
/// at most two states for each thread. The states are commutative, so the order does not matter.
///
/// # Errors
///
/// Returns an error if a state cannot be read, or is none of this plan.
pub(super) fn merged(
    plan: &Plan,
    partials: &[PartialAnswer],
    moves: &[Move],
) -> Result<MergingAggregator, Error> {
    let fresh: MergingAggregator =
        PlanAggregator::new(plan, Arc::new(Thresholds::new(plan.top)), |_| None);
    let next = AtomicUsize::new(0);
    let (left, failed) = (Mutex::new(Vec::new()), Mutex::new(None));
    let work = || {
        loop {
            let place = next.fetch_add(1, Relaxed);
            let Some((partial, by)) = partials.get(place).zip(moves.get(place)) else {
                return;
            };
            let mut state = match loaded(&fresh, partial, *by) {
                Ok(state) => state,
                Err(error) => {
                    next.store(partials.len(), Relaxed);
                    lock(&failed).get_or_insert(error);
                    return;
                }
            };
            loop {
                let mut others = lock(&left);
                let Some(other) = others.pop() else {
                    others.push(state);
                    break;
                };
                drop(others);
                state.merge(other);
            }
        }
    };
    let threads = usable_cores().min(partials.len());
    let work = &work;
    thread::scope(|scope| {
        for _ in 1..threads {
            let thread = thread::Builder::new().name("manyhands-merging".to_owned());
            // Without a further thread, the calling thread merges everything.
            let _ = thread.spawn_scoped(scope, work);
        }
        work();
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut states = std::mem::take(&mut *lock(&left)).into_iter();
    let mut all = states.next().unwrap_or(fresh);
    states.for_each(|state| all.merge(state));
    Ok(all)
}

/// Reads the state of a partial answer, with the indices and lines that its records have in the whole.
fn loaded(
    fresh: &MergingAggregator,
    partial: &PartialAnswer,
    by: Move,
) -> Result<MergingAggregator, Error> {
    let bytes = partial.state.read()?;
    let state = fresh.load(&bytes).and_then(|mut state| {
        state.move_lines(by.first_records, by.lines);
        state.shift(by.records)
    });
    state.map_err(|error| {
        let reason = match error {
            StateError::Damaged | StateError::NoState => "is damaged or cut short".to_owned(),
            other => other.to_string(),
        };
        let remedy = "score its shard again with this version of the program";
        refused(&partial.path_or_name(), format!("{reason}; {remedy}"))
    })
}
