//! These tests check that `docs/exec.md` is true: its examples are those of the repository and give the right scores, and
//! its messages are those of the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Ran, THREE, example, folder_with, read, run, sample, shell, write};

const PAGE: &str = include_str!("../../../docs/exec.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The examples of programs, each with the language of its code block on the page.
fn examples() -> Vec<(PathBuf, &'static str)> {
    let entries = root().join("examples/exec").read_dir();
    let entries = entries.expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let in_rust = ["word_count.rs", "program.rs"].map(|name| root().join("examples").join(name));
    let paths = paths.chain(in_rust);
    let language = |path: &PathBuf| match path.extension()?.to_str()? {
        "py" => Some("python"),
        "js" => Some("js"),
        "sh" => Some("bash"),
        "rs" => Some("rust"),
        other => panic!("no language for {other}"),
    };
    let all: Vec<_> = paths
        .filter_map(|path| Some((path.clone(), language(&path)?)))
        .collect();
    assert!(all.len() >= 6, "{all:?}");
    all
}

#[test]
fn the_page_shows_the_files_of_the_examples() {
    for (path, language) in examples() {
        let code = std::fs::read_to_string(&path).expect("an example");
        let block = format!("\n```{language}\n{code}```\n");
        assert!(
            PAGE.contains(&block),
            "the page does not show {}",
            path.display()
        );
        let name = path.strip_prefix(root()).expect("a path in the repository");
        let link = format!("[`{0}`](../{0})", name.display());
        assert!(PAGE.contains(&link), "the page has no link {link}");
    }
}

fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}

/// Creates a folder with all examples and reviews, and returns the number of words of each review.
fn reviews() -> (TempDir, Vec<f64>) {
    let texts = std::fs::read_to_string(sample()).expect("the sample");
    // The languages do not agree on which characters other than these are white space.
    let is_plain = |text: &&str| {
        !text
            .chars()
            .any(|c| c.is_whitespace() && !c.is_ascii_whitespace())
    };
    let special = [
        r#"{"category":"x","text":""}"#,
        r#"{"category":"x","text":" a\nb\r\nc\td  "}"#,
        r#"{"category":"x","text":"-n * \\n \\\\ \"q\" 'r' $HOME `id` %s \\c \\0101"}"#,
        r#"{"category":"y","text":"Zoë 猫 \ud83d\ude00 \u0007"}"#,
    ];
    let lines: Vec<&str> = texts
        .lines()
        .filter(is_plain)
        .take(300)
        .chain(special)
        .collect();
    let words = |line: &&str| {
        let record: Value = serde_json::from_str(line).expect("JSON");
        record["text"]
            .as_str()
            .expect("a text")
            .split_ascii_whitespace()
            .count() as f64
    };
    let words = lines.iter().map(words).collect();
    let folder = folder_with("reviews.jsonl", lines.join("\n"));
    for (path, _) in examples() {
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, folder.path().join(name)).expect("a copy");
    }
    std::os::unix::fs::symlink(example("word_count"), folder.path().join("word_count"))
        .expect("a link");
    (folder, words)
}

/// The commands of the page that score reviews.
fn commands() -> Vec<&'static str> {
    let blocks = PAGE.split("\n```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    blocks
        .flat_map(str::lines)
        .filter(|line| line.starts_with("manyhands "))
        .collect()
}

/// The numbers named `score` or `words` in a scores file.
fn numbers(folder: &TempDir, file: &str) -> Vec<f64> {
    let text = read(folder, file);
    if file.ends_with(".csv") {
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let words = table
            .headers()
            .expect("a header")
            .iter()
            .position(|name| name == "words");
        let words = words.expect("a column of words");
        let number = |cells: csv::StringRecord| cells[words].parse().expect("a number");
        return table
            .records()
            .map(|cells| number(cells.expect("cells")))
            .collect();
    }
    let number = |line: &str| {
        let scores: Value = serde_json::from_str(line).expect("JSON");
        scores["score"]
            .as_f64()
            .unwrap_or_else(|| panic!("no score in {line}"))
    };
    text.lines().map(number).collect()
}

