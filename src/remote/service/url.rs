//! The URL of a service, whose user info and query are secrets.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::secrets::{HIDDEN, Secret, is_credential};
use crate::error::Error;

/// The URL of a service.
///
/// The user info and the query of a URL may be secrets, so no output shows them: `Display`, `Debug` and `Serialize`
/// replace them by `[hidden]`. Reading a URL from a text never fails. [`Service::new`](super::Service::new) checks the
/// URL, because a program that reads command lines would show a wrong value.
///
/// ```
/// use manyhands::remote::ServiceUrl;
///
/// let url = ServiceUrl::from("https://ada:secret@example.com/v1/score?key=secret");
/// assert_eq!(url.to_string(), "https://[hidden]@example.com/v1/score?[hidden]");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ServiceUrl(String);

/// A URL that calls can be made to.
pub(super) struct CheckedUrl {
    /// The URL without user info.
    pub(super) uri: Uri,
    /// The header `Authorization` for the user info.
    pub(super) authorization: Option<HeaderValue>,
    /// What outputs must not contain.
    pub(super) secrets: Vec<Secret>,
}

/// The parts of a URL, as it is written.
struct WrittenUrl<'a> {
    scheme: &'a str,
    user_info: Option<&'a str>,
    /// The host, the port and the path.
    place: &'a str,
    query: Option<&'a str>,
    /// What may be a password that contains one of the characters that end a host, such as a slash.
    doubtful: Option<&'a str>,
}

impl<'a> WrittenUrl<'a> {
    /// Finds the parts. `None` if the text is not like a URL.
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (user_info, start) = match rest[..end].rfind('@') {
            Some(at) => (Some(&rest[..at]), at + 1),
            None => (None, 0),
        };
        let doubtful = rest[end..].rfind('@').map(|at| &rest[..end + at]);
        let place = &rest[start..];
        let place = place.split('#').next().unwrap_or(place);
        let (place, query) = match place.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (place, None),
        };
        Some(WrittenUrl {
            scheme,
            user_info,
            place,
            query,
            doubtful,
        })
    }
}

impl ServiceUrl {
    /// A hash of the whole URL, with its secrets. It tells URLs apart, and its 32 bits are too few to find a secret from them.
    pub(crate) fn short_hash(&self) -> u32 {
        XxHash3_64::oneshot(self.0.as_bytes()) as u32
    }

    /// Checks the URL. A URL whose scheme is `http` is refused, unless the host is this machine or `insecure` is true.
    pub(super) fn check(&self, insecure: bool) -> Result<CheckedUrl, Error> {
        let refuse = |message: String| Err(Error::Plan(message));
        let example = "such as https://example.com/score";
        if self.0.contains(HIDDEN) {
            return refuse(format!(
                "the URL {self} was written without its secrets; give it in full"
            ));
        }
        let Some(written) = WrittenUrl::of(&self.0) else {
            return refuse(format!(
                "expected the URL of a service with its scheme, {example}, found no scheme"
            ));
        };
        let scheme = written.scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return refuse(format!(
                "expected the URL of a service that begins with https:// or http://, found {scheme}://"
            ));
        }
        if !self.0.is_ascii() {
            return refuse(format!(
                "expected a URL of ASCII characters, {example}: write other characters as % and their code, and the \
                 name of the host in its ASCII form (xn--…)"
            ));
        }
        let query = written.query.map(|query| format!("?{query}"));
        let plain = format!("{scheme}://{}{}", written.place, query.unwrap_or_default());
        let uri: Uri = match plain.parse() {
            Ok(uri) => uri,
            Err(error) => {
                return refuse(format!(
                    "cannot read the URL {self}: {error}; expected one {example}"
                ));
            }
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return refuse(format!(
                "expected the URL of a service with a host, {example}, found {self}"
            ));
        };
        if uri.port().is_none() && uri.authority().is_some_and(|name| name.as_str() != host) {
            return refuse(format!(
                "expected a port from 1 to 65535 after the host in the URL {self}"
            ));
        }
        if scheme == "http" && !insecure && !is_loopback(host) {
            return refuse(format!(
                "{self} is not encrypted, so everyone on the way can read the records and the headers; use https://, \
                 or --insecure if this is intended"
            ));
        }
        let authorization = written.user_info.and_then(basic_authorization);
        let mut secrets = written.secrets();
        let encoded = authorization.as_ref().and_then(|value| value.to_str().ok());
        let encoded = encoded.and_then(|value| value.split_once(' '));
        secrets.extend(encoded.map(|(_, encoded)| Secret::credential(encoded)));
        Ok(CheckedUrl {
            uri,
            authorization,
            secrets,
        })
    }
}

impl WrittenUrl<'_> {
    fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for user_info in self.user_info.into_iter().chain(self.doubtful) {
            secrets.push(Secret::credential(user_info));
            if let Some((_, password)) = user_info.split_once(':') {
                secrets.push(Secret::credential(password));
            }
        }
        if let Some(query) = self.query {
            secrets.push(Secret::credential(query));
            for pair in query.split('&') {
                let (name, value) = pair.split_once('=').unwrap_or(("key", pair));
                secrets.push(match is_credential(name) {
                    true => Secret::credential(value),
                    false => Secret::other(value),
                });
            }
        }
        secrets
    }
}

/// The header `Authorization` for user info. The library makes it as it does for a proxy, whose URL may have user info
/// too.
fn basic_authorization(user_info: &str) -> Option<HeaderValue> {
    let proxy = Matcher::builder().http(format!("http://{user_info}@localhost"));
    let proxy = proxy
        .build()
        .intercept(&Uri::from_static("http://localhost"))?;
    proxy.basic_auth().cloned()
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.');
    let address = host.parse::<std::net::IpAddr>();
    let name = host.to_ascii_lowercase();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(written) = WrittenUrl::of(&self.0) else {
            return f.write_str(HIDDEN);
        };
        write!(f, "{}://", written.scheme)?;
        if written.doubtful.is_some() {
            return f.write_str(HIDDEN);
        }
        if written.user_info.is_some() {
            write!(f, "{HIDDEN}@")?;
        }
        f.write_str(&crate::visible::escaped(written.place))?;
        match written.query {
            Some(_) => write!(f, "?{HIDDEN}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceUrl({self})")
    }
}

impl From<String> for ServiceUrl {
    fn from(text: String) -> Self {
        ServiceUrl(text)
    }
}

impl From<&str> for ServiceUrl {
    fn from(text: &str) -> Self {
        ServiceUrl(text.to_owned())
    }
}

impl From<ServiceUrl> for String {
    /// The URL without its secrets.
    fn from(url: ServiceUrl) -> String {
        url.to_string()
    }
}

impl FromStr for ServiceUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}
