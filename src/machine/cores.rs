//! Hardware threads, and the cores they are on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// More than any machine has: a list that names more is not one.
const MOST_THREADS: usize = 1 << 16;

/// A number of processors, counted in both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Processors {
    /// Hardware threads: what the system schedules threads on, and calls a CPU.
    pub hardware_threads: usize,
    /// Physical cores that these are on. Two hardware threads of one core share its units, so they
    /// are one core here.
    pub cores: Option<usize>,
}

/// Which hardware threads are online, which of them this process may use, and which are on one core.
#[derive(Debug)]
pub(super) struct Topology {
    online: BTreeSet<usize>,
    allowed: Option<BTreeSet<usize>>,
    /// The hardware threads of each core, by the number of its first one; `None` where the system
    /// does not tell for one of them.
    cores: Option<Vec<Vec<usize>>>,
}

impl Topology {
    pub(super) fn of(tree: &Tree) -> Option<Self> {
        let online = list(&tree.read("sys/devices/system/cpu/online")?)?;
        if online.is_empty() {
            return None;
        }
        // The mask of the whole process, not of the thread that asks, which may be pinned.
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

    /// How many of these hardware threads are allowed.
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

    /// The allowed hardware threads, those first that are on a core of their own.
    pub(super) fn spread(&self) -> Option<Vec<usize>> {
        let allowed = self.allowed.as_ref()?;
        Some(match &self.cores {
            Some(cores) => spread(cores, |thread| allowed.contains(&thread)),
            None => allowed.iter().copied().collect(),
        })
    }
}

/// The hardware threads that are allowed: one of each core, then a second one of each core that has
/// one, and so on.
fn spread(cores: &[Vec<usize>], allowed: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut placed = Vec::new();
    for core in cores {
        let threads = core.iter().copied().filter(|thread| allowed(*thread));
        placed.extend(threads.enumerate());
    }
    // Stable: within a turn the cores stay in their order.
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

/// A list as the kernel writes them: `0-3,8`.
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
