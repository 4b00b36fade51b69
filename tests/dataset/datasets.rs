//! Files of JSON lines have the same records, no matter how the files are cut into parts.

use std::borrow::Cow;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use manyhands::dataset::{FieldValue, Fields, LoadedRecords, OpenOptions, Texts};
use manyhands::prelude::*;
use proptest::prelude::*;

/// A visited record: its index, its file, its line, and either its text or the message about its error.
type Visited = (u64, usize, u64, Result<String, String>);

fn visit<D>(dataset: &D, parts: std::ops::Range<usize>) -> Vec<Visited>
where
    D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
{
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

/// Finds the records with a plain loop over the lines. Lines of more than `most` bytes are too long.
fn expected(files: &[Vec<u8>], most: usize) -> Vec<Visited> {
    let mut records = Vec::new();
    for (file, bytes) in files.iter().enumerate() {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (line, bytes) in lines(bytes).into_iter().enumerate() {
            if bytes.len() <= most && bytes.trim_ascii().is_empty() {
                continue;
            }
            let text = if bytes.len() > most {
                Err(too_long(most))
            } else {
                // White space at the end of a line does not belong to its record.
                String::from_utf8(bytes.trim_ascii_end().to_vec())
                    .map_err(|_| "expected UTF-8 text, found a byte that is not".to_owned())
            };
            records.push((records.len() as u64, file, line as u64 + 1, text));
        }
    }
    records
}

/// The lines of a text. A line ends with `\n`, `\r\n` or a lone `\r`.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\r' || *byte == b'\n' {
            let is_second = at > 0 && *byte == b'\n' && bytes[at - 1] == b'\r';
            if !is_second {
                lines.push(&bytes[start..at]);
            }
            start = at + 1;
        }
    }
    lines.push(&bytes[start..]);
    lines
}

fn too_long(most: usize) -> String {
    format!(
        "expected a record of at most {most} bytes, found a longer one; if it is meant to be that \
         long, raise the limit (--max-record)"
    )
}

