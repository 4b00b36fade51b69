//! Where a redirect leads.

use http::uri::{Scheme, Uri};
use http::{HeaderMap, Method, StatusCode};

use super::ServiceUrl;

/// The largest number of redirects that a call follows.
pub(super) const MOST_REDIRECTS: usize = 5;

/// The URL that a call has to be made to instead, if the answer is a redirect. An error if the redirect is not followed,
/// because the call would change, or because it would carry the record and the headers elsewhere.
pub(super) fn target(
    uri: &Uri,
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Uri>, String> {
    if !status.is_redirection() {
        return Ok(None);
    }
    let location = headers.get(http::header::LOCATION);
    let Some(location) = location.and_then(|location| location.to_str().ok()) else {
        return Err(format!("{status}, without the URL to call instead"));
    };
    let Some(target) = resolved(uri, location) else {
        return Err(format!("{status}, to a place that is not a URL"));
    };
    let shown = ServiceUrl::from(target.to_string());
    if !is_same_place(uri, &target) {
        return Err(format!(
            "{status} to {shown}, where the record and the headers are not sent, because the host, the port or the \
             scheme differs; if you trust it, give this URL"
        ));
    }
    match status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => Ok(Some(target)),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER
            if method == Method::GET =>
        {
            Ok(Some(target))
        }
        _ => Err(format!(
            "{status} to {shown}, which clients follow without the record; give this URL if it is the right one"
        )),
    }
}

/// The URL that a location names.
fn resolved(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.trim().split('#').next()?;
    let has_scheme = location
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if has_scheme {
        return location.parse().ok();
    }
    let scheme = base.scheme_str()?;
    if location.starts_with("//") {
        return format!("{scheme}:{location}").parse().ok();
    }
    let place = format!("{scheme}://{}", base.authority()?);
    let path = match location.as_bytes().first() {
        Some(b'/') => location.to_owned(),
        Some(b'?') => format!("{}{location}", base.path()),
        Some(_) => {
            let (folder, _) = base.path().rsplit_once('/')?;
            format!("{folder}/{location}")
        }
        None => return Some(base.clone()),
    };
    format!("{place}{}", without_dots(&path)).parse().ok()
}

/// A path with its query, in which `.` and `..` are resolved.
fn without_dots(path: &str) -> String {
    let (path, query) = match path.find('?') {
        Some(start) => path.split_at(start),
        None => (path, ""),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').skip(1) {
        match step {
            "." => {}
            ".." => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        steps.push("");
    }
    format!("/{}{query}", steps.join("/"))
}

/// Whether two URLs have the same scheme, host and port, so that what is sent reaches no other machine.
fn is_same_place(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| match (uri.port_u16(), uri.scheme()) {
        (None, Some(scheme)) if *scheme == Scheme::HTTPS => Some(443),
        (None, _) => Some(80),
        (port, _) => port,
    };
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
    let has_user_info = other
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    one.scheme() == other.scheme()
        && host(one) == host(other)
        && port(one) == port(other)
        && !has_user_info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(status: u16, method: Method, location: &str) -> Result<String, String> {
        let base = Uri::from_static("https://example.com/v1/score?a=b");
        let headers = [(http::header::LOCATION, location.parse().unwrap())];
        let headers = headers.into_iter().collect();
        let status = StatusCode::from_u16(status).unwrap();
        let target = target(&base, &method, status, &headers)?;
        Ok(target.map_or(String::new(), |target| target.to_string()))
    }

    #[test]
    fn redirects_stay_at_the_same_place() {
        for (location, expected) in [
            ("/v2/score", "https://example.com/v2/score"),
            ("https://example.com/x?y=z", "https://example.com/x?y=z"),
            ("https://EXAMPLE.com:443/x", "https://EXAMPLE.com:443/x"),
            ("//example.com/x", "https://example.com/x"),
            ("other", "https://example.com/v1/other"),
            ("../v2/./score/#part", "https://example.com/v2/score/"),
            ("..", "https://example.com/"),
            ("../../..", "https://example.com/"),
            ("?c=/../d", "https://example.com/v1/score?c=/../d"),
        ] {
            let followed = follow(308, Method::POST, location);
            assert_eq!(followed.as_deref(), Ok(expected), "{location}");
        }
        for location in [
            "http://example.com/v1",
            "https://example.com:8443/v1",
            "https://example.org/v1",
            "https://example.com.evil.org/",
            "//evil.org/v1",
            "https://u:p@example.com/v1",
            "https://example.com@evil.org/v1",
            "ftp://example.com/",
        ] {
            let error = follow(307, Method::POST, location).unwrap_err();
            assert!(error.contains("are not sent"), "{location}: {error}");
            assert!(!error.contains("u:p"), "{error}");
        }
        let error = follow(307, Method::POST, "https://[x/").unwrap_err();
        assert!(error.contains("not a URL"), "{error}");
    }

    #[test]
    fn a_record_is_not_lost_on_the_way() {
        assert_eq!(follow(200, Method::POST, "/x").as_deref(), Ok(""));
        for status in [301, 302, 303] {
            assert!(follow(status, Method::GET, "/x").is_ok());
            let error = follow(status, Method::POST, "/x?key=s").unwrap_err();
            assert!(error.contains("without the record"), "{error}");
            assert!(error.contains("https://example.com/x?[hidden]"), "{error}");
        }
        assert!(follow(304, Method::GET, "/x").is_err());
    }
}
