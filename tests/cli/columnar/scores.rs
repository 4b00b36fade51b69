//! These tests check the scores that are written as Parquet or Arrow IPC files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use arrow_schema::DataType::{Boolean, Float64, Int64, Utf8};
use proptest::prelude::*;
use serde_json::value::RawValue;
use tempfile::TempDir;

use super::file::{Table, Value};
use crate::{
    EXECUTORS, folder_with, names, output_of, read, run, score, shell, start_shell, write,
};

const NAMES: [&str; 2] = ["out.parquet", "out.arrow"];

fn path(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

fn table(folder: &TempDir, name: &str) -> Table {
    Table::read(&path(folder, name))
}

/// One line of scores, as a value for each name, and the value as it is written.
type Line = BTreeMap<String, Box<RawValue>>;

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// Whether a value of a columnar file is the one that the same record has in JSON lines.
fn agrees(value: &Value, json: Option<&RawValue>) -> bool {
    let json = json.map_or("null", RawValue::get);
    let text: Option<String> = serde_json::from_str(json).ok();
    match value {
        Value::Nothing => json == "null",
        Value::Boolean(value) => json == value.to_string(),
        Value::Whole(value) => json.parse() == Ok(*value),
        Value::Number(value) => json.parse() == Ok(*value),
        Value::Text(value) => *value == text.unwrap_or_else(|| json.to_owned()) && json != "null",
    }
}

/// Checks that a columnar file has the values of scores in JSON lines, and no others.
fn assert_agrees(table: &Table, lines: &[Line]) {
    assert_eq!(table.records.len(), lines.len());
    for (record, line) in table.records.iter().zip(lines) {
        for (value, (name, column)) in record.iter().zip(&table.columns) {
            let json = line.get(name).map(|json| &**json);
            assert!(
                agrees(value, json),
                "{name} ({column}): {value:?} and {json:?}"
            );
        }
        let names = table.names();
        let unknown = line.keys().find(|name| !names.contains(&name.as_str()));
        assert_eq!(unknown, None, "it has no column");
    }
}

const MIXED: &str = r#"{"id":1,"text":"good","stars":4,"ok":true,"tags":["a","b"],"price":1.50,"any":1,"huge":18446744073709551616}
{"id":2,"text":"bad","stars":4.5,"ok":false,"tags":{},"price":2,"any":"x","empty":null}
{"id":9007199254740993,"text":null,"stars":1}
{"id":3,"text":"table","ok":null,"price":-0.0,"any":true,"late":"","compound":7,"nan":NaN,"list":[NaN,1]}
"#;

#[test]
fn columns_have_the_types_of_their_values() {
    let folder = folder_with("in.jsonl", MIXED);
    for name in NAMES {
        let mut first = None;
        for executor in EXECUTORS {
            let arguments = [
                "--keep",
                "*",
                "-o",
                name,
                "--force",
                "--executor",
                executor,
                "-j",
                "3",
            ];
            let ran = score(&folder, "in.jsonl", &arguments);
            assert_eq!(ran.code, 1, "{}", ran.err);
            assert!(!ran.err.contains("warning"), "{}", ran.err);
            let bytes = fs::read(path(&folder, name)).expect("a file");
            assert!(
                *first.get_or_insert_with(|| bytes.clone()) == bytes,
                "{name}: {executor}"
            );
        }
        let table = table(&folder, name);
        let expected = [
            ("record", Int64),
            ("neg", Float64),
            ("neu", Float64),
            ("pos", Float64),
            ("compound", Float64),
            ("id", Int64),
            ("text", Utf8),
            ("stars", Float64),
            ("ok", Boolean),
            ("tags", Utf8),
            ("price", Float64),
            ("any", Utf8),
            ("huge", Utf8),
            ("empty", Utf8),
            ("late", Utf8),
            ("input_compound", Int64),
            ("nan", Utf8),
            ("list", Utf8),
            ("error", Utf8),
            ("skipped", Utf8),
        ];
        let expected = expected.map(|(name, column)| (name.to_owned(), column));
        assert_eq!(table.columns, expected);
        let json = score(&folder, "in.jsonl", &["--keep", "*", "-o", "-"]);
        assert_agrees(&table, &lines(&json.out));
        let value = |record, name| table.value(record, name).clone();
        assert_eq!(value(1, "compound"), Value::Number(0.4404));
        assert_eq!(value(1, "tags"), r#"["a","b"]"#.into());
        assert_eq!(value(1, "huge"), "18446744073709551616".into());
        assert_eq!(value(4, "any"), "true".into());
        assert_eq!(value(4, "late"), "".into());
        assert_eq!(value(4, "list"), "[null,1]".into());
        let told = "in.jsonl:3: expected a text in field \"text\", found no value";
        assert_eq!(value(3, "error"), told.into());
        assert_eq!(value(3, "compound"), Value::Nothing);
    }
}

/// Cells of delimited text are texts, whatever they look like.
#[test]
fn cells_of_a_table_stay_texts() {
    let folder = folder_with("in.csv", "id,text,n,n\n007,good,1,\n8,bad,x,2.5\n");
    for name in NAMES {
        for keep in ["*", "id,text,3,n_2"] {
            let ran = score(&folder, "in.csv", &["--keep", keep, "-o", name, "--force"]);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            let table = table(&folder, name);
            let third = if keep == "*" { "n" } else { "3" };
            let kept = ["id", "text", third, "n_2"];
            assert_eq!(table.names()[5..9], kept);
            assert!(kept.iter().all(|name| *table.column(name) == Utf8));
            assert_eq!(*table.value(1, "id"), "007".into());
            assert_eq!(*table.value(1, "n_2"), Value::Nothing);
            assert_eq!(*table.value(2, "n_2"), "2.5".into());
        }
    }
}

#[test]
fn the_columns_of_a_match_have_its_values_one_by_one() {
    let folder = folder_with(
        "in.jsonl",
        "{\"text\":\"alpha\"}\n{\"text\":\"zzz\"}\n{\"text\":7}\n",
    );
    write(
        &folder,
        "ref.jsonl",
        "{\"text\":\"alpha\",\"price\":2.5}\n{\"text\":\"alphb\",\"price\":3}\n",
    );
    let arguments = |name: &'static str, best: &'static str| {
        let command = [
            "score",
            "in.jsonl",
            "--with",
            "match",
            "--against",
            "ref.jsonl",
            "--force",
        ];
        let options = [
            "--against-keep",
            "price",
            "--cutoff",
            "50",
            "--best",
            best,
            "-o",
            name,
        ];
        [&command[..], &options].concat()
    };
    for name in NAMES {
        assert_eq!(run(&folder, &arguments(name, "1")).code, 1);
        let one = table(&folder, name);
        let json = run(&folder, &arguments("-", "1"));
        assert_agrees(&one, &lines(&json.out));
        let types = ["best", "match", "score", "price"].map(|name| one.column(name).clone());
        assert_eq!(types, [Int64, Utf8, Float64, Float64]);
        assert_eq!(run(&folder, &arguments(name, "2")).code, 1);
        let two = table(&folder, name);
        let best = [
            "best_1", "match_1", "score_1", "price_1", "best_2", "match_2", "score_2", "price_2",
        ];
        assert_eq!(two.names()[1..9], best);
        assert_eq!(*two.column("best_2"), Int64);
        assert_eq!(*two.value(1, "best_2"), Value::Whole(2));
        assert_eq!(*two.value(1, "match_2"), "alphb".into());
        assert_eq!(*two.value(2, "match_1"), Value::Nothing);
    }
}

/// Records whose later values do not fit the types, or the columns, of the first 1,000.
fn growing() -> String {
    let record = |number: usize| match number {
        1_500 => "{\"text\":\"good\",\"n\":1.5,\"late\":1}\n".to_owned(),
        1_600 => "{\"text\":\"good\",\"n\":2.0,\"ok\":\"yes\",\"m\":9007199254740993}\n".to_owned(),
        2_000 => "{\"text\":\"good\",\"n\":\"7\",\"x\":{\"a\": 1}}\n".to_owned(),
        _ => format!("{{\"text\":\"good\",\"n\":{number},\"m\":0.5,\"ok\":true,\"x\":\"y\"}}\n"),
    };
    (1..=40_000).map(record).collect()
}

#[test]
fn later_values_that_do_not_fit_are_left_out_and_counted() {
    let folder = folder_with("in.jsonl", growing());
    let unfit = "warning: 4 values do not fit the type that the first 1,000 records give a column, such as \"n\" in record \
                 1500; they are left out; write JSON lines or CSV, which hold values of any type\n";
    let further = "warning: 1 record has fields without a column in the table of scores, such as \"late\" in record 1500; \
                   they are left out; name the columns with --columns, or write JSON lines\n";
    for name in NAMES {
        let mut first = None;
        for executor in EXECUTORS {
            let mut arguments = vec!["--keep", "*", "-o", name, "--force", "--executor", executor];
            if executor != "sequential" {
                arguments.extend(["-j", "4"]);
            }
            let ran = score(&folder, "in.jsonl", &arguments);
            assert_eq!(
                (ran.code, ran.err),
                (0, format!("{unfit}{further}")),
                "{executor}"
            );
            let bytes = fs::read(path(&folder, name)).expect("a file");
            assert!(
                *first.get_or_insert_with(|| bytes.clone()) == bytes,
                "{name}: {executor}"
            );
        }
        let table = table(&folder, name);
        let types = ["n", "m", "ok", "x"].map(|name| table.column(name).clone());
        assert_eq!(types, [Int64, Float64, Boolean, Utf8]);
        assert_eq!(*table.value(1_500, "n"), Value::Nothing);
        assert_eq!(*table.value(1_600, "n"), Value::Whole(2));
        assert_eq!(*table.value(1_600, "ok"), Value::Nothing);
        assert_eq!(*table.value(1_600, "m"), Value::Nothing);
        assert_eq!(*table.value(2_000, "x"), "{\"a\": 1}".into());
        let numbers = (1..=40_000).zip(&table.records);
        assert!(
            numbers
                .into_iter()
                .all(|(number, record)| record[0] == Value::Whole(number))
        );

        // If the user names the columns, their types still come from the first records.
        let arguments = ["--keep", "*", "--columns", "n,none", "-o", name, "--force"];
        let ran = score(&folder, "in.jsonl", &arguments);
        assert!(
            ran.err.starts_with("warning: 2 values do not fit"),
            "{}",
            ran.err
        );
        let named = Table::read(&path(&folder, name));
        assert_eq!(named.names()[5..7], ["n", "none"]);
        assert_eq!((named.column("n"), named.column("none")), (&Int64, &Utf8));
    }
}

/// A value of a field, as JSON, or no field.
fn any_value() -> impl Strategy<Value = Option<String>> {
    let number = any::<i64>().prop_map(|number| number.to_string());
    let small = (-9..9_i64).prop_map(|number| number.to_string());
    let decimal = any::<f64>().prop_filter("JSON has it", |number| number.is_finite());
    let decimal = decimal.prop_map(|number| format!("{number:e}"));
    let large = (0..40_usize).prop_map(|zeros| format!("1{}", "0".repeat(zeros)));
    let text = "\\PC{0,9}".prop_map(|text| serde_json::to_string(&text).expect("a text"));
    let other = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "[1, 2]",
        "{\"a\":null}",
        "1e400",
        "\"\\ud800\"",
    ]);
    prop_oneof![
        2 => Just(None),
        1 => number.prop_map(Some),
        2 => small.prop_map(Some),
        1 => decimal.prop_map(Some),
        1 => large.prop_map(Some),
        1 => text.prop_map(Some),
        1 => other.prop_map(|json| Some(json.to_owned())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Each column draws its values from a few, so that columns of every type appear.
    #[test]
    fn columnar_scores_are_those_in_json_lines(
        values in prop::collection::vec(prop::collection::vec(any_value(), 1..4), 1..5),
        chosen in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 5), 0..60),
    ) {
        let records: String = chosen.iter().map(|choice| {
            let fields = values.iter().zip(choice).enumerate();
            let fields = fields.filter_map(|(column, (values, choice))| {
                choice.get(values).as_ref().map(|json| format!(",\"f{column}\":{json}"))
            });
            format!("{{\"text\":\"good\"{}}}\n", fields.collect::<String>())
        }).collect();
        let folder = folder_with("in.jsonl", records);
        let json = score(&folder, "in.jsonl", &["--keep", "*", "-o", "-"]);
        for name in NAMES {
            let ran = score(&folder, "in.jsonl", &["--keep", "*", "-o", name]);
            prop_assert_eq!((ran.code, ran.err.contains("not fit")), (0, false));
            assert_agrees(&table(&folder, name), &lines(&json.out));
        }
    }
}

