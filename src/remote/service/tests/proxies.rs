//! Tests of proxies, and of servers that repeat what they receive.

use super::server::{Log, Reply, TOKEN, call, environment, serve, service};
use crate::calls::CallControl;
use crate::remote::{Service, ServiceOptions};

/// A service on another machine, which is called without encryption, in an environment with these variables.
fn elsewhere(variables: &[(&str, String)]) -> Result<Service, crate::error::Error> {
    let mut options = ServiceOptions::new("http://service.invalid/score");
    options.headers.push("X-Key: $TOKEN".into());
    options.insecure = true;
    let value = |name: &str| {
        let mut variables = variables.iter();
        let found = variables.find(|(known, _)| *known == name);
        found
            .map(|(_, value)| value.clone())
            .or_else(|| environment(name))
    };
    Service::new_in(&value, &options, CallControl::default())
}

#[tokio::test]
async fn a_proxy_sees_neither_headers_nor_records() {
    let log = Log::default();
    let port = serve(&log, |number, _| match number {
        0 => Reply::Bytes(b"HTTP/1.1 200 Connection established\r\n\r\n".into()),
        _ => Reply::ok("0.5"),
    })
    .await;
    let proxy = (
        "http_proxy",
        format!("http://me:pass%20word@127.0.0.1:{port}"),
    );
    let service = elsewhere(&[proxy]).unwrap();
    assert_eq!(call(&service, "{}").await.unwrap().score(), Some(0.5));
    let requests = log.requests();
    assert_eq!(log.connections(), 1);
    let connect = &requests[0];
    assert!(
        connect
            .head
            .starts_with("CONNECT service.invalid:80 HTTP/1.1\r\n"),
        "{connect:?}"
    );
    assert_eq!(
        connect.header("proxy-authorization"),
        Some("Basic bWU6cGFzcyB3b3Jk")
    );
    assert!(!connect.head.contains(TOKEN));
    // What follows is for the service alone, and is encrypted if the URL is https.
    let request = &requests[1];
    assert!(request.head.starts_with("POST /score HTTP/1.1\r\n"));
    assert_eq!(request.header("host"), Some("service.invalid"));
    assert_eq!(request.header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_not_asked_again() {
    let log = Log::default();
    let port = serve(&log, |_, _| {
        Reply::Close(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".into())
    })
    .await;
    let service = elsewhere(&[("HTTP_PROXY", format!("127.0.0.1:{port}"))]).unwrap();
    let error = call(&service, "{}").await.unwrap_err();
    assert_eq!(error.again, crate::calls::Again::Never);
    assert!(
        error.to_string().contains("proxy authorization required"),
        "{error}"
    );
}

#[tokio::test]
async fn the_environment_says_which_proxy_is_used() {
    let bad = |variables: &[(&str, &str)]| {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        elsewhere(&variables).err().map(|error| error.to_string())
    };
    for value in [
        "ftp://u:S3CR3T@proxy:1",
        "socks5://u:S3CR3T@proxy:1",
        "::S3CR3T",
    ] {
        let error = bad(&[("HTTP_PROXY", value)]).unwrap();
        assert!(error.contains("environment variable HTTP_PROXY"), "{error}");
        assert!(!error.contains("S3CR3T"), "{error}");
        assert!(bad(&[("ALL_PROXY", value)]).is_some());
        for exception in ["*", "service.invalid", ".invalid", "a.b, invalid"] {
            assert_eq!(
                bad(&[("HTTP_PROXY", value), ("NO_PROXY", exception)]),
                None,
                "{exception}"
            );
        }
        assert!(bad(&[("HTTP_PROXY", value), ("no_proxy", "other.invalid")]).is_some());
        // A proxy for https, and none at all for programs that a web server starts.
        assert_eq!(bad(&[("HTTPS_PROXY", value)]), None);
        assert_eq!(
            bad(&[("HTTP_PROXY", value), ("REQUEST_METHOD", "GET")]),
            None
        );
    }
    assert_eq!(bad(&[("HTTP_PROXY", "")]), None);
    // Calls to this machine use no proxy.
    let port = serve(&Log::default(), |_, _| Reply::ok("0.5")).await;
    let options = ServiceOptions::new(format!("http://127.0.0.1:{port}/"));
    let value = |name: &str| (name == "HTTP_PROXY").then(|| "http://proxy.invalid:1".to_owned());
    let service = Service::new_in(&value, &options, CallControl::default()).unwrap();
    assert!(call(&service, "{}").await.is_ok());
}

#[tokio::test]
async fn a_reason_that_is_cut_ends_with_no_part_of_a_secret() {
    for before in 40..70 {
        let body = format!("{{\"label\": \"{}secretXY\"}}", "x".repeat(before));
        let port = serve(&Log::default(), move |_, _| Reply::ok(&body)).await;
        let (service, _) = service(port, |options| {
            options.headers = vec!["X-Model: secretXY".into()];
            options.expects.push("label=a|b".parse().unwrap());
        });
        let error = call(&service, "{}").await.unwrap_err().to_string();
        assert!(error.contains("xxx") && !error.contains("xs"), "{error}");
    }
}

#[tokio::test]
async fn no_error_and_no_value_repeats_a_secret() {
    let query = "qu3ry-s3cr3t-value";
    for (number, reply) in [
        "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\n\"ECHO\"",
        "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\n{\"echo\": [\"ECHO\"], \"other\": \"ECHO\"}",
        "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\nECHO",
        "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\n{\"ECHO\": null, \"error\": \"ECHO\"}",
        "HTTP/1.1 401 ECHO\r\nContent-Length: LENGTH\r\n\r\n{\"error\": \"bad key ECHO\"}",
        "HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\nECHO",
        "HTTP/1.1 307 No\r\nLocation: https://ECHO@example.com/ECHO?ECHO\r\nContent-Length: LENGTH\r\n\r\nECHO",
        "HTTP/1.1 307 No\r\nLocation: ECHO ECHO\r\nContent-Length: LENGTH\r\n\r\nECHO",
        "HTTP/1.1 200 OK\r\nContent-Encoding: ECHO\r\nContent-Length: LENGTH\r\n\r\nECHO",
        "HTTP/1.1 200 OK\r\nECHO ECHO\r\nContent-Length: LENGTH\r\n\r\nECHO",
        "ECHO",
    ]
    .into_iter()
    .enumerate()
    {
        for picks in [&["echo=/echo", "other=/other"][..], &["echo=#/echo"], &[]] {
            let port = serve(&Log::default(), move |_, request| {
                let echo = request.head.replace("\r\n", " ").replace('"', "");
                let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((reply, ""));
                let body = body.replace("ECHO", &echo);
                let head = head.replace("ECHO", &echo).replace("LENGTH", &body.len().to_string());
                Reply::Close(format!("{head}\r\n\r\n{body}").into_bytes())
            })
            .await;
            let (service, _) = service(port, |options| {
                options.url = format!("http://us3r:p4ssw0rd-long@127.0.0.1:{port}/score?k={query}").into();
                options.headers = vec!["X-Api-Key: $TOKEN".into(), "Cookie: session=c00kie-s3cret".into()];
                options.picks = picks.iter().map(|pick| pick.parse().unwrap()).collect();
            });
            let text = match call(&service, "{}").await {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            let basic = "dXMzcjpwNHNzdzByZC1sb25n";
            for secret in [TOKEN, query, "p4ssw0rd-long", "c00kie-s3cret", basic] {
                assert!(!text.contains(secret), "{number}: {secret} is in {text}");
            }
            assert!(!format!("{service:?}").contains(TOKEN));
        }
    }
}
