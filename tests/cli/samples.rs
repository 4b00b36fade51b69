//! `--head` and `--sample` choose records only by their numbers. So the scores are the same in any format, on any
//! executor, and no matter how the records are divided into files.

use tempfile::TempDir;

use super::{
    EXECUTORS, Ran, finish, folder_with, gzip, make_pipe, program, ran, run, score, shell,
    start_shell, write,
};

const RECORDS: usize = 300;

/// The text of a record. Some records have no text and fail.
fn text(record: usize) -> Option<String> {
    (record % 7 != 3).then(|| format!("good number {record}, \nbad {}", "day ".repeat(record % 5)))
}

fn json_lines(records: std::ops::Range<usize>) -> String {
    records
        .map(|record| {
            let text = serde_json::to_string(&text(record)).expect("JSON");
            let blank = if record % 11 == 0 { "\n \n" } else { "" };
            format!("{blank}{{\"id\":\"{record}\",\"text\":{text}}}\n")
        })
        .collect()
}

fn csv() -> String {
    let records = (0..RECORDS).map(|record| {
        let text = text(record).map_or(String::new(), |text| format!("\"{text}\""));
        format!("{record},{text}\n")
    });
    "id,text\n".to_owned() + &records.collect::<String>()
}

/// A folder with the same records in several forms.
fn folder() -> TempDir {
    let folder = folder_with("r.jsonl", json_lines(0..RECORDS));
    write(&folder, "r.csv", csv());
    write(
        &folder,
        "r.jsonl.gz",
        gzip(json_lines(0..RECORDS).as_bytes()),
    );
    for (name, records) in [
        ("a", 0..0),
        ("b", 0..41),
        ("c", 41..230),
        ("d", 230..RECORDS),
    ] {
        write(&folder, &format!("{name}.jsonl"), json_lines(records));
    }
    folder
}

const FORMS: [&[&str]; 5] = [
    &["r.jsonl"],
    &["r.csv"],
    &["r.jsonl.gz"],
    &["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"],
    &["-"],
];

/// Runs `score` on one form of the records.
fn score_form(folder: &TempDir, files: &[&str], options: &[&str]) -> Ran {
    let mut command = program(folder.path());
    command.arg("score").args(files);
    command.args(["--with", "sentiment", "--keep", "*", "--scores", "-"]);
    if files == ["-"] {
        command.write_stdin(json_lines(0..RECORDS));
    }
    ran(command.args(options).output())
}

/// The scores without the messages of failures, which name files, lines and columns.
fn without_messages(scores: &str) -> Vec<String> {
    let line = |line: &str| match line.split_once("\"error\"") {
        Some((before, _)) => before.to_owned(),
        None => line.to_owned(),
    };
    scores.lines().map(line).collect()
}

#[test]
fn every_form_and_every_executor_gives_the_same_scores() {
    let folder = folder();
    let all = score_form(&folder, FORMS[0], &[]);
    let all = without_messages(&all.out);
    assert_eq!(all.len(), RECORDS);
    for options in [
        &["--head", "120"][..],
        &["--sample", "40", "--seed", "7"],
        &["--head", "1e2", "--sample", "0.04k"],
        &["--sample", "301"],
    ] {
        let expected = score_form(&folder, FORMS[0], options);
        assert_eq!(expected.code, 1, "{}", expected.err);
        let expected = without_messages(&expected.out);
        // The expected lines are lines of a run over all records, in the same order: a record keeps its number in the
        // input and its scores.
        let mut rest = all.iter();
        assert!(expected.iter().all(|line| rest.any(|other| other == line)));
        for files in FORMS {
            for executor in EXECUTORS {
                let options = [options, &["--executor", executor, "-j", "3"]].concat();
                let ran = score_form(&folder, files, &options);
                assert_eq!(ran.code, 1, "{}", ran.err);
                assert_eq!(
                    without_messages(&ran.out),
                    expected,
                    "{files:?} {options:?}"
                );
            }
        }
    }
}

#[test]
fn a_head_has_the_first_records_and_a_sample_has_the_wanted_number() {
    let folder = folder();
    let count = |options: &[&str]| score_form(&folder, FORMS[0], options).out.lines().count();
    let all = without_messages(&score_form(&folder, FORMS[0], &[]).out);
    let head = score_form(&folder, FORMS[0], &["--head", "41"]);
    assert_eq!(without_messages(&head.out), all[..41]);
    assert_eq!(count(&["--sample", "41"]), 41);
    assert_eq!(count(&["--sample", "1000"]), RECORDS);
    assert_eq!(count(&["--head", "30", "--sample", "41"]), 30);
    // The default seed is 1.
    let sample = |seed| score_form(&folder, FORMS[0], &["--sample", "9", "--seed", seed]).out;
    let by_default = score_form(&folder, FORMS[0], &["--sample", "9"]).out;
    assert_eq!(by_default, sample("1"));
    assert_ne!(by_default, sample("2"));
}

