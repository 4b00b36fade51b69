//! These tests check the lines of the scores file and the places where it may be written.

use super::{THREE, binary, folder_with, names, read, run, score, write};

const WITH_FAILURE: &str = r#"{"id":"a","rating":5,"text":"good"}
{"id":"b","rating":1.50,"text":"bad"}
{"id":"c","text":null}
{"text":"table","id":"say \"hi\", then\ngo"}
"#;

#[test]
fn json_lines_have_a_line_a_record() {
    let folder = folder_with("in.jsonl", WITH_FAILURE);
    let arguments = ["--keep", "id,rating", "--scores", "out.jsonl"];
    assert_eq!(score(&folder, "in.jsonl", &arguments).code, 1);
    let expected = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"id":"a","rating":5}
{"record":2,"neg":1.0,"neu":0.0,"pos":0.0,"compound":-0.5423,"id":"b","rating":1.50}
{"record":3,"error":"in.jsonl:3: expected a text in field \"text\", found no value"}
{"record":4,"neg":0.0,"neu":1.0,"pos":0.0,"compound":0.0,"id":"say \"hi\", then\ngo"}
"#;
    assert_eq!(read(&folder, "out.jsonl"), expected);
    assert_eq!(names(&folder), ["in.jsonl", "out.jsonl"]);
}

#[test]
fn csv_has_the_same_numbers() {
    let folder = folder_with("in.jsonl", WITH_FAILURE);
    let arguments = ["--keep", "id,rating", "--scores", "out.csv"];
    assert_eq!(score(&folder, "in.jsonl", &arguments).code, 1);
    let expected = "record,neg,neu,pos,compound,id,rating,error,skipped
1,0.0,0.0,1.0,0.4404,a,5,,
2,1.0,0.0,0.0,-0.5423,b,1.50,,
3,,,,,,,\"in.jsonl:3: expected a text in field \"\"text\"\", found no value\",
4,0.0,1.0,0.0,0.0,\"say \"\"hi\"\", then\ngo\",,,
";
    assert_eq!(read(&folder, "out.csv"), expected);
}

#[test]
fn with_a_minus_the_scores_go_to_standard_output_and_the_report_to_standard_error() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--scores", "-", "--keep", "id"]);
    assert_eq!(ran.code, 0);
    let first = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"id":"a"}"#;
    assert_eq!(ran.out.lines().next(), Some(first));
    assert_eq!(ran.out.lines().count(), 3);
    assert!(ran.err.starts_with("3 records scored"));
    let json = score(&folder, "three.jsonl", &["--scores", "-", "--json"]).err;
    assert!(
        serde_json::from_str::<serde_json::Value>(&json).is_ok(),
        "{json}"
    );
}

#[test]
fn an_empty_input_makes_an_empty_file() {
    let folder = folder_with("empty.jsonl", "");
    assert_eq!(
        score(&folder, "empty.jsonl", &["--scores", "a.jsonl"]).code,
        0
    );
    assert_eq!(
        score(&folder, "empty.jsonl", &["--scores", "a.csv"]).code,
        0
    );
    assert_eq!(read(&folder, "a.jsonl"), "");
    assert_eq!(
        read(&folder, "a.csv"),
        "record,neg,neu,pos,compound,error,skipped\n"
    );
}

#[test]
fn a_file_is_overwritten_by_force_only() {
    let folder = folder_with("three.jsonl", THREE);
    write(&folder, "out.jsonl", "precious");
    let ran = score(&folder, "three.jsonl", &["--scores", "out.jsonl"]);
    let refused =
        "error: out.jsonl: already exists; choose another name, or overwrite it with --force\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));
    assert_eq!(read(&folder, "out.jsonl"), "precious");
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "out.jsonl", "--force"],
    );
    assert_eq!(ran.code, 0);
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 3);
}

#[test]
fn an_input_is_never_overwritten() {
    let folder = folder_with("three.jsonl", THREE);
    let arguments = ["--scores", "./three.jsonl", "--force"];
    let ran = score(&folder, "three.jsonl", &arguments);
    let refused = "error: ./three.jsonl: is an input; write the scores to another file\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));
    assert_eq!(read(&folder, "three.jsonl"), THREE);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_run() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--scores", "no/out.jsonl"]);
    let refused = "error: no/out.jsonl: the folder no does not exist; create it first\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));
    let ran = score(&folder, "three.jsonl", &["--scores", "."]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (5, "error: .: is a directory; name a file in it\n")
    );
    assert_eq!(names(&folder), ["three.jsonl"]);
}

#[test]
fn a_halted_run_keeps_its_scores_under_another_name() {
    let folder = folder_with("in.jsonl", WITH_FAILURE);
    write(&folder, "out.jsonl", "precious");
    let arguments = ["--scores", "out.jsonl", "--force", "--on-failure", "stop"];
    let arguments = [&arguments[..], &["--executor", "sequential"]].concat();
    let ran = score(&folder, "in.jsonl", &arguments);
    let kept = "  the scores of the first 3 records are in out.jsonl.partial";
    assert_eq!((ran.code, ran.err.lines().last()), (4, Some(kept)));
    assert_eq!(
        names(&folder),
        ["in.jsonl", "out.jsonl", "out.jsonl.partial"]
    );
    assert_eq!(read(&folder, "out.jsonl"), "precious");
    let lines = read(&folder, "out.jsonl.partial");
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| line.starts_with("{\"record\":")));
    // If a run overwrites a partial file, it says so.
    let ran = score(&folder, "in.jsonl", &arguments);
    let replaced = format!("{kept}, in place of the scores of an earlier run");
    assert_eq!((ran.code, ran.err.lines().last()), (4, Some(&*replaced)));
}

