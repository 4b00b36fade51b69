//! The program refuses two outputs that are the same file, and keeps the scores if another program takes their name.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Child;

use tempfile::TempDir;

use super::{
    EXECUTORS, Ran, THREE, finish, folder_with, make_pipe, names, read, run, score, send,
    send_until_it_ends, shell, start, start_scoring, unfinished, wait_while_running, write,
};

/// Asserts that a run was refused with this message.
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
    // The page is also refused if no file of that name exists yet.
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
fn an_output_that_is_an_input_is_refused_however_it_is_spelled() {
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
    // The same device may be named for two outputs.
    let line = "\"$0\" score three.jsonl --with sentiment --scores /dev/null --html /dev/null \
                > /dev/null < /dev/null";
    assert_eq!(shell(&folder, line).code, 0);
}

#[test]
fn a_name_that_cannot_be_created_is_refused_before_the_run() {
    let folder = folder_with("three.jsonl", THREE);
    symlink("nowhere", folder.path().join("link")).expect("a link");
    let ran = score(&folder, "three.jsonl", &["--scores", "link"]);
    let told = "error: link: is a symbolic link to nowhere, which does not exist; create that file \
                first, or name another one\n";
    refused(&ran, told);
    let long = "n".repeat(256);
    let told = format!("error: {long}: the name is too long; choose a shorter one\n");
    refused(&score(&folder, "three.jsonl", &["--scores", &long]), &told);
    // This name is short enough for a file, but too long with the suffix of a partial file.
    let long = "n".repeat(250);
    let told = format!(
        "error: {long}: if the run ended early, its scores would go to {long}.partial, which is too \
         long a name; choose a shorter one\n"
    );
    refused(&score(&folder, "three.jsonl", &["--scores", &long]), &told);
    let ran = score(&folder, "three.jsonl", &["--html", &long]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&folder), ["link", &long, "three.jsonl"]);
}

fn begun(folder: &TempDir, arguments: &[&str]) -> Child {
    start_scoring(folder, THREE, &[&["-j", "2"], arguments].concat())
}

#[test]
fn scores_are_kept_if_another_program_takes_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = begun(&folder, &[]);
    write(&folder, "out.jsonl", "mine");
    let ran = finish(child);
    let told = "error: out.jsonl: another program has created a file with that name meanwhile; the \
                complete file with all 3 records is in out.jsonl.partial\n";
    refused(&ran, told);
    assert_eq!(read(&folder, "out.jsonl"), "mine");
    assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 3);
    assert_eq!(names(&folder), ["out.jsonl", "out.jsonl.partial"]);
    // With --force, the file is replaced.
    let child = begun(&folder, &["--force"]);
    assert_eq!(finish(child).code, 0);
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 3);
    assert_eq!(
        names(&folder),
        ["out.jsonl"],
        "the older partial file is left"
    );
}

#[test]
fn scores_are_kept_if_both_names_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = begun(&folder, &[]);
    write(&folder, "out.jsonl", "mine");
    write(&folder, "out.jsonl.partial", "mine too");
    let ran = finish(child);
    assert_eq!(ran.code, 5);
    assert_eq!(read(&folder, "out.jsonl.partial"), "mine too");
    let kept = names(&folder);
    let kept = kept.iter().find(|name| name.starts_with("manyhands-"));
    let kept = kept.expect("a file of its own");
    assert!(
        ran.err.ends_with(&format!(
            "the complete file with all 3 records is in {kept}\n"
        )),
        "{}",
        ran.err
    );
    assert_eq!(read(&folder, kept).lines().count(), 3);
}

#[test]
fn scores_are_kept_if_their_folder_is_renamed_or_removed() {
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
        wait_while_running(&mut child, "the first scores", || written() > 0);
        match goes {
            "renamed" => fs::rename(&inner, outer.path().join("other")).expect("it is allowed"),
            _ => fs::remove_dir_all(&inner).expect("it is allowed"),
        }
        let ran = finish(child);
        assert_eq!(ran.code, 5, "{}", ran.err);
        // If the folder was renamed, it still contains the file; if the folder was removed, the scores are copied to
        // its parent.
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
        let kept = kept.unwrap_or_else(|| panic!("no scores are kept: {}", ran.err));
        let told = "error: inner/out.jsonl: its folder no longer exists; the complete file with all 3 records is in ";
        assert!(ran.err.starts_with(told), "{}", ran.err);
        let name = kept.file_name().into_string().expect("a name in UTF-8");
        assert!(ran.err.trim_end().ends_with(&name), "{}", ran.err);
        let lines = fs::read_to_string(kept.path()).expect("a file");
        assert_eq!(lines.lines().count(), 3);
    }
}

