//! These tests check what is sent to a service, and what becomes of its answers.

use serde_json::{Value, json};

use super::server::{Received, Reply, Server};
use super::{call, folder, good, lines, score_of, topic_of};
use crate::{folder_with, gzip, read, write};

#[test]
fn whole_records_are_sent_and_their_answers_are_columns() {
    let server = Server::start(good);
    let folder = folder(200);
    let options = ["-o", "out.jsonl", "--json", "--by", "kind"];
    let ran = call(&folder, &server.url("/v1/score?version=2"), &options);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let expected: Vec<Value> = (0..200)
        .map(|n| json!({"record": n + 1, "score": score_of(n), "topic": topic_of(n)}))
        .collect();
    assert_eq!(lines(&read(&folder, "out.jsonl")), expected);

    let report = ran.json();
    let sum: f64 = (0..200).map(score_of).sum();
    assert_eq!(report["scores"]["score"]["sum"].as_f64(), Some(sum));
    assert_eq!(report["scores"]["topic"]["count"], 200);
    assert_eq!(report["groups"].as_array().map(Vec::len), Some(3));
    let calls = &report["calls"];
    assert_eq!(
        (&calls["calls"], &calls["limit"]),
        (&json!(200), &json!(16))
    );
    assert_eq!(calls["statuses"], json!({"200": 200}));

    let received = server.received();
    assert_eq!(received.len(), 200);
    for one in &received {
        assert_eq!(
            (one.method.as_str(), one.target.as_str()),
            ("POST", "/v1/score?version=2")
        );
        assert_eq!(one.header("content-type"), Some("application/json"));
        let n = one.n();
        let sent = json!({"n": n, "text": format!("review {n}"), "kind": format!("k{}", n % 3)});
        assert_eq!(one.json(), sent);
        let agent = one.header("user-agent").expect("a name");
        assert!(agent.starts_with("manyhands/"), "{agent}");
    }
    // Connections are used for many calls.
    assert!(server.memory().connections <= 16);
}

/// The answer of the service to each of these records, and the values that the scores file must have for it.
#[test]
fn an_answer_may_be_any_json() {
    let answers = [
        ("1.5", json!({"record": 1, "score": 1.5})),
        (
            "{\"score\":2,\"label\":\"good\",\"other\":[1,{\"a\":null}]}",
            json!({"record": 2, "score": 2.0, "label": "good", "other": [1, {"a": null}]}),
        ),
        ("null", json!({"record": 3})),
        ("\"bad\"", json!({"record": 4, "label": "bad"})),
        (" {\"score\": null}\n", json!({"record": 5, "score": null})),
    ];
    let bodies = answers.clone().map(|(answer, _)| answer);
    let server =
        Server::start(move |received| Reply::status(200).body(bodies[received.n() as usize]));
    let folder = folder(5);
    let ran = call(&folder, &server.url("/"), &["-o", "out.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for (line, (answer, expected)) in lines(&read(&folder, "out.jsonl")).iter().zip(&answers) {
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(line[name], *value, "{answer}: {line}");
        }
    }
}

/// The request and the options of the recipe for a language model.
const CHAT: [&str; 9] = [
    "--body",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Rate: {{text}}\"}],\"n\":{{n}}}",
    "--pick",
    "label=/choices/0/message/content#/label",
    "--pick",
    "score=/choices/0/message/content#/score",
    "--expect",
    "label=good|bad",
    "--expect=score=0..1",
];

