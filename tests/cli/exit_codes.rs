//! Each test runs commands that end with one of the documented exit codes. Exit code 7 is tested in `baselines`.

use std::io::Write as _;

use super::{
    THREE, finish, folder_with, names, run, score, send, shell, start, wait_while_running, write,
};

#[test]
fn exit_0_is_for_every_record_scored() {
    let folder = folder_with("three.jsonl", THREE);
    assert_eq!(score(&folder, "three.jsonl", &[]).code, 0);
}

#[test]
fn exit_1_is_for_some_that_failed() {
    let folder = folder_with("in.jsonl", format!("{THREE}{{}}\n"));
    assert_eq!(score(&folder, "in.jsonl", &[]).code, 1);
}

#[test]
fn exit_2_is_for_wrong_usage_found_at_any_stage() {
    let folder = folder_with("three.jsonl", THREE);
    // The argument parser, the command or the library finds these mistakes.
    for wrong in [
        &["--no-such-option"][..],
        &["--html", "-"],
        &["--rate", "0"],
        &["--scores", "out.txt"],
        &["--scores", "-", "--keep", "text,text"],
    ] {
        assert_eq!(score(&folder, "three.jsonl", wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(names(&folder), ["three.jsonl"]);
}

#[test]
fn exit_3_is_for_bad_input() {
    let folder = folder_with("three.jsonl", THREE);
    assert_eq!(score(&folder, "missing.jsonl", &[]).code, 3);
    assert_eq!(score(&folder, ".", &[]).code, 3);
    write(&folder, "reference.jsonl", "{\"text\":5}\n");
    let matching = [
        "score",
        "three.jsonl",
        "--with",
        "match",
        "--against",
        "reference.jsonl",
    ];
    assert_eq!(run(&folder, &matching).code, 3);
}

#[test]
fn exit_4_is_for_a_run_halted_by_failures() {
    let folder = folder_with("in.jsonl", format!("{{}}\n{THREE}"));
    assert_eq!(
        score(&folder, "in.jsonl", &["--on-failure", "stop"]).code,
        4
    );
}

#[test]
fn exit_5_is_for_output_that_could_not_be_written() {
    let folder = folder_with("three.jsonl", THREE);
    assert_eq!(
        score(&folder, "three.jsonl", &["--scores", "no/out.jsonl"]).code,
        5
    );
    assert_eq!(
        score(&folder, "three.jsonl", &["--html", "no/page.html"]).code,
        5
    );
    if std::path::Path::new("/dev/full").exists() {
        assert_eq!(
            score(&folder, "three.jsonl", &["--scores", "/dev/full"]).code,
            5
        );
        assert_eq!(
            score(&folder, "three.jsonl", &["--html", "/dev/full"]).code,
            5
        );
    }
}

#[test]
fn exit_6_is_for_an_executor_that_gives_another_answer() {
    let folder = folder_with("names.txt", "one\ntwo\n");
    let options = [
        "--with",
        "match",
        "--against",
        "names.txt",
        "--rounds",
        "1",
        "-j",
        "1",
    ];
    let bench = ["bench", "-", "--executors", "process-pool"];
    let mut child = start(&folder, &[&bench[..], &options].concat());
    let mut input = child.stdin.take().expect("a pipe");
    // These lines are longer than what a pipe can hold. Once all of them are written, the program has read the
    // reference and is reading records.
    let lines = format!("{{\"text\":\"{}\"}}\n", "two ".repeat(1 << 11)).repeat(32);
    input.write_all(lines.as_bytes()).expect("it reads");
    // The worker processes start after the last record is read, so they read the changed reference.
    write(&folder, "names.txt", "one\nthree\n");
    drop(input);
    let ran = finish(child);
    assert_eq!(ran.code, 6, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("process-pool"), "{}", ran.out);
}

/// At some limits the worker processes cannot start, because no file descriptor is left for their pipes. At
/// lower limits the input or the output cannot be opened. At every limit the exit code says what failed.
#[test]
fn exit_8_is_for_workers_that_cannot_be_started() {
    let folder = folder_with("three.jsonl", THREE);
    let mut codes = Vec::new();
    for descriptors in 3..40 {
        let line = format!(
            "ulimit -n {descriptors}; exec \"$0\" score three.jsonl --with sentiment --executor \
             process-pool -j 3 --scores {descriptors}.jsonl"
        );
        let ran = shell(&folder, &line);
        let (code, told) = (ran.code, ran.err);
        let scores = folder.path().join(format!("{descriptors}.jsonl"));
        // The worker processes may fail to start (8), or the shared libraries (127), the input (3) or the output
        // (5) may fail to open.
        assert!(
            [0, 3, 5, 8, 127].contains(&code),
            "{descriptors}: {code}: {told}"
        );
        assert_eq!(scores.exists(), code == 0, "{descriptors}: {told}");
        assert!(code != 8 || told.contains("(ulimit -n)"), "{told}");
        codes.push(code);
    }
    assert!(codes.contains(&8) && codes.contains(&0), "{codes:?}");
}

#[test]
fn exit_124_is_for_the_deadline() {
    let folder = folder_with("three.jsonl", THREE);
    assert_eq!(
        score(&folder, "three.jsonl", &["--deadline", "0"]).code,
        124
    );
}

#[test]
fn exit_128_and_its_number_is_for_a_signal() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = start(
            &folder,
            &["score", "-", "--with", "sentiment", "--scores", "out.csv"],
        );
        // The program handles signals before it creates the file.
        wait_while_running(&mut child, "the file", || !names(&folder).is_empty());
        send(child.id(), signal);
        // The input stays open until the program has ended, so only the signal can end it.
        let input = child.stdin.take();
        assert_eq!(finish(child).code, code);
        drop(input);
    }
}