#[test]
fn the_commands_of_the_page_give_the_right_scores() {
    let (folder, words) = reviews();
    let mut has_run = Vec::new();
    for command in commands() {
        let (options, program) = command.split_once(" -- ").expect("a program");
        let name = program.split(' ').next().expect("a name");
        let is_needed = ["python3", "sh", "./word_count"].contains(&name);
        if !is_needed && !is_installed(name) {
            eprintln!("skipped, because {name} is not installed: {command}");
            continue;
        }
        let options = options.strip_prefix("manyhands").expect("our program");
        let (options, file) = match options.split_once(" -o ") {
            Some((_, file)) => (options.to_owned(), file),
            None => (format!("{options} -o scores.jsonl"), "scores.jsonl"),
        };
        let ran = shell(
            &folder,
            &format!("exec \"$0\"{options} --force -- {program}"),
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
        assert!(
            ran.out.starts_with("304 records scored"),
            "{command}\n{}",
            ran.out
        );
        assert_eq!(numbers(&folder, file), words, "{command}");
        has_run.push(name);
    }
    for needed in ["python3", "sh", "./word_count"] {
        assert!(has_run.contains(&needed), "no command with {needed}");
    }
    let shown = "```text\n{\"record\":1,\"score\":64.0}\n{\"record\":2,\"score\":77.0}\n```";
    assert!(PAGE.contains(shown));
    assert_eq!(words[..2], [64.0, 77.0]);
}

/// Scores three records with a program that answers each of them with the number of its words, named `words`.
fn ranked_by(rank: &[&str]) -> String {
    let folder = folder_with("three.jsonl", THREE);
    let code = include_str!("../../../examples/exec/values.py");
    write(&folder, "values.py", code);
    let all = ["score", "three.jsonl", "--with", "exec"];
    let ran = run(
        &folder,
        &[&all, rank, &["--", "python3", "values.py"]].concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.contains("best\n"), rank == ["--rank", "words"]);
    ran.err
}

#[test]
fn a_user_learns_how_records_are_ranked() {
    assert_eq!(ranked_by(&["--rank", "words"]), "");
    let note = "note: no answer has a number named \"score\", so the records are not ranked; --rank words ranks them\n";
    assert_eq!(ranked_by(&[]), note);
    let warning = "warning: no answer has a number named \"word\", so the records are not ranked; did you mean \"words\"?\n";
    assert_eq!(ranked_by(&["--rank", "word"]), warning);
}

#[test]
fn the_example_of_the_library_gives_the_right_mean() {
    let (folder, words) = reviews();
    let path = example("program");
    let line = format!("exec {} reviews.jsonl python3 score.py", path.display());
    let ran = shell(&folder, &line);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    // The sum of whole numbers is exact.
    let mean = words.iter().sum::<f64>() / words.len() as f64;
    let expected = format!("304 records scored, 0 failed\nmean {mean}\n");
    assert!(ran.out.starts_with(&expected), "{}", ran.out);
}

#[test]
fn a_field_that_no_record_has_is_reported_whatever_the_program_writes_at_its_end() {
    let folder = folder_with("three.jsonl", THREE);
    let all = [
        "score",
        "three.jsonl",
        "--with",
        "exec",
        "--send",
        "text",
        "--field",
        "texts",
        "--",
        "wc",
        "-w",
    ];
    let ran = run(&folder, &all);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("did you mean --field text?"),
        "{}",
        ran.err
    );
}

/// The cells of the line of the page that names this test.
fn cells(test: &str) -> Vec<&'static str> {
    let end = format!(" | `exec/page::{test}` |");
    let line = PAGE.lines().find_map(|line| line.strip_suffix(&end));
    let line = line.unwrap_or_else(|| panic!("no line names {test}"));
    line.trim_start_matches("| ").split(" | ").collect()
}

/// The message that the page promises for this test.
fn message(test: &str) -> &'static str {
    cells(test)[2].trim_matches('`').trim()
}

/// Scores three records by a program in Python that does `body` for the second one, and answers the others. The second
/// record must fail with the message of the page, and the others must be scored.
fn fails(test: &str, options: &[&str], body: &str) {
    let folder = folder_with("three.jsonl", THREE);
    let script = format!(
        "import os, sys, time\n\
         for line in sys.stdin:\n    \
             if '\"b\"' in line:\n        {body}\n    \
             print(1, flush=True)\n"
    );
    write(&folder, "program.py", script);
    let all = ["score", "three.jsonl", "--with", "exec", "-o", "out.jsonl"];
    let program = ["--", "python3", "program.py"];
    let ran = run(&folder, &[&all, options, &program].concat());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let message = message(test);
    let mut told = ran.err.lines();
    let first = told.next().expect("a failure");
    assert!(first.starts_with("failed: three.jsonl:2: "), "{first}");
    let first = first.replace("within 10 s", "within 3 s");
    assert!(first.contains(message), "{message}\n{first}");
    assert_eq!(told.next(), Some("1 of 3 records could not be scored"));
    let scores = read(&folder, "out.jsonl");
    let scores: Vec<&str> = scores.lines().collect();
    assert_eq!(scores.len(), 3, "{scores:?}");
    assert_eq!(scores[0], "{\"record\":1,\"score\":1.0}");
    assert_eq!(scores[2], "{\"record\":3,\"score\":1.0}");
}