#[test]
fn partial_scores_of_an_earlier_run_are_overwritten_only_by_force() {
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
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).expect("it is allowed");
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
        assert_ne!(
            after.ino(),
            before.ino(),
            "the file was overwritten in place"
        );
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
fn a_new_file_has_the_mode_that_the_umask_allows() {
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
fn files_of_killed_runs_are_reported_and_files_of_running_ones_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut killed = begun(&folder, &[]);
    killed.kill().expect("it can be killed");
    killed.wait().expect("it has ended");
    let left = names(&folder);
    let [left] = left.as_slice() else {
        panic!("{left:?}");
    };
    let mut other = start(
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
    wait_while_running(&mut other, "its file", || names(&folder).len() == 2);
    write(&folder, "three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--scores", "out.jsonl"]);
    let bytes = fs::metadata(folder.path().join(left))
        .expect("a file")
        .len();
    let told = format!(
        "note: a run that was killed has left {left} ({bytes} B); its last line may be incomplete; \
         delete it if you do not need it\n"
    );
    assert_eq!((ran.code, ran.err), (0, told));
    let ran = score(
        &folder,
        "three.jsonl",
        &["--scores", "quiet.jsonl", "--quiet"],
    );
    assert_eq!(ran.err, "");
    assert_eq!(finish(other).code, 0);
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
    for executor in EXECUTORS {
        // The command limits the size of a file to 301 blocks. A block has 512 or 1,024 bytes, depending on the
        // shell.
        let line = format!(
            "trap '' XFSZ; ulimit -f 301; \"$0\" score in.jsonl --with sentiment --scores out.jsonl \
             --executor {executor} --force -j 3"
        );
        let ran = shell(&folder, &line);
        let kept = read(&folder, "out.jsonl.partial");
        let records = kept.lines().count();
        let told = format!(
            "error: cannot write the scores to out.jsonl: File too large (os error 27)\n  the scores of the first \
             {records} records are in out.jsonl.partial"
        );
        assert!(ran.err.starts_with(&told), "{executor}: {}", ran.err);
        assert_eq!(ran.code, 5);
        assert!(records > 100 && kept.ends_with('\n') && whole.starts_with(&kept));
        assert!(!names(&folder).contains(&"out.jsonl".to_owned()));
    }
}

#[test]
fn the_first_scores_are_kept_if_the_input_shrinks() {
    let folder = tempfile::tempdir().expect("a folder");
    // The records are long, so that the run is still near the beginning when the file is cut.
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
    let mut child = start(
        &folder,
        &[&arguments[..], &["--executor", "sequential"]].concat(),
    );
    wait_while_running(&mut child, "the first scores", || {
        !unfinished(&folder).is_empty()
    });
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("in.jsonl"));
    file.expect("a file")
        .set_len(line.len() as u64)
        .expect("it can be cut");
    let ran = finish(child);
    let kept = read(&folder, "out.jsonl.partial");
    let records = kept.lines().count();
    let some = match records {
        1 => "record are".to_owned(),
        several => format!("{several} records are"),
    };
    let told = format!(
        "error: in.jsonl: changed while it was being read; run again once no program writes to it\n  \
         the scores of the first {some} in out.jsonl.partial\n"
    );
    assert_eq!((ran.code, ran.err), (3, told));
    assert!(kept.ends_with('\n'));
    assert_eq!(names(&folder), ["in.jsonl", "out.jsonl.partial"]);
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_reader_of_its_page() {
    let folder = folder_with("three.jsonl", THREE);
    make_pipe(&folder, "pipe");
    let arguments = [
        "score",
        "three.jsonl",
        "--with",
        "sentiment",
        "--scores",
        "out.jsonl",
    ];
    let mut child = start(&folder, &[&arguments[..], &["--html", "pipe"]].concat());
    // Once the scores have their final name, the program only has to write the page, and waits until a reader opens
    // the pipe.
    wait_while_running(&mut child, "the scores", || {
        names(&folder).contains(&"out.jsonl".to_owned())
    });
    // At the end of the run, the first signal may still be taken as a request to stop it.
    let ran = send_until_it_ends(child, "TERM");
    assert_eq!(ran.code, 143, "{}", ran.err);
    assert!(ran.err.ends_with("ended by a signal\n"), "{}", ran.err);
}

/// Writes a reference and three records. The first two records take a moment, and the third takes minutes.
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
fn a_record_that_never_ends_does_not_delay_the_deadline() {
    // The executors are tested in parallel, because each run lasts until its deadline. The deadline is long enough
    // for two records on a busy machine.
    std::thread::scope(|scope| {
        for (executor, policy) in [
            ("sequential", "skip:3"),
            ("work-stealing", "skip"),
            ("task-queue", "skip:3"),
        ] {
            scope.spawn(move || assert_deadline_ends(executor, policy));
        }
    });
}

fn assert_deadline_ends(executor: &str, policy: &str) {
    let folder = with_endless_record();
    let options = ["--executor", executor, "--on-failure", policy, "-j", "2"];
    let options = [&options[..], &["--deadline", "8"]].concat();
    let ran = run(&folder, &[&ENDLESS[..], &options].concat());
    let told = "\nerror: stopped before the end: the deadline has passed, and a record was still \
                being scored 2 s later\n  the scores of the first 2 records are in \
                out.jsonl.partial\n";
    assert_eq!((ran.code, ran.err.as_str()), (124, told), "{executor}");
    assert_eq!(ran.out, "", "a report was printed");
    assert_eq!(
        names(&folder),
        ["in.jsonl", "long.txt", "out.jsonl.partial"]
    );
    assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 2);
}

#[test]
fn the_second_signal_ends_a_record_that_never_ends_and_keeps_the_other_scores() {
    for executor in ["sequential", "work-stealing", "task-queue"] {
        let folder = with_endless_record();
        let options = ["--executor", executor, "-j", "2", "--quiet"];
        let mut child = start(&folder, &[&ENDLESS[..], &options].concat());
        wait_while_running(&mut child, "the first two scores", || {
            unfinished(&folder).lines().count() == 2
        });
        send(child.id(), "INT");
        // The system may merge two signals that are sent at the same time.
        let ran = send_until_it_ends(child, "TERM");
        let told = "\nended by a signal\n  the scores of the first 2 records are in \
                    out.jsonl.partial\n";
        assert_eq!((ran.code, ran.err.as_str()), (143, told), "{executor}");
        assert_eq!(
            names(&folder),
            ["in.jsonl", "long.txt", "out.jsonl.partial"]
        );
    }
}
