//! Times that the operating system keeps for a process and for its threads.

use std::time::Duration;

/// Processor time of this process since it started, in user and system mode; `None` if the system
/// does not report it.
pub(crate) fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    return read(rustix::time::ClockId::ProcessCPUTime);
    #[cfg(not(unix))]
    return None;
}

/// Processor time of the children of this process that have ended, and of their children that had ended before; `None` if
/// the system does not report it. It is measured in steps of 10 ms.
///
/// The times are two fields of `stat` (proc_pid_stat(5) of the Linux manual pages), in clock ticks.
#[cfg(target_os = "linux")]
pub(crate) fn processor_time_of_children() -> Option<Duration> {
    /// The place of the first of the two fields among those after the name of the program.
    const PLACE: usize = 13;

    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name is in parentheses, and may contain spaces and parentheses.
    let (_, fields) = text.rsplit_once(')')?;
    let fields = fields.split_ascii_whitespace().skip(PLACE).take(2);
    let ticks: u64 = fields.map(str::parse::<u64>).sum::<Result<_, _>>().ok()?;
    let each = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / each as f64))
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn processor_time_of_children() -> Option<Duration> {
    None
}

/// Processor time of the calling thread since it started; `None` if the system does not report it.
pub(crate) fn thread_processor_time() -> Option<Duration> {
    #[cfg(unix)]
    return read(rustix::time::ClockId::ThreadCPUTime);
    #[cfg(not(unix))]
    return None;
}

#[cfg(unix)]
fn read(clock: rustix::time::ClockId) -> Option<Duration> {
    let time = rustix::time::clock_gettime(clock);
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

/// How long the calling thread was ready to run but had no core, since it started; `None` if the
/// system does not report it.
///
/// This is the second number of `schedstat`, in nanoseconds (Documentation/scheduler/sched-stats.rst of the
/// Linux sources). Processor time cannot replace it, because it does not distinguish a thread without a core
/// from a thread that waits for something else. The file is opened for every call, because keeping one open for
/// each worker would use up file descriptors that the program needs.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time_without_core() -> Option<Duration> {
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
pub(crate) fn thread_time_without_core() -> Option<Duration> {
    None
}
