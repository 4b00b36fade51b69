//! Runs that are killed again and again, and go on.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{some_records, without_times};
use crate::{
    EXECUTORS, Ran, finish, folder_with, names, output_of, read, run, score, send, shell, start,
    write,
};

/// A script that notes each record that it is sent, and answers after a short time.
const SCRIPT: &str =
    "while read -r line; do echo \"$line\" >> asked; sleep 0.002; echo ${#line}; done";

fn exec<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let start = ["score", "in.jsonl", "--with", "exec", "-j", "2", "--json"];
    [&start[..], options, &["--", "sh", "-c", SCRIPT]].concat()
}

/// Runs a command, and kills it after some time. Returns its end if it had ended before.
fn killed(folder: &TempDir, command: &[&str], after: Duration) -> Option<Ran> {
    let mut child = start(folder, command);
    let began = Instant::now();
    while began.elapsed() < after {
        if child.try_wait().expect("it can be asked").is_some() {
            return Some(finish(child));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    send(child.id(), "KILL");
    output_of(child);
    None
}

/// Runs a command again and again, and kills it, later each time, until it ends. Returns its end and the number of kills.
fn killed_until_it_ends(folder: &TempDir, command: &[&str], first: u64, later: u64) -> (Ran, u64) {
    let mut kills = 0;
    loop {
        let after = Duration::from_millis(first + later * kills);
        if let Some(ran) = killed(folder, command, after) {
            return (ran, kills);
        }
        kills += 1;
    }
}

/// How often each line was asked.
pub(super) fn asked(folder: &TempDir) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for line in fs::read_to_string(folder.path().join("asked"))
        .unwrap_or_default()
        .lines()
    {
        *times.entry(line.to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn a_program_is_asked_again_only_for_what_was_in_flight_at_a_kill() {
    let records: String = (0..600).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let folder = folder_with("in.jsonl", records);
    let command = exec(&["--resume", "-o", "out.jsonl"]);
    let (ran, kills) = killed_until_it_ends(&folder, &command, 250, 20);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(kills > 0);
    let again: usize = asked(&folder).values().map(|times| times - 1).sum();
    // Two processes are sent records for about 20 ms ahead, and answers of 100 ms may not be certain.
    let most = 2 * 60 * kills as usize;
    assert!(
        again <= most,
        "{again} records were asked again after {kills} kills"
    );
    assert!(ran.json()["resumed"].as_u64() > Some(0));

    write(&folder, "asked", "");
    let calm = run(&folder, &exec(&["-o", "calm.jsonl"]));
    assert_eq!(without_times(&ran), without_times(&calm));
    assert_eq!(read(&folder, "out.jsonl"), read(&folder, "calm.jsonl"));
    let left = names(&folder);
    let is_left =
        |name: &&String| !["asked", "calm.jsonl", "in.jsonl", "out.jsonl"].contains(&name.as_str());
    let left: Vec<_> = left.iter().filter(is_left).collect();
    // A kill may leave the file of a journal that is being created, which has no answers. Its name is short.
    let is_short = |name: &&&String| name.starts_with(".manyhands-") && name.len() < 20;
    let others: Vec<_> = left.iter().filter(|name| !is_short(name)).collect();
    assert!(others.is_empty(), "{left:?}");
}

#[test]
fn a_scorer_that_is_killed_goes_on() {
    let folder = folder_with("in.jsonl", some_records(20_000));
    for executor in ["work-stealing", "task-queue", "sequential", "process-pool"] {
        let start = [
            "score",
            "in.jsonl",
            "--with",
            "sentiment",
            "--json",
            "--executor",
            executor,
        ];
        let resumed = [&start[..], &["--resume", "-o", "out.jsonl", "--force"]].concat();
        let (ran, _) = killed_until_it_ends(&folder, &resumed, 20, 15);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!names(&folder).contains(&"out.jsonl.journal".to_owned()));
        let calm = run(
            &folder,
            &[&start[..], &["-o", "calm.jsonl", "--force"]].concat(),
        );
        assert_eq!(calm.code, 0, "{}", calm.err);
        assert!(
            read(&folder, "out.jsonl") == read(&folder, "calm.jsonl"),
            "{executor}"
        );
    }
}

#[test]
fn a_record_that_has_failed_is_tried_again() {
    let records: String = (0..20).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let folder = folder_with("in.jsonl", records);
    let script = "while read -r line; do echo \"$line\" >> asked; case $line in *:7}) test -e works || { echo \
                  '{\"error\":\"no credit\"}'; continue; };; esac; echo 1; done";
    let start = [
        "score",
        "in.jsonl",
        "--with",
        "exec",
        "-j",
        "1",
        "--json",
        "-o",
        "out.jsonl",
    ];
    let program = ["--", "sh", "-c", script];
    let halted = run(
        &folder,
        &[&start[..], &["--on-failure", "stop"], &program].concat(),
    );
    assert_eq!(halted.code, 4, "{}", halted.err);
    assert!(halted.err.contains("out.jsonl.journal"), "{}", halted.err);
    write(&folder, "works", "");
    let resumed = ["--on-failure", "stop", "--resume"];
    let whole = run(&folder, &[&start[..], &resumed, &program].concat());
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(whole.json()["scored"], 20);
    let asked = asked(&folder);
    assert_eq!(asked["{\"n\":7}"], 2);
    assert!(whole.json()["resumed"].as_u64() >= Some(7));
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 20);
}

/// A run that ends early writes its page. So does one that is killed before it has printed its report.
#[test]
fn the_page_of_a_run_is_not_in_the_way_of_the_one_that_goes_on() {
    let folder = folder_with("in.jsonl", some_records(500));
    let run = |options: &[&str]| {
        let start = ["--resume", "-o", "out.jsonl", "--html", "page.html"];
        score(&folder, "in.jsonl", &[&start[..], options].concat())
    };
    let stopped = run(&["--rate", "1000", "--deadline", "200ms"]);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    let path = |name: &str| folder.path().join(name);
    fs::copy(path("out.jsonl.journal"), path("copy")).expect("a journal");
    for name in ["page.html", "page.html.partial"] {
        let whole = run(&[]);
        assert_eq!(whole.code, 0, "{}", whole.err);
        let left = ["copy", "in.jsonl", "out.jsonl", "page.html"];
        assert_eq!(names(&folder), left);
        fs::copy(path("copy"), path("out.jsonl.journal.complete")).expect("a journal");
        fs::rename(path("page.html"), path(name)).expect("a page");
    }
    let whole = run(&[]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    // Without a journal, the page may be that of anything.
    fs::remove_file(path("out.jsonl")).expect("a file");
    let refused = run(&[]);
    assert!(
        refused.err.contains("page.html: already exists"),
        "{}",
        refused.err
    );
}

/// The limit has one permit, and the next one only after a minute.
#[test]
fn an_answer_that_is_taken_over_needs_no_permit_of_any_executor() {
    let good = some_records(300);
    for executor in EXECUTORS {
        let folder = folder_with("in.jsonl", good.clone() + "broken\n");
        let run = |options: &[&str]| {
            let start = [
                "--executor",
                executor,
                "--resume",
                "--json",
                "-o",
                "out.jsonl",
            ];
            score(&folder, "in.jsonl", &[&start[..], options].concat())
        };
        let halted = run(&["--on-failure", "stop"]);
        assert_eq!(halted.code, 4, "{}", halted.err);
        write(
            &folder,
            "in.jsonl",
            &(good.clone() + "{\"text\":\"new\"}\n"),
        );
        let whole = run(&["--rate", "1/m", "--deadline", "50s"]);
        assert_eq!(whole.code, 0, "{executor}: {}", whole.err);
        let report = whole.json();
        assert_eq!(
            (&report["scored"], &report["resumed"]),
            (&301.into(), &300.into()),
            "{executor}"
        );
    }
}

/// The journal is the first file that is too large.
#[test]
fn a_run_whose_journal_fails_says_once_what_has_happened_and_how_it_goes_on() {
    let folder = folder_with("in.jsonl", some_records(5_000));
    let line = "trap '' XFSZ; ulimit -f 60; \"$0\" score in.jsonl --with sentiment --resume -o out.jsonl.gz";
    let full = shell(&folder, line);
    assert_eq!(full.code, 5, "{}", full.err);
    let said = "out.jsonl.gz.journal: cannot be written: ";
    assert_eq!(full.err.matches(said).count(), 1, "{}", full.err);
    assert!(
        full.err
            .contains("; make room, then run again with this journal"),
        "{}",
        full.err
    );
    let next = "are in out.jsonl.gz.journal; the same command with --resume goes on from there\n";
    assert!(full.err.contains(next), "{}", full.err);
    let whole = score(
        &folder,
        "in.jsonl",
        &["--resume", "--json", "-o", "out.jsonl.gz"],
    );
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(whole.json()["scored"], 5_000);
}

#[test]
fn two_runs_do_not_write_one_output() {
    let folder = folder_with("in.jsonl", some_records(2_000));
    let pairs = [
        (&[][..], &[][..]),
        (&["--resume"], &["--resume"]),
        (&["--resume"], &[]),
        (&["--resume"], &["--force"]),
    ];
    for (options, others) in pairs {
        let start_run = [
            "score",
            "in.jsonl",
            "--with",
            "sentiment",
            "--rate",
            "1000",
            "-o",
            "out.jsonl",
        ];
        let first = start(&folder, &[&start_run[..], options].concat());
        let begins = match options {
            [] => ".manyhands-",
            _ => "out.jsonl.journal",
        };
        crate::wait_for("the output", || {
            names(&folder)
                .iter()
                .any(|name| name.starts_with(begins))
                .then_some(())
        });
        let second = run(&folder, &[&start_run[..], others].concat());
        assert_eq!(second.code, 5, "{}", second.err);
        assert!(second.err.contains("another run"), "{}", second.err);
        let first = finish(first);
        assert_eq!(first.code, 0, "{}", first.err);
        fs::remove_file(folder.path().join("out.jsonl")).expect("it is there");
    }
}

/// The first kill comes when the outputs have their names, and the second one while the next run scores.
#[test]
fn a_run_whose_outputs_are_complete_may_be_stopped_again() {
    let folder = folder_with("in.jsonl", some_records(1_000));
    let command = ["score", "in.jsonl", "--with", "sentiment", "--json"];
    let resumed = [&command[..], &["--resume", "-o", "out.jsonl"]].concat();
    let stopped = [&resumed[..], &["--rate", "1000", "--deadline", "200ms"]].concat();
    assert_eq!(run(&folder, &stopped).code, 124);
    let calm = run(&folder, &[&command[..], &["-o", "calm.jsonl"]].concat());
    write(&folder, "out.jsonl", read(&folder, "calm.jsonl"));
    let journal = folder.path().join("out.jsonl.journal");
    let complete = folder.path().join("out.jsonl.journal.complete");
    fs::rename(journal, complete).expect("it is there");
    assert_eq!(run(&folder, &stopped).code, 124);
    let whole = run(&folder, &resumed);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(without_times(&whole), without_times(&calm));
    assert_eq!(read(&folder, "out.jsonl"), read(&folder, "calm.jsonl"));
    assert!(!names(&folder).iter().any(|name| name.contains(".journal")));
}

#[test]
fn the_second_signal_ends_a_run_and_says_where_its_answers_are() {
    // A record is not stopped in its middle, and this one takes minutes.
    let text = |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let letters = (0..1 << 19).map(|_| if random.bool() { 'a' } else { 'b' });
        letters.collect::<String>()
    };
    let folder = folder_with("in.jsonl", format!("{{\"text\":\"{}\"}}\n", text(1)));
    write(&folder, "names.csv", format!("text\n{}\n", text(2)));
    let start_run = [
        "score",
        "in.jsonl",
        "--with",
        "match",
        "--against",
        "names.csv",
    ];
    let options = ["--measure", "ratio", "--resume", "-o", "out.jsonl"];
    let command = [&start_run[..], &options].concat();
    let child = start(&folder, &command);
    crate::wait_for("the journal", || {
        names(&folder)
            .contains(&"out.jsonl.journal".to_owned())
            .then_some(())
    });
    std::thread::sleep(Duration::from_millis(300));
    send(child.id(), "INT");
    std::thread::sleep(Duration::from_millis(300));
    send(child.id(), "INT");
    let ran = finish(child);
    assert_eq!(ran.code, 130, "{}", ran.err);
    let end = "\nended by a signal\nnote: the answers are kept in out.jsonl.journal; the same command with --resume goes on from \
               there\n";
    assert!(ran.err.ends_with(end), "{}", ran.err);
}
