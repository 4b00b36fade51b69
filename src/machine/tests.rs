//! Made-up machines: hardware threads of one core, masks, offline cores, nested groups with quotas.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::cores::list;
use super::pinning::Pinning;
use super::stack::main_thread_stack;
use super::tree::Tree;
use super::{ControlGroup, Machine, Processors, Throttled};

/// A machine that has these files.
fn machine_of(files: &[(&str, &str)]) -> (TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine::of(&Tree::below(folder.path()));
    (folder, machine)
}

/// The files of a machine whose cores have these hardware threads. Those in `online` are online.
fn cores(online: &str, allowed: &str, cores: &[&str]) -> Vec<(String, String)> {
    let mut files = vec![
        (
            "sys/devices/system/cpu/online".to_owned(),
            format!("{online}\n"),
        ),
        (
            "proc/self/status".to_owned(),
            format!(
                "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t{allowed}\nMems_allowed_list:\t0\n"
            ),
        ),
    ];
    for core in cores {
        for thread in list(core).unwrap() {
            let path = format!("sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list");
            files.push((path, format!("{core}\n")));
        }
    }
    files
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}

/// The hardware threads to which the first workers are pinned.
fn places(folder: &TempDir, workers: usize) -> Vec<Option<usize>> {
    let pinning = Pinning::on(&Tree::below(folder.path()));
    (0..workers).map(|worker| pinning.place(worker)).collect()
}

fn processors(hardware_threads: usize, cores: impl Into<Option<usize>>) -> Option<Processors> {
    Some(Processors {
        hardware_threads,
        cores: cores.into(),
    })
}

/// Hardware threads 0 to 3 are on four different cores, and 4 to 7 are the second hardware threads of these
/// cores.
const FOUR_CORES: [&str; 4] = ["0,4", "1,5", "2,6", "3,7"];

#[test]
fn two_hardware_threads_of_a_core_are_one_core() {
    let (folder, machine) = machine_of(&borrowed(&cores("0-7", "0-7", &FOUR_CORES)));
    assert_eq!(machine.online, processors(8, 4));
    assert_eq!(machine.allowed, processors(8, 4));
    let spread = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1].map(Some);
    assert_eq!(places(&folder, 10), spread);
}

#[test]
fn a_mask_of_one_pair_is_one_core() {
    let (folder, machine) = machine_of(&borrowed(&cores("0-7", "2,6", &FOUR_CORES)));
    assert_eq!(machine.online, processors(8, 4));
    assert_eq!(machine.allowed, processors(2, 1));
    assert_eq!(places(&folder, 3), [2, 6, 2].map(Some));
    let text = machine.to_string();
    assert!(
        text.ends_with(", 2 of 8 hardware threads on 1 of 4 cores"),
        "{text}"
    );
}

#[test]
fn workers_are_spread_over_cores_before_second_hardware_threads() {
    // Neighbours are on one core, and the mask has only one hardware thread of the last core.
    let pairs = ["0-1", "2-3", "4-5"];
    let (folder, machine) = machine_of(&borrowed(&cores("0-5", "0-4", &pairs)));
    assert_eq!(machine.allowed, processors(5, 3));
    assert_eq!(places(&folder, 5), [0, 2, 4, 1, 3].map(Some));
}

#[test]
fn offline_hardware_threads_do_not_count() {
    // If the second hardware thread of a core is offline, the kernel lists only the first one, and older
    // kernels list both. A mask may contain offline hardware threads.
    let (folder, machine) = machine_of(&borrowed(&cores("0-1,4", "0-7", &["0,4", "1,5"])));
    assert_eq!(machine.online, processors(3, 2));
    assert_eq!(machine.allowed, processors(3, 2));
    assert_eq!(places(&folder, 3), [0, 1, 4].map(Some));
}

#[test]
fn hardware_threads_are_counted_even_if_cores_are_unknown() {
    let (folder, machine) = machine_of(&borrowed(&cores("0-3", "1-2", &["0,1"])));
    assert_eq!(machine.allowed, processors(2, None));
    assert_eq!(places(&folder, 3), [1, 2, 1].map(Some));
    assert!(machine.to_string().ends_with(", 2 of 4 hardware threads"));
}

