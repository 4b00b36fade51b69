//! What a process and its descendants are doing, and how much memory they hold. Only Linux tells this without a call of C
//! code.

/// Returns the resident memory of a process and of all its descendants, in bytes. With `guarded`, the process itself
/// is the guard of a program and does not count. Memory that several of the processes share counts once for each of
/// them. Returns `None` if the process has ended, or if the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn resident_bytes(process: u32, guarded: bool) -> Option<u64> {
    let mut pages = 0_u64;
    let visited = visit(process, guarded, |process| {
        // A process may have ended since its parent named it. Then it holds no memory.
        pages += resident_pages(process).unwrap_or(0);
        true
    });
    visited.map(|()| pages.saturating_mul(rustix::param::page_size() as u64))
}

/// Whether every thread of a process and of its descendants waits for something other than a core or a disk. With
/// `guarded`, the process itself is the guard of a program and does not count. Returns `None` if the process has ended,
/// or if the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn is_at_rest(process: u32, guarded: bool) -> Option<bool> {
    let mut is_at_rest = true;
    let visited = visit(process, guarded, |process| {
        is_at_rest = threads(process).all(|thread| !is_busy(&thread));
        is_at_rest
    });
    visited.map(|()| is_at_rest)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn resident_bytes(_process: u32, _guarded: bool) -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_at_rest(_process: u32, _guarded: bool) -> Option<bool> {
    None
}

/// Calls `act` for a process and each of its descendants until `act` returns false. Returns `None` if the process has
/// ended.
#[cfg(target_os = "linux")]
fn visit(process: u32, guarded: bool, mut act: impl FnMut(u32) -> bool) -> Option<()> {
    use std::collections::BTreeSet;

    if !guarded && !act(process) {
        return Some(());
    }
    let mut left = children(process)?;
    // While the processes are visited, one may end and another may get its id. So an id may appear twice.
    let mut seen = BTreeSet::from([process]);
    while let Some(descendant) = left.pop() {
        if seen.insert(descendant) {
            if !act(descendant) {
                break;
            }
            left.extend(children(descendant).unwrap_or_default());
        }
    }
    Some(())
}

#[cfg(target_os = "linux")]
fn resident_pages(process: u32) -> Option<u64> {
    let sizes = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    sizes.split_whitespace().nth(1)?.parse().ok()
}

/// The folders in which the system tells about the threads of a process.
#[cfg(target_os = "linux")]
fn threads(process: u32) -> impl Iterator<Item = std::path::PathBuf> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let threads = threads.into_iter().flatten().flatten();
    threads.map(|thread| thread.path())
}

/// Whether a thread is running, ready to run, or waiting for a disk.
#[cfg(target_os = "linux")]
fn is_busy(thread: &std::path::Path) -> bool {
    // A thread may have ended since the system listed it.
    let text = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    // The name of the program is in parentheses, and may contain spaces and parentheses.
    let state = text
        .rsplit_once(") ")
        .map(|(_, rest)| rest.as_bytes().first());
    matches!(state, Some(Some(b'R' | b'D')))
}

/// Returns the processes that any thread of a process has started and that still run.
#[cfg(target_os = "linux")]
fn children(process: u32) -> Option<Vec<u32>> {
    std::fs::metadata(format!("/proc/{process}/task")).ok()?;
    let mut children = Vec::new();
    for thread in threads(process) {
        // A thread may have ended since the system listed it.
        let ids = std::fs::read_to_string(thread.join("children")).unwrap_or_default();
        let ids = ids.split_whitespace();
        children.extend(ids.filter_map(|id| id.parse::<u32>().ok()));
    }
    Some(children)
}
