//! Fields are found by exact names, by paths and by the numbers of columns.

use std::ops::ControlFlow;

use manyhands::dataset::{FieldValue, Fields, TextStream};
use manyhands::prelude::*;

/// The values of these fields in the JSON record, where `None` is no field.
fn json(record: &str, names: &[&str]) -> Vec<Option<String>> {
    let fields = Fields::new(names.iter().copied(), [""; 0]);
    let values = fields.of(&TextRecord::json(record)).unwrap();
    let value = |place| match values.get(place) {
        FieldValue::Json(json) => Some(json.to_string()),
        FieldValue::NotJson(json) => Some(format!("not JSON: {json}")),
        _ => None,
    };
    (0..names.len()).map(value).collect()
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    let value = |value: &&str| (!value.is_empty()).then(|| (*value).to_owned());
    values.iter().map(value).collect()
}

#[test]
fn an_exact_name_comes_before_a_path() {
    let record = r#"{"user.text": 1, "user": {"text": 2, "a/b": 3}, "/user/text": 4, "list": [5, {"x": 6}]}"#;
    let names = [
        "user.text",
        "/user/text",
        "user.a/b",
        "/user/a~1b",
        "list.1.x",
        "/list/0",
        "user",
        "user.none",
        "/list/2",
        "list.x",
        "user.text",
        "1",
    ];
    let user = r#"{"text": 2, "a/b": 3}"#;
    let expected = ["1", "4", "3", "3", "6", "5", user, "", "", "", "1", ""];
    assert_eq!(json(record, &names), some(&expected));
}

#[test]
fn of_several_fields_with_one_name_the_last_one_counts() {
    let record = r#"{"a": {"b": 1, "b": 2}, "c": 3, "a": {"b": 4}, "c": 5}"#;
    assert_eq!(json(record, &["a.b", "c"]), some(&["4", "5"]));
    let record = r#"{"a": {"b": 1}, "a": 7}"#;
    assert_eq!(json(record, &["a.b"]), some(&[""]));
    // The field with the exact name counts even if it has no value.
    let record = r#"{"a": {"b": 1}, "a.b": null}"#;
    assert_eq!(json(record, &["a.b"]), some(&["null"]));
}

#[test]
fn numbers_that_are_not_finite_are_read_past() {
    let record = r#"{"x": NaN, "text": "NaN, \"Infinity\"", "y": [1, -Infinity], "z": {"i": Infinity}, "n": 1.50}"#;
    let expected = [
        r#""NaN, \"Infinity\"""#,
        "1.50",
        "not JSON: NaN",
        "not JSON: [1, -Infinity]",
        "not JSON: Infinity",
    ];
    assert_eq!(
        json(record, &["text", "n", "x", "y", "z.i"]),
        some(&expected)
    );
    for broken in [
        r#"{"x": NaN1}"#,
        r#"{"x": nan}"#,
        r#"{NaN: 1}"#,
        r#"{"x": NaN"#,
    ] {
        let fields = Fields::new(["text"], [""; 0]);
        let bad = fields.of(&TextRecord::json(broken)).unwrap_err();
        assert!(bad.message.contains("found a broken one"), "{bad}");
    }
}

#[test]
fn several_texts_and_lists_of_texts_are_joined_by_line_ends() {
    let text = |names: &[&str], record: &str| {
        let fields = Fields::new(names.iter().copied(), ["unused"]);
        let values = fields.of(&TextRecord::json(record)).unwrap();
        values.text().map(|text| text.into_owned())
    };
    let record = r#"{"title": "One\ttwo", "body": ["three", "four"], "none": [], "mixed": ["x", 1], "null": null}"#;
    assert_eq!(
        text(&["title", "body"], record).unwrap(),
        "One\ttwo\nthree\nfour"
    );
    assert_eq!(text(&["body"], record).unwrap(), "three\nfour");
    assert_eq!(text(&["none", "title"], record).unwrap(), "\nOne\ttwo");
    let message = "expected a string in field \"mixed\", found an array";
    assert_eq!(
        text(&["title", "mixed"], record).unwrap_err().message,
        message
    );
    let message = "expected a text in field \"null\", found no value";
    assert_eq!(
        text(&["title", "null"], record).unwrap_err().message,
        message
    );
}

/// The text and the other values of each record of a table.
fn table(
    content: &str,
    texts: &[&str],
    others: &[&str],
) -> Vec<(String, Vec<Option<String>>, String)> {
    let fields = Fields::new(texts.iter().copied(), others.iter().copied());
    let options = manyhands::dataset::OpenOptions::new().fields(fields.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, content).unwrap();
    let stream = options.stream(&[&path]).unwrap();
    let mut found = Vec::new();
    while let Some(_waited) = stream
        .take(10, |_, record| {
            let record = record.unwrap();
            let values = fields.of(record).unwrap();
            let value = |place| match values.get(place) {
                FieldValue::Text(text) => Some(text.to_string()),
                _ => None,
            };
            let others = (texts.len()..texts.len() + others.len()).map(value);
            let text = values.text().unwrap().into_owned();
            found.push((
                text,
                others.collect(),
                record.to_json().unwrap().into_owned(),
            ));
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    found
}

#[test]
fn columns_are_found_by_name_or_number() {
    let content = "2,text,\"a,b\",empty\nx,\"say \"\"hi\"\"\",z,\n";
    let found = table(
        content,
        &["text", "3"],
        &["2", "a,b", "none", "4", "9", "3", "1"],
    );
    let others = vec![
        Some("x".to_owned()),
        Some("z".to_owned()),
        None,
        Some(String::new()),
        None,
        Some("z".to_owned()),
        Some("x".to_owned()),
    ];
    // A worker process finds the columns by their numbers too.
    let json =
        r#"{"2":"x","text":"say \"hi\"","a,b":"z","empty":null,"1":"x","3":"z","3":"z","4":null}"#;
    assert_eq!(
        found,
        [("say \"hi\"\nz".to_owned(), others, json.to_owned())]
    );
}

#[test]
fn fields_other_than_those_announced_are_found_too() {
    let stream = TextStream::new("r.csv", &b"a,b\n1,2\n"[..]);
    let fields = Fields::new(["b"], ["1"]);
    let mut found = Vec::new();
    let taken = stream.take(1, |_, record| {
        let record = record.unwrap();
        let values = fields.of(record).unwrap();
        found = (0..2)
            .map(|place| values.get(place).as_text().unwrap().into_owned())
            .collect();
        ControlFlow::Break(())
    });
    assert!(taken.unwrap().is_some());
    assert_eq!(found, ["2", "1"]);
}
