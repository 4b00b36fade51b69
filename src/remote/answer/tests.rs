//! Tests of how the lines of a program are understood.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn number(number: f64) -> AnswerValue {
    AnswerValue::Number(number)
}

fn text(text: &str) -> AnswerValue {
    AnswerValue::Text(text.into())
}

fn json(json: &str) -> AnswerValue {
    AnswerValue::Json(json.into())
}

/// The values of an answer. Their text tells apart numbers that are equal or cannot be compared, such as 0 and -0, and
/// NaN.
fn shown(values: impl IntoIterator<Item = (String, AnswerValue)>) -> String {
    format!("{:?}", values.into_iter().collect::<Vec<_>>())
}

#[track_caller]
fn assert_values<const N: usize>(line: &str, expected: [(&str, AnswerValue); N]) {
    let answer = parse(line.as_bytes()).unwrap().unwrap();
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(shown(answer.into_values()), shown(expected), "{line}");
}

#[track_caller]
fn assert_failed(line: &str, reason: &str) {
    assert_eq!(parse(line.as_bytes()), Ok(Err(reason.to_owned())), "{line}");
}

#[track_caller]
fn assert_bad(line: &[u8], found: &str) {
    let message = format!(
        "expected one JSON value on the line, found {found}; \
         the program must write everything else to its standard error"
    );
    assert_eq!(parse(line), Err(BadAnswer(message)));
}

