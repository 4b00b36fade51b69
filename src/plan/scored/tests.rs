//! The result for a record whose cells come from elsewhere, and the line with which the record is sent.

use std::sync::Arc;

use super::*;
use crate::dataset::OpenOptions;
use crate::plan::{AnyScorer, ExecOptions};

fn plan(send: SendAs) -> Plan {
    let mut options = ExecOptions::new(["unused"]);
    options.send = send;
    let mut plan = Plan::new(["unused"]);
    plan.scorer = AnyScorer::from(options);
    plan
}

fn assembly(plan: &Plan) -> ScoredAssembly {
    ScoredAssembly::new(plan, &plan.selected(), Arc::new(Thresholds::new(plan.top)))
}

fn cells(score: f64) -> Cells {
    let found = vec![("score".to_owned(), Cell::Number(score))];
    Cells::from(Vec::new()).with_found(found)
}

#[test]
fn a_record_gets_its_group_its_kept_fields_and_the_text_to_show() {
    let mut plan = plan(SendAs::Json);
    plan.by = vec!["kind".to_owned()];
    plan.keep = vec!["id".to_owned()];
    let json = r#"{"id":7,"kind":"x","text":"a \"good\" one"}"#;
    let scored = assembly(&plan).with_cells(&TextRecord::json(json), cells(2.5));
    let scored = scored.expect("a score");
    assert_eq!(scored.main(), Some(2.5));
    assert_eq!(scored.found(), [("score".to_owned(), Cell::Number(2.5))]);
    assert_eq!(scored.group(), Some(vec![Some("x".to_owned())]));
    let kept: Vec<_> = scored.kept.iter().collect();
    assert_eq!(kept, [FieldValue::Json("7".into())]);
    let shown = &scored.candidate.expect("one of the best").text;
    assert_eq!(shown, "a \"good\" one");
}

#[test]
fn whole_records_need_no_text_and_are_shown_as_json_without_one() {
    for send in ["json", "array:8"] {
        let assembly = assembly(&plan(send.parse().expect("a way")));
        for (json, shown) in [
            (r#"{"title":"Ulm"}"#, r#"{"title":"Ulm"}"#),
            (r#"{"text":null,"n":1}"#, r#"{"text":null,"n":1}"#),
            (r#"{"text":[1,2]}"#, "[1,2]"),
            (r#"{"text":""}"#, ""),
        ] {
            let scored = assembly.with_cells(&TextRecord::json(json), cells(1.0));
            let scored = scored.unwrap_or_else(|error| panic!("{json}: {error:?}"));
            assert_eq!(scored.candidate.expect("one of the best").text, shown);
        }
    }
}

#[test]
fn a_value_cannot_have_the_name_of_another() {
    let mut plan = plan(SendAs::Json);
    plan.keep = vec!["score".to_owned()];
    let scored = assembly(&plan).with_cells(&TextRecord::json(r#"{"score":3}"#), cells(1.0));
    let Err(NotScored::Bad(bad)) = scored else {
        panic!("{scored:?}")
    };
    let message = "the scorer gives a value named \"score\", but a line of scores has that name already; give the \
                   value another name";
    assert_eq!(bad.message, message);
}

#[test]
fn a_record_is_sent_whole_or_as_its_text() {
    let json = r#"{"text":"two\nlines \\ é","title":"x"}"#;
    let record = TextRecord::json(json);
    for send in [SendAs::Json, "array:8".parse().expect("a way")] {
        let line = assembly(&plan(send)).line(&record, send);
        assert_eq!(line.expect("a line"), json);
    }
    let mut plan = plan(SendAs::Text);
    let line = |plan: &Plan, json| {
        let record = TextRecord::json(json);
        assembly(plan)
            .line(&record, SendAs::Text)
            .map(Cow::into_owned)
    };
    assert_eq!(line(&plan, json).expect("a line"), r"two\nlines \\ é");
    for (missing, expected) in [
        (None, "expected a text in field \"text\", found no value"),
        (Some(Missing::Skip), "no value in field \"text\""),
    ] {
        plan.missing = missing;
        let message = match line(&plan, r#"{"text":null}"#) {
            Err(NotScored::Bad(bad)) => bad.message,
            Err(NotScored::Skipped(skipped)) => skipped.reason,
            Ok(line) => panic!("{line:?}"),
        };
        assert_eq!(message, expected);
    }
    plan.missing = Some(Missing::Empty);
    assert_eq!(line(&plan, r#"{"text":null}"#).expect("a line"), "");
}

#[test]
fn a_table_needs_no_column_for_the_text_if_records_are_sent_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("in.csv", "a,b\n1,2\n"), ("in.txt", "a,b\n")] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        for (send, opens) in [(SendAs::Json, true), (SendAs::Text, false)] {
            let mut plan = plan(send);
            plan.fields = vec!["c".to_owned()];
            let options = OpenOptions::new().fields(plan.selected());
            assert_eq!(options.open(&[&path]).is_ok(), opens, "{name} {send}");
        }
    }
}
