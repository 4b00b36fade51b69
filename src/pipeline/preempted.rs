//! How long the present thread could have run and had no core.

use std::time::Duration;

/// Since the thread began; `None` where the system does not tell.
///
/// The second number of `schedstat`, in nanoseconds (Documentation/scheduler/sched-stats.rst of the
/// Linux sources). Processor time would not do: it cannot tell a thread that was put off from one
/// that waits for something. The file is opened anew each time, since one that is kept open for each
/// worker would take file descriptors that the program needs.
#[cfg(target_os = "linux")]
pub(super) fn so_far() -> Option<Duration> {
    use std::io::Read as _;

    let mut text = [0; 64];
    let mut file = std::fs::File::open("/proc/thread-self/schedstat").ok()?;
    let length = file.read(&mut text).ok()?;
    let mut numbers = std::str::from_utf8(&text[..length])
        .ok()?
        .split_ascii_whitespace();
    numbers.nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn so_far() -> Option<Duration> {
    None
}
