//! A JSON document gives the same records as JSON lines with the same objects, no matter where it has line ends and
//! spaces, and in which pieces it is read.

use std::io::{self, Read};
use std::ops::ControlFlow;

use manyhands::dataset::{FormatName, OpenOptions, TextSource, TextStream, Texts};
use manyhands::prelude::*;
use proptest::prelude::*;

/// A reader that returns at most this number of bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(room.len());
        Read::read(&mut self.0, &mut room[..most])
    }
}

/// A visited record: its index, its line, and either its value or the message about its error.
type Visited = (u64, u64, Result<serde_json::Value, String>);

fn read(stream: &TextStream<'_>, at_most: usize) -> Vec<Visited> {
    let mut found = Vec::new();
    let visit = |stream: &TextStream<'_>, found: &mut Vec<Visited>| {
        stream.take(at_most, |position, record| {
            let value = record.and_then(|record| {
                let json = record.to_json()?;
                assert!(!json.contains(['\n', '\r']), "{json}");
                record.parse()
            });
            found.push((
                position.index,
                position.line,
                value.map_err(|bad| bad.to_string()),
            ));
            ControlFlow::Continue(())
        })
    };
    while visit(stream, &mut found).unwrap().is_some() {}
    found
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let text = r#"[a-zé\\"{}\[\], \n]{0,8}"#;
    let inner = prop_oneof![
        text.prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let nested = inner.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[a-c{]{1,2}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::hash_map("[a-c]{1,2}", nested, 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn line_ends(text: &str) -> u64 {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.matches('\n').count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn documents_have_the_records_that_were_written(
        values in prop::collection::vec((value(), any::<bool>()), 0..8),
        is_array in any::<bool>(),
        between in prop::sample::select(vec!["", " ", "\n", "\r\n  ", "\r"]),
        piece in prop_oneof![1_usize..5, Just(8192)],
        at_most in prop_oneof![1_usize..4, Just(1000)],
    ) {
        let mut text = if is_array { "[" } else { "" }.to_owned();
        let mut expected: Vec<Visited> = Vec::new();
        for (index, (value, is_pretty)) in values.iter().enumerate() {
            text += match (is_array, index) {
                (true, 1..) => ",",
                _ => "",
            };
            text += between;
            expected.push((index as u64, line_ends(&text) + 1, Ok(value.clone())));
            text += &match is_pretty {
                true => serde_json::to_string_pretty(value).unwrap().replace('\n', between.trim_matches(' ')),
                false => value.to_string(),
            };
            text += between;
        }
        text += if is_array { "]" } else { "" };
        let options = OpenOptions::new().format(FormatName::Json);
        let stream = options.reader("values", Pieces(text.as_bytes(), piece));
        prop_assert_eq!(read(&stream, at_most), expected, "{}", text);
        prop_assert_eq!(stream.bytes(), text.len() as u64);
    }

    /// Every beginning of a document either ends between two values, or is refused after the values before its end.
    #[test]
    fn a_document_that_is_cut_short_is_refused_after_its_values(length in 0_usize..40, piece in 1_usize..9) {
        let text = "[{\"a\":[1]},\n \"x]\", {\"b\\\"\":{}},\r\n12 ]";
        let (ends, text) = ([10, 17, 29, 34], &text[..length.min(text.len())]);
        let options = OpenOptions::new().format(FormatName::Json);
        let found = read(&options.reader("values", Pieces(text.as_bytes(), piece)), 2);
        let values = ends.iter().filter(|end| **end <= text.len()).count();
        let is_whole = text.is_empty() || text.len() == 36;
        let (good, bad) = found.split_at(values.min(found.len()));
        prop_assert!(good.len() == values && good.iter().all(|(_, _, value)| value.is_ok()), "{:?}", found);
        // A number at the end of the text may be whole, but the array is not.
        prop_assert_eq!(bad.len() - usize::from((33..34).contains(&text.len())), usize::from(!is_whole), "{:?}", found);
        if let Some((_, line, Err(message))) = bad.last() {
            prop_assert_eq!(*line, line_ends(text) + 1);
            prop_assert!(message.contains("found the end of the text"), "{}", message);
        }
    }
}

#[test]
fn garbage_between_values_ends_the_document_at_its_place() {
    for (text, line, message) in [
        (
            "[{}, x:1]",
            1,
            "expected a comma or the end of the array, found ':'",
        ),
        (
            "[{},\n{} {}]",
            2,
            "expected a comma or the end of the array, found '{'",
        ),
        (
            "[{},\r,{}]",
            2,
            "expected a value after the comma, found ','",
        ),
        ("[{}\n]\n]", 3, "expected a JSON value, found ']'"),
        (
            "{}\n\n§",
            3,
            "expected a JSON value, found text that is no JSON",
        ),
        ("[{}, {\"a\": [1}]", 1, "expected a ], found '}'"),
        ("[{},]", 1, "expected a value after the comma, found ']'"),
    ] {
        for piece in 1..text.len() {
            let options = OpenOptions::new().format(FormatName::Json);
            let found = read(&options.reader("values", Pieces(text.as_bytes(), piece)), 1);
            let (_, found_line, reason) = found.last().unwrap().clone();
            let reason = reason.unwrap_err();
            assert!(reason.starts_with(message), "{text}: {reason}");
            assert_eq!(found_line, line, "{text}");
            assert_eq!(found[0].2, Ok(serde_json::json!({})));
        }
    }
}

#[test]
fn a_value_that_is_too_long_fails_alone() {
    let text = format!("[{{}}, {{\"a\": [\"{}\"]}},\n{{}}]", "]x".repeat(300_000));
    let options = OpenOptions::new().max_record(1000);
    let found = read(&options.reader("values.json", text.as_bytes()), 5);
    let lines: Vec<_> = found
        .iter()
        .map(|(_, line, value)| (*line, value.is_ok()))
        .collect();
    assert_eq!(lines, [(1, true), (1, false), (2, true)]);
    assert!(
        found[1]
            .2
            .clone()
            .unwrap_err()
            .starts_with("expected a record of at most 1000")
    );
}

#[test]
fn files_that_hold_a_document_are_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lines) = (folder.path().join("r.json"), folder.path().join("r.jsonl"));
    std::fs::write(&path, "{\n \"text\": \"one\"\n}\n{\"text\": \"two\"}\n").unwrap();
    std::fs::write(&lines, "{\"text\": \"three\"}\n").unwrap();
    let source = OpenOptions::new().open(&[&path, &lines]).unwrap();
    let TextSource::Stream(stream) = &source else {
        panic!("a document is read from its beginning");
    };
    let texts: Vec<_> = read(stream, 9)
        .into_iter()
        .map(|(_, line, value)| (line, value.unwrap()["text"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [(1, "one"), (4, "two"), (1, "three")];
    assert_eq!(texts, expected.map(|(line, text)| (line, text.to_owned())));
    let formats: Vec<_> = source.files().iter().map(|file| file.format).collect();
    assert_eq!(
        formats,
        [Some(FormatName::Json), Some(FormatName::JsonLines)]
    );
    let texts = Texts::read(&path, "text").unwrap();
    assert_eq!((texts.len(), texts.line(1)), (2, 4));
    let error = TextFiles::open([&path]).unwrap_err().to_string();
    assert!(error.contains("r.json: is a JSON document"), "{error}");
}
