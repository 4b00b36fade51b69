//! These tests cover runs with many failures, and the policies of `--on-failure`.

use super::{EXECUTORS, folder_with, score};

#[test]
fn only_the_first_failures_are_listed_and_the_others_counted() {
    let folder = folder_with("in.jsonl", "{\"text\":1}\n".repeat(5000));
    for threads in ["1", "7"] {
        let options = ["-j", threads, "--json", "--on-failure", "skip"];
        let ran = score(&folder, "in.jsonl", &options);
        assert_eq!(ran.code, 1);
        let lines: Vec<_> = ran.err.lines().collect();
        assert_eq!(lines.len(), 11);
        assert!(lines[9].starts_with("failed: in.jsonl:10:9: "));
        assert_eq!(
            lines[10],
            "5000 of 5000 records could not be scored (4990 more are not shown)"
        );
        let failures = ran.json()["failures"]
            .as_array()
            .cloned()
            .expect("an array");
        let records: Vec<_> = failures
            .iter()
            .map(|failure| failure["record"].as_u64())
            .collect();
        assert_eq!(records, (1..=100).map(Some).collect::<Vec<_>>());
    }
}

#[test]
fn json_says_how_many_failures_are_left_out() {
    for (failed, listed, left_out) in [(0, 0, 0), (100, 100, 0), (130, 100, 30)] {
        let lines = "{\"text\":\"good\"}\n".to_owned() + &"{}\n".repeat(failed);
        let folder = folder_with("in.jsonl", lines);
        let json = score(&folder, "in.jsonl", &["--json"]).json();
        assert_eq!(json["failures"].as_array().map(Vec::len), Some(listed));
        assert_eq!(json["failures_left_out"], left_out);
        assert_eq!(json["failed"], failed);
    }
}

#[test]
fn stop_names_the_first_failure_in_order_on_every_executor() {
    let mut lines = vec!["{\"text\":\"good\"}"; 20_000];
    for bad in [7_000, 7_001, 12_000, 19_999] {
        lines[bad] = "{\"text\":1}";
    }
    let folder = folder_with("in.jsonl", lines.join("\n"));
    for threads in ["1", "2", "7"] {
        for executor in EXECUTORS {
            let arguments = [
                "--on-failure",
                "stop",
                "-j",
                threads,
                "--executor",
                executor,
                "-q",
            ];
            let ran = score(&folder, "in.jsonl", &arguments);
            assert_eq!(ran.code, 4);
            let headline = "7,000 records scored, 1 failed, then halted  sentiment";
            assert!(ran.out.starts_with(headline), "{}", ran.out);
            let failed = "in.jsonl:7001:9: expected a string in field \"text\", found a number";
            let told = format!(
                "failed: {failed}\n1 of 7001 records could not be scored\n\
                 error: too many failures; the run was halted by {failed}\n"
            );
            assert_eq!(ran.err, told);
        }
    }
}

#[test]
fn the_policy_stop_changes_nothing_without_failures() {
    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n");
    assert_eq!(
        score(&folder, "in.jsonl", &["--on-failure", "stop"]).code,
        0
    );
}

#[test]
fn a_halted_run_keeps_exactly_the_scores_that_it_counts() {
    let record = |n: usize| match n % 211 {
        7 => "bad\n".to_owned(),
        long if long % 31 == 0 => format!("{{\"text\":\"{}\"}}\n", "good ".repeat(300)),
        _ => "{\"text\":\"good\"}\n".to_owned(),
    };
    let folder = folder_with("in.jsonl", (0..20_000).map(record).collect::<String>());
    for executor in EXECUTORS {
        for allowed in ["stop", "skip:20", "skip:0.3%"] {
            let ran = score(
                &folder,
                "in.jsonl",
                &[
                    "--on-failure",
                    allowed,
                    "--scores",
                    "out.jsonl",
                    "--force",
                    "--json",
                    "-j",
                    "4",
                ]
                .into_iter()
                .chain(["--executor", executor])
                .collect::<Vec<_>>(),
            );
            assert_eq!(ran.code, 4);
            let records = ran.json()["records"].as_u64();
            let partial = folder.path().join("out.jsonl.partial");
            let lines = std::fs::read_to_string(&partial).expect("it is kept");
            assert_eq!(
                Some(lines.lines().count() as u64),
                records,
                "{executor} {allowed}"
            );
        }
    }
}
