//! The same records give the same answer in every format, no matter how the files are cut and read.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use manyhands::dataset::{
    FieldValue, Fields, LoadedRecords, OpenOptions, Position, TextSource, TextStream, Texts,
};
use manyhands::error::BadRecord;
use manyhands::plan::{ExecutorName, Plan, RunOptions};
use manyhands::prelude::*;
use proptest::prelude::*;

/// A record to be written, the number of blank lines before it, and what comes after it.
#[derive(Clone, Debug)]
struct Written {
    blank_lines: usize,
    text: String,
    group: String,
    is_quoted: bool,
    ending: &'static str,
}

/// The content of a file in one format, and the number of the line in which each record begins.
struct InFormat {
    name: &'static str,
    content: String,
    lines: Vec<u64>,
}

fn quoted(value: &str, delimiter: char, is_quoted: bool) -> String {
    if is_quoted || value.contains(['"', '\r', '\n', delimiter]) || value.is_empty() {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// The number of line ends of all kinds.
fn line_ends(text: &str) -> u64 {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.matches('\n').count() as u64
}

fn in_format(
    name: &'static str,
    header: &str,
    records: &[Written],
    mark: bool,
    write: impl Fn(&Written) -> String,
) -> InFormat {
    let mut content = if mark { "\u{feff}" } else { "" }.to_owned();
    content += header;
    let mut lines = Vec::new();
    for (number, record) in records.iter().enumerate() {
        content += &"\n".repeat(record.blank_lines);
        lines.push(line_ends(&content) + 1);
        content += &write(record);
        let is_last = number + 1 == records.len();
        let ends_line = ["\n", "\r\n", "\r"].contains(&record.ending);
        content += match (
            is_last && record.is_quoted,
            ends_line || name.ends_with("jsonl"),
        ) {
            (true, _) => "",
            (false, true) => record.ending,
            (false, false) => "\n",
        };
    }
    InFormat {
        name,
        content,
        lines,
    }
}

/// Writes the records in every format that can hold them.
fn in_every_format(records: &[Written], mark: bool) -> Vec<InFormat> {
    let table = |name, delimiter: char| {
        let header = format!("group{delimiter}\"text\"\n");
        in_format(name, &header, records, mark, |record| {
            let values = [&record.group, &record.text];
            values
                .map(|value| quoted(value, delimiter, record.is_quoted))
                .join(&delimiter.to_string())
        })
    };
    vec![
        in_format("r.jsonl", "", records, mark, |record| {
            serde_json::json!({"group": record.group, "text": record.text}).to_string()
        }),
        table("r.csv", ','),
        table("r.tsv", '\t'),
    ]
}

fn record() -> impl Strategy<Value = Written> {
    let text = prop_oneof![
        3 => "[a-zé ]{0,12}",
        3 => "[a-zé\"\r\n,\t ]{0,12}",
        1 => "(line\n|\"){50,90}",
    ];
    let blank_lines = prop_oneof![4 => Just(0_usize), 1 => 1_usize..3];
    (
        blank_lines,
        text,
        "[a-c\",\n]{0,2}",
        any::<bool>(),
        // Objects of JSON lines may also be in one line.
        prop::sample::select(vec!["\n", "\r\n", "\r", "", " ", "\u{feff}", "\n\u{feff}"]),
    )
        .prop_map(|(blank_lines, text, group, is_quoted, ending)| Written {
            blank_lines,
            text,
            group,
            is_quoted,
            ending,
        })
}

/// A visited record: its index, its line, and either its text and its group or the message about its error.
type Visited = (u64, u64, Result<(String, String), String>);

fn fields() -> Fields {
    Fields::new(["text"], ["group"])
}

fn visited(position: Position, record: Result<&TextRecord<'_>, BadRecord>) -> Visited {
    let values = record.and_then(|record| {
        let fields = fields();
        let values = fields.of(record)?;
        let json: serde_json::Value = record.parse()?;
        let text = |place: usize, name: &str| {
            let text = values.get(place).as_text().expect("a text").into_owned();
            match &json[name] {
                serde_json::Value::Null => assert!(values.get(place).is_missing()),
                json => assert_eq!(*json, text, "as one line of JSON"),
            }
            text
        };
        Ok((text(0, "text"), text(1, "group")))
    });
    (
        position.index,
        position.line,
        values.map_err(|bad| bad.to_string()),
    )
}

fn read<D>(dataset: &D, parts: std::ops::Range<usize>) -> Vec<Visited>
where
    D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
{
    let mut all = Vec::new();
    loop {
        let outcome = dataset.read(parts.clone(), |position, record| {
            all.push(visited(position, record));
            ControlFlow::Continue(())
        });
        if outcome.unwrap().ended || !dataset.is_stream() {
            return all;
        }
    }
}

fn write(folder: &Path, file: &InFormat) -> PathBuf {
    let path = folder.join(file.name);
    std::fs::write(&path, &file.content).unwrap();
    path
}

/// A reader that returns at most this number of bytes at a time.
struct Pieces(io::Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(room.len());
        self.0.read(&mut room[..most])
    }
}

fn files(options: &OpenOptions, path: &Path, part_bytes: u64) -> TextSource {
    options.open(&[path]).unwrap().with_part_bytes(part_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn records_are_the_same_in_every_format(
        records in proptest::collection::vec(record(), 0..25),
        mark in any::<bool>(),
        part_bytes in prop_oneof![1_u64..20, 20_u64..400],
        piece in prop_oneof![1_usize..5, Just(8192)],
        at_most in prop_oneof![1_usize..4, Just(1000)],
        order in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions::new().fields(fields());
        for file in in_every_format(&records, mark) {
            let path = write(folder.path(), &file);
            let expected: Vec<Visited> = (0..).zip(records.iter().zip(&file.lines))
                .map(|(index, (record, line))| {
                    (index, *line, Ok((record.text.clone(), record.group.clone())))
                })
                .collect();
            let all = files(&options, &path, part_bytes);
            prop_assert_eq!(&read(&all, 0..all.parts()), &expected, "{}", file.name);
            prop_assert_eq!(all.size(0..all.parts()), file.content.len() as u64);

            let mut parts: Vec<usize> = (0..all.parts()).collect();
            parts.sort_by_key(|part| (*part as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (source, mut found) = (files(&options, &path, part_bytes), Vec::new());
            for part in parts {
                found.extend(read(&source, part..part + 1));
            }
            found.sort();
            prop_assert_eq!(&found, &expected, "{}, part by part", file.name);

            let reader = Pieces(io::Cursor::new(file.content.clone().into_bytes()), piece);
            let stream = TextStream::new(file.name, reader);
            prop_assert_eq!(&read(&stream, 0..at_most), &expected, "{} as a stream", file.name);
            prop_assert_eq!(stream.bytes(), file.content.len() as u64);
            let loaded = LoadedRecords::of(&files(&options, &path, part_bytes + 1)).unwrap();
            prop_assert_eq!(&read(&loaded, 0..loaded.parts()), &expected, "{} loaded", file.name);

            let texts = Texts::read(&path, "text").unwrap();
            // A reference leaves out records without a text, such as an empty cell of a table.
            let is_json = file.name.ends_with(".jsonl");
            let with_text = |record: &Written| is_json || !record.text.is_empty();
            let (expected_lines, expected_texts): (Vec<u64>, Vec<&String>) = file.lines.iter()
                .zip(&records)
                .filter(|(_, record)| with_text(record))
                .map(|(line, record)| (line, &record.text))
                .unzip();
            let lines: Vec<u64> = (0..texts.len()).map(|text| texts.line(text)).collect();
            prop_assert_eq!(&lines, &expected_lines);
            prop_assert!(texts.iter().eq(expected_texts));
        }
    }

    /// Records that are too long or are not UTF-8 must not depend on the parts either.
    #[test]
    fn records_of_a_table_do_not_depend_on_the_parts(
        content in "[ab,\"\r\n]{0,60}",
        bad in proptest::option::of(0_usize..60),
        part_bytes in 1_u64..30,
        max_record in prop_oneof![Just(1000_u64), 0_u64..12],
        piece in 1_usize..30,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.csv");
        // The first record shows that the file is UTF-8.
        let begin = "text,group\né,b\n";
        let mut bytes = format!("{begin}{content}").into_bytes();
        if let Some(place) = bad && begin.len() + place < bytes.len() {
            bytes[begin.len() + place] = 0xff;
        }
        std::fs::write(&path, &bytes).unwrap();
        let options = OpenOptions::new().fields(fields());
        let open = |part_bytes| match files(&options, &path, part_bytes) {
            TextSource::Files(files) => files.max_record(max_record),
            other => panic!("{other:?}"),
        };
        let whole = open(1 << 20);
        let expected = read(&whole, 0..whole.parts());
        let all = open(part_bytes);
        prop_assert_eq!(&read(&all, 0..all.parts()), &expected);
        let (parts, mut found) = (open(part_bytes), Vec::new());
        for part in (0..parts.parts()).rev() {
            found.splice(0..0, read(&parts, part..part + 1));
        }
        prop_assert_eq!(&found, &expected);
        let stream = TextStream::new("r.csv", Pieces(io::Cursor::new(bytes), piece));
        if max_record >= 10 {
            prop_assert_eq!(&read(&stream.max_record(max_record), 0..3), &expected);
        }
    }
}

/// Compares the answers of every executor, with files that are cut in different ways.
#[test]
fn answers_are_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<Written> = (0..500)
        .map(|number| Written {
            blank_lines: usize::from(number % 50 == 7),
            text: format!(
                "It is {} \"good\",\nbut not great.",
                "very ".repeat(number % 60)
            ),
            group: ["a", "b", "c,\nd"][number % 3].to_owned(),
            is_quoted: number % 2 == 0,
            ending: ["\n", "\r\n", "\r", "", "\u{feff}"][number % 5],
        })
        .collect();
    let mut digests = Vec::new();
    for file in in_every_format(&records, true) {
        let mut plan = Plan::new([write(folder.path(), &file)]);
        plan.by = vec!["group".to_owned()];
        for executor in [
            ExecutorName::Sequential,
            ExecutorName::WorkStealing,
            ExecutorName::TaskQueue,
        ] {
            plan.executor = executor;
            let answer = plan.open().unwrap().run(RunOptions::default()).unwrap();
            assert_eq!(answer.report.scored, 500);
            digests.push(answer.digest.to_string());
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

fn error_of(name: &str, content: &[u8], fields: Fields) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let options = OpenOptions::new().fields(fields).max_record(100);
    let from_file = options.open(&[&path]).unwrap_err().to_string();
    let stream = options
        .stream(&[&path])
        .and_then(|stream| stream.take(1, |_, _| ControlFlow::Continue(())));
    assert_eq!(stream.unwrap_err().to_string(), from_file, "as a stream");
    let place = folder.path().display().to_string() + "/";
    from_file
        .strip_prefix(&place)
        .expect("it names the file")
        .to_owned()
}

#[test]
fn a_header_that_lacks_a_field_is_refused_with_its_place() {
    let fields = || Fields::new(["text", "group"], ["month"]);
    assert_eq!(
        error_of("a.csv", b"\n\r\ntext,id\n1,2\n", fields()),
        "a.csv:3: expected a field \"group\"; the fields of the header: \"text\", \"id\""
    );
    assert_eq!(
        error_of("a.tsv", b"text\tgroup\tgroup\n", fields()),
        "a.tsv:1: expected one field \"group\" in the header, found 2; name the column by its number (2 or 3) instead"
    );
    assert_eq!(
        error_of("a.csv", b"caf\xe9,group\n\xc3\xa9,b\n", fields()),
        "a.csv:1:4: expected UTF-8 text, found a byte that is not"
    );
    assert_eq!(
        error_of("a.txt", b"one\n", fields()),
        "a.txt: is plain text, where each line is one text in the field \"text\", and has no field \"group\"; if it \
         is a table, say so with --format csv"
    );
    let long = format!("\"{}", "x\n".repeat(1000));
    assert!(
        error_of("a.csv", long.as_bytes(), fields())
            .starts_with("a.csv:1: expected a record of at most 100 bytes, found a longer one")
    );
    assert!(error_of("a.csv", b"\xff\xfet\0", fields()).starts_with("a.csv: is UTF-16; "));
    assert!(
        error_of("a.CSV", b"PK\x05\x06", fields()).starts_with("a.CSV: is an empty zip archive")
    );
}

#[test]
fn a_table_without_a_record_has_none() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["", "\n\r\n", "\u{feff}", "text,group", "text,group\r\n\r\n"] {
        let path = folder.path().join("r.csv");
        std::fs::write(&path, content).unwrap();
        let options = OpenOptions::new().fields(fields());
        let source = files(&options, &path, 3);
        assert_eq!(read(&source, 0..source.parts()), [], "{content:?}");
        let stream = options.stream(&[&path]).unwrap();
        assert_eq!(read(&stream, 0..5), [], "{content:?}");
    }
}

/// Files of several formats are one dataset, with consecutive record numbers; an empty file has no effect on them.
#[test]
fn formats_mix_in_one_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let contents = [
        ("a.csv", "group,text\nx,\"one\ntwo\"\n"),
        ("b.csv", ""),
        ("c.jsonl", "{\"text\":\"three\",\"group\":\"y\"}\n"),
        ("d.tsv", "\n\ntext\tgroup\nfour\tz\n"),
    ];
    let paths = contents.map(|(name, content)| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    });
    let options = OpenOptions::new().fields(fields());
    let expected = [
        (0, 2, "one\ntwo", "x"),
        (1, 1, "three", "y"),
        (2, 4, "four", "z"),
    ];
    let expected = expected
        .map(|(index, line, text, group)| (index, line, Ok((text.to_owned(), group.to_owned()))));
    for part_bytes in [1, 7, 1000] {
        let source = options.open(&paths).unwrap().with_part_bytes(part_bytes);
        assert_eq!(read(&source, 0..source.parts()), expected);
        assert_eq!(
            read(&source, source.parts() - 1..source.parts()).len(),
            usize::from(part_bytes > 7)
        );
        assert_eq!(read(&source.load().unwrap(), 0..3), expected);
    }
    assert_eq!(read(&options.stream(&paths).unwrap(), 0..2), expected);
}

#[test]
fn a_record_that_is_not_as_its_header_fails_alone() {
    let content: &[u8] = b"text,group\na,b\nc\nd,e,f\ng,h\n";
    let stream = TextStream::new("r.csv", content);
    let found: Vec<_> = read(&stream, 0..9)
        .into_iter()
        .map(|(_, line, values)| (line, values.err()))
        .collect();
    let bad = |found| Some(format!("expected 2 fields as in the header, found {found}"));
    assert_eq!(found, [(2, None), (3, bad(1)), (4, bad(3)), (5, None)]);
}

/// A quote is never closed, so the rest of the file cannot be read, no matter how long the rest is.
#[test]
fn a_quote_that_is_not_closed_is_reported_where_it_opens() {
    let content = format!("text,group\na,b\n\"{}", "c\n".repeat(100_000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, &content).unwrap();
    let options = OpenOptions::new().fields(fields()).max_record(1000);
    let source = files(&options, &path, 5000);
    let found = read(&source, 0..source.parts());
    assert_eq!(found.len(), 2);
    let message = found[1].2.clone().unwrap_err();
    assert_eq!(found[1].1, 3);
    assert!(
        message.starts_with("expected the end of the quoted field that begins here"),
        "{message}"
    );
    assert_eq!(read(&options.stream(&[&path]).unwrap(), 0..9), found);
    // With a quote at its end, the same record is only too long.
    std::fs::write(&path, content + "\",x\nlast,y\n").unwrap();
    let source = files(&options, &path, 5000);
    let found = read(&source, 0..source.parts());
    assert_eq!((found.len(), found[2].2.is_ok()), (3, true));
    let message = found[1].2.clone().unwrap_err();
    assert!(message.starts_with("expected a record of at most 1000 bytes"));
    assert_eq!(read(&options.stream(&[&path]).unwrap(), 0..9), found);
}

/// Every part must find the same place, whether or not it holds the quote.
#[test]
fn every_cut_finds_the_quote_that_is_not_closed() {
    let content = "text,group\r\na,\"b\"\"\"\r\"c\n\n\",d\ne,\"f\r\n\r\ng,\"\"h\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, content).unwrap();
    let options = OpenOptions::new().fields(fields());
    let reason = "expected the end of the quoted field that begins here, found the end of the \
                  text; close the quote, or write it twice in quotes if it belongs to the text";
    let expected = [
        (0, 2, Ok(("a".to_owned(), "b\"".to_owned()))),
        (1, 3, Ok(("c\n\n".to_owned(), "d".to_owned()))),
        (2, 6, Err(reason.to_owned())),
    ];
    for part_bytes in 1..content.len() as u64 + 1 {
        let source = files(&options, &path, part_bytes);
        assert_eq!(read(&source, 0..source.parts()), expected);
        let source = files(&options, &path, part_bytes);
        let mut found = Vec::new();
        for part in (0..source.parts()).rev() {
            found.splice(0..0, read(&source, part..part + 1));
        }
        assert_eq!(found, expected, "parts of {part_bytes} bytes");
        let reader = Pieces(io::Cursor::new(content.into()), part_bytes as usize);
        assert_eq!(read(&TextStream::new("r.csv", reader), 0..2), expected);
        let loaded = source.load().unwrap();
        assert_eq!(read(&loaded, 0..loaded.parts()), expected);
    }
    let error = Texts::read(&path, "text").unwrap_err().to_string();
    assert!(error.ends_with(&format!("r.csv:6:3: {reason}")), "{error}");
    std::fs::write(&path, "\n\"text,group\n").unwrap();
    let error = options.open(&[&path]).unwrap_err().to_string();
    assert!(
        error.contains("r.csv:2: expected the end of a quoted field"),
        "{error}"
    );
}

#[test]
fn each_line_of_plain_text_is_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.txt");
    std::fs::write(&path, "one, \"two\"\n\nthree\r\n").unwrap();
    let fields = Fields::new(["text"], ["text", "other"]);
    let source = OpenOptions::new()
        .fields(fields.clone())
        .open(&[&path])
        .unwrap();
    let mut found = Vec::new();
    source
        .read(0..source.parts(), |position, record| {
            let record = record.unwrap();
            let values = fields.of(record).unwrap();
            let json = record.to_json().unwrap().into_owned();
            let text = values.text().unwrap().into_owned();
            assert_eq!(*values.get(1), FieldValue::Text(text.as_str().into()));
            assert_eq!(*values.get(2), FieldValue::Missing);
            found.push((position.line, text, json));
            ControlFlow::Continue(())
        })
        .unwrap();
    let expected = [
        (1, "one, \"two\"", r#"{"text":"one, \"two\""}"#),
        (3, "three", r#"{"text":"three"}"#),
    ];
    assert_eq!(
        found,
        expected.map(|(line, text, json)| (line, text.to_owned(), json.to_owned()))
    );
}

/// Blank lines come before the header. The message names the line of the header, no matter how the text arrives.
#[test]
fn a_header_that_is_too_long_is_named_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    let content = b"\n\r\ntext,group,and,more\ngood,a,b,c\n";
    std::fs::write(&path, content).unwrap();
    let options = OpenOptions::new().max_record(10);
    let refused = options.open(&[&path]).unwrap_err().to_string();
    assert!(
        refused.contains("r.csv:3: expected a record of at most 10 bytes"),
        "{refused}"
    );
    // Blank lines are not part of the header, so they may be longer than a record.
    let blank = [&b"\n".repeat(50)[..], b"text,group\ngood,a\n"].concat();
    let stream = options.reader("r.csv", Pieces(io::Cursor::new(blank), 30));
    assert_eq!(read(&stream, 0..10)[0].1, 52);
    for piece in [1, 5, 8192] {
        let stream = options.reader("r.csv", Pieces(io::Cursor::new(content.to_vec()), piece));
        let ended = stream.read(0..10, |_, _| ControlFlow::Continue(()));
        let told = ended.unwrap_err().to_string();
        assert!(refused.ends_with(&told), "{told}");
    }
}
