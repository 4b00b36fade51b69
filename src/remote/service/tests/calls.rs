//! Tests of calls to a server on this machine.

use std::time::Duration;

use tokio::time::Instant;

use super::server::{Log, Reply, TOKEN, call, failed, serve, service};
use crate::calls::{Again, RetryReason};
use crate::dataset::TextRecord;
use crate::error::{Refused, Unavailable, UnusableAnswer};
use crate::remote::ServiceOptions;

#[tokio::test]
async fn a_record_is_sent_and_its_answer_read() {
    let log = Log::default();
    let port = serve(&log, |_, _| {
        Reply::ok(r#"{"result": {"score": 0.5}, "tokens": 7}"#)
    })
    .await;
    let (service, control) = service(port, |options| {
        options.body = Some(r#"{"t": {{text}}}"#.parse().unwrap());
        options.picks.push("score=/result/score".parse().unwrap());
        options.budget = Some("/tokens=100".parse().unwrap());
        options.headers.push("X-Model: small".into());
    });
    for _ in 0..3 {
        let answer = call(&service, r#"{"text": "good"}"#).await.unwrap();
        assert_eq!(answer.score(), Some(0.5));
    }
    assert_eq!(control.spent(), 21);
    // The connection was kept.
    assert_eq!(log.connections(), 1);
    let requests = log.requests();
    let request = &requests[0];
    assert!(request.head.starts_with("POST /score HTTP/1.1\r\n"));
    assert_eq!(request.body, r#"{"t": "good"}"#);
    for (name, value) in [
        ("host", format!("127.0.0.1:{port}")),
        ("authorization", format!("Bearer {TOKEN}")),
        ("x-model", "small".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json".to_owned()),
        ("accept-encoding", "gzip".to_owned()),
        (
            "user-agent",
            concat!("manyhands/", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
    ] {
        assert_eq!(request.header(name), Some(value.as_str()), "{name}");
    }
    let key = request.header("idempotency-key").unwrap();
    assert_eq!(key.len(), 32);
    assert!(
        requests
            .iter()
            .all(|other| other.header("idempotency-key") == Some(key))
    );
    let statistics = service.statistics();
    assert_eq!(
        statistics.statuses.into_iter().collect::<Vec<_>>(),
        [(200, 3)]
    );
    assert_eq!(statistics.bytes_sent, 3 * 13);
    assert!(statistics.latency.unwrap().max < Duration::from_secs(60));
}

#[tokio::test]
async fn each_record_has_a_key_of_its_own() {
    let (service, _) = service(9, |_| {});
    let key = |record: &str| format!("{:?}", service.body(&TextRecord::json(record)).unwrap());
    assert_eq!(key("{}"), key("{}"));
    assert_ne!(key("{}"), key("{ }"));
    let other = {
        let (service, _) = super::server::service(10, |_| {});
        format!("{:?}", service.body(&TextRecord::json("{}")).unwrap())
    };
    assert_ne!(key("{}"), other);
}

/// What becomes of a call whose answer has this status and these headers.
async fn outcome(status: u16, headers: &str) -> (Again, RetryReason) {
    let reply = Reply::new(&format!("{status} Status"), headers, "why");
    let error = failed(reply, |_| {}).await;
    let text = error.to_string();
    assert!(text.contains(&status.to_string()), "{text}");
    let is_refused = error.reason == RetryReason::Other;
    assert_eq!(error.cause.is::<Refused>(), is_refused, "{status}");
    assert_eq!(error.cause.is::<Unavailable>(), !is_refused, "{status}");
    (error.again, error.reason)
}

#[tokio::test]
async fn a_status_decides_whether_a_call_is_tried_again() {
    use RetryReason::{Other, ServiceError, Throttled, Timeout};
    for (reason, statuses) in [
        (Timeout, &[408][..]),
        (Throttled, &[429, 529]),
        (ServiceError, &[500, 501, 502, 503, 504, 599]),
    ] {
        for status in statuses {
            assert_eq!(outcome(*status, "").await, (Again::AsUsual, reason));
        }
    }
    for status in [300, 304, 400, 401, 403, 404, 409, 413, 422, 451] {
        assert_eq!(outcome(status, "").await, (Again::Never, Other));
        let wait = outcome(status, "Retry-After: 1").await;
        assert_eq!(wait, (Again::Never, Other));
    }
}

#[tokio::test]
async fn a_service_says_when_a_call_is_tried_again() {
    use RetryReason::{ServiceError, Throttled};
    let seconds = |seconds| Again::After(Duration::from_secs(seconds));
    for (status, headers, expected) in [
        (429, "Retry-After: 7", (seconds(7), Throttled)),
        (429, "Retry-After: 300", (seconds(300), Throttled)),
        (429, "Retry-After: 301", (Again::Never, Throttled)),
        (429, "Retry-After: soon", (Again::AsUsual, Throttled)),
        (429, "Retry-After: 0", (Again::AsUsual, Throttled)),
        (500, "Retry-After: 2", (seconds(2), ServiceError)),
        (503, "retry-after-ms: 3000", (seconds(3), Throttled)),
        (503, "Retry-After: 86400", (Again::Never, Throttled)),
    ] {
        assert_eq!(outcome(status, headers).await, expected, "{headers}");
    }
    let never = Reply::new("429 Too Many Requests", "Retry-After: 86400", "");
    let error = failed(never, |_| {}).await;
    let expected =
        "429 Too Many Requests; the service asks to wait for 86400 s, and 300 s is the most";
    assert_eq!(error.to_string(), expected);
    let page = Reply::new("404 Not Found", "", "<p>no\r\n\u{202e}model");
    let error = failed(page, |_| {}).await;
    assert_eq!(error.to_string(), "404 Not Found: <p>no \\u{202e}model");
}

#[tokio::test]
async fn a_service_makes_all_calls_wait() {
    for (status, headers, wait) in [
        ("429 Too Many Requests", "Retry-After: 100", 100),
        ("503 Service Unavailable", "Retry-After: 100", 100),
        ("500 Internal Server Error", "Retry-After: 100", 0),
        ("429 Too Many Requests", "Retry-After: 1000", 0),
        (
            "200 OK",
            "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 100",
            100,
        ),
        (
            "200 OK",
            "X-RateLimit-Remaining: 5\nX-RateLimit-Reset: 100",
            0,
        ),
        ("429 Too Many Requests", "X-RateLimit-Reset: 100", 100),
    ] {
        let reply = Reply::new(status, headers, "5");
        let port = serve(&Log::default(), move |_, _| reply.clone()).await;
        let (service, control) = service(port, |_| {});
        let _ = call(&service, "{}").await;
        let left = control.pause_left(Instant::now()).unwrap_or_default();
        let left = (left.as_secs_f64() / 100.0).ceil() * 100.0;
        assert_eq!(left, f64::from(wait), "{status} {headers}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_asked_once_more() {
    let pick = |options: &mut ServiceOptions| {
        options.picks.push("label=/l".parse().unwrap());
        options.expects.push("label=good|bad".parse().unwrap());
    };
    for (body, expected) in [
        ("no JSON", "expected JSON in the answer, found `no JSON`"),
        ("", "expected JSON in the answer, found nothing"),
        ("{}", "the answer is an object without members"),
        (r#"{"l": null}"#, "/l is null"),
        (
            r#"{"l": "great"}"#,
            "expected one of good, bad for \"label\"",
        ),
    ] {
        let error = failed(Reply::ok(body), pick).await;
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(
            (error.again, error.reason),
            (Again::Once, RetryReason::BadAnswer)
        );
        assert!(error.cause.is::<UnusableAnswer>());
    }
    let error = failed(Reply::ok(r#"{"error": "no French"}"#), |_| {}).await;
    assert_eq!(error.to_string(), "no French");
    assert_eq!(error.again, Again::Once);
    assert!(error.cause.is::<Refused>());
    let budget = |options: &mut ServiceOptions| options.budget = Some("/n=5".parse().unwrap());
    let error = failed(Reply::ok(r#"{"score": 1}"#), budget).await;
    assert!(
        error.to_string().contains("for the budget at /n"),
        "{error}"
    );
    assert_eq!(error.again, Again::Never);
}

#[tokio::test]
async fn a_record_that_cannot_be_sent_is_not_tried_again() {
    let (service, _) = service(9, |options| {
        options.body = Some("[{{text}}]".parse().unwrap());
    });
    for record in ["{}", "{\"text\": ", ""] {
        let error = service.body(&TextRecord::json(record)).unwrap_err();
        assert_eq!(error.again, Again::Never);
    }
}

#[tokio::test]
async fn redirects_carry_a_call_nowhere_else() {
    let elsewhere = Log::default();
    let other = serve(&elsewhere, |_, _| Reply::ok("1")).await;
    let log = Log::default();
    let port = serve(&log, move |_, request| {
        let path = request.head.split(' ').nth(1).unwrap_or_default();
        let location = match path {
            "/score" => "Location: /a".to_owned(),
            "/a" => "Location: b?x=y".to_owned(),
            "/loop" => "Location: /loop".to_owned(),
            "/away" => format!("Location: http://127.0.0.1:{other}/score?k={TOKEN}"),
            _ => return Reply::ok("0.5"),
        };
        Reply::new("307 Temporary Redirect", &location, "moved")
    })
    .await;
    let (service, _) = service(port, |_| {});
    assert_eq!(call(&service, "{}").await.unwrap().score(), Some(0.5));
    let requests = log.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(log.connections(), 1);
    for request in &requests {
        assert_eq!(request.body, "{}");
        assert_eq!(
            request.header("idempotency-key"),
            requests[0].header("idempotency-key")
        );
    }
    assert!(requests[2].head.starts_with("POST /b?x=y "));
    for (path, expected) in [
        ("loop", "the service redirects more than 5 times"),
        ("away", "the record and the headers are not sent"),
    ] {
        let (service, _) = super::server::service(port, |options| {
            options.url = format!("http://127.0.0.1:{port}/{path}").into();
        });
        let error = call(&service, "{}").await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains(TOKEN), "{error}");
        assert_eq!(error.again, Again::Never);
    }
    assert_eq!(elsewhere.connections(), 0);
}
