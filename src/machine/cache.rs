//! Caches of the processor, from `/sys/devices/system/cpu`.

use super::cores::{Topology, list};
use super::tree::Tree;

/// A number of caches that no hardware thread exceeds, over all levels and types.
const MOST_CACHES: usize = 16;

/// Size of all last-level caches that the allowed hardware threads use, in bytes. It is computed from the cache
/// of the first one, because reading the caches of all of them would take thousands of files on large machines.
pub(super) fn last_level(tree: &Tree, topology: &Topology) -> Option<u64> {
    let first = topology.first_allowed()?;
    let caches = (0..MOST_CACHES).map_while(|index| {
        let cache = format!("sys/devices/system/cpu/cpu{first}/cache/index{index}");
        tree.word(format!("{cache}/level"))
            .map(|level| (level, cache))
    });
    let data = caches.filter(|(_, cache)| {
        let kind = tree.word(format!("{cache}/type"));
        kind.is_none_or(|kind| kind != "Instruction")
    });
    let levels = data.filter_map(|(level, cache)| Some((level.parse::<u32>().ok()?, cache)));
    let (_, last) = levels.max_by_key(|(level, _)| *level)?;
    let bytes = size(&tree.word(format!("{last}/size"))?)?;
    let sharing = tree
        .word(format!("{last}/shared_cpu_list"))
        .and_then(|shared| list(&shared))
        .map_or(1, |shared| topology.count_allowed(&shared).max(1));
    let caches = topology.allowed()?.hardware_threads.div_ceil(sharing);
    bytes.checked_mul(caches as u64)
}

/// Parses a size as the kernel writes it, such as `32768K`.
fn size(text: &str) -> Option<u64> {
    let kibibytes: u64 = text.strip_suffix('K')?.parse().ok()?;
    kibibytes.checked_mul(1024).filter(|bytes| *bytes > 0)
}
