//! The process pool: the same answers as in one process, and what becomes of a run whose workers die.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use manyhands::Error;
use manyhands::plan::{Beside, ExecutorName, Plan};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_manyhands"))
}

fn sample() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl")
}

fn start(folder: &TempDir, arguments: &[&str]) -> Child {
    Command::new(binary())
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Runs the command to its end, which must come.
fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut child = start(folder, arguments);
    drop(child.stdin.take());
    end_of(child)
}

fn end_of(mut child: Child) -> Output {
    let id = child.id();
    let (ended, over) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if over.recv_timeout(LONG).is_err() {
            kill(id);
            return false;
        }
        true
    });
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("it ends");
    let _ = ended.send(());
    assert!(guard.join().expect("a guard"), "it hangs");
    output
}

fn kill(id: u32) {
    send(id, "KILL");
}

fn send(id: u32, signal: &str) {
    let id = id.to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.expect("there is kill").success());
}

/// The processes that another has started.
fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("there is /proc").flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // What comes behind the name, which may hold anything: the state, then the parent.
        let behind = stat.rsplit(')').next().unwrap_or_default();
        let mut words = behind.split_whitespace();
        if words.next() != Some("Z") && words.next() == Some(&of.to_string()) {
            found.push(id);
        }
    }
    found
}

/// Whether a process is there, dead ones that nobody has asked about not counted.
fn lives(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    !matches!(behind.split_whitespace().next(), None | Some("Z" | "X"))
}

/// Waits for something to be there.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < LONG, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A worker other than this one.
fn worker_of(parent: u32, other_than: Option<u32>) -> u32 {
    wait_for("a worker", || {
        let mut all = children(parent).into_iter();
        all.find(|id| Some(*id) != other_than && is_ready(*id))
    })
}

/// Whether a process is this program as a worker, at its work: reading goes on in a second thread.
fn is_ready(id: u32) -> bool {
    let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count);
    arguments.ends_with(b"\0worker\0") && threads > 1
}

/// How much processor time a process has used, in hundredths of a second.
fn used(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let words: Vec<&str> = behind.split_whitespace().collect();
    words.get(11).map_or(0, |user| user.parse().unwrap_or(0))
}

/// More of that than it takes to become ready.
const BUSY: u64 = 150;

/// Waits until a worker has been at something for a while.
fn wait_until_busy(id: u32) {
    wait_for("work", || (used(id) >= BUSY).then_some(()));
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let told = String::from_utf8_lossy(&output.stderr);
        panic!("no report, but {told}")
    })
}

/// What two runs of the same plan agree in.
fn answer(output: &Output) -> Value {
    let mut report = json(output);
    let report = report.as_object_mut().expect("an object");
    for differs in ["timing", "machine", "pairs"] {
        report.remove(differs);
    }
    Value::Object(std::mem::take(report))
}

