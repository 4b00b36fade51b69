//! `bench --machine`: what is known about the machine.

use super::{columns, folder_with, run};

#[test]
fn the_machine_is_told_as_a_table() {
    let folder = folder_with("unused", "");
    let ran = run(&folder, &["bench", "--machine"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for fact in [
        "processor",
        "this process may use",
        "quota",
        "load",
        "memory",
        "system",
        concat!("manyhands             ", env!("CARGO_PKG_VERSION")),
    ] {
        let told = ran.out.lines().any(|line| line.trim().starts_with(fact));
        assert!(told, "{fact} is not in\n{}", ran.out);
    }
    for line in ran.out.lines() {
        assert!(
            columns(line) <= 80 || line.starts_with("warning: "),
            "{line}"
        );
    }
}

#[test]
fn the_machine_is_told_as_json() {
    let folder = folder_with("unused", "");
    let ran = run(&folder, &["bench", "--machine", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let machine: manyhands::Machine = serde_json::from_str(&ran.out).expect("a machine");
    assert_eq!(machine.version, env!("CARGO_PKG_VERSION"));
    let allowed = machine.allowed.expect("some hardware threads");
    assert!(allowed.hardware_threads >= manyhands::execution::usable_cores());
}

#[cfg(target_os = "linux")]
#[test]
fn a_mask_of_one_hardware_thread_is_one_core() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    // The program inherits the mask of the thread that starts it, which is this test's own.
    let mut mask = sched_getaffinity(None).expect("a mask");
    let last = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|thread| mask.is_set(*thread));
    mask.clear();
    mask.set(last.expect("a hardware thread"));
    sched_setaffinity(None, &mask).expect("a smaller mask");

    let folder = folder_with("three.jsonl", super::THREE);
    let machine = run(&folder, &["bench", "--machine", "--json"]).json();
    assert_eq!(machine["allowed"]["hardware_threads"], 1);
    let workers = |arguments: &[&str]| {
        let json = super::score(&folder, "three.jsonl", arguments).json();
        json["timing"]["workers"].as_array().map(Vec::len)
    };
    assert_eq!(workers(&["--json"]), Some(1));
    assert_eq!(workers(&["--json", "-j", "50%"]), Some(1));
    assert_eq!(workers(&["--json", "-j", "3"]), Some(3));
}

#[test]
fn pinned_workers_give_the_same_answer() {
    let folder = folder_with("unused", "");
    let score = |arguments: &[&str]| super::score(&folder, super::sample(), arguments);
    let plain = score(&[]);
    for threads in ["1", "2", "100%"] {
        let pinned = score(&["--pin", "-j", threads]);
        assert_eq!(pinned.code, 0, "{}", pinned.err);
        assert_eq!(pinned.digest(), plain.digest());
        let json = score(&["--pin", "-j", threads, "--json"]).json();
        assert_eq!(json["timing"]["pinned"], cfg!(target_os = "linux"));
    }
}

#[test]
fn where_nothing_can_be_pinned_a_note_says_so() {
    let folder = folder_with("three.jsonl", super::THREE);
    let arguments = ["--pin", "--executor", "sequential"];
    let ran = super::score(&folder, "three.jsonl", &arguments);
    let note = "note: --pin did nothing: sequential has no workers, only the calling thread\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    let quiet = super::score(&folder, "three.jsonl", &[&arguments[..], &["-q"]].concat());
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
}