#[test]
fn a_machine_without_any_facts_is_described_all_the_same() {
    let (folder, machine) = machine_of(&[]);
    assert_eq!(machine.to_string(), std::env::consts::ARCH);
    assert_eq!((machine.online, machine.allowed), (None, None));
    assert_eq!(machine.warnings(), [""; 0]);
    assert_eq!(places(&folder, 1), [None]);
    assert!(!Pinning::on(&Tree::below(folder.path())).works());
}

#[test]
fn nonsense_is_no_fact() {
    let (_folder, machine) = machine_of(&[
        ("sys/devices/system/cpu/online", "0-99999999999\n"),
        ("proc/self/status", "Cpus_allowed_list:\tall\n"),
        ("proc/self/cgroup", "0\n::\n\n0::/x\n"),
        ("proc/self/mountinfo", "1 2 3 - \n - cgroup2\nx"),
        ("proc/loadavg", "1.0 nan"),
        (
            "proc/meminfo",
            "MemTotal: 99999999999999999999 kB\nMemAvailable: x\n",
        ),
        ("proc/cpuinfo", "model name\nmodel name :\n"),
        ("etc/os-release", "PRETTY_NAME=\"\"\n"),
        ("sys/devices/system/node/online", "3-1\n"),
    ]);
    let (_empty, nothing) = machine_of(&[]);
    assert_eq!(machine, nothing);
}

#[test]
fn lists_are_read_as_the_kernel_writes_them() {
    let members = |text: &str| list(text).map(|list| list.into_iter().collect::<Vec<_>>());
    assert_eq!(members("0-2,8,10-11\n"), Some(vec![0, 1, 2, 8, 10, 11]));
    assert_eq!(members("5"), Some(vec![5]));
    assert_eq!(members("\n"), Some(vec![]));
    for wrong in ["a", "1-", "-1", "2-1", "0-65536", "0 1"] {
        assert_eq!(members(wrong), None, "{wrong}");
    }
}

#[test]
fn the_plain_facts_are_read() {
    let mut files = cores("0-1", "0-1", &["0", "1"]);
    for (path, text) in [
        (
            "proc/cpuinfo",
            "processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC 9B14\n\nprocessor\t: 1\nmodel name\t: other\n",
        ),
        ("proc/loadavg", "0.07 1.50 2.25 1/100 999\n"),
        (
            "proc/meminfo",
            "MemTotal:        2048 kB\nMemFree:  1 kB\nMemAvailable:    1024 kB\n",
        ),
        ("proc/sys/kernel/osrelease", "6.1.0-test\n"),
        (
            "etc/os-release",
            "NAME=\"Debian\"\nPRETTY_NAME=\"Debian 13\"\n",
        ),
        ("sys/devices/system/node/online", "0-1\n"),
        (
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
            "powersave\n",
        ),
    ] {
        files.push((path.to_owned(), text.to_owned()));
    }
    let (_folder, machine) = machine_of(&borrowed(&files));
    assert_eq!(machine.cpu.as_deref(), Some("AMD EPYC 9B14"));
    assert_eq!(machine.load, Some([0.07, 1.5, 2.25]));
    assert_eq!(machine.memory, Some(2 << 20));
    assert_eq!(machine.memory_available, Some(1 << 20));
    assert_eq!(machine.kernel.as_deref(), Some("6.1.0-test"));
    assert_eq!(machine.system, "Debian 13");
    assert_eq!(machine.numa_nodes, Some(2));
    assert_eq!(machine.governor.as_deref(), Some("powersave"));
    let text = "AMD EPYC 9B14, 2 hardware threads on 2 cores";
    assert_eq!(machine.to_string(), text);
    let json = serde_json::to_string(&machine).unwrap();
    assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
}

/// The line of `mountinfo` for the mount of version 2.
const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