/// Reviews of which some are broken in every way that a line can be.
fn hostile() -> Vec<u8> {
    let mut lines = Vec::new();
    let sample = fs::read(sample()).expect("the sample");
    for (number, line) in sample.split(|byte| *byte == b'\n').take(600).enumerate() {
        match number {
            40 => lines.extend_from_slice(b"{\"text\": \"cut o"),
            90 => lines.extend_from_slice(b"\n\n  \n[1, 2]"),
            150 => lines.extend_from_slice(b"{\"text\": \"not \xff UTF-8\"}\n{\"text\": \"\xfe\"}"),
            220 => lines.extend_from_slice(br#"{"category": {}, "text": "good"}"#),
            221 => lines.extend_from_slice(br#"{"category": "a", "txt": "no such field"}"#),
            300 => lines.extend_from_slice(br#"{"category": "b", "text": 7}"#),
            301 => {
                let long = "so-so, and then good; ".repeat(20_000);
                lines.extend_from_slice(format!("{{\"text\": \"{long}\"}}").as_bytes());
            }
            599 => lines.extend_from_slice(b"\xff"),
            _ => lines.extend_from_slice(line),
        }
        lines.push(b'\n');
    }
    lines
}

fn folder_with_hostile() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("in.jsonl"), hostile()).expect("a file");
    folder
}

/// Runs a plan sequentially and in several numbers of processes: same answer, same code, same scores.
fn assert_same(folder: &TempDir, arguments: &[&str], scores: &str) -> Value {
    let run = |executor: &str, workers: &str| {
        let how = [
            "--json",
            "-q",
            "--force",
            "--executor",
            executor,
            "-j",
            workers,
        ];
        let output = run(folder, &[arguments, &how, &["--scores", scores]].concat());
        let whole = folder.path().join(scores);
        let partial = folder.path().join(format!("{scores}.partial"));
        let written = [&whole, &partial].map(|path| fs::read(path).ok());
        for path in [whole, partial] {
            let _ = fs::remove_file(path);
        }
        (answer(&output), output.status.code(), written)
    };
    let expected = run("sequential", "1");
    assert!(expected.2.iter().any(Option::is_some), "no scores");
    for workers in ["1", "3"] {
        let found = run("process-pool", workers);
        assert_eq!(found.0, expected.0);
        assert_eq!(found.1, expected.1);
        assert!(found.2 == expected.2, "other scores with {workers}");
    }
    expected.0
}

#[test]
fn the_answer_is_that_of_one_process() {
    let folder = folder_with_hostile();
    let plan = [
        "score",
        "in.jsonl",
        "--with",
        "sentiment",
        "--by",
        "category",
    ];
    let report = assert_same(
        &folder,
        &[plan.as_slice(), &["--keep", "product,rating", "--top", "7"]].concat(),
        "out.jsonl",
    );
    assert_eq!(
        report["failed"], 8,
        "the test breaks what it means to break"
    );
    assert_same(&folder, &plan, "out.csv");
}

#[test]
fn a_run_is_halted_by_the_same_record() {
    let folder = folder_with_hostile();
    for on_failure in ["skip:4", "stop", "skip:0.5%"] {
        let arguments = [
            "score",
            "in.jsonl",
            "--with",
            "sentiment",
            "--on-failure",
            on_failure,
        ];
        let report = assert_same(&folder, &arguments, "out.jsonl");
        assert_eq!(report["end"]["how"], "halted");
    }
}

#[test]
fn streams_and_limits_go_on_working() {
    let folder = folder_with_hostile();
    let score = |executor: &str, further: &[&str]| {
        let how = [
            "--with",
            "sentiment",
            "--json",
            "-q",
            "--executor",
            executor,
        ];
        let plan = ["score", "-", "-j", "2"];
        let mut child = start(&folder, &[plan.as_slice(), &how, further].concat());
        let mut stdin = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || stdin.write_all(&hostile()));
        let output = end_of(child);
        writer.join().expect("a thread").expect("it is read");
        let mut report = answer(&output);
        (report["digest"].take(), report["failures"].take())
    };
    let expected = score("sequential", &[]);
    assert_eq!(score("process-pool", &[]), expected);
    assert_eq!(score("process-pool", &["--limit", "1"]), expected);
    let per_second = ["--per-second", "2000"];
    assert_eq!(score("process-pool", &per_second), expected);
    let arguments = [
        "score",
        "in.jsonl",
        "--with",
        "sentiment",
        "--per-second",
        "2000",
    ];
    assert_same(&folder, &arguments, "out.jsonl");
}

/// A reference and records; one of them would keep a worker busy for longer than any test lasts.
fn slow_match(folder: &TempDir, length: usize) {
    // Letters without a pattern, so that nothing is clear before all are compared.
    let mut state = 1_u32;
    let mut letters = |count: usize| -> String {
        let letter = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (state >> 24) as u8 % 26)
        };
        (0..count).map(letter).collect()
    };
    let reference = format!("{}\n{}\n", letters(length), letters(12));
    fs::write(folder.path().join("reference.txt"), reference).expect("a file");
    let lengths = [9, 30, 17, length, 4, 23, 60];
    let lines = lengths.map(|length| format!("{{\"text\": \"{}\"}}\n", letters(length)));
    fs::write(folder.path().join("slow.jsonl"), lines.concat()).expect("a file");
}