/// Generates text that joins lines, with or without a byte-order mark and a line feed after the last line.
pub fn text_of(lines: impl Strategy<Value = Vec<Vec<u8>>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), any::<bool>(), lines).prop_map(|(mark, last_newline, lines)| {
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
    text_of(proptest::collection::vec(line, 0..40)).prop_filter("not taken for UTF-16", |bytes| {
        !bytes.starts_with(b"\xff\xfe")
    })
}

/// Generates a limit on the length of a line, and files whose lines have about that length.
fn lines_about_as_long_as_a_limit() -> impl Strategy<Value = (usize, Vec<Vec<u8>>)> {
    (0..12_usize).prop_flat_map(|most| {
        let length = most.saturating_sub(3)..most + 9;
        let line = prop_oneof![
            6 => length.clone().prop_map(|length| b"x".repeat(length)),
            2 => length.clone().prop_map(|length| b" ".repeat(length)),
            1 => length.clone().prop_map(|length| "é".repeat(length).into_bytes()),
            1 => length.clone().prop_map(|length| b"\xff".repeat(length)),
            1 => length.prop_map(|length| b"\r".repeat(length)),
            1 => Just(b"x".repeat(700)),
        ];
        let end = prop_oneof![Just(&b"\n"[..]), Just(&b"\r\n"[..])];
        let lines = proptest::collection::vec((line, end), 0..12);
        let file = (any::<bool>(), any::<bool>(), lines).prop_map(|(mark, last_end, lines)| {
            let mut bytes = if mark {
                b"\xef\xbb\xbf".to_vec()
            } else {
                b"\n".to_vec()
            };
            let last = lines.len().saturating_sub(1);
            for (number, (line, end)) in lines.into_iter().enumerate() {
                bytes.extend(line);
                bytes.extend(if number < last || last_end { end } else { b"" });
            }
            bytes
        });
        (Just(most), proptest::collection::vec(file, 1..3))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn which_lines_are_too_long_does_not_depend_on_the_parts(
        (most, files) in lines_about_as_long_as_a_limit(),
        part_bytes in prop_oneof![1_u64..20, 20_u64..2000],
        order in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = write(folder.path(), &files);
        let expected = expected(&files, most);
        let open = || {
            let files = TextFiles::open(&paths).unwrap().with_part_bytes(part_bytes);
            files.max_record(most as u64)
        };
        let dataset = open();
        let parts = dataset.parts();
        prop_assert_eq!(visit(&dataset, 0..parts), expected.clone());
        let loaded = LoadedRecords::of(&open().with_part_bytes(part_bytes + 1)).unwrap();
        prop_assert_eq!(visit(&loaded, 0..loaded.parts()), expected.clone());
        let mut numbers: Vec<usize> = (0..parts).collect();
        numbers.sort_by_key(|part| (*part as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (dataset, mut visited) = (open(), Vec::new());
        for part in numbers.into_iter().take(32) {
            visited.extend(visit(&dataset, part..part + 1));
        }
        for record in &visited {
            prop_assert_eq!(record, &expected[record.0 as usize]);
        }
        if parts <= 32 {
            prop_assert_eq!(visited.len(), expected.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_do_not_depend_on_the_parts(
        files in proptest::collection::vec(file(), 1..4),
        part_bytes in prop_oneof![1_u64..20, 20_u64..5000],
        order in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = write(folder.path(), &files);
        let expected = expected(&files, usize::MAX);
        let open = || TextFiles::open(&paths).unwrap().with_part_bytes(part_bytes);

        let dataset = open();
        let parts = dataset.parts();
        prop_assert_eq!(visit(&dataset, 0..parts), expected.clone());
        let bytes: usize = files.iter().map(Vec::len).sum();
        prop_assert_eq!(dataset.size(0..parts), bytes as u64);

        // The parts are read one by one and in any order, so the dataset may not yet know what precedes a part.
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
        let fields = Fields::new(["text"], [name.as_str(), "number", "none", "text"]);
        let values = fields.of(&TextRecord::json(&line)).unwrap();
        prop_assert_eq!(&*values.text().unwrap(), &*text);
        let json = |place: usize| match values.get(place) {
            FieldValue::Json(json) => Some(serde_json::from_str(json).unwrap()),
            _ => None,
        };
        prop_assert_eq!(json(1), Some(serde_json::Value::from(other)));
        prop_assert_eq!(json(2), Some(serde_json::Value::from(number)));
        prop_assert_eq!(json(3), None);
        prop_assert_eq!(json(4), Some(serde_json::Value::from(text)));
    }

    #[test]
    fn any_line_is_read_or_refused(line in ".{0,60}", json in any::<bool>()) {
        let line = if json { format!("{{\"text\": {line}") } else { line };
        let fields = Fields::new(["text"], [""; 0]);
        let read = fields.of(&TextRecord::json(&line));
        let read = read.and_then(|values| Ok(values.text()?.into_owned()));
        let value: Result<serde_json::Value, _> = serde_json::from_str(&line);
        let text = value.ok().and_then(|value| Some(value.get("text")?.as_str()?.to_owned()));
        prop_assert_eq!(read.ok(), text);
    }
}

#[test]
fn short_files_can_be_shared_too() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"text\": \"forty lines of this\"}\n".repeat(40);
    let dataset = TextFiles::open(write(folder.path(), &[lines.into_bytes()])).unwrap();
    assert!(dataset.parts() >= 40, "{} parts", dataset.parts());
}

#[test]
fn a_file_that_changes_between_two_runs_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = |line: &str| line.repeat(4000).into_bytes();
    let paths = write(folder.path(), &[file("123456789\n")]);
    let dataset = TextFiles::open(&paths).unwrap();
    assert_eq!(visit(&dataset, 0..dataset.parts()).len(), 4000);
    write(folder.path(), &[file("1234\n6789\n")]);
    let error = dataset.read(0..dataset.parts(), |_, _| ControlFlow::Continue(()));
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("changed while it was being read"),
        "{message}"
    );
}

/// Reading the part in which the long line begins continues far beyond the end of that part, and many parts lie
/// entirely inside the line.
#[test]
fn a_line_that_is_longer_than_many_parts() {
    let most = 1 << 20;
    for length in [
        most - 1,
        most,
        most + 1,
        most + 2,
        most + 5,
        most + 6,
        5 * most,
    ] {
        for end in ["\n", "\r\n"] {
            let long = "x".repeat(length);
            let file = format!("one{end}{long}{end}three").into_bytes();
            let folder = tempfile::tempdir().unwrap();
            let dataset =
                TextFiles::open(write(folder.path(), std::slice::from_ref(&file))).unwrap();
            let dataset = dataset.max_record(most as u64);
            assert!(dataset.parts() > 1000);
            let visited = visit(&dataset, 0..dataset.parts());
            assert!(visited == expected(&[file], most), "{length} bytes");
        }
    }
}

#[test]
fn the_limit_may_change_between_two_runs() {
    let folder = tempfile::tempdir().unwrap();
    let files = [b"four\n       \n".to_vec()];
    let mut dataset = TextFiles::open(write(folder.path(), &files)).unwrap();
    for most in [10, 7, 6, 4, 3, 100] {
        dataset = dataset.max_record(most as u64);
        assert_eq!(visit(&dataset, 0..dataset.parts()), expected(&files, most));
    }
}

#[test]
fn sixteen_mebibytes_are_the_default_limit() {
    let folder = tempfile::tempdir().unwrap();
    let most = 16 << 20;
    let files = [[vec![b'x'; most], b"\nx".to_vec(), vec![b'x'; most]].concat()];
    let dataset = TextFiles::open(write(folder.path(), &files)).unwrap();
    let visited = visit(&dataset, 0..dataset.parts());
    assert!(visited == expected(&files, most));
}

#[test]
fn loaded_records_have_their_places_and_lengths() {
    let folder = tempfile::tempdir().unwrap();
    let files = [&b"one\n\nthree\n"[..], b"", b"\xff\nfour"].map(<[u8]>::to_vec);
    let paths = write(folder.path(), &files);
    let loaded = LoadedRecords::of(&TextFiles::open(&paths).unwrap()).unwrap();
    assert_eq!((loaded.len(), loaded.is_empty()), (4, false));
    assert!(LoadedRecords::default().is_empty());
    assert_eq!(loaded.bytes(), 12);
    let extents = [0..4, 0..1, 1..2, 2..3, 3..4, 4..4].map(|parts| loaded.size(parts));
    assert_eq!(extents, [12, 3, 5, 0, 4, 0]);
    let mut places = Vec::new();
    let visit = |at, _: Result<&TextRecord<'_>, _>| {
        places.push((loaded.place(at).unwrap().to_string(), at.fetched));
        ControlFlow::Continue(())
    };
    loaded.read(0..4, visit).unwrap();
    let place = |file: usize, line: u64| (format!("{}:{line}", paths[file].display()), false);
    assert_eq!(places, [place(0, 1), place(0, 3), place(2, 1), place(2, 2)]);
}

#[test]
fn the_first_of_the_records_fetched_together_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["1\n2\n3\n", "4\n5\n"].map(|file| file.as_bytes().to_vec());
    let dataset = TextFiles::open(write(folder.path(), &files)).unwrap();
    let mut fetched = Vec::new();
    let visit = |at: manyhands::dataset::Position, _: Result<&TextRecord<'_>, _>| {
        fetched.push(at.fetched);
        ControlFlow::Continue(())
    };
    dataset.read(0..dataset.parts(), visit).unwrap();
    assert_eq!(fetched, [true, false, false, true, false]);
}

#[test]
fn texts_know_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts");
    std::fs::write(&path, "one\n\n \nfour\nfive").unwrap();
    let texts = Texts::read(&path, "text").unwrap();
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["one", "four", "five"]);
    assert_eq!((texts.len(), texts.is_empty()), (3, false));
    assert_eq!([0, 1, 2].map(|index| texts.line(index)), [1, 4, 5]);
    assert_eq!(
        [0, 1, 2].map(|index| texts.text(index)),
        ["one", "four", "five"]
    );
    std::fs::write(&path, "\n").unwrap();
    assert!(Texts::read(&path, "text").unwrap().is_empty());
}

