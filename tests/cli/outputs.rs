//! Outputs: two that are one file are refused, and nothing that was written is lost to a name.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Ran, THREE, folder_with, names, ran, read, run, score, send, start, write};

/// A run by way of a shell, which can redirect and limit; `$0` is the program.
fn shell(folder: &TempDir, line: &str) -> Ran {
    let output = Command::new("sh")
        .args(["-c", line])
        .arg(assert_cmd::cargo::cargo_bin!("manyhands"))
        .current_dir(folder.path())
        .output();
    ran(output)
}

/// What a run says that is refused.
#[track_caller]
fn refused(ran: &Ran, told: &str) {
    assert_eq!((ran.code, ran.err.as_str()), (5, told), "{}", ran.out);
}

#[test]
fn two_outputs_that_are_one_file_are_refused_however_they_are_spelled() {
    let folder = folder_with("three.jsonl", THREE);
    write(&folder, "a.jsonl", "precious");
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    symlink("a.jsonl", folder.path().join("link")).expect("a link");
    fs::hard_link(folder.path().join("a.jsonl"), folder.path().join("hard")).expect("a link");
    symlink(".", folder.path().join("here")).expect("a link");
    let absolute = folder.path().join("a.jsonl");
    let absolute = absolute.to_str().expect("a name in UTF-8");
    for page in [
        "a.jsonl",
        "./a.jsonl",
        "sub/../a.jsonl",
        "link",
        "hard",
        "here/a.jsonl",
        absolute,
    ] {
        let arguments = ["--scores", "a.jsonl", "--html", page, "--force"];
        let told = format!(
            "error: {page}: is also named for the scores; write the page to another file\n"
        );
        refused(&score(&folder, "three.jsonl", &arguments), &told);
    }
    // The same where there is no file of that name yet.
    for page in ["b.jsonl", "./b.jsonl", "sub/../b.jsonl", "here/b.jsonl"] {
        let ran = score(
            &folder,
            "three.jsonl",
            &["--scores", "b.jsonl", "--html", page],
        );
        let told = format!(
            "error: {page}: is also named for the scores; write the page to another file\n"
        );
        refused(&ran, &told);
    }
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "b.jsonl", "--html", "b.jsonl.partial"],
    );
    let told = "error: b.jsonl.partial: is also named for the scores of an early end; write the page to another file\n";
    refused(&ran, told);
    assert_eq!(read(&folder, "a.jsonl"), "precious");
    assert_eq!(
        names(&folder),
        ["a.jsonl", "hard", "here", "link", "sub", "three.jsonl"]
    );
}

#[test]
fn an_input_is_no_output_however_it_is_spelled() {
    let folder = folder_with("three.jsonl", THREE);
    symlink("three.jsonl", folder.path().join("link")).expect("a link");
    fs::hard_link(
        folder.path().join("three.jsonl"),
        folder.path().join("hard"),
    )
    .expect("a link");
    write(&folder, "names.txt", "one\ntwo\n");
    for output in ["./three.jsonl", "link", "hard"] {
        let ran = score(&folder, "three.jsonl", &["--scores", output, "--force"]);
        let told = format!("error: {output}: is an input; write the scores to another file\n");
        refused(&ran, &told);
        let ran = score(&folder, "three.jsonl", &["--html", output, "--force"]);
        let told = format!("error: {output}: is an input; write the page to another file\n");
        refused(&ran, &told);
    }
    let matching = [
        "score",
        "three.jsonl",
        "--with",
        "match",
        "--against",
        "names.txt",
    ];
    let ran = run(
        &folder,
        &[&matching[..], &["--html", "names.txt", "--force"]].concat(),
    );
    refused(
        &ran,
        "error: names.txt: is an input; write the page to another file\n",
    );
    let ran = shell(
        &folder,
        "\"$0\" score - --with sentiment --scores three.jsonl --force < three.jsonl",
    );
    refused(
        &ran,
        "error: three.jsonl: is an input; write the scores to another file\n",
    );
    assert_eq!(read(&folder, "three.jsonl"), THREE);
}

