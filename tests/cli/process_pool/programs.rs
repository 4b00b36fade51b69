//! Programs that are no workers, and what a worker says by itself.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use manyhands::plan::Beside;
use tempfile::TempDir;

use super::answers::folder_with_hostile;
use super::{binary, end_of, error_of, json, plan, run, sample, script};

#[test]
fn a_program_that_is_no_worker_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let echo = script(&folder, "exec cat");
    for (program, told) in [
        (None, "does not say which program"),
        (Some(Path::new("no/such/program")), "No such file"),
        (Some(Path::new("/bin/false")), "exit status 1"),
        (Some(echo.as_path()), "it is no worker"),
    ] {
        let error = error_of(&plan(program));
        assert!(
            error.starts_with("cannot start a worker process: "),
            "{error}"
        );
        assert!(error.contains(told), "{error}");
    }
    // And one that is.
    let opened = plan(Some(binary()));
    let answer = opened.open().expect("the sample").run(Beside::default());
    assert_eq!(answer.expect("a run").report.scored, 2000);
}

#[test]
fn a_reference_that_can_be_read_once_is_refused() {
    let folder = folder_with_hostile();
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(made.expect("there is mkfifo").success());
    let writer = start_shell(&folder, "printf 'good\\nbad\\n' > pipe");
    let arguments = ["score", "in.jsonl", "--with", "match", "--against", "pipe"];
    let output = run(
        &folder,
        &[&arguments, ["--executor", "process-pool"].as_slice()].concat(),
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("pipe: can be read only once"), "{told}");
    end_of(writer);
}

fn start_shell(folder: &TempDir, command: &str) -> Child {
    Command::new("sh")
        .args(["-c", command])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is sh")
}

#[test]
fn the_worker_by_itself_says_what_it_is_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(&folder, &["worker"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("is started by others"), "{told}");
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
        let output = end_of(start_shell(&folder, &command));
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