#[test]
fn records_without_a_text_are_left_out_of_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts.jsonl");
    std::fs::write(
        &path,
        "{\"t\":\"a\",\"n\":1}\n\n{\"t\":null}\n{}\n{\"t\":\"b\",\"m\":[2]}\n{\"t\":\"\"}\n",
    )
    .unwrap();
    let options = OpenOptions::new();
    let texts = Texts::read_keeping(&path, &["t"], &["n", "*"], &options).unwrap();
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "b", ""]);
    let left_out = texts.left_out().unwrap();
    assert_eq!((left_out.records, left_out.first_line), (2, 3));
    let message = "expected a text in field \"t\", found no value";
    assert_eq!(left_out.reason.to_string(), message);
    assert_eq!(texts.kept_fields().collect::<Vec<_>>(), ["n", "t", "m"]);
    let json = |json: &'static str| FieldValue::Json(json.into());
    let missing = FieldValue::Missing;
    assert_eq!(
        [0, 1, 2].map(|field| texts.kept(0, field)),
        [json("1"), json("\"a\""), missing.clone()]
    );
    assert_eq!(
        [0, 1, 2].map(|field| texts.kept(1, field)),
        [missing.clone(), json("\"b\""), json("[2]")]
    );
    assert_eq!(
        [0, 1, 2].map(|field| texts.kept(2, field)),
        [missing.clone(), json("\"\""), missing]
    );

    let path = folder.path().join("texts.csv");
    std::fs::write(&path, "t,n\na,1\nragged\nb\n,2\n\"c\nd\",\n").unwrap();
    let texts = Texts::read_keeping(&path, &["t"], &["n"], &options).unwrap();
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "c\nd"]);
    assert_eq!([0, 1].map(|index| texts.line(index)), [2, 6]);
    let left_out = texts.left_out().unwrap();
    assert_eq!((left_out.records, left_out.first_line), (3, 3));
    let text = |text: &'static str| FieldValue::Text(text.into());
    assert_eq!(
        [0, 1].map(|index| texts.kept(index, 0)),
        [text("1"), text("")]
    );

    let error = Texts::read_keeping(&path, &["t"], &["m"], &options)
        .unwrap_err()
        .to_string();
    let message = "expected a field \"m\" to keep, but no record has it; the fields of the first record: \"t\", \"n\"";
    assert!(error.ends_with(message), "{error}");
}