#[test]
fn standard_output_that_is_an_input_or_another_output_is_refused() {
    let folder = folder_with("three.jsonl", THREE);
    let scores = "error: standard output: is an input; write the scores to another file\n";
    let report = "error: standard output: is an input; write the report to another file\n";
    for (line, told) in [
        (
            "\"$0\" score - --with sentiment --scores - < three.jsonl >> three.jsonl",
            scores,
        ),
        (
            "\"$0\" score three.jsonl --with sentiment --scores - 1<> three.jsonl",
            scores,
        ),
        (
            "\"$0\" score three.jsonl --with sentiment >> three.jsonl",
            report,
        ),
        ("\"$0\" bench three.jsonl --rounds 1 >> three.jsonl", report),
    ] {
        refused(&shell(&folder, line), told);
        assert_eq!(read(&folder, "three.jsonl"), THREE, "{line}");
    }
    let line = "\"$0\" score three.jsonl --with sentiment --scores out.jsonl --force > out.jsonl";
    let told = "error: out.jsonl: is also named for the report; write the scores to another file\n";
    refused(&shell(&folder, line), told);
    let line = "\"$0\" score three.jsonl --with sentiment --html /dev/stdout | cat; exit 5";
    let told = "error: /dev/stdout: is also named for the report; write the page to another file\n";
    refused(&shell(&folder, line), told);
    // What is no file may be both.
    let line = "\"$0\" score three.jsonl --with sentiment --scores /dev/null --html /dev/null \
                > /dev/null < /dev/null";
    assert_eq!(shell(&folder, line).code, 0);
}

#[test]
fn a_name_that_cannot_be_had_is_refused_before_the_run() {
    let folder = folder_with("three.jsonl", THREE);
    symlink("nowhere", folder.path().join("link")).expect("a link");
    let ran = score(&folder, "three.jsonl", &["--scores", "link"]);
    let told = "error: link: is a symbolic link to nowhere, which does not exist; make that file \
                first, or name another one\n";
    refused(&ran, told);
    let long = "n".repeat(256);
    let told = format!("error: {long}: the name is too long; choose a shorter one\n");
    refused(&score(&folder, "three.jsonl", &["--scores", &long]), &told);
    // Long enough for its own name, too long for the one of an early end.
    let long = "n".repeat(250);
    let told = format!(
        "error: {long}: if the run ended early, its scores would go to {long}.partial, which is too \
         long a name; name a shorter one\n"
    );
    refused(&score(&folder, "three.jsonl", &["--scores", &long]), &told);
    let ran = score(&folder, "three.jsonl", &["--html", &long]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&folder), ["link", &long, "three.jsonl"]);
}

/// A run over standard input that has begun to write its scores, and waits for more.
fn begun(folder: &TempDir, arguments: &[&str]) -> Child {
    let all = [
        "score",
        "-",
        "--with",
        "sentiment",
        "--scores",
        "out.jsonl",
        "-j",
        "2",
    ];
    let mut child = start(folder, &[&all, arguments].concat());
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(THREE.as_bytes()).expect("it reads");
    let is_begun = |name: &String| {
        name.starts_with(".manyhands-")
            && fs::read(folder.path().join(name)).is_ok_and(|lines| !lines.is_empty())
    };
    while !names(folder).iter().any(is_begun) {
        assert_eq!(child.try_wait().expect("it can be asked"), None);
        std::thread::yield_now();
    }
    child
}

/// Lets a run that has begun come to its end.
fn ended(mut child: Child) -> Ran {
    drop(child.stdin.take());
    ran(child.wait_with_output())
}

#[test]
fn a_file_that_takes_the_name_during_the_run_costs_no_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = begun(&folder, &[]);
    write(&folder, "out.jsonl", "mine");
    let ran = ended(child);
    let told = "error: out.jsonl: another program has made a file of that name meanwhile; the whole \
                file of all 3 records is in out.jsonl.partial\n";
    refused(&ran, told);
    assert_eq!(read(&folder, "out.jsonl"), "mine");
    assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 3);
    assert_eq!(names(&folder), ["out.jsonl", "out.jsonl.partial"]);
    // With --force it is replaced.
    let child = begun(&folder, &["--force"]);
    assert_eq!(ended(child).code, 0);
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 3);
    assert_eq!(
        names(&folder),
        ["out.jsonl"],
        "the older beginning is replaced too"
    );
}

