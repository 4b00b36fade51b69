//! Answers of another command are not taken over, and stay if they were paid for.

use tempfile::TempDir;

use crate::{Ran, folder_with, names, read, run, write};

/// Scores ten records by the program in `score.sh` with these options.
fn scored(folder: &TempDir, options: &[&str]) -> Ran {
    let output = ["-o", "out.jsonl"];
    scored_to(folder, &[&output[..], options].concat())
}

fn scored_to(folder: &TempDir, options: &[&str]) -> Ran {
    let start = ["score", "in.jsonl", "--with", "exec", "-j", "1", "--json"];
    run(
        folder,
        &[&start[..], options, &["--", "sh", "score.sh"]].concat(),
    )
}

/// A program that answers with a number, and fails if it is asked for the last record while there is no file `go`.
fn script(answer: u64) -> String {
    format!(
        "while read -r line; do case $line in *:9}}) test -e go || {{ echo '{{\"error\":\"no\"}}'; continue; }};; esac; echo x >> asked; echo {answer}; done\n"
    )
}

/// A folder with ten records.
fn folder() -> TempDir {
    let records: String = (0..10).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    folder_with("in.jsonl", records)
}

#[test]
fn paid_answers_of_another_program_stay_until_they_are_wanted() {
    let folder = folder();
    write(&folder, "score.sh", script(1));
    let first = scored(&folder, &["--on-failure", "stop"]);
    assert_eq!(first.code, 4, "{}", first.err);
    assert_eq!(read(&folder, "asked").lines().count(), 9);

    // The program changes.
    write(&folder, "go", "");
    write(&folder, "score.sh", script(2));
    let second = scored(&folder, &["--resume"]);
    assert_eq!(
        (second.code, &second.json()["resumed"]),
        (0, &0.into()),
        "{}",
        second.err
    );
    let note = "note: the answers in out.jsonl.journal are of another command, which differs in the file score.sh; every record \
                is scored anew\n";
    assert!(second.err.starts_with(note), "{}", second.err);
    let stay = "note: 9 answers of other commands stay in out.jsonl.journal.complete; delete the file if you do not need them\n";
    assert!(second.err.ends_with(stay), "{}", second.err);
    assert_eq!(read(&folder, "asked").lines().count(), 19);
    assert_eq!(
        read(&folder, "out.jsonl").matches("\"score\":2").count(),
        10
    );

    // It changes back, and nothing that was paid is paid again.
    write(&folder, "score.sh", script(1));
    let refused = scored(&folder, &["--resume", "-q"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(
        refused.err.contains("out.jsonl: already exists"),
        "{}",
        refused.err
    );
    let third = scored(&folder, &["--resume", "--force", "-q"]);
    assert_eq!(
        (third.code, &third.json()["resumed"]),
        (0, &9.into()),
        "{}",
        third.err
    );
    assert_eq!(third.err, "");
    assert_eq!(read(&folder, "asked").lines().count(), 20);
    assert_eq!(
        read(&folder, "out.jsonl").matches("\"score\":1").count(),
        10
    );
    assert!(names(&folder).contains(&"out.jsonl.journal.complete".to_owned()));
}

#[test]
fn a_shard_keeps_paid_answers_of_another_program() {
    let folder = folder();
    let shard = ["--resume", "--shard", "1/1", "--partial", "part.mh"];
    let first = "while read -r line; do echo 1; done\n";
    write(&folder, "score.sh", first);
    let early = [&shard[..], &["--rate", "10", "--deadline", "500ms"]].concat();
    let stopped = scored_to(&folder, &early);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    write(&folder, "score.sh", "while read -r line; do echo 2; done\n");
    // The second time, the partial answer is there already.
    for _ in 0..2 {
        let ran = scored_to(&folder, &shard);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.err.contains("stay in part.mh.journal.complete"),
            "{}",
            ran.err
        );
        assert!(names(&folder).contains(&"part.mh.journal.complete".to_owned()));
    }
    write(&folder, "score.sh", first);
    let back = scored_to(&folder, &[&shard[..], &["--force"]].concat());
    assert_eq!(back.code, 0, "{}", back.err);
    assert!(back.json()["resumed"].as_u64() > Some(0), "{}", back.out);
}
