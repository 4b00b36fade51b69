//! Tests of what is read in answers.

use proptest::prelude::*;

use crate::remote::service::reading::{AnswerReader, ReadAnswer, Unfit};
use crate::remote::{AnswerValue, Expect, JsonPointer, Pick, ServiceBudget, ServiceOptions};

fn reader(picks: &[&str], expects: &[&str], budget: Option<&str>) -> AnswerReader {
    let mut options = ServiceOptions::new("https://example.com/");
    options.picks = picks.iter().map(|pick| pick.parse().unwrap()).collect();
    options.expects = expects
        .iter()
        .map(|expect| expect.parse().unwrap())
        .collect();
    options.budget = budget.map(|budget| budget.parse().unwrap());
    AnswerReader::new(&options)
}

fn one(pick: &str, body: &str) -> Result<AnswerValue, String> {
    match reader(&[pick], &[], None).read(body.as_bytes()).answer {
        Ok(answer) => Ok(answer.iter().next().unwrap().1.clone()),
        Err(Unfit::Unexpected(reason)) => Err(reason),
        Err(Unfit::Refused(refused)) => panic!("{refused}"),
    }
}

fn text(text: &str) -> AnswerValue {
    AnswerValue::Text(text.into())
}

fn json(json: &str) -> AnswerValue {
    AnswerValue::Json(json.into())
}

const CHAT: &str = r#"{
  "id": "chatcmpl-1", "object": "chat.completion",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": "```json\n{\"label\": \"good\", \"p\": 0.25}\n```"}}],
  "usage": {"prompt_tokens": 56, "completion_tokens": 31, "total_tokens": 87}
}"#;

