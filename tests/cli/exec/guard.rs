//! The guard between the run and a program must end the program and what it has started, once the run has ended.
//! These tests start guards themselves, so that they can choose the parent.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::{binary, lives, output_of, send, wait_for};

/// A guard of this process for a program with arguments.
fn guard(program: &[&str]) -> Command {
    guard_of(&std::process::id().to_string(), program)
}

fn guard_of(parent: &str, program: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["manyhands-guard", parent])
        .args(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(command: &mut Command) -> Child {
    command.spawn().expect("it starts")
}

/// Runs a line of shell commands under a guard until it ends.
fn run_shell(line: &str) -> Output {
    output_of(start(&mut guard(&["sh", "-c", line])))
}

fn reader(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.stdout.take().expect("a pipe"))
}

/// Reads a line that contains the id of a process.
fn id(from: &mut BufReader<ChildStdout>) -> u32 {
    let mut line = String::new();
    from.read_line(&mut line).expect("a pipe");
    line.trim().parse().expect("an id")
}

/// Starts a shell that starts a guard, whose program starts a child. Returns the shell and the ids of the other three.
/// None of the processes reads its input, so none of them ends by itself.
fn family() -> (Child, [u32; 3]) {
    let program = "sleep 600 & echo $!; echo $$; wait";
    let parent = format!("\"$0\" manyhands-guard $$ sh -c '{program}' & echo $!; wait");
    let mut shell = Command::new("sh");
    shell.args(["-c", &parent]).arg(binary());
    let mut shell = start(shell.stdin(Stdio::null()).stdout(Stdio::piped()));
    let mut lines = reader(&mut shell);
    let ids = [0; 3].map(|_| id(&mut lines));
    (shell, ids)
}

fn wait_for_the_end_of(ids: &[u32]) {
    for &id in ids {
        wait_for("the end of a process", || (!lives(id)).then_some(()));
    }
}

#[test]
fn a_program_and_its_children_end_if_the_parent_is_killed() {
    for signal in ["KILL", "TERM"] {
        let (mut parent, ids) = family();
        assert!(ids.iter().all(|&id| lives(id)));
        send(parent.id(), signal);
        parent.wait().expect("it is our child");
        wait_for_the_end_of(&ids);
    }
}

#[test]
fn a_guard_is_not_found_by_the_name_of_the_executable() {
    let mut child = start(&mut guard(&["sh", "-c", "echo $$; read line"]));
    id(&mut reader(&mut child));
    let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).expect("it runs");
    assert_eq!(name, "guard\n");
    output_of(child);
}

#[test]
fn no_program_is_started_if_the_parent_has_ended() {
    // The guard receives the id of a process that is not its parent.
    let mut ended = start(Command::new("true").stdin(Stdio::null()));
    ended.wait().expect("it is our child");
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("mark");
    let mark = mark.to_str().expect("UTF-8");
    let parent = ended.id().to_string();
    let output = output_of(start(&mut guard_of(&parent, &["touch", mark])));
    assert_eq!(output.status.code(), Some(125));
    assert!(!fs::exists(mark).expect("the folder can be read"));
    let output = output_of(start(&mut guard(&["touch", mark])));
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::exists(mark).expect("the folder can be read"));
}

#[test]
fn a_guard_ends_as_its_program() {
    for status in [0, 1, 7, 255] {
        let output = run_shell(&format!("exit {status}"));
        assert_eq!(output.status.code(), Some(status));
    }
    for (name, signal) in [
        ("HUP", 1),
        ("ILL", 4),
        ("ABRT", 6),
        ("BUS", 7),
        ("KILL", 9),
        ("SEGV", 11),
        ("TERM", 15),
    ] {
        let output = run_shell(&format!("ulimit -c 0; kill -{name} $$"));
        assert_eq!(output.status.signal(), Some(signal), "{name}: {output:?}");
    }
    // A program of Rust ignores this signal.
    assert_eq!(run_shell("kill -PIPE $$").status.code(), Some(128 + 13));
}

#[test]
fn a_program_has_the_standard_streams_of_its_guard() {
    let mut child = start(&mut guard(&["sh", "-c", "cat; echo why >&2"]));
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"a record\n").expect("the program reads");
    drop(input);
    let output = output_of(child);
    assert_eq!(output.stdout, b"a record\n");
    assert_eq!(output.stderr, b"why\n");
}

#[test]
fn the_pipes_break_when_the_program_closes_them() {
    let closes = "exec >&- 2>&- <&-; exec sleep 600";
    let mut child = start(&mut guard(&["sh", "-c", closes]));
    let mut all = Vec::new();
    let read = reader(&mut child).read_to_end(&mut all);
    assert_eq!((read.expect("a pipe"), &all[..]), (0, &b""[..]));
    let mut errors = child.stderr.take().expect("a pipe");
    assert_eq!(errors.read_to_end(&mut all).expect("a pipe"), 0);
    let mut input = child.stdin.take().expect("a pipe");
    let refused = wait_for("the input breaks", || input.write_all(b"x").err());
    assert_eq!(refused.kind(), std::io::ErrorKind::BrokenPipe);
    assert!(lives(child.id()), "the pipes broke while the program ran");
    // The group of a guard has the id of the guard.
    let group = format!("-{}", child.id());
    let killed = Command::new("kill")
        .args(["-s", "KILL", "--", &group])
        .status();
    assert!(killed.expect("there is kill").success());
    child.wait().expect("it is our child");
}

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    // The process that is left behind holds the output, so this would wait until it ends.
    let output = run_shell("sleep 600 & echo $!; exit 3");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let id = String::from_utf8(output.stdout).expect("UTF-8");
    wait_for_the_end_of(&[id.trim().parse().expect("an id")]);
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text");
    fs::write(&text, "no program").expect("space on the disk");
    for (program, status) in [("./absent", 127), (text.to_str().expect("UTF-8"), 126)] {
        let output = output_of(start(&mut guard(&[program])));
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(
            message.starts_with(&format!("cannot start {program}: ")),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_guard_that_is_started_by_hand_explains_itself() {
    for arguments in [
        &["manyhands-guard"][..],
        &["manyhands-guard", "1"],
        &["manyhands-guard", "-1", "true"],
    ] {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = output_of(start(&mut command));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("expects the id"),
            "{output:?}"
        );
    }
}