#[test]
fn an_input_without_records_has_the_columns_that_are_known() {
    let folder = folder_with("empty.csv", "id,text\n");
    for name in NAMES {
        assert_eq!(
            score(&folder, "empty.csv", &["-o", name, "--keep", "id"]).code,
            0
        );
        let table = table(&folder, name);
        let names = [
            "record", "neg", "neu", "pos", "compound", "id", "error", "skipped",
        ];
        assert_eq!((table.names(), table.records.len()), (names.to_vec(), 0));
        assert_eq!(
            (table.column("compound"), table.column("id")),
            (&Float64, &Utf8)
        );
    }
}

/// The file of a halted run has its footer, so it can be read to its end.
#[test]
fn a_halted_run_keeps_a_file_that_can_be_read() {
    let text = "{\"text\":\"good\"}\n".repeat(1_200) + "{\"text\":7}\n{\"text\":\"bad\"}\n";
    let folder = folder_with("in.jsonl", text);
    for name in NAMES {
        let arguments = ["-o", name, "--on-failure", "stop", "-j", "2"];
        let ran = score(&folder, "in.jsonl", &arguments);
        let kept = format!("  the scores of the first 1201 records are in {name}.partial");
        assert_eq!((ran.code, ran.err.lines().last()), (4, Some(&*kept)));
        let table = table(&folder, &format!("{name}.partial"));
        assert_eq!(table.records.len(), 1_201);
        assert_eq!(*table.value(1_200, "compound"), Value::Number(0.4404));
    }
    assert_eq!(
        names(&folder),
        ["in.jsonl", "out.arrow.partial", "out.parquet.partial"]
    );
}

