//! These tests run programs that crash, hang, flood, lie and fork, while other processes of theirs are killed from
//! outside. Every record but those that are at fault must have the score that it has in a calm run.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::stops::wait_for_the_end_of_all;
use crate::{finish, folder_with, names, read, run, start, write};

/// A program in Perl that answers each number with a score and a topic. Its arguments are a folder, and the word `calm` or
/// `wild`. A wild program misbehaves at the records whose fault is in its list, and it tells in the folder when it may be
/// killed: a process writes its id to `answered` after its first answer, and at a few records, it waits until it is killed.
const PROGRAM: &str = r#"
use strict;
my ($folder, $mood) = @ARGV;
my $wild = $mood eq "wild";
my $told = 0;
sub sign { open my $file, ">", "$folder/$_[0]/$$" or die; close $file }
sub say_all { my $text = join "", @_; while (length $text) { substr $text, 0, syswrite(STDOUT, $text), "" } }
my %faults = (
    1003 => sub { exit 3 },
    2003 => sub { exit 0 },
    3003 => sub { kill "SEGV", $$; sleep 600 },
    4003 => sub { kill "KILL", $$; sleep 600 },
    5003 => sub { exec "sh", "-c", "ulimit -c 0; ulimit -s 1024; f() { f; }; f; : $folder" },
    6003 => sub { say_all "thinking about it\n"; 0 },
    7003 => sub { say_all "1 2\n"; 0 },
    8003 => sub { say_all "[]\n{}\n[1]\n"; 0 },
    9003 => sub { say_all "0.1"; exit 1 },
    9503 => sub { say_all "\n"; 0 },
    9603 => sub { close STDOUT; exit 0 },
    # The child holds the pipes, and outlives its parent.
    9703 => sub { fork or sleep 600; exit 5 },
    9803 => sub { say_all "1" x 4096 while 1 },
    9903 => sub { die "too much to bear\n" x 1000 },
);
sub answer {
    my ($n) = @_;
    if ($wild) {
        if ($n % 2000 == 1999 && mkdir "$folder/seen.$n") { sign "waiting"; sleep 600 }
        if (my $fault = $faults{$n}) { &$fault() }
        # This child holds the pipes, and does no harm.
        if ($n == 555) { fork or sleep 600 }
    }
    return sprintf '{"score":%s,"topic":"t%d"}', $n * 7 % 1009 / 8, $n % 5;
}
while (<STDIN>) {
    my @numbers = /^\d+$/ ? $_ + 0 : /"n":(\d+)/g;
    my $answers = join ",", map { answer($_) } @numbers;
    $answers = "[$answers]" if /^\[/;
    say_all $answers, "\n";
    if ($wild && !$told) { sign "answered"; $told = 1 }
}
"#;

/// The numbers of the records at which a wild program misbehaves.
const POISON: [usize; 14] = [
    1003, 2003, 3003, 4003, 5003, 6003, 7003, 8003, 9003, 9503, 9603, 9703, 9803, 9903,
];

/// Number of records at which a process waits until it is killed, among this number of records.
fn waits(records: usize) -> usize {
    records / 2000
}

/// A folder with the program and with records.
fn folder(records: usize) -> TempDir {
    let line = |number: usize| format!("{{\"n\":{number},\"text\":\"{number}\"}}\n");
    let folder = folder_with(
        "in.jsonl",
        (0..records).map(line).collect::<Vec<_>>().concat(),
    );
    write(&folder, "program.pl", PROGRAM);
    for name in ["answered", "waiting"] {
        fs::create_dir(folder.path().join(name)).expect("space on the disk");
    }
    folder
}

fn command<'a>(
    folder: &'a TempDir,
    mood: &'a str,
    out: &'a str,
    options: &[&'a str],
) -> Vec<&'a str> {
    let folder = folder.path().to_str().expect("UTF-8");
    let score = ["score", "in.jsonl", "--with", "exec", "--json", "-o", out];
    let program = ["--", "perl", "program.pl", folder, mood];
    [&score, options, &program].concat()
}