#[test]
fn values_are_picked_by_pointers() {
    use AnswerValue::Number;
    for (pick, body, expected) in [
        ("l=/choices/0/message/content#/label", CHAT, text("good")),
        ("p=/choices/0/message/content#/p", CHAT, Number(0.25)),
        ("u=/usage", r#"{"usage": {"a":  1}}"#, json(r#"{"a":  1}"#)),
        ("x=/a~1b/~0", r#"{"a/b": {"~": "y"}}"#, text("y")),
        ("x=/a", r#"{"a": 1, "a": 2, "b": 3}"#, Number(2.0)),
        ("x=/1/0", "[0, [true]]", json("true")),
        ("x=/", r#"{"": 5}"#, Number(5.0)),
        ("x=", "\"whole\"", text("whole")),
        ("x=#", "\"7\"", Number(7.0)),
        ("x=/s#", r#"{"s": " 7.5 "}"#, Number(7.5)),
        (
            "x=/s#/a#/b",
            r#"{"s": "{\"a\": \"{\\\"b\\\": 3}\"}"}"#,
            Number(3.0),
        ),
        (
            "x=/a",
            r#"{"b": NaN, "a": -Infinity}"#,
            Number(f64::NEG_INFINITY),
        ),
        (
            "x=/s#/a",
            r#"{"s": "{\"a\": Infinity}"}"#,
            Number(f64::INFINITY),
        ),
        ("x=/s#", r#"{"s": "```\n[1]\n```"}"#, json("[1]")),
        ("x=/s#", r#"{"s": "```5```"}"#, Number(5.0)),
        ("x=/s#", r#"{"s": "```{\"a\": 1}```"}"#, json("{\"a\": 1}")),
    ] {
        assert_eq!(one(pick, body).as_ref(), Ok(&expected), "{pick}");
    }
}

#[test]
fn a_missing_value_says_what_the_answer_has_instead() {
    for (pick, body, expected) in [
        (
            "l=/choices/0/message/content",
            r#"{"error": {"message": "no"}}"#,
            "expected a value for \"l\" at /choices/0/message/content in the answer, but the answer is an object with \"error\"",
        ),
        (
            "l=/choices/0/message",
            r#"{"choices": []}"#,
            "but /choices is an empty list",
        ),
        (
            "l=/choices/01",
            r#"{"choices": [1, 2]}"#,
            "but /choices is a list with 2 values",
        ),
        (
            "l=/choices/-",
            r#"{"choices": [1]}"#,
            "but /choices is a list with 1 value",
        ),
        ("l=/a", r#"{"a": null}"#, "but /a is null"),
        ("l=/a/b", r#"{"a": "text"}"#, "but /a is the text \"text\""),
        ("l=/a/b", r#"{"a": 5}"#, "but /a is 5"),
        (
            "l=/a#/b",
            r#"{"a": 5}"#,
            "at /a#/b in the answer, but /a is 5, not a text that holds JSON",
        ),
        (
            "l=/a#/b",
            r#"{"a": "no"}"#,
            "but /a is a text that is not JSON: `no`",
        ),
        (
            "l=/a#/b",
            r#"{"a": "{}"}"#,
            "but the answer is an object without members",
        ),
        ("l=/a", "no", "expected JSON in the answer, found `no`"),
        ("l=/a", "", "expected JSON in the answer, found nothing"),
        (
            "l=/a",
            "{} {}",
            "expected JSON in the answer, found `{} {}`",
        ),
        ("l=/a", "[\u{1b}]", "found `[\\u{1b}]`"),
    ] {
        let error = one(pick, body).unwrap_err();
        assert!(error.contains(expected), "{pick} {body}: {error}");
    }
    let many: Vec<String> = (0..10).map(|n| format!("\"k{n}\": 0")).collect();
    let error = one("x=/y", &format!("{{{}}}", many.join(","))).unwrap_err();
    assert!(error.contains("\"k7\" and 2 more members"), "{error}");
}

#[test]
fn without_picks_an_answer_is_read_as_the_line_of_a_program() {
    let read = |body: &str| reader(&[], &[], None).read(body.as_bytes()).answer;
    assert_eq!(read("0.5").unwrap().score(), Some(0.5));
    assert_eq!(read("{\"a\":\n \"x\"}\n").unwrap().text("a"), Some("x"));
    let Err(Unfit::Refused(refused)) = read(r#"{"error": "no such thing"}"#) else {
        panic!("not refused");
    };
    assert_eq!(refused.reason, "no such thing");
    assert!(matches!(read("<html>"), Err(Unfit::Unexpected(_))));
    assert!(matches!(
        reader(&[], &[], None).read(b"\xff").answer,
        Err(Unfit::Unexpected(_))
    ));
}

#[test]
fn values_must_fit_what_is_expected() {
    let check = |expect: &str, value: &str| {
        let answer = format!("{{\"x\": {value}}}").parse().unwrap();
        expect.parse::<Expect>().unwrap().check(&answer)
    };
    for (expect, fitting, unfit) in [
        (
            "x=number",
            vec!["0", "-1e300"],
            vec!["NaN", "Infinity", "\"5\"", "true", "null", "[1]"],
        ),
        ("x=text", vec!["\"\"", "\"5\""], vec!["5", "null", "{}"]),
        (
            "x=boolean",
            vec!["true", "false"],
            vec!["\"true\"", "1", "null"],
        ),
        (
            "x=0..1",
            vec!["0", "1", "0.5"],
            vec!["-0.1", "1.0001", "NaN", "\"0\"", "null"],
        ),
        ("x=-1.5..-0.5", vec!["-1"], vec!["0"]),
        (
            "x=1..",
            vec!["1", "1e9", "Infinity"],
            vec!["0.5", "-Infinity"],
        ),
        ("x=..1", vec!["1", "-1e9"], vec!["1.5"]),
        (
            "x= good | bad",
            vec!["\"good\"", "\"bad\""],
            vec!["\"Good\"", "\"good \"", "\"\"", "1"],
        ),
        ("x=1|2", vec!["\"1\""], vec!["1"]),
    ] {
        for value in fitting {
            assert_eq!(check(expect, value), Ok(()), "{expect} {value}");
        }
        for value in unfit {
            let error = check(expect, value).unwrap_err();
            assert!(error.starts_with("expected "), "{error}");
            assert!(
                error.contains(" for \"x\" in the answer, found "),
                "{error}"
            );
        }
    }
    for (expect, value, error) in [
        (
            "x=0..1",
            "1.5",
            "expected a number from 0 to 1 for \"x\" in the answer, found 1.5",
        ),
        (
            "x=a|b",
            "\"c\"",
            "expected one of a, b for \"x\" in the answer, found the text \"c\"",
        ),
        (
            "x=text",
            "null",
            "expected a text for \"x\" in the answer, found no value",
        ),
        (
            "x=number",
            "\"7\"",
            "expected a number for \"x\" in the answer, found the text \"7\"; to read a text as a number, end its --pick with #",
        ),
    ] {
        assert_eq!(check(expect, value), Err(error.to_owned()));
    }
}

#[test]
fn options_say_what_was_expected() {
    for bad in [
        "label", "=/a", " =/a", "/a=/b", "a=b", "a=/~2", "a=/b#c", "",
    ] {
        let error = bad.parse::<Pick>().unwrap_err().to_string();
        assert!(error.contains("such as"), "{bad:?}: {error}");
    }
    for bad in [
        "x", "x=", "=number", "x=numbr", "x=a||b", "x=..", "x=2..1", "x=a..b", "x=NaN..1",
        "x=0...", "",
    ] {
        let error = bad.parse::<Expect>().unwrap_err().to_string();
        assert!(error.contains("such as"), "{bad:?}: {error}");
    }
    for bad in [
        "/a",
        "a=5",
        "=5",
        "/a=",
        "/a=0",
        "/a=-5",
        "/a=1.5",
        "/a=1e400",
        "/a=99999999999999999999",
        "/a=5x",
        "/a=18446744073709551G",
        "/a=inf",
    ] {
        let error = bad.parse::<ServiceBudget>().unwrap_err().to_string();
        assert!(error.contains("such as"), "{bad:?}: {error}");
    }
    for (text, limit) in [
        ("2000000", 2_000_000),
        ("2e6", 2_000_000),
        ("1.5k", 1_500),
        ("2_000", 2_000),
        ("18446744073709551615", u64::MAX),
    ] {
        let budget: ServiceBudget = format!("/usage=x/total={text}").parse().unwrap();
        assert_eq!(
            (budget.limit(), budget.pointer().as_str()),
            (limit, "/usage=x/total")
        );
    }
}

#[test]
fn an_answer_says_what_it_costs() {
    let cost = |budget: &str, body: &str| {
        let read: ReadAnswer = reader(&["x=/none"], &[], Some(budget)).read(body.as_bytes());
        assert!(read.answer.is_err());
        read.cost
    };
    assert_eq!(cost("/usage/total_tokens=100", CHAT), Some(Ok(87)));
    assert_eq!(cost("/c=1", r#"{"c": 0.0013}"#), Some(Ok(1)));
    assert_eq!(cost("/c=1", r#"{"c": 1e300}"#), Some(Ok(u64::MAX)));
    assert_eq!(cost("/c=1", "not JSON"), None);
    for body in [
        r#"{"c": -1}"#,
        r#"{"c": "5"}"#,
        r#"{"c": null}"#,
        r#"{"c": NaN}"#,
        "{}",
        "[]",
    ] {
        let error = cost("/c=1", body).unwrap().unwrap_err();
        assert!(
            error.contains("expected a number for the budget at /c"),
            "{body}: {error}"
        );
    }
}

#[test]
fn options_with_wrong_names_are_refused() {
    let refused = |picks: &[&str], expects: &[&str], method: &str| {
        let mut options = ServiceOptions::new("https://example.com/");
        options.picks = picks.iter().map(|pick| pick.parse().unwrap()).collect();
        options.expects = expects
            .iter()
            .map(|expect| expect.parse().unwrap())
            .collect();
        options.method = method.to_owned();
        options.head(&|_| None).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&["a=/a"], &["a=number"], "put"), None);
    assert_eq!(refused(&[], &["a=number"], "POST"), None);
    for (picks, expects, method, expected) in [
        (
            &["a=/a", "a=/b"][..],
            &[][..],
            "POST",
            "\"a\" has --pick twice",
        ),
        (
            &["a=/a"],
            &["a=text", "a=number"],
            "POST",
            "\"a\" has --expect twice",
        ),
        (
            &["a=/a"],
            &["b=number"],
            "POST",
            "\"b\" has --expect but no --pick",
        ),
        (&[], &[], "HEAD", "found `HEAD`"),
        (&[], &[], "PO ST", "found `PO ST`"),
        (&[], &[], "", "found ``"),
    ] {
        let error = refused(picks, expects, method).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics(
        body in prop_oneof![any::<Vec<u8>>(), r#"[\[\]{}:,"\\a01 eNn-]{0,30}"#.prop_map(String::into_bytes)],
        pointer in "(/[a0~/1-]{0,3}){0,3}#?",
    ) {
        if let Ok(pick) = format!("x={pointer}").parse::<Pick>() {
            let reader = reader(&[&pick.to_string()], &["x=number"], Some("/a=5"));
            let _ = reader.read(&body);
        }
    }

    #[test]
    fn a_pointer_finds_what_serde_json_finds(
        value in r#"\{"a": \[[0-9](, "[a-c]{0,3}"){0,2}\], "b/~": \{"": (true|\{\}|0\.5)\}\}"#,
        pointer in "(/(a|b~1~0||0|1|2|01)){0,3}",
    ) {
        let document: serde_json::Value = serde_json::from_str(&value).unwrap();
        let expected = document.pointer(&pointer).map(|value| value.to_string());
        let pointer: JsonPointer = pointer.parse().unwrap();
        let found = crate::remote::answer::parse_body(value.as_bytes(), |json| {
            let found = pointer.find(json).ok()?;
            let found: serde_json::Value = serde_json::from_str(found.json()).ok()?;
            Some(found.to_string())
        });
        prop_assert_eq!(found.unwrap(), expected);
    }
}