/// With a cutoff that shows by the lengths alone that a short text cannot match the long one.
const SLOW: [&str; 11] = [
    "score",
    "slow.jsonl",
    "--with",
    "match",
    "--against",
    "reference.txt",
    "--measure",
    "levenshtein",
    "--cutoff",
    "0.1",
    "-q",
];

/// Enough that two such texts take minutes to compare.
const ENDLESS: usize = 400_000;

#[test]
fn pairs_are_counted_in_every_process() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, 50);
    let run = |executor: &str| {
        let output = run(
            &folder,
            &[&SLOW, ["--json", "--executor", executor].as_slice()].concat(),
        );
        json(&output)
    };
    let report = run("process-pool");
    assert_eq!(report["digest"], run("sequential")["digest"]);
    let pairs = &report["pairs"];
    let all =
        pairs["compared"].as_u64().expect("a count") + pairs["skipped"].as_u64().expect("a count");
    assert_eq!(all, 14);
}

#[test]
fn a_record_that_kills_its_worker_twice_fails_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    let pool = [
        "--executor",
        "process-pool",
        "-j",
        "1",
        "--json",
        "--scores",
    ];
    let child = start(
        &folder,
        &[&SLOW, pool.as_slice(), &["killed.jsonl"]].concat(),
    );
    let first = worker_of(child.id(), None);
    wait_until_busy(first);
    kill(first);
    let second = worker_of(child.id(), Some(first));
    wait_until_busy(second);
    kill(second);
    let output = end_of(child);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let counts = ["records", "scored", "failed"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(7), Some(6), Some(1)]);
    let failure = &report["failures"][0];
    assert_eq!(
        failure["error"],
        "the worker process died: killed by signal 9"
    );
    assert_eq!(
        (&failure["record"], &failure["line"]),
        (&4.into(), &4.into())
    );

    // The others have the scores that they have without it.
    let all = fs::read_to_string(folder.path().join("slow.jsonl")).expect("the records");
    let others: Vec<&str> = all
        .lines()
        .map(|line| if line.len() > 1000 { "{}" } else { line })
        .collect();
    fs::write(folder.path().join("slow.jsonl"), others.join("\n")).expect("a file");
    run(
        &folder,
        &[
            &SLOW,
            ["--executor", "sequential", "--scores", "others.jsonl"].as_slice(),
        ]
        .concat(),
    );
    let lines = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).expect("scores");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 7);
        lines.remove(3);
        lines
    };
    assert_eq!(lines("killed.jsonl"), lines("others.jsonl"));
}

/// A run over a stream that is held open, and tells every score at once.
struct Streamed {
    child: Child,
    stdin: Option<ChildStdin>,
    scores: BufReader<ChildStdout>,
}

