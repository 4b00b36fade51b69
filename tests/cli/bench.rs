//! These tests cover `bench`: its description of the machine and its comparisons of executors.

use super::{columns, folder_with, run};

#[test]
fn the_machine_is_described_in_a_table() {
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
fn the_machine_is_described_in_json() {
    let folder = folder_with("unused", "");
    let ran = run(&folder, &["bench", "--machine", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let machine: manyhands::Machine = serde_json::from_str(&ran.out).expect("a machine");
    assert_eq!(machine.version, env!("CARGO_PKG_VERSION"));
    let allowed = machine.allowed.expect("some hardware threads");
    assert!(allowed.hardware_threads >= manyhands::machine::usable_cores());
}

#[test]
fn equal_settings_are_measured_once() {
    let folder = folder_with("three.jsonl", super::THREE);
    let arguments = ["bench", "three.jsonl", "--rounds", "1", "--json"];
    let twice = ["-j", "1,1,2,100%", "--executors", "task-queue,task-queue"];
    let json = run(&folder, &[&arguments[..], &twice].concat()).json();
    let cells = json["measurements"].as_array().expect("measurements");
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| (cell["executor"].as_str(), cell["threads"].as_u64()))
        .collect();
    let queue = |threads: u64| (Some("task-queue"), Some(threads));
    let mut expected = vec![(Some("sequential"), Some(1)), queue(1), queue(2)];
    let cores = manyhands::machine::usable_cores() as u64;
    if cores > 2 {
        expected.push(queue(cores));
    }
    assert_eq!(cells, expected);
}

#[test]
fn without_records_there_is_no_longest_record() {
    let folder = folder_with("none.jsonl", "");
    let ran = run(
        &folder,
        &["bench", "none.jsonl", "--rounds", "1", "-j", "1"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("There are no records."), "{}", ran.out);
    assert!(!ran.out.contains("record 1"), "{}", ran.out);
}

#[cfg(target_os = "linux")]
#[test]
fn a_mask_of_one_hardware_thread_is_one_core() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    // The program inherits the affinity mask of the thread that starts it, which belongs to this test.
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
fn a_note_says_that_pinning_did_nothing() {
    let folder = folder_with("three.jsonl", super::THREE);
    let arguments = ["--pin", "--executor", "sequential"];
    let ran = super::score(&folder, "three.jsonl", &arguments);
    let note = "note: --pin had no effect: the executor sequential has no workers, only the calling thread\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    let quiet = super::score(&folder, "three.jsonl", &[&arguments[..], &["-q"]].concat());
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
}

/// Runs a short comparison.
fn compared(arguments: &[&str]) -> super::Ran {
    let folder = folder_with("three.jsonl", super::THREE);
    let common = ["bench", "--rounds", "2", "--threads", "1,2"];
    run(&folder, &[&common[..], arguments].concat())
}

#[test]
fn executors_are_compared_in_a_table_of_80_columns() {
    let ran = compared(&["--records", "50"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for told in [
        "sentiment over 50 generated reviews",
        " sequential ×1 ",
        " work-stealing ×1 ",
        " work-stealing ×2 ",
        " task-queue ×2 ",
        "faster than sequential (COST): work-stealing ",
        "2 rounds after 1 warm-up round; each round runs every executor",
    ] {
        assert!(ran.out.contains(told), "{told} is not in\n{}", ran.out);
    }
    for line in ran.out.lines() {
        assert!(columns(line) <= 80, "{line}");
    }
}

/// Each of these comparisons once had lines of more than 80 columns or reported figures that do not exist.
#[test]
fn unusual_comparisons_fit_in_80_columns() {
    let folder = folder_with(&format!("{}.jsonl", "long-name-".repeat(12)), super::THREE);
    let long = format!("{}.jsonl", "long-name-".repeat(12));
    let bench = |arguments: &[&str]| {
        let ran = run(&folder, &[&["bench", "--rounds", "2"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        for line in ran.out.lines() {
            assert!(columns(line) <= 80, "{line}");
        }
        ran.out
    };
    let name = "a-baseline-whose-name-is-about-as-long-as-names-become";
    let common = [long.as_str(), "--threads", "1", "--executors"];
    let alone = bench(&[&common[..], &["sequential"]].concat());
    assert!(
        alone.contains("nothing to compare sequential with"),
        "{alone}"
    );
    assert!(
        !alone.contains("speed-up") && !alone.contains("COST"),
        "{alone}"
    );
    let refused = "work-stealing, task-queue: no law of scaling fitted: 1 number of threads";
    let both = "work-stealing,task-queue";
    let both = bench(&[&common[..], &[both, "--save-baseline", name, "-q"]].concat());
    assert_eq!(both.matches(refused).count(), 1, "{both}");
    let beside = bench(&[&common[..], &["task-queue", "--baseline", name]].concat());
    assert!(
        beside.contains(name) && beside.contains("baseline\na-baseline"),
        "{beside}"
    );
}

#[test]
fn without_records_there_are_no_times() {
    let ran = compared(&["--records", "0"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("There are no records."), "{}", ran.out);
    assert!(!ran.out.contains("median"), "{}", ran.out);
}

#[test]
fn a_law_fitted_beyond_the_cores_of_the_machine_has_a_warning() {
    let cores = manyhands::machine::usable_cores();
    let threads = format!("1,2,3,4,5,6,{}", 2 * cores.max(4));
    let folder = folder_with("three.jsonl", super::THREE);
    let ran = run(
        &folder,
        &[
            "bench",
            "--rounds",
            "2",
            "-j",
            &threads,
            "--executors",
            "task-queue",
            "--records",
            "20",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("task-queue: the law may mislead: up to "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("serial share in Amdahl's law"),
        "{}",
        ran.out
    );
}

#[test]
fn a_comparison_as_json_has_every_turn_of_every_round() {
    let ran = compared(&["three.jsonl", "--json", "--executors", "task-queue"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let comparison: manyhands::measure::Comparison = serde_json::from_str(&ran.out).expect("one");
    assert_eq!(comparison.workload.name, "sentiment over three.jsonl");
    assert_eq!(comparison.workload.records, 3);
    let cells = comparison.measurements.iter();
    let cells: Vec<_> = cells
        .map(|cell| (cell.executor.as_str(), cell.threads, cell.turns.len()))
        .collect();
    assert_eq!(
        cells,
        [
            ("sequential", 1, 2),
            ("task-queue", 1, 2),
            ("task-queue", 2, 2)
        ]
    );
    let folder = folder_with("three.jsonl", super::THREE);
    let scored = super::score(&folder, "three.jsonl", &[]);
    assert_eq!(scored.digest(), comparison.workload.digest);
}

#[test]
fn a_missing_input_is_exit_3() {
    let ran = compared(&["missing.jsonl"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(
        ran.err.starts_with("error: missing.jsonl: no such file"),
        "{}",
        ran.err
    );
}
