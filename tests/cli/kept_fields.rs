//! These tests check the fields that a scores file copies from its input, and the columns of a table.

use super::{EXECUTORS, folder_with, names, read, run, score, shell, write};

const CSV: &str = "id,text,empty,note
1,good,,\"a, \"\"b\"\"
c\"
2,bad,,=1+1
3,,,x
4,table,,-5
";

const SCORES: [&str; 3] = [
    "0.0,0.0,1.0,0.4404",
    "1.0,0.0,0.0,-0.5423",
    "0.0,1.0,0.0,0.0",
];

fn table(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_table_is_kept_beside_its_scores() {
    let folder = folder_with("in.csv", CSV);
    let [good, bad, neutral] = SCORES;
    let expected = table(&[
        "record,neg,neu,pos,compound,id,text,empty,note,error,skipped",
        &format!("1,{good},1,good,,\"a, \"\"b\"\"\nc\",,"),
        &format!("2,{bad},2,bad,,=1+1,,"),
        "3,,,,,,,,,\"in.csv:5: expected a text in field \"\"text\"\", found no value\",",
        &format!("4,{neutral},4,table,,-5,,"),
    ]);
    for executor in EXECUTORS {
        let arguments = [
            "--keep",
            "*",
            "-o",
            "out.csv",
            "--force",
            "--executor",
            executor,
        ];
        assert_eq!(score(&folder, "in.csv", &arguments).code, 1);
        assert_eq!(read(&folder, "out.csv"), expected, "{executor}");
    }
}

#[test]
fn a_table_becomes_json_with_null_for_empty_cells() {
    let folder = folder_with("in.csv", CSV);
    for executor in ["sequential", "process-pool"] {
        let ran = score(
            &folder,
            "in.csv",
            &["--keep", "*", "-o", "-", "--executor", executor],
        );
        let lines: Vec<_> = ran.out.lines().collect();
        let expected = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"id":"1","text":"good","empty":null,"note":"a, \"b\"\nc"}"#;
        assert_eq!(lines[0], expected);
        assert!(lines[2].starts_with(r#"{"record":3,"error":"#));
    }
}

#[test]
fn members_of_json_keep_their_order_and_their_digits() {
    let record = r#"{"z": 1.50, "text": "good", "a": {"b": [1, 2]}, "z": 1e400, "n": null, "x": NaN, "t": "é\n\"" }"#;
    let folder = folder_with("in.jsonl", record);
    for executor in ["sequential", "process-pool"] {
        let ran = score(
            &folder,
            "in.jsonl",
            &["--keep", "*", "-o", "-", "--executor", executor],
        );
        let expected = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"z":1e400,"text":"good","a":{"b": [1, 2]},"n":null,"x":null,"t":"é\n\""}"#;
        assert_eq!(ran.out.trim_end(), expected, "{}", ran.err);
    }
    let ran = score(&folder, "in.jsonl", &["--keep", "*", "-o", "out.tsv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = read(&folder, "out.tsv");
    let header = "record\tneg\tneu\tpos\tcompound\tz\ttext\ta\tn\tx\tt\terror\tskipped\n";
    assert!(lines.starts_with(header), "{lines}");
    assert!(
        lines.ends_with("\t1e400\tgood\t\"{\"\"b\"\": [1, 2]}\"\t\t\t\"é\n\"\"\"\t\t\n"),
        "{lines}"
    );
}

#[test]
fn a_value_on_several_lines_is_kept_on_one() {
    let folder = folder_with("in.json", "[{\"text\": \"good\",\n \"a\": [1,\r\n  2]}]");
    let expected = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"text":"good","a":[1,    2]}"#;
    for keep in ["*", "text,a"] {
        let ran = score(&folder, "in.json", &["--keep", keep, "-o", "-"]);
        assert_eq!(ran.out.trim_end(), expected);
    }
}

#[test]
fn a_field_with_the_name_of_a_column_is_prefixed() {
    let record = r#"{"record":7,"text":"good","compound":1,"input_compound":2,"input_x":3}"#;
    let folder = folder_with("in.jsonl", record);
    let all = score(&folder, "in.jsonl", &["--keep", "*", "-o", "-"]).out;
    let expected = r#"{"record":1,"neg":0.0,"neu":0.0,"pos":1.0,"compound":0.4404,"input_record":7,"text":"good","input_compound":1,"input_input_compound":2,"input_x":3}"#;
    assert_eq!(all.trim_end(), expected);
    let keep = "record,text,compound,input_compound,input_x";
    assert_eq!(
        score(&folder, "in.jsonl", &["--keep", keep, "-o", "-"]).out,
        all
    );
    score(&folder, "in.jsonl", &["--keep", "*", "-o", "out.csv"]);
    let header = "record,neg,neu,pos,compound,input_record,text,input_compound,input_input_compound,input_x,error,skipped";
    assert_eq!(read(&folder, "out.csv").lines().next(), Some(header));
}

#[test]
fn columns_of_the_same_name_are_told_apart_by_numbers() {
    let text = "a,text,a,a_2,a,b\n1,good,2,3,4,5\n";
    let folder = folder_with("in.csv", text);
    for executor in ["sequential", "process-pool"] {
        let written = |keep: &str, out: &str| {
            let arguments = ["--keep", keep, "-o", out, "--executor", executor];
            let ran = score(&folder, "in.csv", &[&arguments[..], &["--force"]].concat());
            assert_eq!(ran.code, 0, "{}", ran.err);
            ran.out
        };
        let expected = r#""a":"1","text":"good","a_3":"2","a_2":"3","a_4":"4","b":"5"}"#;
        let json = written("*", "-");
        assert!(json.trim_end().ends_with(expected), "{json}");
        written("*", "out.csv");
        let lines = read(&folder, "out.csv");
        let header = "record,neg,neu,pos,compound,a,text,a_3,a_2,a_4,b,error,skipped\n";
        assert!(lines.starts_with(header), "{lines}");
        assert!(lines.ends_with(",1,good,2,3,4,5,,\n"), "{lines}");
        let json = written("a_3,1,a_2", "-");
        let expected = r#""a_3":"2","1":"1","a_2":"3"}"#;
        assert!(json.trim_end().ends_with(expected), "{json}");
    }
    for option in [["--keep", "a"], ["--by", "a"], ["--field", "a"]] {
        let ran = score(&folder, "in.csv", &[&option[..], &["-o", "-"]].concat());
        let told = "error: in.csv:1: expected one field \"a\" in the header, found 3; name the column by its number (1 \
                    or 3 or 5) instead\n";
        assert_eq!((ran.code, ran.err.as_str()), (3, told), "{option:?}");
    }
    // The failed records have the header as it stands in the input.
    write(&folder, "bad.csv", "a,text,a\n1,,2\n");
    let arguments = ["--failures", "failed.csv", "--on-failure", "skip"];
    assert_eq!(score(&folder, "bad.csv", &arguments).code, 1);
    assert_eq!(read(&folder, "failed.csv"), "a,text,a\n1,,2\n");
}

#[test]
fn only_the_numbers_that_json_does_not_have_become_null() {
    let record = r#"{"text":"good","a":{"b":NaN,"c":[1,-Infinity,"NaN"]},"d":Infinity}"#;
    let folder = folder_with("in.jsonl", record);
    let expected = r#""text":"good","a":{"b":null,"c":[1,null,"NaN"]},"d":null}"#;
    for executor in ["sequential", "process-pool"] {
        for keep in ["*", "text,a,d"] {
            let arguments = ["--keep", keep, "-o", "-", "--executor", executor];
            let ran = score(&folder, "in.jsonl", &arguments);
            assert!(ran.out.trim_end().ends_with(expected), "{}", ran.out);
        }
    }
    assert_eq!(
        score(&folder, "in.jsonl", &["--keep", "*", "-o", "out.csv"]).code,
        0
    );
    let lines = read(&folder, "out.csv");
    let expected = ",good,\"{\"\"b\"\":null,\"\"c\"\":[1,null,\"\"NaN\"\"]}\",,,\n";
    assert!(lines.ends_with(expected), "{lines}");
}

/// Records with some fields among the first 1,000, and with other fields among the later ones.
fn mixed() -> String {
    let record = |number: usize| match number {
        2 => "{\"text\":\"good\",\"second\":true}\n".to_owned(),
        1000 => "{\"text\":\"good\",\"thousandth\":1}\n".to_owned(),
        1001 => "{\"text\":\"good\",\"late\":1,\"second\":2}\n".to_owned(),
        1500 | 3000 => "{\"later\":1,\"text\":\"good\"}\n".to_owned(),
        2000 => "{\"text\":\"good\",\"late\":null,\"later\":\"\"}\n".to_owned(),
        _ => format!("{{\"id\":{number},\"text\":\"good\"}}\n"),
    };
    (1..=4000).map(record).collect()
}

#[test]
fn a_table_has_the_columns_of_the_first_thousand_records() {
    let folder = folder_with("in.jsonl", mixed());
    let warning = "warning: 3 records have fields without a column in the table of scores, such as \"late\" in record \
                   1001; they are left out; name the columns with --columns, or write JSON lines\n";
    let mut first = None;
    for executor in EXECUTORS {
        let arguments = [
            "--keep",
            "*",
            "-o",
            "out.csv",
            "--force",
            "-j",
            "4",
            "--executor",
            executor,
            "-q",
        ];
        let ran = score(&folder, "in.jsonl", &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, warning), "{executor}");
        let lines = read(&folder, "out.csv");
        assert_eq!(lines.lines().count(), 4001);
        let line = |number: usize| lines.lines().nth(number).expect("a line");
        assert_eq!(
            line(0),
            "record,neg,neu,pos,compound,id,text,second,thousandth,error,skipped"
        );
        let [good, ..] = SCORES;
        assert_eq!(line(2), format!("2,{good},,good,true,,,"));
        assert_eq!(line(1000), format!("1000,{good},,good,,1,,"));
        assert_eq!(line(1001), format!("1001,{good},,good,2,,,"));
        assert_eq!(line(4000), format!("4000,{good},4000,good,,,,"));
        assert_eq!(
            *first.get_or_insert_with(|| lines.clone()),
            lines,
            "{executor}"
        );
    }
}

#[test]
fn columns_can_be_named_beforehand() {
    let folder = folder_with("in.jsonl", mixed());
    let arguments = [
        "--keep",
        "*",
        "--columns",
        "later,id,nowhere",
        "-o",
        "out.csv",
    ];
    let ran = score(&folder, "in.jsonl", &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines = read(&folder, "out.csv");
    let [good, ..] = SCORES;
    let header = "record,neg,neu,pos,compound,later,id,nowhere,error,skipped";
    assert_eq!(lines.lines().next(), Some(header));
    assert_eq!(
        lines.lines().nth(1500),
        Some(&*format!("1500,{good},1,,,,"))
    );
    assert_eq!(
        lines.lines().nth(1501),
        Some(&*format!("1501,{good},,1501,,,"))
    );
}

#[test]
fn several_files_of_different_columns_are_one_table() {
    let folder = folder_with("a.csv", "x,text\n1,good\n");
    write(&folder, "b.csv", "text;y\nbad;2\n".replace(';', ","));
    let arguments = [
        "score",
        "a.csv",
        "b.csv",
        "--with",
        "sentiment",
        "--keep",
        "*",
        "-o",
        "out.csv",
    ];
    assert_eq!(run(&folder, &arguments).code, 0);
    let [good, bad, _] = SCORES;
    let expected = table(&[
        "record,neg,neu,pos,compound,x,text,y,error,skipped",
        &format!("1,{good},1,good,,,"),
        &format!("2,{bad},,bad,2,,"),
    ]);
    assert_eq!(read(&folder, "out.csv"), expected);
}

#[test]
fn a_halted_run_writes_the_header_with_the_columns_that_it_has() {
    let folder = folder_with("in.csv", CSV);
    let arguments = [
        "--keep",
        "*",
        "-o",
        "out.csv",
        "--on-failure",
        "stop",
        "--executor",
        "sequential",
    ];
    assert_eq!(score(&folder, "in.csv", &arguments).code, 4);
    let lines = read(&folder, "out.csv.partial");
    assert!(lines.starts_with("record,neg,neu,pos,compound,id,text,empty,note,error,skipped\n1,"));
    assert!(lines.contains("\n3,"), "{lines}");
    write(&folder, "empty.csv", "id,text\n");
    assert_eq!(
        score(
            &folder,
            "empty.csv",
            &["--keep", "*", "-o", "empty.out.csv"]
        )
        .code,
        0
    );
    assert_eq!(
        read(&folder, "empty.out.csv"),
        "record,neg,neu,pos,compound,error,skipped\n"
    );
}

#[test]
fn formulas_are_defused_on_request_and_numbers_never() {
    let text = "id,text,=name\n1,good,=1+1\n2,bad,-5\n3,table,@x\n";
    let folder = folder_with("in.csv", text);
    let safe = ["--keep", "*", "--csv-safe"];
    let written = |name: &str| {
        let ran = score(&folder, "in.csv", &[&safe[..], &["-o", name]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        read(&folder, name)
    };
    let [good, bad, neutral] = SCORES;
    let expected = table(&[
        "record,neg,neu,pos,compound,id,text,'=name,error,skipped",
        &format!("1,{good},1,good,'=1+1,,"),
        &format!("2,{bad},2,bad,-5,,"),
        &format!("3,{neutral},3,table,'@x,,"),
    ]);
    assert_eq!(written("out.csv"), expected);
    assert_eq!(written("out.tsv"), expected.replace(',', "\t"));
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let folder = folder_with("in.csv", CSV);
    for (arguments, expected) in [
        (
            &["--csv-safe", "-o", "out.jsonl"][..],
            "--csv-safe changes the texts of a table; ",
        ),
        (
            &["--keep", "id", "--columns", "id", "-o", "out.csv"],
            "--columns names the columns of the fields that --keep",
        ),
        (
            &["--keep", "*", "--columns", "id", "-o", "-"],
            "--columns names the columns of the fields that --keep",
        ),
        (
            &["--keep", "*", "--columns", "id,id", "-o", "out.csv"],
            "--columns names the column \"id\" twice",
        ),
        (
            &["--keep", "*", "--columns", "error", "-o", "out.csv"],
            "--columns names \"error\", which is a column",
        ),
        (
            &["--keep", "id,*", "-o", "out.csv"],
            "--keep '*' keeps every field; name no other field beside it",
        ),
    ] {
        let ran = score(&folder, "in.csv", arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(
            ran.err.starts_with(&format!("error: {expected}")),
            "{}",
            ran.err
        );
    }
    let join = [
        "score",
        "in.csv",
        "--with",
        "match",
        "--against",
        "in.csv",
        "--against-field",
        "id",
    ];
    let table = [
        "--best",
        "2",
        "--keep",
        "*",
        "--columns",
        "best_2",
        "-o",
        "out.csv",
    ];
    let ran = run(&folder, &[&join[..], &table].concat());
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err
            .starts_with("error: --columns names \"best_2\", which is a column"),
        "{}",
        ran.err
    );
}

/// The lines of the first records of a table are held back. If the disk is full when they are written, those that fit
/// are kept, and the message says how many they are.
#[cfg(unix)]
#[test]
fn lines_that_were_held_back_are_kept_as_far_as_they_fit() {
    let text = "id,text\n".to_owned() + &"7,good and also rather long\n".repeat(3000);
    let folder = folder_with("in.csv", text);
    let whole = score(&folder, "in.csv", &["-o", "whole.csv", "--keep", "*"]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let whole = read(&folder, "whole.csv");
    let run = |limit: u32, options: &str| {
        shell(
            &folder,
            &format!(
                "trap '' XFSZ; ulimit -f {limit}; \"$0\" score in.csv --with sentiment -o out.csv \
                 --keep '*' {options}"
            ),
        )
    };
    let ran = run(40, "");
    assert_eq!(ran.code, 5, "{}", ran.err);
    let kept = read(&folder, "out.csv.partial");
    let lines = kept.lines().count();
    assert!(whole.starts_with(&kept) && lines > 100, "{kept}");
    let told = format!("the scores of the first {} records are", lines - 1);
    assert!(ran.err.contains(&told), "{}", ran.err);

    // If not even the header fits, the file of an earlier run is not replaced.
    let ran = run(0, "--force");
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert_eq!(read(&folder, "out.csv.partial"), kept);
    assert_eq!(
        names(&folder),
        ["in.csv", "out.csv.partial", "whole.csv"],
        "{}",
        ran.err
    );
}