/// The limits of the groups of a machine that has these files.
fn group_of(own: &str, mounts: &str, files: &[(&str, &str)]) -> Option<ControlGroup> {
    let mut all = vec![("proc/self/cgroup", own), ("proc/self/mountinfo", mounts)];
    all.extend(files);
    machine_of(&all).1.control_group
}

#[test]
fn of_nested_groups_of_version_2_the_tightest_counts() {
    let group = group_of(
        "0::/pod/box/inner\n",
        V2,
        &[
            ("sys/fs/cgroup/cpu.stat", "usage_usec 1\n"),
            ("sys/fs/cgroup/pod/cpu.max", "400000 100000\n"),
            ("sys/fs/cgroup/pod/memory.max", "1000000\n"),
            ("sys/fs/cgroup/pod/box/cpu.max", "75000 50000\n"),
            (
                "sys/fs/cgroup/pod/box/cpu.stat",
                "usage_usec 9\nnr_periods 8\nnr_throttled 3\nthrottled_usec 1500000\n",
            ),
            ("sys/fs/cgroup/pod/box/memory.max", "max\n"),
            ("sys/fs/cgroup/pod/box/inner/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/pod/box/inner/memory.max", "2000000\n"),
            // This is the group of another process.
            ("sys/fs/cgroup/pod/other/cpu.max", "1000 100000\n"),
        ],
    );
    let throttled = Throttled {
        times: 3,
        time: Duration::from_millis(1500),
    };
    let expected = ControlGroup {
        quota: Some(1.5),
        throttled: Some(throttled),
        memory: Some(1_000_000),
    };
    assert_eq!(group, Some(expected));
    let later = Throttled {
        times: 5,
        time: Duration::from_millis(1750),
    };
    let between = later.since(throttled);
    assert_eq!(
        (between.times, between.time),
        (2, Duration::from_millis(250))
    );
}

#[test]
fn of_nested_groups_of_version_1_the_tightest_counts() {
    let mounts = "33 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                  34 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  35 31 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
                  36 31 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let own = "9:name=systemd:/x\n4:memory:/a/b\n3:cpuset:/\n1:cpu,cpuacct:/a\n0::/\n";
    let cpu = "sys/fs/cgroup/cpu,cpuacct";
    let in_cpu = |name: &str| format!("{cpu}/{name}");
    let files = [
        (in_cpu("cpu.cfs_quota_us"), "-1\n"),
        (in_cpu("cpu.cfs_period_us"), "100000\n"),
        (in_cpu("a/cpu.cfs_quota_us"), "50000\n"),
        (in_cpu("a/cpu.cfs_period_us"), "100000\n"),
        (
            in_cpu("a/cpu.stat"),
            "nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n",
        ),
    ];
    let mut files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    let unlimited = "9223372036854771712\n";
    files.extend([
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited),
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096000\n"),
        ("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", unlimited),
    ]);
    let expected = ControlGroup {
        quota: Some(0.5),
        throttled: Some(Throttled {
            times: 4,
            time: Duration::from_millis(2500),
        }),
        memory: Some(4_096_000),
    };
    assert_eq!(group_of(own, mounts, &files), Some(expected));
}

#[test]
fn in_a_container_the_group_is_the_mount_point() {
    // Version 1 names the group as the host sees it, and the folder of the group is mounted. If a group is
    // outside the namespace, version 2 names it by a path that is relative to the root of the namespace.
    let v1 = "33 31 0:31 /docker/1f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
    let quota = [
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
    ];
    let group = group_of("1:cpu:/docker/1f\n", v1, &quota);
    assert_eq!(group.and_then(|group| group.quota), Some(2.0));
    let quota = [("sys/fs/cgroup/cpu.max", "25000 100000\n")];
    let group = group_of("0::/../other\n", V2, &quota);
    assert_eq!(group.and_then(|group| group.quota), Some(0.25));
    let blank = V2.replace("/sys/fs/cgroup", "/sys/fs/my\\040groups");
    let quota = [("sys/fs/my groups/a/cpu.max", "25000 100000\n")];
    let group = group_of("0::/a\n", &blank, &quota);
    assert_eq!(group.and_then(|group| group.quota), Some(0.25));
}

