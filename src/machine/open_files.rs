//! The number of files that this process may have open. A connection counts as an open file.

/// Number of open files that are left for everything but connections.
#[cfg(unix)]
const OTHERS: u64 = 64;

/// Lets this process have this number of connections, if the system allows it: the limit of open files that a shell sets
/// is usually lower than the one that the system enforces. Returns the number of connections that are possible.
#[cfg(unix)]
pub(crate) fn allow_connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = (wanted as u64).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < needed) else {
        return wanted;
    };
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let new = Rlimit {
        current: Some(raised.max(current)),
        ..limit
    };
    let current = setrlimit(Resource::Nofile, new).map_or(current, |()| raised.max(current));
    let possible = current.saturating_sub(OTHERS).clamp(1, wanted as u64);
    usize::try_from(possible).unwrap_or(wanted)
}

/// Lets this process have this number of connections. Returns the number of connections that are possible.
#[cfg(not(unix))]
pub(crate) fn allow_connections(wanted: usize) -> usize {
    wanted
}