#[test]
fn both_names_being_taken_costs_no_scores_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = begun(&folder, &[]);
    write(&folder, "out.jsonl", "mine");
    write(&folder, "out.jsonl.partial", "mine too");
    let ran = ended(child);
    assert_eq!(ran.code, 5);
    assert_eq!(read(&folder, "out.jsonl.partial"), "mine too");
    let kept = names(&folder);
    let kept = kept.iter().find(|name| name.starts_with("manyhands-"));
    let kept = kept.expect("a file of its own");
    assert!(
        ran.err
            .ends_with(&format!("the whole file of all 3 records is in {kept}\n")),
        "{}",
        ran.err
    );
    assert_eq!(read(&folder, kept).lines().count(), 3);
}

#[test]
fn a_folder_that_goes_during_the_run_costs_no_scores() {
    for goes in ["renamed", "removed"] {
        let outer = tempfile::tempdir().expect("a folder");
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).expect("a folder");
        let mut child = start(
            &outer,
            &[
                "score",
                "-",
                "--with",
                "sentiment",
                "--scores",
                "inner/out.jsonl",
            ],
        );
        let input = child.stdin.as_mut().expect("a pipe");
        input.write_all(THREE.as_bytes()).expect("it reads");
        let written = || {
            let entries = fs::read_dir(&inner).into_iter().flatten().flatten();
            let lengths = entries.map(|entry| entry.metadata().map_or(0, |entry| entry.len()));
            lengths.sum::<u64>()
        };
        while written() == 0 {
            assert_eq!(child.try_wait().expect("it can be asked"), None);
            std::thread::yield_now();
        }
        match goes {
            "renamed" => fs::rename(&inner, outer.path().join("other")).expect("it can be"),
            _ => fs::remove_dir_all(&inner).expect("it can be"),
        }
        let ran = ended(child);
        assert_eq!(ran.code, 5, "{}", ran.err);
        // A folder that has another name still holds the file; without one it is copied.
        let there = match goes {
            "renamed" => outer.path().join("other"),
            _ => outer.path().to_owned(),
        };
        let entries = fs::read_dir(&there).expect("a folder").flatten();
        let mut kept = entries.filter(|entry| {
            let name = entry.file_name();
            name.as_encoded_bytes().starts_with(b"manyhands-")
        });
        let kept = kept.next();
        let kept = kept.unwrap_or_else(|| panic!("nothing is kept: {}", ran.err));
        let told =
            "error: inner/out.jsonl: its folder is gone; the whole file of all 3 records is in ";
        assert!(ran.err.starts_with(told), "{}", ran.err);
        let name = kept.file_name().into_string().expect("a name in UTF-8");
        assert!(ran.err.trim_end().ends_with(&name), "{}", ran.err);
        let lines = fs::read_to_string(kept.path()).expect("a file");
        assert_eq!(lines.lines().count(), 3);
    }
}

#[test]
fn what_an_early_end_has_left_is_not_overwritten_unless_asked() {
    let folder = folder_with("three.jsonl", THREE);
    write(&folder, "out.jsonl.partial", "precious");
    let ran = score(&folder, "three.jsonl", &["--scores", "out.jsonl"]);
    let told = "error: out.jsonl.partial: is left from a run that ended early; move it away, or \
                overwrite it with --force\n";
    refused(&ran, told);
    assert_eq!(read(&folder, "out.jsonl.partial"), "precious");
    assert_eq!(names(&folder), ["out.jsonl.partial", "three.jsonl"]);
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "out.jsonl", "--force"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&folder), ["out.jsonl", "three.jsonl"]);
}

#[test]
fn a_replaced_file_keeps_its_mode_and_its_links() {
    let folder = folder_with("three.jsonl", THREE);
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    write(&folder, "sub/target.jsonl", "old");
    let target = folder.path().join("sub/target.jsonl");
    symlink("sub/target.jsonl", folder.path().join("link.jsonl")).expect("a link");
    for mode in [0o600, 0o640, 0o604, 0o400] {
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).expect("it can be");
        let before = fs::metadata(&target).expect("a file");
        let ran = score(
            &folder,
            "three.jsonl",
            &["--scores", "link.jsonl", "--force"],
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let after = fs::metadata(&target).expect("a file");
        assert_eq!(after.mode() & 0o7777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "it was written in place");
    }
    let link = fs::symlink_metadata(folder.path().join("link.jsonl")).expect("a link");
    assert!(link.is_symlink());
    assert_eq!(read(&folder, "sub/target.jsonl").lines().count(), 3);
    assert_eq!(names(&folder), ["link.jsonl", "sub", "three.jsonl"]);
    assert_eq!(
        fs::read_dir(folder.path().join("sub"))
            .expect("a folder")
            .count(),
        1
    );
}

