//! Names of fields, groups and files that need quotes or other care.

use std::ffi::OsStr;

use super::{folder_with, program, ran, read, run, score};

#[test]
fn names_with_commas_are_written_in_quotes() {
    let table = "text,\"price, net\",\"a\"\"b\"\ngood,1,x\nbad,2,x\n";
    let folder = folder_with("in.csv", table);
    let names = [
        "--by",
        "\"price, net\",\"a\"\"b\"",
        "--keep",
        "text,\"price, net\"",
    ];
    let ran = score(
        &folder,
        "in.csv",
        &[&names[..], &["-o", "out.jsonl", "--json"]].concat(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let groups = ran.json()["groups"].clone();
    assert_eq!(groups[1]["group"], serde_json::json!(["2", "x"]));
    assert!(read(&folder, "out.jsonl").contains(",\"text\":\"bad\",\"price, net\":\"2\"}"));
    let columns = [
        "--keep",
        "*",
        "--columns",
        "\"price, net\"",
        "-o",
        "out.csv",
    ];
    assert_eq!(score(&folder, "in.csv", &columns).code, 0);
    let header = "record,neg,neu,pos,compound,\"price, net\",error,skipped\n";
    assert!(
        read(&folder, "out.csv").starts_with(header),
        "{}",
        read(&folder, "out.csv")
    );
    let matching = [
        "score",
        "in.csv",
        "--with",
        "match",
        "--against",
        "in.csv",
        "--against-keep",
    ];
    let ran = run(
        &folder,
        &[&matching[..], &["\"price, net\"", "-o", "-", "-q"]].concat(),
    );
    assert!(ran.out.contains("\"price, net\":\"1\""), "{}", ran.err);
}

#[test]
fn groups_whose_names_have_blanks_around_them_are_shown_in_quotes() {
    let folder = folder_with("in.csv", "text,g\ngood,a\ngood, a\ngood,\ta\ngood,a \n");
    let ran = score(&folder, "in.csv", &["--by", "g"]);
    for shown in ["a  ", "\" a\"", "\"\\ta\"", "\"a \""] {
        let line = format!("\n {shown}");
        assert!(ran.out.contains(&line), "{shown}: {}", ran.out);
    }
    let legend = "std errors: distance of the mean from that of all records, in standard errors\n";
    assert_eq!(ran.out.matches(legend).count(), 1, "{}", ran.out);
}

#[cfg(target_os = "linux")]
#[test]
fn worker_processes_read_a_reference_whose_name_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = folder_with("in.txt", "good\n");
    let reference = OsStr::from_bytes(b"ref\xff.txt");
    std::fs::write(folder.path().join(reference), "bad\ngood\n").expect("a file");
    let mut outs = Vec::new();
    for executor in ["work-stealing", "process-pool"] {
        let mut program = program(folder.path());
        program.args(["score", "in.txt", "--with", "match", "-o", "-", "-q"]);
        program.args(["--executor", executor, "--against"]);
        let ran = ran(program.arg(reference).output());
        assert_eq!(ran.code, 0, "{executor}: {}", ran.err);
        outs.push(ran.out);
    }
    assert!(outs[0].contains("\"best\":2"), "{}", outs[0]);
    assert_eq!(outs[0], outs[1]);
}