impl Streamed {
    fn start(folder: &TempDir, further: &[&str]) -> Self {
        let plan = [
            "score",
            "-",
            "--with",
            "sentiment",
            "--scores",
            "-",
            "--json",
            "-q",
        ];
        let pool = ["--executor", "process-pool", "-j", "2"];
        let mut child = start(folder, &[plan.as_slice(), &pool, further].concat());
        Streamed {
            stdin: child.stdin.take(),
            scores: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    /// So many records more, all of which have been scored.
    fn score(&mut self, records: usize) {
        let lines = "{\"text\": \"good\"}\n".repeat(records);
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(lines.as_bytes()).expect("it is read");
        for _ in 0..records {
            let mut line = String::new();
            self.scores.read_line(&mut line).expect("a line");
            assert!(line.contains("\"compound\":0.4404"), "{line:?}");
        }
    }

    /// The workers there are.
    fn workers(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// The exit code and the report, which is on standard error.
    fn end(mut self) -> (Option<i32>, Value) {
        let ended = wait_for("the end", || {
            self.child.try_wait().expect("it can be asked")
        });
        drop(self.stdin);
        let mut output = self.child.wait_with_output().expect("it has ended");
        output.stdout = output
            .stderr
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default()
            .to_vec();
        (ended.code(), json(&output))
    }
}

#[test]
fn a_worker_that_is_killed_for_no_fault_of_a_record_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for further in [[].as_slice(), &["--per-second", "1000"]] {
        let mut run = Streamed::start(&folder, further);
        run.score(20);
        for _ in 0..2 {
            let workers = run.workers();
            assert!(!workers.is_empty(), "they were killed in vain");
            for worker in workers {
                kill(worker);
            }
            run.score(20);
        }
        drop(run.stdin.take());
        let (code, report) = run.end();
        assert_eq!(code, Some(0));
        assert_eq!(
            (&report["scored"], &report["failed"]),
            (&60.into(), &0.into())
        );
    }
}

#[test]
fn a_run_is_stopped_by_a_signal_and_by_its_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = Streamed::start(&folder, &[]);
    run.score(20);
    let workers = run.workers();
    send(run.child.id(), "INT");
    // Its input is still open: nothing but the signal ends it.
    let (code, report) = run.end();
    assert_eq!((code, &report["scored"]), (Some(130), &20.into()));
    assert_eq!(report["end"]["how"], "stopped");
    assert!(!workers.into_iter().any(lives), "a worker is left behind");

    let mut run = Streamed::start(&folder, &["--deadline", "2"]);
    run.score(1);
    let (code, report) = run.end();
    assert_eq!((code, &report["scored"]), (Some(124), &1.into()));
}

#[test]
fn no_worker_outlives_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    let pool = ["--executor", "process-pool", "-j", "2"];
    for signals in [["KILL"].as_slice(), &["TERM", "TERM"]] {
        let mut child = start(&folder, &[SLOW.as_slice(), &pool].concat());
        let id = child.id();
        let busy = wait_for("a busy worker", || {
            children(id).into_iter().find(|id| used(*id) >= BUSY)
        });
        let workers = children(id);
        assert!(workers.contains(&busy) && workers.len() == 2);
        for signal in signals {
            send(id, signal);
            std::thread::sleep(Duration::from_millis(300));
        }
        child.wait().expect("it has ended");
        for worker in workers {
            wait_for("the end of a worker", || (!lives(worker)).then_some(()));
        }
    }
}

/// A script as a program. Written by another process, since it could not be started while a process
/// that another test is about to start still has it open for writing.
fn script(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("program");
    let written = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
        .args([path.as_os_str(), format!("#!/bin/sh\n{text}\n").as_ref()])
        .status();
    assert!(written.expect("there is sh").success());
    path
}

fn plan(program: Option<&Path>) -> Plan {
    let mut plan = Plan::new([sample()]);
    plan.executor = ExecutorName::ProcessPool;
    plan.threads = "2".parse().ok();
    plan.program = program.map(Path::to_owned);
    plan
}

fn error_of(plan: &Plan) -> String {
    let opened = plan.open().expect("the sample");
    match opened.run(Beside::default()) {
        Err(error @ Error::Process { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

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
fn a_worker_that_cannot_be_started_again_ends_the_run() {
    for limited in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display();
        let binary = binary().display();
        let program = script(
            &folder,
            &format!("[ -e {at}/id ] && exit 3; echo $$ > {at}/id; exec {binary} \"$@\""),
        );
        slow_match(&folder, ENDLESS);
        let mut plan = plan(Some(&program));
        plan.files = vec![folder.path().join("slow.jsonl")];
        plan.scorer = manyhands::plan::Scorer::Match {
            matching: manyhands::task::matching::Matching::by(
                manyhands::task::matching::Measure::Levenshtein,
            )
            .cutoff(0.1),
            against: folder.path().join("reference.txt"),
            field: None,
        };
        plan.threads = "1".parse().ok();
        if limited {
            plan.limit = plan.limit.per_second(1000.0);
        }
        let error = std::thread::scope(|scope| {
            let error = scope.spawn(|| error_of(&plan));
            let id = wait_for("the worker", || {
                let id = fs::read_to_string(folder.path().join("id")).ok()?;
                id.trim().parse().ok()
            });
            wait_for("work", || (is_ready(id) && used(id) >= BUSY).then_some(()));
            kill(id);
            error.join().expect("no panic")
        });
        assert!(error.contains("exit status 3"), "{error}");
    }
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
    assert!(!String::from_utf8_lossy(&help.stdout).contains("worker"));
}
