//! Made-up moments: which programs used the processors between two of them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::moment::Moment;
use super::tree::Tree;
use super::{Machine, Throttled};

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    folder
}

/// A line of `/proc/<number>/stat` for a process whose name contains brackets and blanks.
fn stat(number: u32, parent: u32, [user, system, of_children]: [u64; 3]) -> String {
    format!(
        "{number} (a) R 1 ) S {parent} 5 5 0 -1 4194304 1 0 0 0 {user} {system} {of_children} 0 20 0 1 0 9 9 9\n"
    )
}

#[test]
fn the_use_of_this_process_and_its_descendants_is_not_that_of_others() {
    let own = stat(100, 1, [50, 10, 5]);
    let before = folder(&[
        (
            "proc/stat",
            "cpu  1000 0 100 9000 50 0 10 20 0 0\ncpu0 1 1 1 1\n",
        ),
        ("proc/self/stat", &own),
        ("proc/100/stat", &own),
        ("proc/200/stat", &stat(200, 1, [9, 9, 9])),
        ("proc/loadavg", "0.50 0.40 0.30 1/100 999\n"),
    ]);
    let moment = Moment::of(&Tree::below(before.path()));
    // Of 1,000 ticks, the process itself has used 100, its child 200, its grandchild 300, and the other
    // programs 400.
    let own = stat(100, 1, [130, 20, 15]);
    let after = folder(&[
        ("proc/stat", "cpu  1900 20 160 9500 90 10 20 45 0 0\n"),
        ("proc/self/stat", &own),
        ("proc/100/stat", &own),
        ("proc/200/stat", &stat(200, 1, [400, 9, 9])),
        ("proc/300/stat", &stat(300, 100, [150, 50, 0])),
        ("proc/400/stat", &stat(400, 300, [0, 0, 300])),
        ("proc/500/stat", "nonsense"),
        ("proc/loadavg", "2.50 0.40 0.30 1/100 999\n"),
    ]);
    let meanwhile = moment.until(&Tree::below(after.path()));
    assert_eq!(meanwhile.own, Some(Duration::from_secs(6)));
    assert_eq!(meanwhile.others, Some(Duration::from_secs(4)));
    assert_eq!(meanwhile.stolen, Some(Duration::from_millis(250)));
    assert_eq!(meanwhile.load, Some([2.5, 0.4, 0.3]));
    assert_eq!(meanwhile.throttled, None);
    let json = serde_json::to_string(&meanwhile).unwrap();
    assert_eq!(
        serde_json::from_str::<super::Meanwhile>(&json).unwrap(),
        meanwhile
    );
}

#[test]
fn unknown_figures_are_not_made_up() {
    let nothing = folder(&[]);
    let nothing = Tree::below(nothing.path());
    let known = folder(&[("proc/stat", "cpu  1 2 3 4 5 6 7\n")]);
    let known = Tree::below(known.path());
    for (before, after) in [(&nothing, &nothing), (&nothing, &known), (&known, &known)] {
        let meanwhile = Moment::of(before).until(after);
        let facts = (meanwhile.own, meanwhile.others, meanwhile.load);
        assert_eq!(facts, (None, None, None));
        // The kernel does not report steal time.
        assert_eq!(meanwhile.stolen, None);
    }
}

#[test]
fn throttling_is_that_of_the_time_between() {
    let mounted = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let group = |stopped: &str| {
        folder(&[
            ("proc/self/cgroup", "0::/a\n"),
            ("proc/self/mountinfo", mounted),
            ("sys/fs/cgroup/a/cpu.max", "50000 100000\n"),
            ("sys/fs/cgroup/a/cpu.stat", stopped),
        ])
    };
    let before = group("nr_throttled 3\nthrottled_usec 1500000\n");
    let after = group("nr_throttled 7\nthrottled_usec 3500000\n");
    let meanwhile = Moment::of(&Tree::below(before.path())).until(&Tree::below(after.path()));
    let between = Throttled {
        times: 4,
        time: Duration::from_secs(2),
    };
    assert_eq!(meanwhile.throttled, Some(between));
}

/// The measured processor time includes what this thread has used.
#[cfg(target_os = "linux")]
#[test]
fn the_processor_time_of_this_process_is_its_own() {
    let moment = Moment::now();
    let began = Instant::now();
    while goes_on(began) {}
    let meanwhile = moment.until_now();
    let own = meanwhile.own.unwrap();
    assert!(own >= Duration::from_millis(250), "{meanwhile:?}");
    // Other tests of this process may run at the same time.
    let hardware_threads = Machine::look().online.unwrap().hardware_threads as u32;
    assert!(own <= meanwhile.wall * hardware_threads + Duration::from_millis(100));
}

/// Whether this thread has had a core for less than three tenths of a second.
#[cfg(target_os = "linux")]
fn goes_on(began: Instant) -> bool {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let spent = Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
    spent < Duration::from_millis(300) && began.elapsed() < Duration::from_secs(60)
}

#[test]
fn caches_are_those_that_the_allowed_threads_share() {
    let cache =
        |index: u32, name: &str| format!("sys/devices/system/cpu/cpu1/cache/index{index}/{name}");
    let described = [
        (0, "1", "Data", "48K", "1\n"),
        (1, "1", "Instruction", "64K", "1\n"),
        (2, "3", "Unified", "32768K", "0-3\n"),
        (3, "2", "Unified", "1024K", "1\n"),
    ];
    let mut files = vec![
        (
            "sys/devices/system/cpu/online".to_owned(),
            "0-9\n".to_owned(),
        ),
        (
            "proc/self/status".to_owned(),
            "Cpus_allowed_list:\t1-8\n".to_owned(),
        ),
    ];
    for (index, level, kind, size, shared) in described {
        files.push((cache(index, "level"), format!("{level}\n")));
        files.push((cache(index, "type"), format!("{kind}\n")));
        files.push((cache(index, "size"), format!("{size}\n")));
        files.push((cache(index, "shared_cpu_list"), shared.to_owned()));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let made_up = folder(&files);
    let machine = Machine::of(&Tree::below(made_up.path()));
    // Four hardware threads share the cache, and three of them are allowed. Eight hardware threads are allowed
    // in total, so they use three caches.
    assert_eq!(machine.cache, Some(3 * (32 << 20)));
}
