//! In these tests, a plan names programs that are not workers, and a worker is started by hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::answers::folder_with_hostile;
use super::{error_of, json, plan, run, script};
use crate::{binary, make_pipe, output_of, sample, start_shell};
use manyhands::plan::{ExecutorName, RunOptions};
use manyhands::{Error, Executor, Sequential, TaskQueue, WorkStealing};

#[test]
fn a_program_that_is_no_worker_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let echo = script(&folder, "exec cat");
    for (program, told) in [
        (None, "does not say which program"),
        (Some(Path::new("no/such/program")), "No such file"),
        (Some(Path::new("/bin/false")), "exit status 1"),
        (Some(echo.as_path()), "is no worker"),
    ] {
        let error = error_of(&plan(program));
        assert!(
            error.starts_with("cannot start a worker process: "),
            "{error}"
        );
        assert!(error.contains(told), "{error}");
    }
    // This program is a worker.
    let opened = plan(Some(binary()));
    let answer = opened
        .open()
        .expect("the sample")
        .run(RunOptions::default());
    assert_eq!(answer.expect("a run").report.scored, 2000);
}

/// A worker whose run was killed cannot write its answers any more.
#[test]
fn a_worker_without_a_run_ends_silently() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let worker = Command::new(binary())
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let greeting = b"manyhands: are you a worker?";
    let mut input = worker.stdin.as_ref().expect("a pipe");
    input.write_all(greeting).expect("it reads");
    let output = output_of(worker);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*told), (Some(0), ""));
}

#[test]
fn a_callers_executor_waits_for_the_worker_processes_of_the_plan() {
    let mut expected = plan(None);
    expected.executor = ExecutorName::Sequential;
    let expected = expected.open().expect("the sample");
    let expected = expected.run(RunOptions::default()).expect("a run").digest;
    let run_on = |program: Option<&Path>, executor: &dyn Executor, started: usize| {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display();
        let program = program.map(|program| {
            let text = format!(
                "echo started >> {at}/log; exec {} \"$@\"",
                program.display()
            );
            script(&folder, &text)
        });
        let mut plan = plan(program.as_deref());
        // Only a process pool accepts a timeout.
        plan.timeout = Some(Duration::from_secs(600));
        let answer = plan.open()?.run_on(executor, RunOptions::default())?;
        let log = fs::read_to_string(folder.path().join("log")).expect("a log");
        assert_eq!(log.lines().count(), started, "{}", executor.name());
        Ok::<_, Error>(answer.digest)
    };
    for (executor, processes) in [
        (&Sequential as &dyn Executor, 1),
        (&TaskQueue::new(3), 3),
        (&WorkStealing::new(2), 2),
    ] {
        let digest = run_on(Some(binary()), executor, processes).expect("a run");
        assert_eq!(digest, expected);
        let error = run_on(None, executor, 0).expect_err("no program");
        assert!(matches!(error, Error::Process { .. }), "{error}");
    }
}

#[test]
fn a_reference_that_can_be_read_only_once_is_refused() {
    let folder = folder_with_hostile();
    make_pipe(&folder, "pipe");
    let writer = start_shell(&folder, "printf 'good\\nbad\\n' > pipe");
    let arguments = ["score", "in.jsonl", "--with", "match", "--against", "pipe"];
    let output = run(
        &folder,
        &[&arguments, ["--executor", "process-pool"].as_slice()].concat(),
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("pipe: can be read only once"), "{told}");
    output_of(writer);
}

#[test]
fn a_worker_that_is_started_by_hand_says_who_starts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(&folder, &["worker"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("is started by manyhands itself"), "{told}");
    let help = run(&folder, &["--help"]);
    assert!(!String::from_utf8_lossy(&help.stdout).contains("\n  worker"));
}

#[test]
fn too_few_open_files_end_the_run_with_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let score = |open_files: usize| {
        let command = format!(
            "ulimit -n {open_files}; exec {} -q score {} --with sentiment --executor process-pool -j 3 --json",
            binary().display(),
            sample()
        );
        let output = output_of(start_shell(&folder, &command));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("panicked"), "{told}");
        assert_ne!(output.status.code(), Some(101), "{told}");
        match output.status.success() {
            true => Ok(json(&output)["digest"].take()),
            false => Err(told),
        }
    };
    let expected = score(1000).expect("enough");
    for open_files in 8..24 {
        match score(open_files) {
            Ok(digest) => assert_eq!(digest, expected),
            Err(told) => assert!(told.contains("open files"), "{open_files}: {told}"),
        }
    }
}
