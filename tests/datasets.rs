//! JSON lines: every way of cutting files into parts gives the same records.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use manyhands::dataset::Fields;
use manyhands::prelude::*;
use proptest::prelude::*;

/// One record as it was visited: its index, file and line, and its text or what is wrong with it.
type Visited = (u64, usize, u64, Result<String, String>);

fn visit(dataset: &JsonLines, parts: std::ops::Range<usize>) -> Vec<Visited> {
    let mut visited = Vec::new();
    dataset
        .read(parts, |at, record| {
            let text = record
                .map(|line| line.as_str().to_owned())
                .map_err(|bad| bad.to_string());
            visited.push((at.index, at.file, at.line, text));
            ControlFlow::Continue(())
        })
        .unwrap();
    visited
}

/// What a plain loop over the lines gives.
fn expected(files: &[Vec<u8>]) -> Vec<Visited> {
    let mut records = Vec::new();
    for (file, bytes) in files.iter().enumerate() {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (line, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let text = String::from_utf8(bytes.to_vec())
                .map_err(|_| "expected UTF-8 text, found a byte that is not".to_owned());
            records.push((records.len() as u64, file, line as u64 + 1, text));
        }
    }
    records
}

fn write(folder: &Path, files: &[Vec<u8>]) -> Vec<PathBuf> {
    let write = |(number, bytes): (usize, &Vec<u8>)| {
        let path = folder.join(format!("{number}.jsonl"));
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        path
    };
    files.iter().enumerate().map(write).collect()
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[a-zé ]{0,12}".prop_map(String::into_bytes),
        1 => Just(Vec::new()),
        1 => Just(b" \t".to_vec()),
        1 => "x{200,3000}".prop_map(String::into_bytes),
        1 => Just(b"\xff\xfe bytes".to_vec()),
        1 => Just(b"carriage return\r".to_vec()),
    ];
    (
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(line, 0..40),
    )
        .prop_map(|(mark, last_newline, lines)| {
            let mut bytes = if mark {
                b"\xef\xbb\xbf".to_vec()
            } else {
                Vec::new()
            };
            bytes.extend(lines.join(&b'\n'));
            if last_newline {
                bytes.push(b'\n');
            }
            bytes
        })
        .prop_filter("not taken for UTF-16", |bytes| {
            !bytes.starts_with(b"\xff\xfe")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_do_not_show(
        files in proptest::collection::vec(file(), 1..4),
        part_bytes in prop_oneof![1_u64..20, 20_u64..5000],
        order in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = write(folder.path(), &files);
        let expected = expected(&files);
        let open = || JsonLines::open(&paths).unwrap().with_part_bytes(part_bytes);

        let dataset = open();
        let parts = dataset.parts();
        prop_assert_eq!(visit(&dataset, 0..parts), expected.clone());
        let bytes: usize = files.iter().map(Vec::len).sum();
        prop_assert_eq!(dataset.extent(0..parts), bytes as u64);

        // One by one and in any order, each on a dataset that may not know what comes before.
        let mut numbers: Vec<usize> = (0..parts).collect();
        numbers.sort_by_key(|part| (*part as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (dataset, mut visited) = (open(), Vec::new());
        for part in numbers.into_iter().take(64) {
            visited.extend(visit(&dataset, part..part + 1));
        }
        for record in &visited {
            prop_assert_eq!(record, &expected[record.0 as usize]);
        }
        if parts <= 64 {
            prop_assert_eq!(visited.len(), expected.len());
        }
    }

    #[test]
    fn fields_are_what_serde_reads(
        text in any::<String>(),
        other in any::<String>(),
        number in any::<f64>().prop_filter("JSON has none", |number| number.is_finite()),
        name in "[a-z\"\\\\é]{1,5}",
    ) {
        prop_assume!(name != "text" && name != "number");
        let mut object = serde_json::Map::new();
        object.insert("text".into(), text.clone().into());
        object.insert("number".into(), number.into());
        object.insert(name.clone(), other.clone().into());
        let line = serde_json::Value::Object(object).to_string();
        let fields = Fields::new("text", [name.as_str(), "number", "none", "text"]);
        let values = fields.of(&JsonLine::new(&line)).unwrap();
        prop_assert_eq!(&*values.text, &*text);
        let json = |place: usize| values.raw[place].map(|json| serde_json::from_str(json).unwrap());
        prop_assert_eq!(json(0), Some(serde_json::Value::from(other)));
        prop_assert_eq!(json(1), Some(serde_json::Value::from(number)));
        prop_assert_eq!(json(2), None);
        prop_assert_eq!(json(3), Some(serde_json::Value::from(text)));
    }

    #[test]
    fn whatever_the_line_it_is_read_or_refused(line in ".{0,60}", json in any::<bool>()) {
        let line = if json { format!("{{\"text\": {line}") } else { line };
        let read = Fields::new("text", [""; 0]).of(&JsonLine::new(&line));
        let value: Result<serde_json::Value, _> = serde_json::from_str(&line);
        let text = value.ok().and_then(|value| Some(value.get("text")?.as_str()?.to_owned()));
        prop_assert_eq!(read.ok().map(|values| values.text.into_owned()), text);
    }
}

#[test]
fn short_files_can_be_shared_too() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"text\": \"forty lines of this\"}\n".repeat(40);
    let dataset = JsonLines::open(write(folder.path(), &[lines.into_bytes()])).unwrap();
    assert!(dataset.parts() >= 40, "{} parts", dataset.parts());
}

#[test]
fn a_file_that_changes_between_two_runs_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = |line: &str| line.repeat(4000).into_bytes();
    let paths = write(folder.path(), &[file("123456789\n")]);
    let dataset = JsonLines::open(&paths).unwrap();
    assert_eq!(visit(&dataset, 0..dataset.parts()).len(), 4000);
    write(folder.path(), &[file("1234\n6789\n")]);
    let error = dataset.read(0..dataset.parts(), |_, _| ControlFlow::Continue(()));
    let told = error.unwrap_err().to_string();
    assert!(told.contains("changed while it was being read"), "{told}");
}

#[test]
fn a_text_without_escapes_is_borrowed() {
    let line = JsonLine::new(r#"{"text": "plain", "escaped": "two\nlines"}"#);
    let text = |field| Fields::new(field, [""; 0]).of(&line).unwrap().text;
    assert!(matches!(text("text"), std::borrow::Cow::Borrowed("plain")));
    assert!(matches!(text("escaped"), std::borrow::Cow::Owned(two) if two == "two\nlines"));
}

#[test]
fn what_is_wrong_is_told_with_its_column() {
    let told = |line: &str| {
        let bad = Fields::new("text", [""; 0])
            .of(&JsonLine::new(line))
            .unwrap_err();
        (bad.to_string(), bad.column)
    };
    let expect = |line: &str, message: &str, column: u64| {
        assert_eq!(told(line), (message.to_owned(), Some(column)), "{line}");
    };
    expect(
        r#"{"id": 1, "text": 12}"#,
        "expected a string in field \"text\", found a number",
        19,
    );
    expect(
        r#"{"text": null}"#,
        "expected a string in field \"text\", found null",
        10,
    );
    expect(
        r#"{"text": true}"#,
        "expected a string in field \"text\", found a boolean",
        10,
    );
    expect(
        r#"{"text": {"a": 1}}"#,
        "expected a string in field \"text\", found an object",
        10,
    );
    expect("[1]", "expected a JSON object, found an array", 1);
    expect("12", "expected a JSON object, found a number", 1);
    expect(
        "{}",
        "expected a field \"text\"; the record's fields: none",
        1,
    );
    expect(
        r#"{"body": "x", "id": 2}"#,
        "expected a field \"text\"; the record's fields: \"body\", \"id\"",
        1,
    );
}
