//! Hostile data must neither control the terminal nor break the tables.

use manyhands::output::visible;

use super::{columns, folder_with, run, score};

#[test]
fn no_control_character_of_the_data_reaches_the_terminal() {
    let lines = [
        r#"{"text":"good \u001b[31mred\u001b]0;title\u0007","g":"\u001b[2J\u009b31mx"}"#,
        r#"{"text":"bad \u0000\u0008\u007f\u202eevil\u2066","g":"a\nb\rc\u202e"}"#,
        r#"{"text":"table","g":"\u0000"}"#,
        r#"{"\u001b[31m":1}"#,
    ];
    let folder = folder_with("in.jsonl", lines.join("\n"));
    let ran = score(&folder, "in.jsonl", &["--by", "g", "--color", "always"]);
    assert_eq!(ran.code, 1);
    // The only escape sequences in the output may be those of our own colours.
    let mut told = ran.out + &ran.err;
    for ours in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m\u{1b}[1m"] {
        told = told.replace(ours, "");
    }
    told = told
        .replace("\u{1b}[31m,", ",")
        .replace("\u{1b}[31mfailed:", "failed:");
    assert_eq!(hidden(&told.replace('\n', " ")), [], "{told:?}");
    assert!(told.contains("good [31mred ]0;title"), "{told}");
    assert!(told.contains(r"bad \u{202e}evil\u{2066}"), "{told}");
    assert!(told.contains(r" a b c\u{202e} "), "{told}");
    assert!(
        told.contains(r#"the record's fields: "\u{1b}[31m""#),
        "{told}"
    );
}

/// One character of each kind that is invisible or controls a terminal.
const HIDDEN: [char; 14] = [
    '\u{7f}',
    '\u{9b}',
    '\u{ad}',
    '\u{61c}',
    '\u{180e}',
    '\u{200b}',
    '\u{200f}',
    '\u{2028}',
    '\u{202e}',
    '\u{2060}',
    '\u{2069}',
    '\u{feff}',
    '\u{fff9}',
    '\u{e0041}',
];

fn hidden(text: &str) -> Vec<char> {
    let found = visible::characters(text).filter(|(_, hidden)| *hidden);
    found.map(|(c, _)| c).collect()
}

#[test]
fn hidden_characters_are_escaped_in_text_and_json() {
    let all: String = HIDDEN.iter().collect();
    let lines = [
        serde_json::json!({"text": format!("good x{all}x"), "g": format!("y{all}y")}),
        serde_json::json!({format!("z{all}z"): 1}),
    ];
    let folder = folder_with("in.jsonl", format!("{}\n{}", lines[0], lines[1]));
    let escaped = |text: &str| visible::escaped(text).into_owned();

    let ran = score(&folder, "in.jsonl", &["--by", "g"]);
    let told = ran.out + &ran.err;
    assert_eq!(hidden(&told.replace('\n', " ")), [], "{told:?}");
    // In a text or the name of a group, control characters become blanks.
    for shown in ["good x \\u{ad}\\u{61c}", "\n y \\u{ad}\\u{61c}"] {
        assert!(told.contains(shown), "{told}");
    }
    assert!(told.contains(&escaped(&format!("z{all}z"))), "{told}");

    let ran = score(&folder, "in.jsonl", &["--by", "g", "--json"]);
    assert_eq!(hidden(ran.out.trim_end()), [], "{:?}", ran.out);
    let report = ran.json();
    assert_eq!(report["top"][0]["text"], lines[0]["text"]);
    assert_eq!(report["groups"][0]["count"], 1);
    let error = report["failures"][0]["error"].as_str().expect("an error");
    assert!(error.contains("the record's fields: "), "{error}");
}

#[test]
fn a_comparison_in_json_escapes_hidden_characters_of_its_name() {
    let name = "photo\u{202e}gpj\u{9b}.jsonl";
    let folder = folder_with(name, "{\"text\":\"good\"}\n".repeat(100));
    let arguments = ["bench", name, "--rounds", "1", "-j", "1", "--json"];
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(hidden(ran.out.trim_end()), [], "{:?}", ran.out);
    let workload = ran.json()["workload"]["name"].clone();
    assert_eq!(workload, format!("sentiment over {name}"));
}

#[test]
fn joiners_are_kept_in_words_and_emoji_that_need_them() {
    let line = serde_json::json!({"text": "good 👩\u{200d}💻 می\u{200c}خواهم pass\u{200d}word"});
    let folder = folder_with("in.jsonl", line.to_string());
    let ran = score(&folder, "in.jsonl", &[]);
    let shown = "good 👩\u{200d}💻 می\u{200c}خواهم pass\\u{200d}word";
    assert!(ran.out.contains(shown), "{}", ran.out);
    let ran = score(&folder, "in.jsonl", &["--json"]);
    assert!(
        ran.out.contains("👩\\u200d💻 می\\u200cخواهم"),
        "{}",
        ran.out
    );
    assert_eq!(ran.json()["top"][0]["text"], line["text"]);
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
    // The first name is empty, so it is quoted.
    assert!(ran.out.contains("\n \"\" "), "{}", ran.out);
}

#[test]
fn of_a_hundred_thousand_groups_the_largest_are_shown() {
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
    let mut program = super::program(folder.path());
    program
        .arg("score")
        .arg(odd)
        .args(["--with", "sentiment", "--json"]);
    let json = super::ran(program.output()).json();
    assert_eq!(json["plan"]["files"][0], "\u{1b}[31m\u{fffd}.jsonl");
    assert_eq!(json["command"][2], json["plan"]["files"][0]);
    let listed = run(&folder, &["score", "no\u{1b}[31m", "--with", "sentiment"]);
    assert!(
        listed.err.starts_with("error: no\\u{1b}[31m: no such file"),
        "{}",
        listed.err
    );
}