#[test]
fn values_are_picked_out_of_larger_answers() {
    let server = Server::start(|received| {
        let message = match received.n() % 3 {
            0 => "{\"label\":\"good\",\"score\":0.5}",
            1 => "```json\n{\"label\": \"bad\", \"score\": 1}\n```",
            _ => " {\"score\":0,\"label\":\"good\",\"why\":\"because\"} ",
        };
        Reply::chat(message, 5)
    });
    let folder = folder(9);
    let options = [
        &CHAT[..],
        &["--method", "put", "--keep", "kind", "-o", "out.csv"],
    ]
    .concat();
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let third = "1,k0,good,0.5,,\n2,k1,bad,1.0,,\n3,k2,good,0.0,,\n";
    let scores = read(&folder, "out.csv");
    assert_eq!(
        scores.lines().next(),
        Some("record,kind,label,score,error,skipped")
    );
    assert!(scores.contains(third), "{scores}");
    assert_eq!(scores.lines().count(), 10);
    let received = server.received();
    let one = received
        .iter()
        .find(|one| one.n() == 4)
        .expect("the fifth record");
    assert_eq!(one.method, "PUT");
    let content = &one.json()["messages"][0]["content"];
    assert_eq!(content, "Rate: review 4");
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_once_more() {
    let replies = |received: &Received| match (received.n(), received.attempt) {
        (_, 0) | (2..=7, _) => match received.n() {
            0 | 2 => Reply::chat("{\"label\":\"great\",\"score\":0.5}", 5),
            1 | 3 => Reply::chat("{\"label\":\"good\",\"score\":1.5}", 5),
            4 => Reply::chat("{\"label\":\"good\"}", 5),
            5 => Reply::chat("I cannot rate this.", 5),
            6 => Reply::json(json!({"choices": [], "usage": {"total_tokens": 3}})),
            7 => Reply::status(200).body("<html>"),
            _ => Reply::chat("{\"label\":\"bad\",\"score\":0.5}", 5),
        },
        _ => Reply::chat("{\"label\":\"bad\",\"score\":0.5}", 5),
    };
    let server = Server::start(replies);
    let folder = folder(9);
    let options = [&CHAT[..], &["-o", "out.jsonl", "--json"]].concat();
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let scores = lines(&read(&folder, "out.jsonl"));
    for n in [0, 1, 8] {
        assert_eq!(
            scores[n],
            json!({"record": n + 1, "label": "bad", "score": 0.5})
        );
    }
    for (n, reason) in [
        (
            2,
            "expected one of good, bad for \"label\" in the answer, found the text \"great\"",
        ),
        (
            3,
            "expected a number from 0 to 1 for \"score\" in the answer, found 1.5",
        ),
        (
            4,
            "expected a value for \"score\" at /choices/0/message/content#/score in the answer",
        ),
        (5, "is a text that is not JSON: `I cannot rate this.`"),
        (6, "/choices is an empty list"),
        (7, "<html>"),
    ] {
        let error = scores[n]["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "expected {reason}: {}", scores[n]);
    }
    let memory = server.memory();
    for one in &memory.received {
        let key = one.header("idempotency-key").expect("a key");
        let expected = if one.n() == 8 { 1 } else { 2 };
        assert_eq!(memory.attempts[key], expected, "record {}", one.n());
    }
    assert_eq!(memory.attempts.len(), 9);
}

#[test]
fn nothing_in_a_record_breaks_out_of_its_place() {
    let texts = [
        "\"",
        "\\",
        "\\\"",
        "\",\"admin\":true,\"x\":\"",
        "{{n}}",
        "}}",
        "\u{0}\u{1f}\u{7f}",
        "\r\n\r\nPOST / HTTP/1.1\r\n",
        "\u{2028}\u{1f600}é",
        "$HOME ${HOME} $$",
        "%22%5c",
        "",
    ];
    let line = |text: &str| json!({"n": 7, "text": text}).to_string() + "\n";
    let folder = folder_with("in.jsonl", texts.map(line).concat());
    write(
        &folder,
        "request.json",
        r#"{"within": "a {{text}} z", "alone": {{text}}, "n": {{n}}, "m": "{{n}}", "f": "{{/n}}{{text}}"}"#,
    );
    let server = Server::start(|_| Reply::status(200).body("1"));
    let ran = call(
        &folder,
        &server.url("/"),
        &["--body", "@request.json", "--in-flight", "1"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let received = server.received();
    assert_eq!(received.len(), texts.len());
    for (one, text) in received.iter().zip(texts) {
        let expected = json!({
            "within": format!("a {text} z"), "alone": text, "n": 7, "m": "7", "f": format!("7{text}"),
        });
        assert_eq!(one.json(), expected);
    }
}

#[test]
fn tables_are_sent_as_texts_and_a_missing_field_costs_its_record() {
    let folder = folder_with("in.csv", "id,text,price\n1,\"good, \"\"x\"\"\",\n2,bad,3\n");
    let server = Server::start(|_| Reply::status(200).body("1"));
    std::fs::rename(folder.path().join("in.csv"), folder.path().join("in.jsonl")).expect("a file");
    let options = [
        "--format",
        "csv",
        "--in-flight",
        "1",
        "-o",
        "out.jsonl",
        "--force",
    ];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let sent = |received: Vec<Received>| received.iter().map(Received::json).collect::<Vec<_>>();
    let whole = [
        json!({"id": "1", "text": "good, \"x\"", "price": null}),
        json!({"id": "2", "text": "bad", "price": "3"}),
    ];
    assert_eq!(sent(server.received()), whole);

    let body = ["--body", "{\"p\":{{price}}}"];
    let ran = call(&folder, &server.url("/"), &[&options[..], &body].concat());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let scores = lines(&read(&folder, "out.jsonl"));
    let error = scores[0]["error"].as_str().expect("an error");
    assert!(error.contains("price"), "{error}");
    assert_eq!(scores[1], json!({"record": 2, "score": 1.0}));
    assert_eq!(sent(server.received())[2..], [json!({"p": "3"})]);
}

#[test]
fn compressed_answers_are_unpacked_and_answers_may_arrive_byte_by_byte() {
    let server = Server::start(|received| {
        let body = json!({"score": score_of(received.n()), "filling": "x".repeat(5000)});
        let whole = Reply::json(body.clone());
        match received.n() % 3 {
            0 => whole,
            1 => whole.byte_by_byte(),
            _ => Reply::status(200)
                .header("Content-Encoding", "gzip")
                .body(gzip(body.to_string().as_bytes())),
        }
    });
    let folder = folder(30);
    let options = ["--pick", "score=/score", "-o", "out.jsonl"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let expected: Vec<Value> = (0..30)
        .map(|n| json!({"record": n + 1, "score": score_of(n)}))
        .collect();
    assert_eq!(lines(&read(&folder, "out.jsonl")), expected);
    assert!(
        server
            .received()
            .iter()
            .all(|one| one.header("accept-encoding") == Some("gzip"))
    );
}

/// Every limit must give the same bytes, although the answers arrive in another order.
#[test]
fn the_answer_is_the_same_at_every_limit() {
    let server = Server::start(|received| {
        let n = received.n();
        let delay = std::time::Duration::from_millis(n * 37 % 23);
        match n % 50 {
            13 => Reply::status(400).body("no\tsense"),
            _ => good(received).after(delay),
        }
    });
    let folder = folder(300);
    let mut seen: Option<(Value, String, String)> = None;
    for (number, options) in [
        &["--in-flight", "1"][..],
        &["--in-flight", "7", "-j", "1"],
        &["--in-flight", "64", "-j", "4"],
        &["--in-flight", "auto", "-j", "2"],
        &["--in-flight", "1000", "-j", "3"],
    ]
    .iter()
    .enumerate()
    {
        let file = format!("{number}.jsonl");
        let failures = format!("{number}.failures");
        let all = ["--json", "-o", &file, "--failures", &failures];
        let ran = call(&folder, &server.url("/"), &[&all[..], options].concat());
        assert_eq!(ran.code, 1, "{options:?}: {}", ran.err);
        let answer = (
            ran.json()["digest"].clone(),
            read(&folder, &file),
            read(&folder, &failures),
        );
        assert_eq!(
            *seen.get_or_insert_with(|| answer.clone()),
            answer,
            "{options:?}"
        );
    }
    let (_, scores, failures) = seen.expect("a run");
    let failed = lines(&scores)
        .into_iter()
        .filter(|line| line["error"].is_string());
    assert_eq!(failed.count(), 6);
    // The failed records can be scored again.
    assert_eq!(failures.lines().count(), 6);
    write(&folder, "in.jsonl", failures);
    let well = Server::start(good);
    let ran = call(&folder, &well.url("/"), &["-o", "again.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        lines(&read(&folder, "again.jsonl"))[1]["score"],
        score_of(63)
    );
}

#[test]
fn a_service_that_refuses_the_first_thousand_records_ends_the_run() {
    let server = Server::start(|_| Reply::status(401).body("{\"error\":\"no such key\"}"));
    let folder = folder(5000);
    let ran = call(&folder, &server.url("/"), &["--in-flight", "8"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("401") && ran.err.contains("no such key"),
        "{}",
        ran.err
    );
    // The window of records that have been taken from the input is bounded.
    assert!(server.memory().received.len() < 3000);
}