#[test]
fn bare_values_have_names() {
    for (line, expected) in [
        ("0.5", 0.5),
        (" -0\r\n", -0.0),
        ("1e3\r", 1_000.0),
        ("0.1000000000000000055511151231257827", 0.1),
        ("18446744073709551617", 18_446_744_073_709_551_616.0),
        ("1e-999", 0.0),
        ("NaN", f64::NAN),
        ("Infinity", f64::INFINITY),
        ("\t-Infinity ", f64::NEG_INFINITY),
    ] {
        assert_values(line, [("score", number(expected))]);
    }
    assert_values(r#""""#, [("label", text(""))]);
    assert_values(r#" "a\"\u00e9\n" "#, [("label", text("a\"é\n"))]);
    assert_values(r#""NaN""#, [("label", text("NaN"))]);
    assert_values("null", []);
    assert_values("{}", []);
}

#[test]
fn members_are_values() {
    assert_values(
        r#"{"b": 1, "a": "x", "": true, "list": [1, {"y": null}], "o":{"z":1.50}, "none": null}"#,
        [
            ("b", number(1.0)),
            ("a", text("x")),
            ("", json("true")),
            ("list", json(r#"[1, {"y": null}]"#)),
            ("o", json(r#"{"z":1.50}"#)),
        ],
    );
    assert_values(
        r#"{"nan": NaN, "up":Infinity, "down": -Infinity, "l": [NaN, "NaN"], "t": "NaN", "n": 1.50}"#,
        [
            ("nan", number(f64::NAN)),
            ("up", number(f64::INFINITY)),
            ("down", number(f64::NEG_INFINITY)),
            ("l", json(r#"[null, "NaN"]"#)),
            ("t", text("NaN")),
            ("n", number(1.5)),
        ],
    );
    // JSON that is kept is not text yet, so half of a surrogate pair may stay in it.
    assert_values(r#"{"a":["\ud83d"]}"#, [("a", json(r#"["\ud83d"]"#))]);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_values(&deep, [("a", json(&deep[5..deep.len() - 1]))]);
}

#[test]
fn the_last_value_of_a_repeated_name_counts() {
    assert_values(
        r#"{"a":1,"b":2,"c":3,"a":"x","b":null,"d":null,"d":4}"#,
        [("a", text("x")), ("c", number(3.0)), ("d", number(4.0))],
    );
    assert_values(r#"{"a":1,"error":"x","error":null}"#, [("a", number(1.0))]);
    assert_failed(r#"{"error":null,"error":"x"}"#, "x");
    let members: Vec<_> = (0..100).map(|n| format!("\"n{}\":{n}", n % 40)).collect();
    let answer: ProgramAnswer = format!("{{{}}}", members.join(",")).parse().unwrap();
    let last = |n: usize| if n < 20 { n + 80 } else { n + 40 };
    let expected = (0..40).map(|n| (format!("n{n}"), number(last(n) as f64)));
    assert_eq!(shown(answer.into_values()), shown(expected));
}

#[test]
fn a_program_refuses_a_record() {
    for (line, reason) in [
        (r#"{"error": "no \"French\""}"#, "no \"French\""),
        (r#"{"score": 1, "error": "late"}"#, "late"),
        (r#"{"error": {"code": 3}}"#, r#"{"code": 3}"#),
        (r#"{"error": [NaN]}"#, "[NaN]"),
        (r#"{"error": false}"#, "false"),
        (r#"{"error": "\ud83d"}"#, r#""\ud83d""#),
        (
            r#"{"error": " "}"#,
            "the answer has an empty text as its error",
        ),
        // The reason of the program comes first.
        (r#"{"score": 1e999, "error": "late"}"#, "late"),
    ] {
        assert_failed(line, reason);
    }
}

#[test]
fn values_that_are_no_answer_fail_the_record() {
    for (line, found) in [
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("[1, NaN]", "a list"),
    ] {
        let reason = format!("expected a number, a text or an object of them, found {found}");
        assert_failed(line, &reason);
    }
    for line in [
        "1e999",
        r#"{"score":1e999,"score":1}"#,
        r#"{"x":NaN,"score":1e999}"#,
    ] {
        let expected = "expected a number from -1.8e308 to 1.8e308";
        let reason = format!("{expected} in the answer's \"score\", found 1e999");
        assert_failed(line, &reason);
    }
    for line in [r#""\ud83d""#, r#"{"label":"\ud83d"}"#] {
        let reason =
            "expected text in the answer's \"label\", found half of a surrogate pair: \"\\ud83d\"";
        assert_failed(line, reason);
    }
    let reason = "expected text as names in the answer, found half of a surrogate pair";
    assert_failed(r#"{"a":1,"\udc00":2}"#, reason);
    let name = |length: usize| format!(r#"{{"{}":1}}"#, "x".repeat(length));
    assert!(parse(name(1_000).as_bytes()).unwrap().is_ok());
    let reason = format!(
        "expected names of at most 1000 bytes in the answer, found one of 1001: \"{}…\"",
        "x".repeat(60)
    );
    assert_failed(&name(1_001), &reason);
}

#[test]
fn lines_that_are_not_one_json_value_are_bad() {
    for (line, found) in [
        ("", "an empty line"),
        (" \r\n", "an empty line"),
        ("loading the model", "`loading the model`"),
        ("0.5 0.6", "`0.5 0.6`"),
        ("1 NaN", "`1 NaN`"),
        (r#"{"a":1}{"a":2}"#, r#"`{"a":1}{"a":2}`"#),
        (r#"{"a":1"#, r#"`{"a":1`"#),
        (r#"{"a":NaN"#, r#"`{"a":NaN`"#),
        ("{'a':1}", "`{'a':1}`"),
        ("nan", "`nan`"),
        ("+1", "`+1`"),
        ("01", "`01`"),
        ("1.", "`1.`"),
        ("True", "`True`"),
        ("nul", "`nul`"),
        ("\"a", "`\"a`"),
        ("\"a\tb\"", "`\"a\\u{9}b\"`"),
        ("\u{feff}1", "`\\u{feff}1`"),
        ("\u{1b}[31m", "`\\u{1b}[31m`"),
        ("\u{a0}1", "`\u{a0}1`"),
    ] {
        assert_bad(line.as_bytes(), found);
    }
    assert_bad(b"\"caf\xe9\"", "text that is not UTF-8: `\"caf\u{fffd}\"`");
    assert_bad("ä".repeat(61).as_bytes(), &format!("`{}…`", "ä".repeat(60)));
    assert_bad("ä".repeat(60).as_bytes(), &format!("`{}`", "ä".repeat(60)));
}

#[test]
fn a_list_answers_for_several_records() {
    let said = parse_list(
        br#"[0.5, {"error": "x"}, null, "a", NaN, {"b": [Infinity]}, []]"#,
        7,
    );
    let answer = |name, value| Ok(ProgramAnswer::of(name, value));
    let said = said.unwrap();
    let expected: [Said; 4] = [
        answer("score", number(0.5)),
        Err("x".into()),
        Ok(ProgramAnswer::default()),
        answer("label", text("a")),
    ];
    assert_eq!(said[..4], expected);
    assert!(said[4].as_ref().unwrap().score().unwrap().is_nan());
    assert_eq!(said[5], answer("b", json("[null]")));
    assert!(said[6].is_err());
    assert_eq!(
        parse_list(b"[1]\r", 1),
        Ok(vec![answer("score", number(1.0))])
    );
    assert_eq!(parse_list(b"[]", 0), Ok(vec![]));
}

#[test]
fn a_list_of_another_length_is_bad() {
    for (line, records, found) in [
        ("[1,2]", 3, "2 answers"),
        ("[1,2]", 1, "2 answers"),
        ("[NaN]", 0, "1 answer"),
        ("0.5", 2, "`0.5`"),
        ("[1,2] 3", 2, "`[1,2] 3`"),
        (r#"{"error":"x"}"#, 2, r#"`{"error":"x"}`"#),
        ("", 2, "an empty line"),
    ] {
        let message = format!(
            "expected a JSON list on the line, with one answer for each of {records} records, found {found}; \
             the program must write everything else to its standard error"
        );
        assert_eq!(
            parse_list(line.as_bytes(), records),
            Err(BadAnswer(message))
        );
    }
}

#[test]
fn an_answer_gives_its_values() {
    let answer: ProgramAnswer = r#"{"score":1,"a":"x","b":[]}"#.parse().unwrap();
    assert_eq!((answer.score(), answer.number("a")), (Some(1.0), None));
    assert_eq!((answer.text("a"), answer.text("score")), (Some("x"), None));
    assert_eq!(
        (answer.get("b"), answer.get("c")),
        (Some(&json("[]")), None)
    );
    let names: Vec<_> = answer.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["score", "a", "b"]);
    assert!("oops".parse::<ProgramAnswer>().is_err());
}

/// Any value of JSON.
fn value() -> impl Strategy<Value = Value> {
    let number = any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number.prop_map(Value::from),
        "(?s).{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 24, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-cé\"\\\\]{0,2}", inner, 0..24).prop_map(
                |members| members
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            ),
        ]
    })
}

/// What a value of JSON says of a record, without the reason if it says that the record failed.
fn meaning(value: &Value) -> Option<Vec<(String, AnswerValue)>> {
    let one = |value: &Value| match value {
        Value::Number(written) => Some(number(written.as_f64().unwrap())),
        Value::String(written) => Some(text(written)),
        Value::Null => None,
        other => Some(json(&other.to_string())),
    };
    let bare = |name: &str| Some(vec![(name.to_owned(), one(value)?)]);
    match value {
        Value::Null => Some(Vec::new()),
        Value::Number(_) => bare("score"),
        Value::String(_) => bare("label"),
        Value::Object(members) => {
            let values = members.iter();
            Some(
                values
                    .filter_map(|(name, value)| Some((name.clone(), one(value)?)))
                    .collect(),
            )
        }
        _ => None,
    }
}

proptest! {
    #[test]
    fn every_value_of_json_has_its_meaning(value in value()) {
        let values = parse(value.to_string().as_bytes()).unwrap().ok().map(ProgramAnswer::into_values);
        prop_assert_eq!(values, meaning(&value));
    }

    #[test]
    fn a_list_means_what_its_values_mean(values in proptest::collection::vec(value(), 0..6)) {
        let said = parse_list(Value::from(values.clone()).to_string().as_bytes(), values.len());
        let alone = values.iter().map(|value| parse(value.to_string().as_bytes()).unwrap());
        prop_assert_eq!(said.unwrap(), alone.collect::<Vec<_>>());
    }

    /// A line is an answer or a failure exactly if it is JSON, apart from numbers that are not finite.
    #[test]
    fn only_json_is_an_answer(line in r#"[\[\]{}",:a1.e\\ -]{0,8}"#) {
        prop_assert_eq!(parse(line.as_bytes()).is_ok(), serde_json::from_str::<&RawValue>(&line).is_ok());
    }

    #[test]
    fn no_line_causes_a_panic(line in proptest::collection::vec(any::<u8>(), 0..40), records in 0_usize..4) {
        let _ = (parse(&line), parse_list(&line, records));
    }

    /// Numbers that are not finite are found among any other text that looks like them.
    #[test]
    fn lines_with_words_cause_no_panic(line in r#"([\[\]{},:"]|NaN|-?Infinity|é|"a"|1e999|\\){0,9}"#) {
        let _ = (parse(line.as_bytes()), parse_list(line.as_bytes(), 1));
    }
}