#[test]
fn a_partial_file_that_would_overwrite_an_input_is_refused() {
    let folder = folder_with("out.jsonl.partial", THREE);
    let arguments = ["--scores", "out.jsonl", "--force"];
    let ran = score(&folder, "out.jsonl.partial", &arguments);
    let refused = "error: out.jsonl: if the run ended early, its scores would go to \
                   out.jsonl.partial, which is an input\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));
}

#[test]
fn a_run_without_time_scores_nothing_and_leaves_nothing() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "out.csv", "--deadline", "0"],
    );
    assert_eq!(ran.code, 124);
    assert_eq!(
        ran.err,
        "error: stopped before the end: the deadline has passed\n"
    );
    assert!(
        ran.out.starts_with("0 records scored, then stopped  "),
        "{}",
        ran.out
    );
    assert_eq!(names(&folder), ["three.jsonl"]);
}

#[test]
fn the_format_follows_from_the_name() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--scores", "out.txt"]);
    let refused = "error: out.txt: the ending names no format that scores can be written in; use .jsonl, .ndjson or \
                   .json (JSON lines), .csv, .tsv or .tab, or one of these followed by .gz or .zst (compressed)";
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with(refused), "{}", ran.err);
    assert_eq!(names(&folder), ["three.jsonl"]);
    assert_eq!(score(&folder, "three.jsonl", &["--scores", "out"]).code, 0);
    assert!(read(&folder, "out").starts_with("{\"record\":1,"));
}

#[test]
fn no_field_is_kept_twice() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(
        &folder,
        "three.jsonl",
        &["--keep", "id,id", "--scores", "-"],
    );
    let refused = "error: --keep names the field \"id\" twice\n";
    assert_eq!((ran.code, ran.err.as_str()), (2, refused));
}

#[test]
fn the_text_itself_and_the_group_can_be_kept() {
    let folder = folder_with("three.jsonl", THREE);
    let arguments = [
        "--keep",
        "text,kind,missing",
        "--by",
        "kind",
        "--scores",
        "-",
    ];
    let ran = score(&folder, "three.jsonl", &arguments);
    let first =
        r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"text":"good","kind":"x"}"#;
    assert_eq!(ran.out.lines().next(), Some(first));
}

#[cfg(unix)]
mod full_and_closed {
    use super::*;
    use std::fs::File;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    #[test]
    fn a_full_device_is_reported() {
        if !std::path::Path::new("/dev/full").exists() {
            return;
        }
        let folder = folder_with("three.jsonl", THREE);
        let ran = score(&folder, "three.jsonl", &["--scores", "/dev/full"]);
        assert_eq!(ran.code, 5);
        let told =
            "error: cannot write the scores to /dev/full: No space left on device (os error 28)\n";
        assert_eq!(ran.err, told);

        let full = || {
            File::options()
                .write(true)
                .open("/dev/full")
                .expect("it exists")
        };
        let mut program = Command::new(binary());
        program.args(["score", "three.jsonl", "--with", "sentiment"]);
        program.current_dir(folder.path());
        let output = program.stdout(full()).output().expect("it starts");
        assert_eq!(output.status.code(), Some(5));
        let told = b"error: cannot write the report: No space left on device (os error 28)\n";
        assert_eq!(output.stderr, told);

        // The message cannot be printed, but the exit code is right.
        write(&folder, "bad.jsonl", format!("{THREE}{{}}\n"));
        for (file, code) in [("bad.jsonl", 1), ("missing.jsonl", 3)] {
            let mut program = Command::new(binary());
            program.args(["score", file, "--with", "sentiment"]);
            program.current_dir(folder.path()).stdout(Stdio::null());
            let status = program.stderr(full()).status().expect("it starts");
            assert_eq!(status.code(), Some(code), "{file}");
        }
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let folder = folder_with("unused", "");
        let sample = crate::sample();
        let scores = [
            "score",
            sample,
            "--with",
            "sentiment",
            "--scores",
            "-",
            "--keep",
            "text",
        ];
        let reviews = ["generate", "--records", "20000"];
        for arguments in [&scores[..], &reviews[..]] {
            let mut child = Command::new(binary())
                .args(arguments)
                .current_dir(folder.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut line = String::new();
            let mut out = BufReader::with_capacity(64, child.stdout.take().expect("a pipe"));
            out.read_line(&mut line).expect("a line");
            assert!(line.starts_with('{'));
            drop(out);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert_eq!(output.status.code(), Some(0));
        }
    }

    #[test]
    fn scores_can_go_to_a_device() {
        let folder = folder_with("three.jsonl", THREE);
        let arguments = [
            "score",
            "three.jsonl",
            "--with",
            "sentiment",
            "--scores",
            "/dev/null",
        ];
        assert_eq!(run(&folder, &arguments).code, 0);
    }
}
