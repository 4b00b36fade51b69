//! Hardware threads, and the cores to which they belong.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// A number of hardware threads that no machine has. A list that contains this number or a larger one is not
/// valid.
const MOST_THREADS: usize = 1 << 16;

/// A number of processors, counted as hardware threads and as cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Processors {
    /// Number of hardware threads, which the operating system calls CPUs.
    pub hardware_threads: usize,
    /// Number of physical cores to which these hardware threads belong. Two hardware threads of one core
    /// share its execution units.
    pub cores: Option<usize>,
}

/// Which hardware threads are online, which of them this process may use, and which belong to one core.
#[derive(Debug)]
pub(super) struct Topology {
    online: BTreeSet<usize>,
    allowed: Option<BTreeSet<usize>>,
    /// The hardware threads of each core. The cores are sorted by their first hardware thread. `None` if the
    /// core of any of them is unknown.
    cores: Option<Vec<Vec<usize>>>,
}

impl Topology {
    pub(super) fn of(tree: &Tree) -> Option<Self> {
        let online = list(&tree.read("sys/devices/system/cpu/online")?)?;
        if online.is_empty() {
            return None;
        }
        // This is the mask of the whole process, not the mask of the calling thread, which may be pinned.
        let allowed = tree
            .first_line_with("proc/self/status", |line| {
                list(line.strip_prefix("Cpus_allowed_list:")?)
            })
            .map(|allowed| allowed.intersection(&online).copied().collect())
            .filter(|allowed: &BTreeSet<usize>| !allowed.is_empty());
        let cores = cores(tree, &online);
        Some(Topology {
            online,
            allowed,
            cores,
        })
    }

    pub(super) fn online(&self) -> Processors {
        self.count(&self.online)
    }

    pub(super) fn allowed(&self) -> Option<Processors> {
        self.allowed.as_ref().map(|allowed| self.count(allowed))
    }

    pub(super) fn first_allowed(&self) -> Option<usize> {
        self.allowed.as_ref()?.first().copied()
    }

    /// The number of these hardware threads that this process may use.
    pub(super) fn count_allowed(&self, threads: &BTreeSet<usize>) -> usize {
        let allowed = self.allowed.as_ref();
        allowed.map_or(0, |allowed| allowed.intersection(threads).count())
    }

    fn count(&self, threads: &BTreeSet<usize>) -> Processors {
        let on = |core: &&Vec<usize>| core.iter().any(|thread| threads.contains(thread));
        Processors {
            hardware_threads: threads.len(),
            cores: self
                .cores
                .as_ref()
                .map(|cores| cores.iter().filter(on).count()),
        }
    }

    /// The allowed hardware threads, in an order that starts with one of each core.
    pub(super) fn spread(&self) -> Option<Vec<usize>> {
        let allowed = self.allowed.as_ref()?;
        Some(match &self.cores {
            Some(cores) => spread(cores, |thread| allowed.contains(&thread)),
            None => allowed.iter().copied().collect(),
        })
    }
}

/// The allowed hardware threads: first one of each core, then a second one of each core that has one,
/// and so on.
fn spread(cores: &[Vec<usize>], allowed: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut placed = Vec::new();
    for core in cores {
        let threads = core.iter().copied().filter(|thread| allowed(*thread));
        placed.extend(threads.enumerate());
    }
    // The sort is stable, so the cores keep their order.
    placed.sort_by_key(|(turn, _)| *turn);
    placed.into_iter().map(|(_, thread)| thread).collect()
}

/// The online hardware threads of each core.
fn cores(tree: &Tree, online: &BTreeSet<usize>) -> Option<Vec<Vec<usize>>> {
    let mut cores = Vec::new();
    let mut placed = BTreeSet::<usize>::new();
    for &thread in online {
        if placed.contains(&thread) {
            continue;
        }
        let topology = format!("sys/devices/system/cpu/cpu{thread}/topology");
        let siblings = ["core_cpus_list", "thread_siblings_list"]
            .iter()
            .find_map(|name| list(&tree.read(format!("{topology}/{name}"))?))?;
        let core: Vec<usize> = siblings
            .intersection(online)
            .copied()
            .filter(|sibling| !placed.contains(sibling))
            .collect();
        if !core.contains(&thread) {
            return None;
        }
        placed.extend(&core);
        cores.push(core);
    }
    Some(cores)
}

/// Parses a list as the kernel writes it, such as `0-3,8`.
pub(super) fn list(text: &str) -> Option<BTreeSet<usize>> {
    let mut all = BTreeSet::new();
    for range in text.trim().split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= MOST_THREADS {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}
