//! Pins each worker to a hardware thread of its own.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::cores::Topology;
use super::tree::Tree;

/// The hardware thread of each worker: first one on each core that this process may use, then the other
/// hardware threads of those cores. If there are more workers, the list starts again from the beginning.
#[derive(Debug)]
pub(crate) struct Pinning {
    places: Vec<usize>,
    /// Whether a worker could not be pinned.
    refused: AtomicBool,
}

impl Pinning {
    /// Finds the places on this machine. There are none if its topology is unknown.
    pub(crate) fn look() -> Self {
        Self::on(&Tree::of_this_machine())
    }

    pub(super) fn on(tree: &Tree) -> Self {
        let places = Topology::of(tree).and_then(|topology| topology.spread());
        Pinning {
            places: places.unwrap_or_default(),
            refused: AtomicBool::new(false),
        }
    }

    /// The hardware thread of a worker.
    pub(super) fn place(&self, worker: usize) -> Option<usize> {
        let turn = worker.checked_rem(self.places.len())?;
        Some(self.places[turn])
    }

    /// Pins the calling thread, which belongs to this worker. If that is not possible, the thread runs
    /// anywhere, and [`works`](Self::works) returns false.
    pub(crate) fn pin(&self, worker: usize) {
        if !self.place(worker).is_some_and(keep_on) {
            self.refused.store(true, Relaxed);
        }
    }

    /// Whether workers can be pinned, according to what is known so far.
    pub(crate) fn works(&self) -> bool {
        CAN_PIN && !self.places.is_empty() && !self.refused.load(Relaxed)
    }
}

const CAN_PIN: bool = cfg!(any(target_os = "linux", target_os = "android"));

#[cfg(any(target_os = "linux", target_os = "android"))]
fn keep_on(hardware_thread: usize) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};

    // `set` panics for numbers from `MAX_CPU` on.
    if hardware_thread >= CpuSet::MAX_CPU {
        return false;
    }
    let mut place = CpuSet::new();
    place.set(hardware_thread);
    sched_setaffinity(None, &place).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn keep_on(_hardware_thread: usize) -> bool {
    false
}
