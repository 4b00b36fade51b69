//! Tests of the kinds of columns, against plain loops over all answers.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;

use proptest::prelude::*;

use super::*;

/// Reads the answers. A line that is no answer gives a record that failed.
fn outcomes(lines: &[String]) -> Vec<Result<ProgramAnswer, Cause>> {
    lines.iter().map(|line| line.parse()).collect()
}

/// The values of an answer, or the reason why there is none.
fn shown(outcome: &Result<ProgramAnswer, Cause>) -> String {
    match outcome {
        Ok(answer) => format!("{:?}", answer.iter().collect::<Vec<_>>()),
        Err(cause) => cause.to_string(),
    }
}

fn checked(kinds: &ColumnKinds, first: u64, lines: &[String]) -> Vec<String> {
    let mut outcomes = outcomes(lines);
    kinds.check(first, &mut outcomes, || false);
    outcomes.iter().map(shown).collect()
}

/// What the checks must say: each name has the kind of its value in the first answer that has one.
fn in_a_loop(lines: &[String], most: usize) -> Vec<String> {
    let mut outcomes = outcomes(lines);
    let mut columns: Vec<(String, u64, FoundKind)> = Vec::new();
    for (index, outcome) in (0..).zip(&mut outcomes) {
        let Ok(answer) = outcome else { continue };
        for (name, value) in answer.iter() {
            if columns.len() < most && columns.iter().all(|(known, ..)| known != name) {
                columns.push((name.to_owned(), index, FoundKind::of(value)));
            }
        }
        let mut wrong = None;
        for (name, value) in answer.iter_mut() {
            let Some((_, _, kind)) = columns.iter().find(|(known, ..)| known == name) else {
                wrong.get_or_insert(format!("\"{name}\" is new"));
                continue;
            };
            if *kind == FoundKind::Other {
                *value = AnswerValue::Json(json(value));
            } else if *kind != FoundKind::of(value) {
                let found = described(value);
                wrong.get_or_insert(format!(
                    "\"{name}\", found {found}: its first value is {kind}"
                ));
            }
        }
        if let Some(wrong) = wrong {
            *outcome = Err(wrong.into());
        }
    }
    outcomes.iter().map(shown).collect()
}

/// Whether each check says what the loop says. The loop leaves out words that are the same in all messages.
fn agree(found: &[String], expected: &[String]) -> bool {
    let pairs = found.iter().zip(expected);
    found.len() == expected.len()
        && pairs
            .into_iter()
            .all(|(found, expected)| match expected.strip_suffix(" is new") {
                Some(name) => found.contains("the new name") && found.contains(name),
                None => found.ends_with(expected),
            })
}

/// A line of a program, with names and kinds that often do not fit together.
fn line() -> impl Strategy<Value = String> {
    let member = (
        "[a-h]",
        prop_oneof!["[1-9]", r#""[x-z]""#, "true|false|\\[\\]|NaN"],
    );
    let members = proptest::collection::vec(member, 0..4);
    prop_oneof![
        1 => Just(r#"{"error":"refused"}"#.to_owned()),
        8 => members.prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }),
    ]
}

