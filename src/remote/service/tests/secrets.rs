//! Tests that nothing shows a secret.

use bytes::Bytes;
use proptest::prelude::*;

use crate::remote::service::secrets::{Secret, Secrets};
use crate::remote::{HeaderTemplate, ServiceOptions, ServiceUrl};

const TOKEN: &str = "sk-5ec7e7-0f/the+user";

fn environment(name: &str) -> Option<String> {
    (name == "TOKEN").then(|| TOKEN.to_owned())
}

/// Every way in which options can become text: `Debug`, `Display`, JSON, and the error of their check.
fn all_texts(options: &ServiceOptions) -> Vec<String> {
    let mut texts = vec![
        format!("{options:?}"),
        serde_json::to_string(options).unwrap(),
        options.url.to_string(),
    ];
    texts.extend(options.headers.iter().map(|header| header.to_string()));
    let checked = options.head(&environment);
    texts.extend(checked.err().map(|error| format!("{error} {error:?}")));
    texts
}

#[test]
fn a_header_shows_variables_and_nothing_else() {
    for (header, shown) in [
        (
            "Authorization: Bearer $TOKEN",
            "Authorization: Bearer $TOKEN",
        ),
        (
            "authorization:bearer   ${TOKEN}",
            "authorization: bearer ${TOKEN}",
        ),
        ("X-Api-Key: $TOKEN", "X-Api-Key: $TOKEN"),
        ("X-Api-Key: ${A} $B_2", "X-Api-Key: ${A} $B_2"),
        (
            "Authorization: Bearer sk-1",
            "Authorization: Bearer [hidden]",
        ),
        ("Authorization: sk-1", "Authorization: [hidden]"),
        // A shell has put a password into its place that contains a dollar sign.
        (
            "Authorization: Basic pa$WORD",
            "Authorization: Basic [hidden]",
        ),
        ("X-Api-Key: $ecret", "X-Api-Key: [hidden]"),
        ("X-Api-Key: pa$$word", "X-Api-Key: [hidden]"),
        ("X-Api-Key: pa$", "X-Api-Key: [hidden]"),
        ("Content-Type: text/plain", "Content-Type: [hidden]"),
        ("sk-1", "[hidden]"),
        ("not a name: sk-1", "[hidden]"),
        ("X-Empty:", "X-Empty: "),
    ] {
        let header = HeaderTemplate::from(header);
        assert_eq!(header.to_string(), shown);
        assert_eq!(format!("{header:?}"), format!("HeaderTemplate({shown})"));
        let json = serde_json::to_string(&header).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), shown);
    }
}

#[test]
fn a_url_shows_neither_user_info_nor_query() {
    for (url, shown) in [
        ("https://example.com/v1", "https://example.com/v1"),
        (
            "https://u:p@example.com:8443/v1",
            "https://[hidden]@example.com:8443/v1",
        ),
        (
            "https://example.com/v1?key=s&a=b#part",
            "https://example.com/v1?[hidden]",
        ),
        ("https://example.com?key=s", "https://example.com?[hidden]"),
        ("https://u@p@example.com/", "https://[hidden]@example.com/"),
        // Passwords with characters that divide URLs.
        ("https://u:12/secret@example.com/", "https://[hidden]"),
        ("https://u:12?secret@example.com/", "https://[hidden]"),
        ("https://u:12#secret@example.com/", "https://[hidden]"),
        ("u:secret@example.com/", "[hidden]"),
        ("https:/u:secret@example.com/", "[hidden]"),
        ("", "[hidden]"),
    ] {
        let url = ServiceUrl::from(url);
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("ServiceUrl({shown})"));
        let json = serde_json::to_string(&url).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), shown);
    }
}

#[test]
fn headers_get_their_values_from_the_environment() {
    let value = |header: &str| {
        let header = HeaderTemplate::from(header).resolve(&environment);
        header.map(|header| {
            assert!(header.value.is_sensitive());
            header.value.to_str().unwrap().to_owned()
        })
    };
    for (header, expected) in [
        ("Authorization: Bearer $TOKEN", format!("Bearer {TOKEN}")),
        ("X-Key:${TOKEN}${TOKEN}", format!("{TOKEN}{TOKEN}")),
        ("X-Key: a$$b-$TOKEN.", format!("a$b-{TOKEN}.")),
        ("X-Key: a: b", "a: b".to_owned()),
        ("X-Key:", String::new()),
    ] {
        assert_eq!(value(header).unwrap(), expected);
    }
    for (header, expected) in [
        (
            "X-Key: $OTHER",
            "the environment variable OTHER in the header x-key is not set",
        ),
        (
            "X-Key: ab$OTHER",
            "an environment variable in the header x-key is not set",
        ),
        (
            "X-Key: $other",
            "an environment variable in the header x-key is not set",
        ),
        ("X-Key: $", "after each dollar sign in the header x-key"),
        (
            "X-Key: ${TOKEN",
            "after each dollar sign in the header x-key",
        ),
        ("X-Key: ${}", "after each dollar sign in the header x-key"),
        (
            "X-Key: $2b$12$x",
            "after each dollar sign in the header x-key",
        ),
        (
            "X-Key: a\nb",
            "the value of the header x-key has a line end",
        ),
        (
            "X-Key: [hidden]",
            "the header x-key was written without its value",
        ),
        (
            "Content-Length: 5",
            "the header content-length is set by manyhands",
        ),
        (
            "Proxy-Authorization: x",
            "the header proxy-authorization is set by manyhands",
        ),
        ("X Key: a", "found characters that no such name has"),
        ("Bearer", "found no colon"),
    ] {
        let error = value(header).unwrap_err().to_string();
        assert!(error.contains(expected), "{header:?}: {error}");
    }
}

