//! These tests check what happens if the first records all fail, and if no record has a field that an option names.

use super::{EXECUTORS, THREE, folder_with, names, run, score, shell, write};

/// Returns records without a field `text`, each of them a line.
fn without_text(records: usize) -> String {
    "{\"id\":1,\"txt\":\"good\"}\n".repeat(records)
}

#[test]
fn a_run_whose_first_thousand_records_fail_alike_is_bad_input() {
    let good = "{\"text\":\"good\"}\n";
    let folder = folder_with("in.jsonl", without_text(1000) + &good.repeat(9000));
    let expected = "error: in.jsonl:1:1: expected a field \"text\"; the record's fields: \"id\", \"txt\"; \
        all of the first 1000 records failed for the same kind of reason\n  \
        did you mean --field txt?\n  to go on regardless, use --on-failure skip\n";
    for executor in EXECUTORS {
        let options = ["--executor", executor, "--scores", "out.jsonl", "--json"];
        let ran = score(&folder, "in.jsonl", &options);
        let told = (ran.code, ran.out.as_str(), ran.err.as_str());
        assert_eq!(told, (3, "", expected), "{executor}");
        assert_eq!(names(&folder), ["in.jsonl"], "no scores are kept");
    }
    let options = ["--on-failure", "skip", "--json", "--executor", "task-queue"];
    let json = score(&folder, "in.jsonl", &options).json();
    assert_eq!(
        (&json["scored"], &json["failed"]),
        (&9000.into(), &1000.into())
    );
    let fixed = score(&folder, "in.jsonl", &["--field", "txt"]);
    assert_eq!(fixed.code, 1, "the other records lack the field txt");
}