#[test]
fn a_text_without_escapes_is_borrowed() {
    let line = TextRecord::json(r#"{"text": "plain", "escaped": "two\nlines"}"#);
    let fields = ["text", "escaped"].map(|field| Fields::new([field], [""; 0]));
    let [text, escaped] = fields.each_ref().map(|fields| fields.of(&line).unwrap());
    assert!(matches!(text.text().unwrap(), Cow::Borrowed("plain")));
    assert!(matches!(escaped.text().unwrap(), Cow::Owned(two) if two == "two\nlines"));
}

#[test]
fn a_bad_record_names_its_column() {
    let found = |line: &str| {
        let fields = Fields::new(["text"], [""; 0]);
        let values = fields.of(&TextRecord::json(line));
        let bad = values
            .and_then(|values| Ok(values.text()?.into_owned()))
            .unwrap_err();
        (bad.to_string(), bad.column)
    };
    let expect = |line: &str, message: &str, column: u64| {
        assert_eq!(found(line), (message.to_owned(), Some(column)), "{line}");
    };
    expect(
        r#"{"id": 1, "text": 12}"#,
        "expected a string in field \"text\", found a number",
        19,
    );
    let null = "expected a text in field \"text\", found no value".to_owned();
    assert_eq!(found(r#"{"text": null}"#), (null, None));
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