#[test]
fn a_new_file_has_the_mode_of_any_new_file() {
    let folder = folder_with("three.jsonl", THREE);
    for (mask, mode) in [("022", 0o644), ("077", 0o600)] {
        let line = format!(
            "umask {mask}; \"$0\" score three.jsonl --with sentiment --scores {mask}.jsonl"
        );
        assert_eq!(shell(&folder, &line).code, 0);
        let written = fs::metadata(folder.path().join(format!("{mask}.jsonl")));
        assert_eq!(written.expect("a file").mode() & 0o7777, mode);
    }
}

#[test]
fn what_a_killed_run_has_left_is_told_and_what_a_run_is_writing_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut killed = begun(&folder, &[]);
    killed.kill().expect("it can be killed");
    killed.wait().expect("it has ended");
    let left = names(&folder);
    let [left] = left.as_slice() else {
        panic!("{left:?}");
    };
    let other = start(
        &folder,
        &[
            "score",
            "-",
            "--with",
            "sentiment",
            "--scores",
            "other.jsonl",
        ],
    );
    while names(&folder).len() < 2 {
        std::thread::yield_now();
    }
    write(&folder, "three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--scores", "out.jsonl"]);
    let bytes = fs::metadata(folder.path().join(left))
        .expect("a file")
        .len();
    let told = format!(
        "note: a run that was killed has left {left} ({bytes} B); its last line may be cut; \
         delete it if you do not need it\n"
    );
    assert_eq!((ran.code, ran.err), (0, told));
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "quiet.jsonl", "--quiet"],
    );
    assert_eq!(ran.err, "");
    assert_eq!(ended(other).code, 0);
}

#[test]
fn a_full_disk_keeps_whole_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "in.jsonl", THREE.repeat(5000));
    let whole = run(
        &folder,
        &[
            "score",
            "in.jsonl",
            "--with",
            "sentiment",
            "--scores",
            "whole.jsonl",
        ],
    );
    assert_eq!(whole.code, 0);
    let whole = read(&folder, "whole.jsonl");
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        // A file may not grow beyond 300 or 301 blocks of 512 or 1,024 bytes, depending on the shell.
        let line = format!(
            "trap '' XFSZ; ulimit -f 301; \"$0\" score in.jsonl --with sentiment --scores out.jsonl \
             --executor {executor} --force -j 3"
        );
        let ran = shell(&folder, &line);
        let kept = read(&folder, "out.jsonl.partial");
        let records = kept.lines().count();
        let told = format!(
            "error: cannot write the scores: File too large (os error 27)\n  the scores of the first \
             {records} records are in out.jsonl.partial"
        );
        assert!(ran.err.starts_with(&told), "{executor}: {}", ran.err);
        assert_eq!(ran.code, 5);
        assert!(records > 100 && kept.ends_with('\n') && whole.starts_with(&kept));
        assert!(!names(&folder).contains(&"out.jsonl".to_owned()));
    }
}

#[test]
fn an_input_that_shrinks_during_the_run_keeps_the_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each record is long enough that the run is still at the beginning when the file is cut.
    let line = format!(
        "{{\"text\":\"{}\"}}\n",
        "not so very good, but fine! ".repeat(2000)
    );
    write(&folder, "in.jsonl", line.repeat(400));
    let arguments = [
        "score",
        "in.jsonl",
        "--with",
        "sentiment",
        "--scores",
        "out.jsonl",
    ];
    let child = start(
        &folder,
        &[&arguments[..], &["--executor", "sequential"]].concat(),
    );
    let is_begun = |name: &String| {
        name.starts_with(".manyhands-")
            && fs::read(folder.path().join(name)).is_ok_and(|lines| !lines.is_empty())
    };
    while !names(&folder).iter().any(is_begun) {
        std::thread::yield_now();
    }
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("in.jsonl"));
    file.expect("a file")
        .set_len(line.len() as u64)
        .expect("it can be cut");
    let ran = ran(child.wait_with_output());
    let kept = read(&folder, "out.jsonl.partial");
    let records = kept.lines().count();
    let some = match records {
        1 => "record are".to_owned(),
        several => format!("{several} records are"),
    };
    let told = format!(
        "error: in.jsonl: changed while it was being read; run again when nobody writes to it\n  \
         the scores of the first {some} in out.jsonl.partial\n"
    );
    assert_eq!((ran.code, ran.err), (3, told));
    assert!(kept.ends_with('\n'));
    assert_eq!(names(&folder), ["in.jsonl", "out.jsonl.partial"]);
}