#[test]
fn no_quota_differs_from_an_unknown_one() {
    let (_folder, machine) = machine_of(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", V2),
        ("sys/fs/cgroup/cpu.stat", "usage_usec 1\n"),
    ]);
    assert_eq!(machine.control_group, Some(ControlGroup::default()));
    assert!(machine.to_string().ends_with(", no quota"));
    // The group is named, but its hierarchy is not mounted.
    assert_eq!(group_of("0::/\n", V2, &[]), None);
    assert_eq!(group_of("0::/\n", "", &[]), None);
}

#[test]
fn there_are_warnings_about_doubtful_times() {
    let (_folder, mut machine) = machine_of(&borrowed(&cores("0-3", "0-3", &["0", "1", "2", "3"])));
    machine.load = Some([0.2, 9.0, 9.0]);
    machine.governor = Some("performance".to_owned());
    machine.control_group = Some(ControlGroup {
        quota: Some(4.0),
        throttled: Some(Throttled::default()),
        memory: None,
    });
    assert_eq!(machine.warnings(), [""; 0]);
    machine.load = Some([1.5, 0.0, 0.0]);
    machine.governor = Some("powersave".to_owned());
    machine.control_group = Some(ControlGroup {
        quota: Some(1.0),
        throttled: Some(Throttled {
            times: 1,
            time: Duration::from_millis(250),
        }),
        memory: None,
    });
    assert_eq!(
        machine.warnings(),
        [
            "the load was 1.50 over the last minute: others may use the cores too",
            "a quota of 1 core is less than the 4 hardware threads allowed: threads are stopped in between",
            "the governor is powersave: the clock may be slow, and slower at first",
            "the quota has stopped threads 1 time so far, for 0.2 s in all",
        ]
    );
    assert!(machine.to_string().ends_with("4 cores, a quota of 1 core"));
    // A load of half a thread is not noticeable among many hardware threads.
    machine.allowed = processors(64, 64);
    assert!(
        !machine
            .warnings()
            .iter()
            .any(|warning| warning.contains("load"))
    );
}

#[test]
fn this_machine_has_some_facts() {
    let machine = Machine::look();
    let allowed = machine.allowed.expect("some threads are allowed");
    assert!(allowed.hardware_threads >= 1);
    assert!(
        allowed
            .cores
            .is_none_or(|cores| cores <= allowed.hardware_threads)
    );
    // The quota may allow fewer hardware threads than the mask, but never more.
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(usable <= allowed.hardware_threads);
    assert_eq!(machine.load.is_some(), cfg!(target_os = "linux"));
}

/// The kernel itself reports that threads are pinned to the right place.
#[cfg(target_os = "linux")]
#[test]
fn a_pinned_thread_may_run_in_one_place() {
    let pinning = Pinning::look();
    let place = std::thread::scope(|scope| {
        let pinned = || {
            pinning.pin(0);
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            let mut lines = status.lines();
            let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            list.unwrap().trim().to_owned()
        };
        scope.spawn(pinned).join().unwrap()
    });
    assert!(pinning.works());
    assert_eq!(Some(place), pinning.place(0).map(|place| place.to_string()));
}

#[test]
fn threads_get_the_stack_of_the_main_thread() {
    let stack = |limits: &str| {
        let (folder, _) = machine_of(&[("proc/self/limits", limits)]);
        main_thread_stack(&Tree::below(folder.path()))
    };
    let limits = |soft: &str| {
        format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max cpu time              unlimited            unlimited            seconds   \n\
             Max stack size            {soft:<20} unlimited            bytes     \n"
        )
    };
    assert_eq!(stack(&limits("8388608")), 8 << 20);
    assert_eq!(stack(&limits("268435456")), 256 << 20);
    // The stack is never smaller than the stack that the standard library gives a thread.
    assert_eq!(stack(&limits("65536")), 2 << 20);
    assert_eq!(stack(&limits("unlimited")), 64 << 20);
    assert_eq!(stack("no such line\n"), 8 << 20);
}