/// A limit of the size of a file stands for a full disk. What was complete before is kept with a footer.
#[cfg(unix)]
#[test]
fn on_a_full_disk_the_records_that_fit_are_kept() {
    let record = |number: u64| {
        let noise = (0..40).map(|place| (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ place));
        let noise: String = noise.map(|word| format!("{word:x}")).collect();
        format!("{{\"n\":{number},\"noise\":\"{noise}\"}}\n")
    };
    let folder = folder_with("in.jsonl", (0..40_000).map(record).collect::<String>());
    let run = |name: &str, blocks: u32| {
        let command = "score in.jsonl --with number --field n --keep noise -o";
        shell(
            &folder,
            &format!("trap '' XFSZ; ulimit -f {blocks}; \"$0\" {command} {name}"),
        )
    };
    // The records are written in portions of about 9 MB, the file would have 26 MB, and a block has 512 or 1,024 bytes.
    let ran = run("out.arrow", 20_000);
    let table = table(&folder, "out.arrow.partial");
    let told = format!(
        "error: cannot write the scores to out.arrow: File too large (os error 27)\n  the scores of the first {} records \
         are in out.arrow.partial\n",
        table.records.len()
    );
    assert_eq!((ran.code, ran.err), (5, told));
    assert!(table.records.len() >= 10_000);
    let numbers = (1..).zip(&table.records);
    assert!(
        numbers
            .into_iter()
            .all(|(number, record)| record[0] == Value::Whole(number))
    );
    // A Parquet file whose first row group does not fit has no records.
    let ran = run("out.parquet", 100);
    let told = "error: cannot write the scores to out.parquet: File too large (os error 27)\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, told));
    assert!(
        names(&folder)
            .iter()
            .all(|name| !name.starts_with("out.parquet"))
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_receives_the_same_bytes_as_a_file() {
    let folder = folder_with("in.jsonl", MIXED);
    for name in NAMES {
        assert_eq!(
            score(&folder, "in.jsonl", &["--keep", "*", "-o", name]).code,
            1
        );
        let line = format!(
            "mkfifo pipe.{name}; cat pipe.{name} > copy.{name} & \"$0\" score in.jsonl --with sentiment --keep '*' \
             -o pipe.{name}; wait"
        );
        let output = output_of(start_shell(&folder, &line));
        assert!(output.status.success(), "{output:?}");
        let bytes = |name: &str| fs::read(path(&folder, name)).expect("a file");
        assert!(bytes(name) == bytes(&format!("copy.{name}")), "{name}");
    }
}

#[test]
fn a_columnar_file_is_not_compressed_as_a_whole() {
    let folder = folder_with("in.csv", "text\ngood\n");
    for name in ["out.parquet.zst", "out.arrow.gz"] {
        let ran = score(&folder, "in.csv", &["-o", name]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.starts_with(&format!("error: {name}: ")),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("end the name in .parquet"), "{}", ran.err);
    }
    let ran = score(&folder, "in.csv", &["-o", "out.parquet", "--csv-safe"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(names(&folder), ["in.csv"]);
    assert_eq!(read(&folder, "in.csv"), "text\ngood\n");
}