/// Kills processes of a wild program until the run has ended, and returns how many it has killed.
///
/// A process is killed only after it has answered a record, or where it waits for that. A record whose process was killed is
/// the first one that the next process is sent. So none of the records is the only one of five processes that are killed,
/// and none of them fails, whatever the chances.
fn kill_processes(folder: &TempDir, run: &mut Child) -> usize {
    let mut killed = 0;
    let mut random = 1_u64;
    let mut answered = BTreeSet::new();
    while run.try_wait().expect("it can be asked").is_none() {
        for id in names_in(folder, "waiting") {
            killed += usize::from(kill(folder, "waiting", &id));
        }
        answered.extend(names_in(folder, "answered"));
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let chosen = (random >> 33) as usize % answered.len().max(1);
        if let Some(id) = answered.iter().nth(chosen).cloned() {
            answered.remove(&id);
            killed += usize::from(kill(folder, "answered", &id));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    killed
}

fn names_in(folder: &TempDir, name: &str) -> Vec<String> {
    let files = fs::read_dir(folder.path().join(name)).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name());
    names
        .map(|name| name.into_string().expect("an id"))
        .collect()
}

/// Kills the process with this id, or its guard. Returns false if it has ended already.
fn kill(folder: &TempDir, told: &str, id: &str) -> bool {
    fs::remove_file(folder.path().join(told).join(id)).expect("it is ours");
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let path = folder.path().to_str().expect("UTF-8");
    if !String::from_utf8_lossy(&line).contains(path) {
        return false;
    }
    let number: u32 = id.parse().expect("an id");
    let guard = guard_of(id).filter(|_| number.is_multiple_of(4));
    let victim = guard.unwrap_or(number).to_string();
    // The process may have ended since the command line was read.
    let killed = Command::new("kill").args(["-s", "KILL", &victim]).output();
    killed.expect("there is kill").status.success()
}

/// The guard of a program is its parent.
fn guard_of(id: &str) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let behind = stat.rsplit(')').next()?;
    let parent: u32 = behind.split_whitespace().nth(1)?.parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    (name == "guard\n").then_some(parent)
}

/// Runs the wild program while its processes are killed, and compares its scores with those of a calm run.
fn assert_nothing_is_lost(records: usize, runs: &[&[&str]]) {
    let folder = folder(records);
    let calm = run(
        &folder,
        &command(&folder, "calm", "calm.jsonl", &["-j", "2"]),
    );
    assert_eq!(calm.code, 0, "{}", calm.err);
    let calm = read(&folder, "calm.jsonl");
    for options in runs {
        let mut child = start(&folder, &command(&folder, "wild", "wild.jsonl", options));
        let killed = kill_processes(&folder, &mut child);
        let ran = finish(child);
        assert_eq!(ran.code, 1, "{options:?}: {}", ran.err);
        assert!(killed >= waits(records), "{killed} processes were killed");
        wait_for_the_end_of_all(folder.path());

        let wild = read(&folder, "wild.jsonl");
        assert_eq!(wild.lines().count(), records);
        let poison = POISON.iter().filter(|number| **number < records).count();
        for (number, (wild, calm)) in wild.lines().zip(calm.lines()).enumerate() {
            if POISON.contains(&number) {
                let line: Value = serde_json::from_str(wild).expect("JSON");
                assert_eq!(line["record"], number + 1);
                assert!(line["error"].is_string(), "{options:?}: {wild}");
            } else {
                assert_eq!(wild, calm, "{options:?}");
            }
        }
        let report = ran.json();
        let counts = ["records", "scored", "failed"].map(|name| report[name].as_u64());
        let right = [records, records - poison, poison].map(|count| Some(count as u64));
        assert_eq!(counts, right, "{options:?}");
        let written = [
            "answered",
            "calm.jsonl",
            "in.jsonl",
            "program.pl",
            "waiting",
            "wild.jsonl",
            // Records have failed, so the answers of the others stay.
            "wild.jsonl.journal.complete",
        ];
        let mut found = names(&folder);
        found.retain(|name| !name.starts_with("seen."));
        assert_eq!(found, written);
        for seen in names(&folder)
            .iter()
            .filter(|name| name.starts_with("seen."))
        {
            fs::remove_dir(folder.path().join(seen)).expect("it is ours");
        }
        for told in ["answered", "waiting"] {
            for id in names_in(&folder, told) {
                fs::remove_file(folder.path().join(told).join(id)).expect("it is ours");
            }
        }
        for written in ["wild.jsonl", "wild.jsonl.journal.complete"] {
            fs::remove_file(folder.path().join(written)).expect("it is ours");
        }
    }
}

