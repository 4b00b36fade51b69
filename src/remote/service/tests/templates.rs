//! Tests of the bodies of calls.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dataset::TextRecord;
use crate::error::FailureKind;
use crate::remote::BodyTemplate;
use crate::remote::service::body::whole;

fn template(text: &str) -> BodyTemplate {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn filled(text: &str, record: &str) -> String {
    let body = template(text).fill(&TextRecord::json(record)).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn fields_are_filled_in_as_values_and_as_texts() {
    let record = r#"{"text": "a \"b\"\n\u0041", "n": 4.50, "list": ["x", 1], "user": {"id": 7}, "nan": NaN, "yes": true}"#;
    for (text, expected) in [
        (r#"{"t": {{text}}}"#, r#"{"t": "a \"b\"\n\u0041"}"#),
        (r#"{"t": "<{{ text }}>"}"#, r#"{"t": "<a \"b\"\nA>"}"#),
        (r#"{"n":{{n}},"s":"{{n}}"}"#, r#"{"n":4.50,"s":"4.50"}"#),
        (r#"[{{list}}, "{{list}}"]"#, r#"[["x", 1], "[\"x\", 1]"]"#),
        (r#"{"a":{"b":{{user.id}}}}"#, r#"{"a":{"b":7}}"#),
        (r#"[{{/list/1}},{{yes}},{{nan}}]"#, "[1,true,null]"),
        (r#"{"{{n}}": "{{n}}{{n}}\\"}"#, r#"{"4.50": "4.504.50\\"}"#),
        ("{{text}}", r#""a \"b\"\n\u0041""#),
        (
            r#"{"t": "\u007b\u007btext}}"}"#,
            r#"{"t": "\u007b\u007btext}}"}"#,
        ),
        ("5", "5"),
    ] {
        assert_eq!(filled(text, record), expected, "{text}");
    }
    let names: Vec<_> = template(r#"["{{b}}", {{ a }}, {{b}}]"#)
        .fields()
        .map(str::to_owned)
        .collect();
    assert_eq!(names, ["b", "a", "b"]);
}

#[test]
fn templates_that_are_no_json_are_refused_with_the_place() {
    for (text, expected) in [
        ("", "expected JSON once the fields are filled in"),
        ("{\"a\": {{b}}", "line 1, column 11: "),
        ("{\n \"a\": x{{b}}}", "line 2, column 7: "),
        ("{\"a\": -{{b}}}", "line 1, column 8: "),
        ("{{a}}{{b}}", "line 1, column 6: "),
        ("{{a}}\"x\"", "line 1, column 6: "),
        ("{ {{a}}: 1}", "line 1, column 3: "),
        ("\"a\\{{b}}\"", "invalid escape"),
        (
            "{\"a\":\n  {{b}",
            "line 2, column 3: expected a field such as {{text}}, found {{ without }}",
        ),
        (
            "{\"a\": {{ }}}",
            "line 1, column 7: expected the name of a field",
        ),
        ("é {{", "line 1, column 4: "),
        ("\"{{a}}\" \"", "line 1, column 9: "),
    ] {
        let error = text.parse::<BodyTemplate>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn a_field_without_a_value_fails_the_record() {
    let template = template(r#"{"a": {{a}}, "b": "-{{b}}-"}"#);
    for (record, expected) in [
        (r#"{"a": 1}"#, "expected a field \"b\""),
        (
            r#"{"a": 1, "b": null}"#,
            "expected a value in field \"b\", found no value",
        ),
        (
            r#"{"b": "x", "a": null}"#,
            "expected a value in field \"a\", found no value",
        ),
    ] {
        let bad = template.fill(&TextRecord::json(record)).unwrap_err();
        assert!(bad.message.contains(expected), "{bad}");
        assert_eq!(bad.kind, FailureKind::Missing);
    }
    let half = TextRecord::json(r#"{"a": 1, "b": "\ud800"}"#);
    let error = template.fill(&half).unwrap_err().to_string();
    assert!(error.contains("half a surrogate pair"), "{error}");
    assert!(template.fill(&TextRecord::json("{\"a\": ")).is_err());
}

#[test]
fn whole_records_are_json() {
    for (record, expected) in [
        (r#"{"a": 1}"#, Some(r#"{"a": 1}"#)),
        (
            r#"{"a": NaN, "b": "NaN"}"#,
            Some(r#"{"a": null, "b": "NaN"}"#),
        ),
        (r#"{"a": 1"#, None),
        ("", None),
    ] {
        let json = whole(&TextRecord::json(record));
        assert_eq!(json.ok().as_deref(), expected, "{record}");
    }
}

#[test]
fn a_template_is_written_as_it_was_read() {
    let text = r#"{"t":  "{{ text }}" }"#;
    let json = serde_json::to_string(&template(text)).unwrap();
    assert_eq!(
        serde_json::from_str::<BodyTemplate>(&json).unwrap(),
        template(text)
    );
    assert_eq!(template(text).to_string(), text);
    assert!(serde_json::from_str::<BodyTemplate>("\"{\"").is_err());
}

proptest! {
    #[test]
    fn every_text_arrives_unchanged(text in any::<String>(), around in any::<String>()) {
        let record = json!({"f": text, "n": [text]}).to_string();
        let around_json = serde_json::to_string(&around.replace("{{", "")).unwrap();
        let inside = &around_json[1..around_json.len() - 1];
        let filled = filled(&format!(r#"{{"v": {{{{f}}}}, "s": "{inside}|{{{{f}}}}|{{{{n}}}}"}}"#), &record);
        let body: Value = serde_json::from_str(&filled).unwrap();
        if text.is_empty() {
            // An empty string of JSON is a value.
            prop_assert_eq!(&body["v"], "");
        }
        prop_assert_eq!(&body["v"], &text);
        let n = serde_json::to_string(&[&text]).unwrap();
        prop_assert_eq!(body["s"].as_str().unwrap(), format!("{}|{text}|{n}", around.replace("{{", "")));
    }

    #[test]
    fn no_template_panics(template in r#"[{}"\\a \n:,]{0,20}"#, record in any::<String>()) {
        if let Ok(template) = template.parse::<BodyTemplate>() {
            let _ = template.fill(&TextRecord::json(&record));
            let body = template.fill(&TextRecord::json(r#"{"a": "\"x", ":": 5, ",": "\\"}"#));
            if let Ok(body) = body {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok());
            }
        }
    }
}
