//! Runs whose disk is full or broken, and that go on when it is mended.

use crate::case::Case;
use crate::chance::{chance, rounds};
use crate::end::{assert_ends_calmly, report_of};
use crate::paid::{Account, assert_not_asked_again};
use crate::program::{exec, has, small_sentiments};
use crate::scene::{Ended, Scene};
use crate::traced::{Injected, can_trace, injecting, words};

/// The calls that write, sync or rename a file. Programs are also written to by `write`, and the threads that call a service
/// are woken by it, so it is tried for others only.
const CALLS: [&str; 8] = [
    "write",
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename",
    "renameat2",
    "unlink",
    "ftruncate",
];

const ERRORS: [&str; 3] = ["ENOSPC", "EDQUOT", "EIO"];

/// Runs a command whose files may have at most this number of bytes each. The limit is not for what it prints, which goes
/// through pipes.
const LIMITED: &str = r#"$SIG{XFSZ} = "IGNORE";
my $limit = shift;
open STDOUT, "|cat" or die;
open STDERR, "|exec cat >&2" or die;
my $code = system "prlimit", "--fsize=$limit", @ARGV;
close STDOUT;
close STDERR;
exit $code >> 8;
"#;

/// Checks that a run with an error has ended with a message that names a file, or as a calm one. Returns whether it has
/// ended with an error.
fn assert_names_the_error(case: &Case, scene: &Scene, ended: &Ended, context: &str) -> bool {
    if ended.code == case.calm.code {
        assert_eq!(report_of(ended), case.calm.report, "{context}: {ended:#?}");
        return false;
    }
    assert!(matches!(ended.code, Some(5 | 8)), "{context}: {ended:#?}");
    let names = [
        "out.",
        "part.mh",
        "bad.jsonl",
        "page.html",
        "the report",
        "standard output",
    ];
    let names_it = names.iter().any(|name| ended.err.contains(name));
    assert!(names_it, "{context}: {ended:#?} {:?}", scene.files().keys());
    true
}

/// Lets a run fail, and goes on. Returns whether the run has failed.
fn fails(case: &Case, before: &[String], context: &str) -> bool {
    let mut scene = case.scene();
    let ended = scene.run(before, &case.command(true));
    let failed = assert_names_the_error(case, &scene, &ended, context);
    let files = scene.files();
    let last = case.go_on(&mut scene);
    if case.is_paid() {
        let account = Account::of(case);
        account.assert_counted_is_kept(&files, &files);
        let (first, again) = (case.asked(&scene, &ended), case.asked(&scene, &last));
        assert_not_asked_again(&first, &account.may_ask(&case.files), context);
        assert_not_asked_again(&again, &account.may_ask(&files), context);
    }
    assert_ends_calmly(case, &scene, &last, Some(&ended));
    failed
}

fn cases() -> Vec<Case> {
    let program = exec(8, "1", "-j 2 -o out.jsonl");
    small_sentiments().into_iter().chain([program]).collect()
}

/// Lets the system calls of each case fail. Every call is tried if there are enough rounds for it.
fn fail_all(test: &str, cases: &[Case], default: usize) {
    let mut random = chance(test);
    let rounds = rounds(default);
    let (mut failed, mut tried) = (0, 0);
    let tries_all = rounds >= 600;
    for case in cases {
        for call in CALLS {
            if call == "write" && case.is_paid() {
                continue;
            }
            for error in ERRORS {
                if !tries_all && random.usize(..3) > 0 {
                    continue;
                }
                let mut nth = 1;
                let mut calm = 0;
                // A failed call that does no harm does not mean that the run makes no more such calls.
                while calm < 3 {
                    // A disk may refuse a single call, or stay full. Messages are also written by `write`.
                    let injected = match call == "write" || random.bool() {
                        true => Injected::Error(error),
                        false => Injected::Errors(error),
                    };
                    let context = format!("{injected:?} at call {nth} of {call}, {}", case.name);
                    let has_failed = fails(case, &injecting(call, injected, nth), &context);
                    tried += 1;
                    failed += usize::from(has_failed);
                    calm = if has_failed { 0 } else { calm + 1 };
                    nth += if tries_all { 1 } else { 1 + random.usize(..4) };
                }
            }
        }
    }
    println!("{test}: {failed} of {tried} runs have failed");
    assert!(failed > 0);
}

#[test]
fn runs_whose_disk_fails_name_the_file_and_go_on() {
    if can_trace() && has("perl") {
        let test = "runs_whose_disk_fails_name_the_file_and_go_on";
        fail_all(test, &cases(), 40);
    }
}

#[cfg(feature = "http")]
#[test]
fn runs_with_a_service_whose_disk_fails_name_the_file_and_go_on() {
    if can_trace() {
        let test = "runs_with_a_service_whose_disk_fails_name_the_file_and_go_on";
        let [_, at_once] = crate::service::small_calls();
        fail_all(test, &[at_once], 40);
    }
}

/// Lets the files of runs have room for a random number of bytes. The system cuts a write at the limit, and refuses the next
/// one, as a full disk does.
fn fill_all(test: &str, cases: &[Case], default: usize) {
    if !has("prlimit") || !has("perl") {
        return;
    }
    let mut random = chance(test);
    let rounds = rounds(default);
    let mut failed = 0;
    for _ in 0..rounds {
        let case = &cases[random.usize(..cases.len())];
        let bytes = random.usize(..2000);
        let before = [
            words("perl -e"),
            vec![LIMITED.to_owned(), bytes.to_string()],
        ];
        let context = format!("room for {bytes} bytes, {}", case.name);
        failed += usize::from(fails(case, &before.concat(), &context));
    }
    println!("{test}: {failed} of {rounds} runs have failed");
    assert!(failed > 0 || rounds < 10);
}

#[test]
fn runs_whose_disk_is_full_after_any_byte_go_on() {
    let test = "runs_whose_disk_is_full_after_any_byte_go_on";
    fill_all(test, &cases(), 30);
}

#[cfg(feature = "http")]
#[test]
fn runs_with_a_service_whose_disk_is_full_after_any_byte_go_on() {
    let test = "runs_with_a_service_whose_disk_is_full_after_any_byte_go_on";
    fill_all(test, &crate::service::small_calls(), 20);
}