#[test]
fn fewer_records_are_judged_at_the_end_of_the_input() {
    let folder = folder_with("two.jsonl", without_text(2));
    let ran = score(&folder, "two.jsonl", &["-o", "out.jsonl"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(
        ran.err.contains("all of the first 2 records failed"),
        "{}",
        ran.err
    );
    assert_eq!(names(&folder), ["two.jsonl"]);
    let piped = shell(&folder, "cat two.jsonl | \"$0\" score - --with sentiment");
    assert_eq!((piped.code, piped.out.as_str()), (3, ""));
    assert!(
        piped.err.contains("did you mean --field txt?"),
        "{}",
        piped.err
    );
    write(&folder, "one.jsonl", "{\"text\":5}\n");
    let one = score(&folder, "one.jsonl", &[]);
    let expected = "error: one.jsonl:1:9: expected a string in field \"text\", found a number; \
        no other record was read\n  to go on regardless, use --on-failure skip\n";
    assert_eq!((one.code, one.err.as_str()), (3, expected));
    write(&folder, "none.jsonl", "");
    assert_eq!(score(&folder, "none.jsonl", &[]).code, 0);
}

#[test]
fn one_score_or_two_kinds_of_reasons_let_the_run_go_on() {
    let last = without_text(999) + "{\"text\":\"good\"}\n" + &without_text(9000);
    let folder = folder_with("last.jsonl", last);
    let json = score(&folder, "last.jsonl", &["--json"]).json();
    assert_eq!(
        (&json["records"], &json["scored"]),
        (&10_000.into(), &1.into())
    );
    write(
        &folder,
        "kinds.jsonl",
        &(without_text(1500) + "{\"text\":5}\n"),
    );
    assert_eq!(score(&folder, "kinds.jsonl", &[]).code, 3);
    write(
        &folder,
        "kinds.jsonl",
        &("{\"text\":5}\n".to_owned() + &without_text(1500)),
    );
    assert_eq!(score(&folder, "kinds.jsonl", &[]).code, 1);
}

#[test]
fn a_field_that_no_record_has_gets_a_warning() {
    let folder = folder_with("three.jsonl", THREE);
    let options = ["--by", "knd", "--keep", "id,body,knd", "-o", "out.csv"];
    let warnings = "warning: none of the 3 records has a value in the field \"knd\"; did you mean \"kind\"?\n\
        warning: none of the 3 records has a value in the field \"body\"\n";
    for executor in EXECUTORS {
        let ran = score(
            &folder,
            "three.jsonl",
            &[&options[..], &["--force", "--executor", executor]].concat(),
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, warnings), "{executor}");
    }
    // With the scorer `number`, records without the field to score are skipped. The warning about the field is printed
    // nevertheless.
    write(&folder, "stars.jsonl", "{\"stars\":1}\n{\"stars\":5}\n");
    let ran = run(
        &folder,
        &[
            "score",
            "stars.jsonl",
            "--with",
            "number",
            "--field",
            "starz",
        ],
    );
    let warning = "warning: none of the 2 records has a value in the field \"starz\"; did you mean \"stars\"?\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, warning));
    // A warning is no note: it changes what the answer means.
    let warning = "none of the 3 records has a value in the field \"knd\"; did you mean \"kind\"?";
    let quiet = score(
        &folder,
        "three.jsonl",
        &["--by", "knd", "--quiet", "--json"],
    );
    assert_eq!(quiet.err, format!("warning: {warning}\n"));
    assert_eq!(quiet.json()["warnings"], serde_json::json!([warning]));
    let page = score(
        &folder,
        "three.jsonl",
        &["--by", "knd", "--html", "page.html"],
    );
    assert_eq!(page.code, 0);
    assert!(super::read(&folder, "page.html").contains("Warning: "));
    let lines = "{\"text\":\"good\"}\n".repeat(1000) + "{\"text\":\"good\",\"late\":1}\n";
    write(&folder, "late.jsonl", &lines);
    let warning = "warning: none of the first 1,000 records has a value in the field \"late\"\n";
    assert_eq!(score(&folder, "late.jsonl", &["--by", "late"]).err, warning);
    write(
        &folder,
        "late.csv",
        &("text,late\n".to_owned() + &"good,\n".repeat(1000) + "good,1\n"),
    );
    assert_eq!(score(&folder, "late.csv", &["--by", "late"]).err, warning);
}

#[test]
fn options_without_an_effect_get_a_warning_or_a_note() {
    let folder = folder_with("three.jsonl", THREE);
    write(&folder, "three.csv", "text\ngood\n");
    for (options, warning) in [
        (
            &["--delimiter", ";"][..],
            "--delimiter has no effect, because no input is delimited text",
        ),
        (
            &["--no-header"],
            "--no-header has no effect, because no input is delimited text",
        ),
    ] {
        let ran = score(&folder, "three.jsonl", &[options, &["--json"]].concat());
        assert_eq!(
            (ran.code, ran.err.clone()),
            (0, format!("warning: {warning}\n"))
        );
        assert_eq!(ran.json()["warnings"], serde_json::json!([warning]));
        let both = [
            "score",
            "three.jsonl",
            "three.csv",
            "--with",
            "sentiment",
            "--field",
            "1",
        ];
        let ran = run(&folder, &[&both[..], options].concat());
        assert!(!ran.err.contains("no effect"), "{}", ran.err);
    }
    let sequential = ["--executor", "sequential", "-j"];
    let note =
        "note: -j had no effect: the executor sequential has no workers, only the calling thread\n";
    for (threads, told) in [("1", ""), ("2", note)] {
        let ran = score(
            &folder,
            "three.jsonl",
            &[&sequential[..], &[threads]].concat(),
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, told));
    }
}

#[test]
fn failures_are_not_timed() {
    let folder = folder_with("in.jsonl", format!("{THREE}{{\"text\":5}}\n{{}}\n"));
    let ran = run(&folder, &["bench", "in.jsonl", "--rounds", "1", "-j", "1"]);
    let expected = "error: in.jsonl:4:9: expected a string in field \"text\", found a number; \
        only records that can be scored are timed; remove or mend the records that fail\n";
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (3, "", expected)
    );
}