#[test]
fn urls_are_checked_before_the_first_call() {
    let check = |url: &str, insecure| ServiceUrl::from(url).check(insecure).map(|url| url.uri);
    for (url, uri) in [
        ("https://example.com", "https://example.com/"),
        (
            "HTTPS://Example.com:8443/v1?a=b",
            "https://Example.com:8443/v1?a=b",
        ),
        ("https://u:p@example.com/v1", "https://example.com/v1"),
        ("https://example.com/v1#part", "https://example.com/v1"),
        ("http://localhost:80/", "http://localhost:80/"),
        ("http://127.8.9.1/", "http://127.8.9.1/"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/"),
        ("http://api.localhost./", "http://api.localhost./"),
    ] {
        assert_eq!(check(url, false).unwrap().to_string(), uri);
    }
    assert!(check("http://example.com/", true).is_ok());
    for (url, expected) in [
        ("http://example.com/", "is not encrypted"),
        ("http://127.0.0.1.example.com/", "is not encrypted"),
        ("http://localhost.example.com/", "is not encrypted"),
        ("http://128.0.0.1/", "is not encrypted"),
        ("example.com/v1", "found no scheme"),
        ("ftp://example.com/", "found ftp://"),
        ("https://", "cannot read the URL"),
        ("https:///v1", "cannot read the URL"),
        ("https://exämple.com/", "ASCII"),
        ("https://example.com/a b", "cannot read the URL"),
        ("https://example.com:99999/", "port"),
        ("https://example.com:/", "port"),
        (
            "https://[hidden]@example.com/",
            "written without its secrets",
        ),
    ] {
        let error = check(url, false).unwrap_err().to_string();
        assert!(error.contains(expected), "{url:?}: {error}");
    }
    let url = ServiceUrl::from("https://Aladdin:open%20sesame@example.com/");
    let authorization = url.check(false).unwrap().authorization.unwrap();
    assert_eq!(authorization, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(authorization.is_sensitive());
}

#[test]
fn secrets_are_removed_in_every_form() {
    let secrets = Secrets::new(vec![
        Secret::credential(TOKEN),
        Secret::credential("quo\"te-and-more"),
        Secret::credential("a%20b%20c"),
        Secret::credential("abc"),
        Secret::other("gpt-4o-mini"),
    ]);
    for (text, expected) in [
        (format!("key {TOKEN}, {TOKEN}"), "key [hidden], [hidden]"),
        (
            "{\"e\": \"sk-5ec7e7-0f\\/the+user\"}".into(),
            "{\"e\": \"[hidden]\"}",
        ),
        ("?k=sk-5ec7e7-0f%2Fthe%2Buser&x".into(), "?k=[hidden]&x"),
        ("\"quo\\\"te-and-more\"".into(), "\"[hidden]\""),
        ("a b c, a%20b%20c".into(), "[hidden], [hidden]"),
        ("model gpt-4o-mini".into(), "model [hidden]"),
        ("abc".into(), "abc"),
    ] {
        assert_eq!(secrets.hide(&text), expected);
    }
    // A value of an answer may be the name of a model.
    let body = format!("[\"gpt-4o-mini\", \"{TOKEN}\"]");
    let body = secrets.hide_in_answer(Bytes::from(body));
    assert_eq!(body, "[\"gpt-4o-mini\", \"[hidden]\"]");
    // The beginning of an answer that was cut may end with a part of a secret.
    let cut = format!("bad key {}", &TOKEN[..TOKEN.len() - 1]);
    assert!(!secrets.beginning(cut.as_bytes(), true).contains("5ec7e7"));
    let long = format!("{}\n\u{1b}[31m {TOKEN}", "ä ".repeat(90));
    let shown = secrets.beginning(long.as_bytes(), false);
    assert!(shown.ends_with("ä \\u{1b}[31m [hidden]"), "{shown}");
    assert!(
        secrets
            .beginning("x".repeat(1000).as_bytes(), false)
            .chars()
            .count()
            <= 201
    );
}

proptest! {
    #[test]
    fn no_text_of_options_has_a_secret(
        secret in "[!-#%-~]{0,3}S3CR3T[!-~]{0,3}",
        header in prop::sample::select(vec!["Authorization: Bearer {}", "X-Key: {}", "Cookie: a={}; b={}", "{}", "X-A:\n{}", "X-Key: {}$NONE", "A B: {}"]),
        url in prop::sample::select(vec!["https://u:{}@example.com/", "https://example.com/?k={}", "http://{}@example.com/", "https://{}:1@h/?{}", "ftp://{}@h/?{}", "{}", "https:/u:{}@h"]),
    ) {
        // What comes before a colon is the name of a header.
        prop_assume!(header != "{}" || !secret.contains(':'));
        let mut options = ServiceOptions::new(url.replace("{}", &secret));
        options.headers.push(header.replace("{}", &secret).into());
        for text in all_texts(&options) {
            prop_assert!(!text.contains("S3CR3T"), "{}", text);
        }
        let read: ServiceOptions = serde_json::from_str(&serde_json::to_string(&options).unwrap()).unwrap();
        prop_assert!(read.head(&environment).is_err());
    }

    #[test]
    fn nothing_of_a_secret_is_left_in_a_text(
        secret in "[a-zA-Z0-9/+\"\\\\%é-]{4,20}",
        before in ".{0,20}",
        after in ".{0,20}",
    ) {
        let secrets = Secrets::new(vec![Secret::credential(&secret)]);
        let hidden = secrets.hide(&format!("{before}{secret}{after}")).into_owned();
        prop_assert!(hidden.contains("[hidden]"));
        let in_json = serde_json::to_string(&secret).unwrap();
        prop_assert!(!secrets.hide(&in_json).contains(&in_json[1..in_json.len() - 1]) || "[hidden]".contains(&secret));
    }
}