/// The report names records by their numbers and places in the input.
#[test]
fn reports_name_records_as_in_the_input() {
    let folder = folder();
    let options = ["--sample", "60", "--json", "--top", "5"];
    let sampled = score(&folder, "r.jsonl", &options);
    assert_eq!(sampled.code, 1, "{}", sampled.err);
    let sampled = sampled.json();
    let whole = score(&folder, "r.jsonl", &["--json", "--top", "300"]).json();
    let sample = score_form(&folder, FORMS[0], &["--sample", "60"]).out;
    let number = |line: &str| {
        line["{\"record\":".len()..]
            .split(',')
            .next()
            .map(str::to_owned)
    };
    let drawn: Vec<String> = sample.lines().filter_map(number).collect();
    assert_eq!(sampled["records"], 60);
    assert_eq!(sampled["plan"]["sample"]["records"], 60);
    assert!(sampled["timing"]["drawing"].is_number());
    for list in ["top", "bottom", "failures"] {
        let named = sampled[list].as_array().expect("a list");
        assert!(!named.is_empty());
        for record in named {
            assert!(drawn.contains(&record["record"].to_string()), "{record}");
            assert!(
                whole[list].as_array().expect("a list").contains(record),
                "{record}"
            );
        }
    }
    for record in sampled["timing"]["slowest"].as_array().expect("a list") {
        assert!(drawn.contains(&record["record"].to_string()), "{record}");
    }
    let halted = score_form(
        &folder,
        FORMS[0],
        &["--sample", "60", "--on-failure", "stop"],
    );
    assert_eq!(halted.code, 4);
    let last = halted.out.lines().last().expect("a failure");
    let failures = sampled["failures"].as_array().expect("a list");
    assert!(last.starts_with(&format!("{{\"record\":{},\"error\"", failures[0]["record"])));
}

/// The answer is that of a dataset which has only these records, apart from the numbers by which it names records.
#[test]
fn the_digest_is_that_of_the_chosen_records() {
    let folder = folder();
    let sample = score_form(&folder, FORMS[0], &["--sample", "60"]).out;
    let numbers = sample.lines().map(|line| {
        let number = line["{\"record\":".len()..].split(',').next();
        number
            .and_then(|number| number.parse::<usize>().ok())
            .expect("a number")
    });
    let only: String = numbers
        .map(|number| json_lines(number - 1..number))
        .collect();
    write(&folder, "only.jsonl", only);
    write(&folder, "first.jsonl", json_lines(0..60));
    let digest = |file: &str, options: &[&str]| {
        let ran = score(&folder, file, &[options, &["--top", "0"]].concat());
        ran.digest().to_owned()
    };
    assert_eq!(
        digest("r.jsonl", &["--sample", "60"]),
        digest("only.jsonl", &[])
    );
    assert_eq!(
        digest("r.jsonl", &["--head", "60"]),
        digest("first.jsonl", &[])
    );
}

#[test]
fn a_head_reads_no_further_than_it_must() {
    let folder = folder();
    // The first input never ends, and no program writes to the second one.
    make_pipe(&folder, "never");
    let line =
        "yes '{\"text\":\"good\"}' | \"$0\" score - never --with sentiment --head 1000 --json";
    let endless = shell(&folder, line);
    assert_eq!(endless.code, 0, "{}", endless.err);
    assert_eq!(endless.json()["records"], 1000);
    // The compressed data is damaged after the records that are read.
    let mut cut = gzip(json_lines(0..20_000).as_bytes());
    cut.truncate(cut.len() - 10);
    write(&folder, "cut.jsonl.gz", cut);
    let options = ["--head", "20", "--on-failure", "skip", "--json"];
    let damaged = score(&folder, "cut.jsonl.gz", &options);
    assert_eq!(damaged.json()["records"], 20, "{}", damaged.err);
    assert_eq!(score(&folder, "cut.jsonl.gz", &["--sample", "20"]).code, 3);
    // The quote after the first record is never closed.
    write(&folder, "open.csv", "text\ngood\n\"bad\n");
    assert_eq!(score(&folder, "open.csv", &["--head", "1"]).code, 0);
    let open = score(&folder, "open.csv", &["--sample", "1"]);
    assert_eq!(open.code, 3, "{}", open.err);
    assert!(open.err.contains("open.csv:3"), "{}", open.err);
}

/// A program that writes to a named pipe gets an error from the system when no program reads the pipe any more.
#[test]
fn a_writer_sees_that_its_pipe_is_closed() {
    let folder = folder_with("unused", "");
    make_pipe(&folder, "pipe");
    let writer = start_shell(&folder, "yes '{\"text\":\"good\"}' > pipe; echo closed");
    let ran = score(&folder, "pipe", &["--head", "5", "--json"]);
    assert_eq!(ran.json()["records"], 5, "{}", ran.err);
    let written = finish(writer);
    assert_eq!((written.code, &*written.out), (0, "closed\n"));
}

#[test]
fn bench_measures_the_chosen_records() {
    let folder = folder();
    let csv = "id,text\n".to_owned() + &"1,good\n".repeat(50);
    write(&folder, "fine.csv", csv);
    for (options, name) in [
        (&["--head", "20"][..], "the first 20 records of fine.csv"),
        (
            &["--sample", "20", "--seed", "3"],
            "a sample of 20 records (seed 3) of fine.csv",
        ),
    ] {
        let bench = ["bench", "fine.csv", "--rounds", "1", "-j", "1", "--json"];
        let ran = run(&folder, &[&bench, options].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.out.contains(&format!("sentiment over {name}")),
            "{}",
            ran.out
        );
        assert_eq!(ran.json()["workload"]["records"], 20);
    }
}

#[test]
fn counts_start_at_1_and_a_seed_needs_a_sample() {
    let folder = folder_with("r.jsonl", "{\"text\":\"good\"}\n");
    for options in [&["--head", "0"][..], &["--sample", "0"], &["--seed", "3"]] {
        assert_eq!(score(&folder, "r.jsonl", options).code, 2, "{options:?}");
    }
    let text = score(&folder, "r.jsonl", &["--head", "1e3", "--sample", "2k"]).out;
    let selection = "a sample of 2,000 records (seed 1) of the first 1,000 records of r.jsonl";
    assert!(text.contains(selection), "{text}");
}
