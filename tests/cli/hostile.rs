//! What stands in the data must not move the terminal, and must not break the tables.

use super::{columns, folder_with, run, score};

#[test]
fn nothing_in_a_text_or_a_group_reaches_the_terminal_but_characters() {
    let lines = [
        r#"{"text":"good \u001b[31mred\u001b]0;title\u0007","g":"\u001b[2J\u009b31mx"}"#,
        r#"{"text":"bad \u0000\u0008\u007f\u202eevil\u2066","g":"a\nb\rc\u202e"}"#,
        r#"{"text":"table","g":"\u0000"}"#,
        r#"{"\u001b[31m":1}"#,
    ];
    let folder = folder_with("in.jsonl", lines.join("\n"));
    let ran = score(&folder, "in.jsonl", &["--by", "g", "--color", "always"]);
    assert_eq!(ran.code, 1);
    // Our own colours begin and end with these, and nothing else may.
    let mut told = ran.out + &ran.err;
    for ours in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m\u{1b}[1m"] {
        told = told.replace(ours, "");
    }
    told = told
        .replace("\u{1b}[31m,", ",")
        .replace("\u{1b}[31mfailed:", "failed:");
    let obeyed = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{2069}').contains(c);
    let found: Vec<_> = told.chars().filter(obeyed).collect();
    assert!(found.is_empty(), "{found:?} in {told:?}");
    assert!(told.contains("good [31mred ]0;title"), "{told}");
    assert!(told.contains("bad evil"), "{told}");
    assert!(told.contains(" a b c "), "{told}");
    assert!(
        told.contains(r#"the record's fields: "\u{1b}[31m""#),
        "{told}"
    );
}

#[test]
fn long_wide_and_empty_names_keep_the_tables_in_80_columns() {
    let names = ["", " ", "漢字", "👍👍👍", "family 👨‍👩‍👧", "(none)"].map(str::to_owned);
    let long = ["x", "漢", "👍", "many words "].map(|part| part.repeat(400));
    let lines = names.iter().chain(&long).flat_map(|name| {
        let line = serde_json::json!({"text": format!("{name} good"), "g": name});
        std::iter::repeat_n(line.to_string() + "\n", 2)
    });
    let folder = folder_with("in.jsonl", lines.collect::<String>());
    let ran = score(&folder, "in.jsonl", &["--by", "g", "--top", "20"]);
    assert_eq!(ran.code, 0);
    for line in ran.out.lines() {
        assert!(columns(line) <= 80, "{} columns: {line}", columns(line));
    }
    // Nothing can be seen of the first, so it is quoted.
    assert!(ran.out.contains("\n \"\" "), "{}", ran.out);
}

#[test]
fn a_hundred_thousand_groups_are_five_lines_each() {
    let line = |n: u32| format!("{{\"text\":\"good\",\"g\":{n}}}\n");
    let folder = folder_with("in.jsonl", (0..100_000).map(line).collect::<String>());
    let ran = score(&folder, "in.jsonl", &["--by", "g", "--top", "0"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.out
            .contains("compound by g, 100,000 groups: the largest\n")
    );
    let (groups, _) = ran.out.split_once("\nrun\n").expect("a section on the run");
    assert!(groups.lines().count() <= 45, "{groups}");
}

#[cfg(unix)]
#[test]
fn odd_file_names() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = folder_with("sp ace.jsonl", "{\"text\":\"good\"}\n");
    assert_eq!(score(&folder, "sp ace.jsonl", &[]).code, 0);
    let odd = OsStr::from_bytes(b"\x1b[31m\xff.jsonl");
    std::fs::write(folder.path().join(odd), "{\"text\":\"good\"}\n{}\n").expect("a file");
    let mut program = super::program(folder.path());
    program
        .arg("score")
        .arg(odd)
        .args(["--with", "sentiment", "--color", "always"]);
    let ran = super::ran(program.output());
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("in \\u{1b}[31m\u{fffd}.jsonl, "),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains(" \\u{1b}[31m\u{fffd}.jsonl:2:1: "),
        "{}",
        ran.err
    );
    let listed = run(&folder, &["score", "no\u{1b}[31m", "--with", "sentiment"]);
    assert!(
        listed.err.starts_with("error: no\\u{1b}[31m: no such file"),
        "{}",
        listed.err
    );
}