/// Cuts lines into blocks of these lengths, as often as needed.
fn blocks<'a>(mut lines: &'a [String], lengths: &[usize]) -> Vec<(u64, &'a [String])> {
    let (mut blocks, mut first) = (Vec::new(), 0);
    for length in lengths.iter().cycle() {
        if lines.is_empty() {
            break;
        }
        let (block, rest) = lines.split_at((*length).min(lines.len()));
        blocks.push((first, block));
        first += block.len() as u64;
        lines = rest;
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Threads take the blocks in order, and each is as fast as it happens to be.
    #[test]
    fn threads_find_what_a_loop_finds(
        lines in proptest::collection::vec(line(), 0..40),
        lengths in proptest::collection::vec(1_usize..6, 1..5),
        most in 1_usize..10,
    ) {
        let kinds = ColumnKinds::with_at_most(most);
        let blocks = Mutex::new(blocks(&lines, &lengths).into_iter());
        let work = || {
            let mut found = Vec::new();
            loop {
                // The lock is held only while the block is taken.
                let block = lock(&blocks).next();
                let Some((first, lines)) = block else { return found };
                found.extend((first..).zip(checked(&kinds, first, lines)));
            }
        };
        let found = thread::scope(|threads| {
            let threads = [0; 3].map(|_| threads.spawn(work));
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        let mut found = found;
        found.sort();
        let found: Vec<_> = found.into_iter().map(|(_, verdict)| verdict).collect();
        let expected = in_a_loop(&lines, most);
        prop_assert!(agree(&found, &expected), "{found:#?}\n{expected:#?}");
    }
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).into()
}

#[test]
fn a_value_of_another_kind_fails_its_record() {
    let kinds = ColumnKinds::default();
    let answers = lines([
        r#"{"error":"refused"}"#,
        r#"{"score":1,"label":"x","more":true}"#,
        r#"{"score":"abc"}"#,
        r#"{"label":[1]}"#,
        r#"{"label":2.5}"#,
        r#"{"score":{"a":1}}"#,
        r#"{"score":false}"#,
        r#"{"score":NaN,"more":NaN}"#,
        r#"{"score":null,"label":"y","more":"z\""}"#,
        r#"{"more":2.5}"#,
    ]);
    let number = r#"expected a number in the answer's "score", found "#;
    let text = r#"expected a text in the answer's "label", found "#;
    let is_number = "its first value is a number";
    let is_text = "its first value is a text";
    assert_eq!(
        checked(&kinds, 0, &answers),
        [
            "refused".to_owned(),
            r#"[("score", Number(1.0)), ("label", Text("x")), ("more", Json("true"))]"#.to_owned(),
            format!("{number}a text (\"abc\"): {is_number}"),
            format!("{text}a list: {is_text}"),
            format!("{text}a number (2.5): {is_text}"),
            format!("{number}an object: {is_number}"),
            format!("{number}a boolean (false): {is_number}"),
            r#"[("score", Number(NaN)), ("more", Json("null"))]"#.to_owned(),
            r#"[("label", Text("y")), ("more", Json("\"z\\\"\""))]"#.to_owned(),
            r#"[("more", Json("2.5"))]"#.to_owned(),
        ]
    );
    let mut wrong = outcomes(&answers[2..3]);
    kinds.check(10, &mut wrong, || false);
    let wrong = wrong[0].as_ref().unwrap_err().downcast_ref::<BadRecord>();
    assert_eq!(wrong.unwrap().kind, FailureKind::WrongValue);
}

#[test]
fn there_is_a_maximum_of_columns() {
    let kinds = ColumnKinds::with_at_most(2);
    let answers = lines([
        r#"{"a":1}"#,
        r#"{"b":1,"c":1}"#,
        r#"{"c":1}"#,
        r#"{"b":2,"a":2}"#,
    ]);
    let found = checked(&kinds, 0, &answers);
    let failed = "the answer has a value with the new name \"c\", but the answers before it have 2 names, which is the \
                  maximum; give values with many names as the members of one value";
    let last = r#"[("b", Number(2.0)), ("a", Number(2.0))]"#;
    assert_eq!(found, [r#"[("a", Number(1.0))]"#, failed, failed, last]);
}

#[test]
fn a_thread_with_a_new_name_waits_for_earlier_records() {
    let kinds = ColumnKinds::default();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|threads| {
        // The thread owns the sender, so the test does not hang if the thread ends without a look.
        let (kinds, looked) = (&kinds, sender);
        let later = threads.spawn(move || {
            let mut later = outcomes(&lines([r#"{"score":"x"}"#]));
            // The thread looks at this only when it has to wait.
            kinds.check(1, &mut later, || {
                let _ = looked.send(());
                false
            });
            shown(&later[0])
        });
        receiver.recv().unwrap();
        assert_eq!(
            checked(kinds, 0, &lines(["1"])),
            [r#"[("score", Number(1.0))]"#]
        );
        let later = later.join().unwrap();
        assert!(later.ends_with("its first value is a number"), "{later}");
    });
    // The kinds are settled, so a later record does not wait for the one before it.
    assert_eq!(
        checked(&kinds, 3, &lines(["2"])),
        [r#"[("score", Number(2.0))]"#]
    );
}

#[test]
fn a_stopped_thread_does_not_wait() {
    let kinds = ColumnKinds::default();
    let _ = checked(&kinds, 0, &lines(["1"]));
    let is_stopped = AtomicBool::new(false);
    let mut later = outcomes(&lines(["2", r#"{"score":"x","new":1}"#, r#"{"new":1}"#]));
    thread::scope(|threads| {
        threads.spawn(|| kinds.check(2, &mut later, || is_stopped.load(SeqCst)));
        is_stopped.store(true, SeqCst);
        kinds.interrupt();
    });
    assert_eq!(later[0].as_ref().unwrap().score(), Some(2.0));
    assert!(later[1].as_ref().unwrap_err().is::<BadRecord>());
    assert!(later[2].as_ref().unwrap_err().is::<Interrupted>());
    // No column was settled, since the record before is not known.
    assert_eq!(lock(&kinds.state).columns.len(), 1);
}

#[test]
fn names_that_never_settle_are_not_kept_once_there_are_enough_columns() {
    let kinds = ColumnKinds::with_at_most(1);
    let mut later = outcomes(&lines([r#"{"a":1,"b":1}"#]));
    kinds.check(1, &mut later, || true);
    assert_eq!(lock(&kinds.state).candidates.len(), 2);
    assert_eq!(
        checked(&kinds, 0, &lines(["1"])),
        [r#"[("score", Number(1.0))]"#]
    );
    assert_eq!(lock(&kinds.state).candidates.len(), 0);
}