#[test]
fn a_program_that_exits() {
    let body = "print('no more', file=sys.stderr); sys.exit(3)";
    fails("a_program_that_exits", &[], body);
}

#[test]
fn a_program_that_crashes() {
    fails("a_program_that_crashes", &[], "os.kill(os.getpid(), 11)");
}

#[test]
fn a_program_that_is_killed() {
    fails("a_program_that_is_killed", &[], "os.kill(os.getpid(), 9)");
}

#[test]
fn a_program_that_hangs() {
    // If the record is the first one of its process, it gets the time of a start.
    let options = ["--timeout", "3s", "--start-timeout", "10s"];
    assert!(cells("a_program_that_hangs")[0].contains("`--timeout 3s`"));
    fails("a_program_that_hangs", &options, "time.sleep(600)");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_needs_too_much_memory() {
    let body = "much = b'x' * 200_000_000; time.sleep(600)";
    let options = ["--max-memory", "100M"];
    fails("a_program_that_needs_too_much_memory", &options, body);
}

#[test]
fn a_program_that_writes_a_message() {
    fails("a_program_that_writes_a_message", &[], "print('loading')");
}

#[test]
fn a_program_that_answers_twice() {
    fails("a_program_that_answers_twice", &[], "print(1)");
}

#[test]
fn a_program_that_leaves_out_an_answer() {
    fails("a_program_that_leaves_out_an_answer", &[], "continue");
}

#[test]
fn a_program_that_writes_too_much() {
    let body = "print('\"' + 'x' * 2_000_000 + '\"', flush=True); continue";
    fails("a_program_that_writes_too_much", &[], body);
}

#[test]
fn a_program_that_closes_its_output() {
    let body = "os.close(1); time.sleep(600)";
    fails("a_program_that_closes_its_output", &[], body);
}

#[test]
fn a_program_that_refuses_a_record() {
    let body = "print('{\"error\": \"no French\"}', flush=True); continue";
    fails("a_program_that_refuses_a_record", &[], body);
}

#[test]
fn a_program_that_answers_with_a_list() {
    let body = "print('[1]', flush=True); continue";
    fails("a_program_that_answers_with_a_list", &[], body);
}

#[test]
fn a_program_that_changes_the_kind_of_a_value() {
    let body = "print('{\"score\": \"abc\"}', flush=True); continue";
    fails("a_program_that_changes_the_kind_of_a_value", &[], body);
}

/// Runs a program that does not work. The exit code and the message must be those of the page, and there are no scores.
fn ends(test: &str, program: &[&str]) -> Ran {
    let folder = folder_with("three.jsonl", THREE);
    let all = [
        "score",
        "three.jsonl",
        "--with",
        "exec",
        "-o",
        "out.jsonl",
        "--",
    ];
    let ran = run(&folder, &[&all, program].concat());
    assert_eq!(ran.code.to_string(), cells(test)[1], "{}", ran.err);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    assert!(ran.err.contains(message(test)), "{}", ran.err);
    assert!(!folder.path().join("out.jsonl").exists());
    ran
}

#[test]
fn a_program_that_does_not_exist() {
    ends(
        "a_program_that_does_not_exist",
        &["no-program-has-this-name"],
    );
}

#[test]
fn a_program_that_never_works() {
    let ran = ends("a_program_that_never_works", &["python3", "absent.py"]);
    assert!(ran.err.contains("can't open file"), "{}", ran.err);
}

#[test]
fn the_readme_shows_the_first_example() {
    let readme = include_str!("../../../README.md");
    let code = include_str!("../../../examples/exec/score.py");
    assert!(readme.contains(&format!("```python\n{code}```\n")));
    assert!(readme.contains("(docs/exec.md)"), "no link to the page");
}

#[test]
fn every_line_of_the_page_names_a_test() {
    let own = include_str!("page.rs");
    let names = |line: &'static str| Some(line.strip_prefix("fn ")?.split_once('(')?.0);
    let tests: Vec<&str> = own.split("#[test]\n").skip(1).filter_map(names).collect();
    let tests: Vec<&str> = tests
        .into_iter()
        .filter(|name| name.starts_with("a_program"))
        .collect();
    for test in &tests {
        assert!(!message(test).is_empty());
    }
    let named = PAGE.matches("| `exec/page::").count();
    assert_eq!(named, tests.len(), "{tests:?}");
}
