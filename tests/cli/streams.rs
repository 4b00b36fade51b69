//! These tests read input that can be read only once: standard input, pipes and devices.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::Command;

use super::{
    EXECUTORS, THREE, binary, finish, folder_with, make_pipe, names, program, ran, run, sample,
    score, start, write,
};

#[test]
fn a_line_is_scored_before_the_next_one_comes() {
    let folder = folder_with("unused", "");
    for executor in EXECUTORS {
        for threads in ["1", "3"] {
            let arguments = ["score", "-", "--with", "sentiment", "--scores", "-"];
            let options = ["--executor", executor, "-j", threads];
            let mut child = start(&folder, &[&arguments[..], &options].concat());
            let mut input = child.stdin.take().expect("a pipe");
            let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
            for record in 1..=20 {
                input.write_all(b"{\"text\":\"good\"}\n").expect("it reads");
                let mut line = String::new();
                out.read_line(&mut line).expect("it writes");
                assert!(
                    line.starts_with(&format!("{{\"record\":{record},")),
                    "{line}"
                );
            }
            drop(input);
            let mut rest = String::new();
            out.read_to_string(&mut rest).expect("it writes");
            assert_eq!(rest, "");
            let ran = finish(child);
            assert_eq!(ran.code, 0);
            assert!(ran.err.starts_with("20 records scored  "), "{}", ran.err);
        }
    }
}

#[test]
fn a_stream_has_the_scores_and_the_digest_of_a_file() {
    let folder = folder_with("unused", "");
    let file = score(
        &folder,
        sample(),
        &["--scores", "file.jsonl", "--by", "kind"],
    );
    let expected = super::read(&folder, "file.jsonl");
    let bytes = std::fs::read(sample()).expect("the sample");
    for executor in EXECUTORS {
        for threads in ["1", "2", "7"] {
            let mut program = program(folder.path());
            program.args([
                "score",
                "-",
                "--with",
                "sentiment",
                "--by",
                "kind",
                "--force",
            ]);
            program.args([
                "--scores",
                "out.jsonl",
                "--executor",
                executor,
                "-j",
                threads,
            ]);
            let ran = ran(program.write_stdin(bytes.clone()).output());
            assert_eq!((ran.code, ran.digest()), (0, file.digest()));
            assert!(
                ran.out
                    .lines()
                    .next()
                    .is_some_and(|line| line.contains(" in <stdin>, "))
            );
            assert_eq!(super::read(&folder, "out.jsonl"), expected);
        }
    }
}

#[test]
fn files_pipes_and_standard_input_are_one_dataset() {
    let folder = folder_with("three.jsonl", THREE);
    make_pipe(&folder, "pipe");
    let path = folder.path().join("pipe");
    let writer = std::thread::spawn(move || {
        let mut pipe = File::options().write(true).open(path).expect("a reader");
        pipe.write_all(b"{\"text\":\"bad\"}\n\n{\"text\":1}")
            .expect("it reads");
    });
    let mut program = program(folder.path());
    program.args(["score", "three.jsonl", "pipe", "-", "three.jsonl"]);
    program.args(["--with", "sentiment", "--scores", "-", "--quiet"]);
    let ran = ran(program.write_stdin("{\"text\":\"good\"}\n").output());
    writer.join().expect("it wrote");
    assert_eq!(ran.code, 1);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(lines[3].contains("\"compound\":-0.5423}"), "{}", lines[3]);
    assert!(lines[4].contains("\"error\":\"pipe:3:9: "), "{}", lines[4]);
    assert!(lines[5].contains("\"compound\":0.4404}"), "{}", lines[5]);
    assert!(lines[8].starts_with("{\"record\":9,"), "{}", lines[8]);
    assert!(ran.err.contains(" in 4 files, "), "{}", ran.err);
}

#[test]
fn a_closed_output_ends_a_run_quietly_while_its_input_is_open() {
    let folder = folder_with("unused", "");
    for executor in EXECUTORS {
        for threads in ["1", "3"] {
            let arguments = ["score", "-", "--with", "sentiment", "--scores", "-"];
            let options = ["--executor", executor, "-j", threads];
            let mut child = start(&folder, &[&arguments[..], &options].concat());
            drop(child.stdout.take());
            let mut input = child.stdin.take().expect("a pipe");
            input.write_all(b"{\"text\":\"good\"}\n").expect("it reads");
            let ran = finish(child);
            drop(input);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        }
    }
}

#[test]
fn standard_input_is_read_once() {
    let folder = folder_with("three.jsonl", THREE);
    for files in [&["-", "-"][..], &["-", "three.jsonl", "--against", "-"]] {
        let with = if files.len() > 2 {
            "match"
        } else {
            "sentiment"
        };
        let ran = run(&folder, &[&["score", "--with", with], files].concat());
        let refused = "error: standard input, -, can be read only once\n";
        assert_eq!((ran.code, ran.err.as_str()), (2, refused));
    }
}