#[test]
fn a_page_that_is_not_taken_does_not_swallow_a_signal() {
    let folder = folder_with("three.jsonl", THREE);
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(made.expect("there is mkfifo").success());
    let arguments = [
        "score",
        "three.jsonl",
        "--with",
        "sentiment",
        "--scores",
        "out.jsonl",
    ];
    let child = start(&folder, &[&arguments[..], &["--html", "pipe"]].concat());
    // The scores have their name: only the page is left, which waits for a reader of the pipe.
    while !names(&folder).contains(&"out.jsonl".to_owned()) {
        std::thread::yield_now();
    }
    // The last moments of the run may still take a signal for one that stops it.
    let mut child = child;
    while child.try_wait().expect("it can be asked").is_none() {
        send_if_alive(&child, "TERM");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let ran = ran(child.wait_with_output());
    assert_eq!(ran.code, 143, "{}", ran.err);
    assert!(ran.err.ends_with("ended by a signal\n"), "{}", ran.err);
}

/// Sends a signal to a child that may have ended meanwhile, and has not been waited for.
fn send_if_alive(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok());
}

/// A record that takes minutes behind two that take a moment, and what it is compared with.
fn with_endless_record() -> TempDir {
    let long = "abcdefghij ".repeat(4_000);
    let reference: String = (0..10).map(|number| format!("{number}{long}\n")).collect();
    let folder = folder_with("long.txt", reference);
    let long = "jihgfedcba ".repeat(700_000);
    let lines = format!("{{\"text\":\"a\"}}\n{{\"text\":\"b\"}}\n{{\"text\":\"{long}\"}}\n");
    write(&folder, "in.jsonl", lines);
    folder
}

const ENDLESS: [&str; 8] = [
    "score",
    "in.jsonl",
    "--with",
    "match",
    "--against",
    "long.txt",
    "--scores",
    "out.jsonl",
];

#[test]
fn a_record_that_never_ends_does_not_hold_up_the_deadline() {
    // Side by side, since the deadline is long enough for two records on a machine with other work.
    std::thread::scope(|scope| {
        for (executor, policy) in [
            ("sequential", "skip:3"),
            ("work-stealing", "skip"),
            ("task-queue", "skip:3"),
        ] {
            scope.spawn(move || held_up(executor, policy));
        }
    });
}

fn held_up(executor: &str, policy: &str) {
    let folder = with_endless_record();
    let options = ["--executor", executor, "--on-failure", policy, "-j", "2"];
    let options = [&options[..], &["--deadline", "8"]].concat();
    let ran = run(&folder, &[&ENDLESS[..], &options].concat());
    let told = "\nerror: stopped before the end: the deadline has passed, and a record was still \
                being scored 2 s later\n  the scores of the first 2 records are in \
                out.jsonl.partial\n";
    assert_eq!((ran.code, ran.err.as_str()), (124, told), "{executor}");
    assert_eq!(ran.out, "", "there is no report");
    assert_eq!(
        names(&folder),
        ["in.jsonl", "long.txt", "out.jsonl.partial"]
    );
    assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 2);
}

#[test]
fn the_second_signal_ends_a_record_that_never_ends_and_keeps_what_is_done() {
    for executor in ["sequential", "work-stealing", "task-queue"] {
        let folder = with_endless_record();
        let options = ["--executor", executor, "-j", "2", "--quiet"];
        let child = start(&folder, &[&ENDLESS[..], &options].concat());
        let lines = |name: &String| {
            let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
            text.lines().count()
        };
        let are_done = |name: &String| name.starts_with(".manyhands-") && lines(name) == 2;
        while !names(&folder).iter().any(are_done) {
            std::thread::yield_now();
        }
        send(&child, "INT");
        // Two signals that come at once may be taken for one.
        let mut child = child;
        while child.try_wait().expect("it can be asked").is_none() {
            send_if_alive(&child, "TERM");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let ran = ran(child.wait_with_output());
        let told = "\nended by a signal\n  the scores of the first 2 records are in \
                    out.jsonl.partial\n";
        assert_eq!((ran.code, ran.err.as_str()), (143, told), "{executor}");
        assert_eq!(
            names(&folder),
            ["in.jsonl", "long.txt", "out.jsonl.partial"]
        );
    }
}
