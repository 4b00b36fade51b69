//! Runs whose machine loses its power, and go on with what the disk has then.

mod disk;
mod log;

use std::fs;

use self::disk::Disk;
use self::log::{Log, logging_to};
use crate::case::Case;
use crate::chance::{chance, rounds};
use crate::end::assert_ends_calmly;
use crate::paid::{Account, assert_not_asked_again};
use crate::program::{exec, has, matches, sentiment};
use crate::scene::{Ended, Files, Scene};
use crate::traced::can_trace;

/// The number of power failures of each recorded run.
const FAILURES: usize = 20;

/// How often the power fails before a run ends, at most.
const MOST_IN_SUCCESSION: usize = 3;

/// A run with everything that it did to the disk.
struct Recorded<'a> {
    case: &'a Case,
    began_with: Files,
    log: Log,
    ended: Ended,
    /// The number of power failures before it.
    failures: usize,
}

impl<'a> Recorded<'a> {
    fn record(case: &'a Case, files: Files, failures: usize) -> Self {
        let mut scene = Scene::with(&files);
        let path = scene.aside("log");
        let ended = scene.run(&logging_to(&path), &case.command(true));
        let text = fs::read_to_string(path).expect("a log");
        let log = Log::parse(&text, scene.path());
        let recorded = Recorded {
            case,
            began_with: files,
            log,
            ended,
            failures,
        };
        recorded.assert_log_is_true(&scene.files());
        recorded
    }

    /// Checks that the log tells everything that has happened to the files.
    fn assert_log_is_true(&self, files: &Files) {
        let mut disk = Disk::with(&self.began_with);
        for event in &self.log.events {
            disk.happens(event, &self.log);
        }
        let seen = disk.seen();
        for (name, bytes) in files {
            assert!(
                seen.get(name) == Some(bytes),
                "{name}: {:?}",
                self.log.operations
            );
        }
        assert_eq!(seen.len(), files.len());
    }

    /// Lets the power fail at a random moment, and goes on. Returns the files that the disk had.
    fn fail(&self, random: &mut fastrand::Rng) -> Files {
        let at = random.usize(..=self.log.events.len());
        let mut disk = Disk::with(&self.began_with);
        for event in &self.log.events[..at] {
            disk.happens(event, &self.log);
        }
        let left = disk.left(random);
        let _shown = Shown(left.clone());
        let mut scene = Scene::with(&left);
        let account = Account::of(self.case);
        if self.case.is_paid() {
            account.assert_counted_is_kept(&disk.seen(), &left);
        }
        let last = self.case.go_on(&mut scene);
        let before = Some(&self.ended).filter(|_| disk.has_printed);
        assert_ends_calmly(self.case, &scene, &last, before);
        let asked = self.case.asked(&scene, &last);
        assert_not_asked_again(&asked, &account.may_ask(&left), &self.case.name);
        left
    }
}

/// Files that are kept in a folder if the test fails while this value exists.
struct Shown(Files);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = Scene::with(&self.0).keep();
            println!("the disk had the files in {}", folder.display());
        }
    }
}

/// Lets the power of each case fail in turn.
fn fail_all(test: &str, cases: &[Case], default: usize) {
    let mut random = chance(test);
    let rounds = rounds(default);
    let mut left: Option<(usize, usize, Files)> = None;
    for recording in 0..rounds.div_ceil(FAILURES) {
        let again = left.take().filter(|_| random.bool());
        let (number, failures, files) = again.unwrap_or_else(|| {
            let number = recording % cases.len();
            (number, 0, cases[number].files.clone())
        });
        let recorded = Recorded::record(&cases[number], files, failures);
        for _ in 0..FAILURES.min(rounds - recording * FAILURES) {
            let files = recorded.fail(&mut random);
            // A run that ends at once makes no interesting recording.
            if recorded.failures < MOST_IN_SUCCESSION && !files.contains_key("out.jsonl") {
                left = Some((number, failures + 1, files));
            }
        }
    }
    println!("{test}: {rounds} power failures");
}

#[test]
fn runs_whose_power_fails_go_on() {
    if !can_trace() || !has("perl") {
        return;
    }
    let cases = [
        sentiment(40, "-j 2 --rate 100 -o out.jsonl --failures bad.jsonl"),
        exec(30, "1", "-j 2 -o out.jsonl"),
        sentiment(40, "-j 1 --executor sequential --rate 100 -o out.csv.gz"),
        exec(
            20,
            "1",
            "-j 1 --partial part.mh --shard 1/1 -o out.jsonl --failures bad.jsonl",
        ),
        matches(20, "-j 2 --rate 100 --executor process-pool -o out.jsonl"),
        exec(
            40,
            "1",
            "-j 2 --send array:5 -o out.jsonl --failures bad.jsonl",
        ),
    ];
    fail_all("runs_whose_power_fails_go_on", &cases, 40);
}

#[cfg(feature = "http")]
#[test]
fn runs_with_a_service_whose_power_fails_go_on() {
    use crate::service::{Service, http};

    if !can_trace() {
        return;
    }
    let service = Service::start();
    let options = [
        "--in-flight 4 -o out.jsonl --failures bad.jsonl",
        "--in-flight 1 --partial part.mh --shard 1/1 -o out.jsonl",
        "--in-flight 16 -o out.csv.gz",
    ];
    let cases = options.map(|options| http(&service, 30, options));
    fail_all("runs_with_a_service_whose_power_fails_go_on", &cases, 20);
}