#[test]
fn scores_are_not_written_to_a_pipe_that_is_read() {
    let folder = folder_with("three.jsonl", THREE);
    make_pipe(&folder, "pipe");
    let ran = score(&folder, "pipe", &["--scores", "pipe"]);
    let refused = "error: pipe: is an input; write the scores to another file\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));

    // The file that is standard input is refused as an output, too.
    let mut program = Command::new(binary());
    program.args(["score", "-", "--with", "sentiment", "--force"]);
    program
        .args(["--scores", "three.jsonl"])
        .current_dir(folder.path());
    let file = File::open(folder.path().join("three.jsonl")).expect("a file");
    let ran = super::ran(program.stdin(file).output());
    let refused = "error: three.jsonl: is an input; write the scores to another file\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, refused));
    assert_eq!(names(&folder), ["pipe", "three.jsonl"]);
}

#[test]
fn a_stream_of_another_kind_is_refused() {
    let folder = folder_with("unused", "");
    let mut program = program(folder.path());
    program.args(["score", "-", "--with", "sentiment", "--scores", "out.jsonl"]);
    let ran = ran(program.write_stdin(b"%PDF-1.7".to_vec()).output());
    let told =
        "error: <stdin>: is a PDF document; save its text as UTF-8 first, e.g. with pdftotext\n";
    assert_eq!((ran.code, ran.err.as_str()), (3, told));
    assert_eq!(names(&folder), ["unused"]);
}

/// Every worker returns the first error of the stream, so it does not matter whose error is printed.
#[test]
fn the_first_error_of_a_stream_is_the_one_that_is_printed() {
    let folder = folder_with("unused", "");
    for executor in EXECUTORS {
        for _ in 0..5 {
            let mut program = program(folder.path());
            program.args([
                "score",
                "-",
                "--with",
                "sentiment",
                "--executor",
                executor,
                "-j",
                "8",
            ]);
            let ran = ran(program.write_stdin(b"\xff\xfe{\0".to_vec()).output());
            assert_eq!(ran.code, 3);
            assert!(
                ran.err.starts_with("error: <stdin>: is UTF-16; "),
                "{}",
                ran.err
            );
        }
    }
}

/// A reader that returns this number of lines, and then an error instead of the end of the input.
struct BreaksOff(usize);

impl Read for BreaksOff {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let line = b"{\"text\":\"good\"}\n";
        let left = self.0.checked_sub(1);
        self.0 = left.ok_or_else(|| std::io::Error::from_raw_os_error(5))?;
        room[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

/// This test uses the library, because no file can be made to fail while it is being read.
#[test]
fn every_executor_reports_a_stream_that_breaks_off() {
    let mut plan = manyhands::plan::Plan::new(["unused"]);
    plan.program = Some(binary().to_owned());
    for executor in manyhands::plan::ExecutorName::ALL {
        plan.executor = executor;
        let stream = manyhands::dataset::TextStream::new("reviews", BreaksOff(300));
        let opened = plan.open_over(stream).expect("a scorer");
        let error = opened.run(manyhands::plan::RunOptions::default());
        let told = error.expect_err("it breaks off").to_string();
        assert_eq!(
            told,
            "reviews: cannot be read: Input/output error (os error 5)"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_a_length_is_read_to_its_end() {
    let folder = folder_with("in.jsonl", "{\"text\":\"Linux version\"}\n");
    let options = ["--json", "--format", "jsonl", "--on-failure", "skip"];
    let json = score(&folder, "/proc/self/status", &options).json();
    let lines = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
    assert_eq!(json["records"], lines.lines().count());
    assert_eq!(json["records"], json["failed"]);
    let arguments = ["in.jsonl", "--with", "match", "--against", "/proc/version"];
    let found = run(
        &folder,
        &[&["score"], &arguments[..], &["--scores", "-"]].concat(),
    );
    assert_eq!(found.code, 0);
    assert!(
        found.out.starts_with("{\"record\":1,\"best\":1,"),
        "{}",
        found.out
    );
}

#[test]
fn an_empty_stream_has_no_records() {
    let folder = folder_with("three.jsonl", THREE);
    for file in ["-", "/dev/null"] {
        let ran = score(&folder, file, &[]);
        assert_eq!(ran.code, 0);
        assert_eq!(ran.err, "note: the input has no records\n");
    }
    write(&folder, "empty", "");
    let empty = score(&folder, "empty", &[]);
    assert_eq!(empty.digest(), score(&folder, "/dev/null", &[]).digest());
}