#[test]
fn a_hundred_thousand_records_survive_crashes_lies_and_kills() {
    if !has_perl() {
        return;
    }
    assert_nothing_is_lost(100_000, &[&["-j", "2"]]);
}

#[test]
fn records_survive_at_every_number_of_workers_in_every_form() {
    if !has_perl() {
        return;
    }
    let runs: &[&[&str]] = &[
        &["-j", "1"],
        &["-j", "4", "--send", "text"],
        &["-j", "1", "--send", "array:64"],
        &["-j", "4", "--send", "array:5", "--restart-after", "700"],
    ];
    assert_nothing_is_lost(10_000, runs);
}

/// Runs a shell script with two workers over 20 records. `$n` is the number of the record, and `answer` writes an answer.
/// Checks that only the records with these numbers fail, for this reason.
fn assert_fails(body: &str, options: &[&str], failing: &[usize], reason: &str) {
    let script = format!(
        "answer() {{ echo $((2 * n)); }}; while read -r line; do n=${{line#*:}}; n=${{n%\\}}*}}; {body}; done"
    );
    let line = |number: usize| format!("{{\"n\":{number}}}\n");
    let folder = folder_with("in.jsonl", (0..20).map(line).collect::<String>());
    let path = folder.path().to_str().expect("UTF-8");
    let score = [
        "score",
        "in.jsonl",
        "--with",
        "exec",
        "-j",
        "2",
        "-o",
        "out.jsonl",
    ];
    let program = ["--", "sh", "-c", &script, path];
    let ran = run(&folder, &[&score, options, &program].concat());
    assert_eq!(ran.code, 1, "{body}: {}", ran.err);
    for (number, line) in read(&folder, "out.jsonl").lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if failing.contains(&number) {
            let error = line["error"].as_str().unwrap_or_default();
            assert!(error.contains(reason), "{body}: {line}");
        } else {
            assert_eq!(line["score"], 2.0 * number as f64, "{body}: {line}");
        }
    }
    wait_for_the_end_of_all(folder.path());
}

#[test]
fn a_program_that_hangs_while_it_floods_standard_error_is_killed() {
    let body = "case $n in 3|12) while :; do echo flood >&2; done;; esac; answer";
    let late = "no answer within 5 s; the worker process was killed";
    assert_fails(body, &["--timeout", "5"], &[3, 12], late);
}

#[test]
fn a_program_that_fills_the_memory_is_killed() {
    // Each round doubles the memory, up to 64 MiB. The program then waits, so it cannot fill the memory of the machine.
    let body = "case $n in 7) x=xxxxxxxx; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do \
                x=$x$x; done; sleep 600;; esac; answer";
    let most = "it held more than 33554432 bytes of memory";
    assert_fails(body, &["--max-memory", "33554432"], &[7], most);
}

#[test]
fn a_program_whose_stack_overflows_is_replaced() {
    // A shell that knows no limit of recursion is killed by a signal; dash stops by itself.
    let body = "case $n in 7) ulimit -c 0; ulimit -s 1024; f() { f; }; f;; esac; answer";
    assert_fails(body, &[], &[7], "the worker process died: ");
}

#[test]
fn a_list_of_the_wrong_length_fails_its_record() {
    let script =
        "while read -r line; do case $line in *7*) echo '[1,2]';; *) echo '[1]';; esac; done";
    let folder = folder_with("in.jsonl", "{\"n\":1}\n{\"n\":7}\n{\"n\":2}\n");
    let score = [
        "score",
        "in.jsonl",
        "--with",
        "exec",
        "--send",
        "array:1",
        "-o",
        "out.jsonl",
    ];
    let ran = run(&folder, &[&score[..], &["--", "sh", "-c", script]].concat());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let scores = read(&folder, "out.jsonl");
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!(
        (lines[0], lines[2]),
        (
            "{\"record\":1,\"score\":1.0}",
            "{\"record\":3,\"score\":1.0}"
        )
    );
    assert!(lines[1].contains("\"error\""), "{}", lines[1]);
}

fn has_perl() -> bool {
    let found = Command::new("perl").arg("-v").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: this test needs perl");
    }
    found
}
