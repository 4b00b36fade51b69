//! The inputs and the program of the tests.

use std::process::Command;

use crate::case::Case;
use crate::paid::asked_of_programs;
use crate::scene::Files;

/// A program that notes what it is asked, and answers after a short time. Some records fail.
const PROGRAM: &str = r#"use strict;
open my $asked, ">>", $ENV{CHAOS_ASKED} or die;
while (my $line = <STDIN>) {
    syswrite $asked, $line;
    select undef, undef, undef, $ARGV[0] / 1000;
    my @answers;
    while ($line =~ /r (\d+)|no record/g) {
        push @answers, defined $1 ? answer($1) : '{"error":"no number"}';
    }
    my $answers = join ",", @answers;
    $answers = "[$answers]" if $line =~ /^\[/;
    syswrite STDOUT, "$answers\n";
}
sub answer {
    my ($n) = @_;
    return '{"error":"no"}' if $n % 17 == 5;
    return sprintf '{"score":%s,"topic":"t%d"}', $n * 7 % 1009 / 8, $n % 5;
}
"#;

/// Records of which some are equal. One of 40 is no record at all.
pub(crate) fn records(number: usize) -> Vec<u8> {
    let line = |n: usize| match n % 40 {
        25 => "no record\n".to_owned(),
        _ => {
            let text = match n % 3 {
                0 => n % 21,
                _ => n,
            };
            let words = ["good", "bad", "table", "not so good", "awful"][text % 5];
            format!(
                "{{\"kind\":\"k{}\",\"text\":\"{words} r {text}\"}}\n",
                text % 7
            )
        }
    };
    (0..number).map(line).collect::<String>().into_bytes()
}

/// The input with this number of records.
pub(crate) fn input(number: usize) -> Files {
    [("in.jsonl".to_owned(), records(number))].into()
}

/// A case of a scorer of this library with these options.
pub(crate) fn sentiment(number: usize, options: &str) -> Case {
    Case::new(
        input(number),
        &format!("score in.jsonl --with sentiment --json {options}"),
        &[],
    )
}

/// A case of matches with these options.
pub(crate) fn matches(number: usize, options: &str) -> Case {
    let names = (0..50).map(|n| format!("good r {n},land {n}\n"));
    let names = "text,land\n".to_owned() + &names.collect::<String>();
    let mut files = input(number);
    files.insert("names.csv".to_owned(), names.into_bytes());
    let command = "score in.jsonl --with match --against names.csv --against-keep land --json";
    Case::new(files, &format!("{command} {options}"), &[])
}

/// A case of the program, which takes this number of milliseconds for each line, with these options.
pub(crate) fn exec(number: usize, delay: &str, options: &str) -> Case {
    let mut files = input(number);
    files.insert("program.pl".to_owned(), PROGRAM.into());
    let command = format!("score in.jsonl --with exec --field text --json {options}");
    Case::new(files, &command, &["perl", "program.pl", delay]).paid(asked_of_programs)
}

/// Whether this program can be run. Otherwise it prints that the test is skipped.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-V").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: this test needs {program}");
    }
    found
}

/// Small runs with `sentiment`: one worker, two workers, and a shard. They make few system calls, so each can be tried.
pub(crate) fn small_sentiments() -> [Case; 3] {
    [
        sentiment(
            12,
            "-j 1 --executor sequential --rate 100 -o out.jsonl --failures bad.jsonl --html page.html",
        ),
        sentiment(12, "-j 2 --rate 100 -o out.csv.gz"),
        sentiment(
            8,
            "-j 2 --rate 100 --partial part.mh --shard 1/1 -o out.jsonl --html page.html",
        ),
    ]
}
