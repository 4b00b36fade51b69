//! The options of calls to a service, and their check before the first call.

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde::{Deserialize, Serialize};

use super::header::Environment;
use super::secrets::Secrets;
use super::{BodyTemplate, Expect, HeaderTemplate, Pick, ServiceBudget, ServiceUrl};
use crate::error::Error;
use crate::remote::answer::beginning;

/// What a service is called with, as plain data.
///
/// Neither `Debug` nor `Serialize` shows a secret: see [`ServiceUrl`] and [`HeaderTemplate`]. Options that were written
/// without their secrets can be read, but [`Service::new`](super::Service::new) refuses them.
///
/// ```
/// use manyhands::remote::ServiceOptions;
///
/// let mut options = ServiceOptions::new("https://example.com/v1/chat/completions");
/// options.headers.push("Authorization: Bearer $TOKEN".into());
/// options.body = Some(r#"{"messages": [{"role": "user", "content": "Rate: {{text}}"}]}"#.parse()?);
/// options.picks.push("label=/choices/0/message/content".parse()?);
/// options.expects.push("label=good|bad".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServiceOptions {
    /// The URL that each record is sent to.
    pub url: ServiceUrl,
    /// The method of the calls. The default is `POST`.
    pub method: String,
    /// Headers of the calls, besides those that every call has.
    pub headers: Vec<HeaderTemplate>,
    /// The body of a call. `None` means the whole record as a JSON object.
    pub body: Option<BodyTemplate>,
    /// The values that are taken out of an answer. If there are none, the answer is read as the line of a program is; see
    /// [`ProgramAnswer`](crate::remote::ProgramAnswer).
    pub picks: Vec<Pick>,
    /// What values of an answer must be.
    pub expects: Vec<Expect>,
    /// What all answers may cost together.
    pub budget: Option<ServiceBudget>,
    /// Whether the scheme of the URL may be `http`, although the host is not this machine. Certificates are always
    /// checked.
    pub insecure: bool,
    /// The largest number of bytes of an answer, also after it has been unpacked.
    pub max_answer: usize,
}

/// The default of [`ServiceOptions::max_answer`].
const MAX_ANSWER: usize = 16 << 20;

/// Methods that a body with a record makes no sense with.
const NO_BODY: [Method; 4] = [
    Method::CONNECT,
    Method::HEAD,
    Method::OPTIONS,
    Method::TRACE,
];

/// What every call has.
pub(super) struct CallHead {
    pub(super) uri: Uri,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) secrets: Secrets,
}

impl ServiceOptions {
    /// The options to send whole records to this URL.
    pub fn new(url: impl Into<ServiceUrl>) -> Self {
        ServiceOptions {
            url: url.into(),
            method: Method::POST.to_string(),
            headers: Vec::new(),
            body: None,
            picks: Vec::new(),
            expects: Vec::new(),
            budget: None,
            insecure: false,
            max_answer: MAX_ANSWER,
        }
    }

    /// Checks the options and puts the values of variables into the headers.
    pub(super) fn head(&self, environment: &Environment<'_>) -> Result<CallHead, Error> {
        self.check_names()?;
        if self.max_answer == 0 {
            let message = "an answer needs more than 0 bytes".to_owned();
            return Err(Error::Plan(message));
        }
        let url = self.url.check(self.insecure)?;
        let mut secrets = url.secrets;
        let mut headers = HeaderMap::new();
        for template in &self.headers {
            let header = template.resolve(environment)?;
            secrets.extend(header.secrets);
            headers.append(header.name, header.value);
        }
        if let Some(value) = url.authorization {
            headers.entry(AUTHORIZATION).or_insert(value);
        }
        let json = HeaderValue::from_static("application/json");
        headers.entry(CONTENT_TYPE).or_insert(json.clone());
        headers.entry(ACCEPT).or_insert(json);
        let agent = HeaderValue::from_static(concat!("manyhands/", env!("CARGO_PKG_VERSION")));
        headers.entry(USER_AGENT).or_insert(agent);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(CallHead {
            uri: url.uri,
            method: self.method()?,
            headers,
            secrets: Secrets::new(secrets),
        })
    }

    fn method(&self) -> Result<Method, Error> {
        let name = self.method.trim().to_ascii_uppercase();
        let method = Method::from_bytes(name.as_bytes());
        match method {
            Ok(method) if !NO_BODY.contains(&method) => Ok(method),
            _ => Err(Error::Plan(format!(
                "expected a method that sends a record, such as POST or PUT, found `{}`",
                beginning(&self.method)
            ))),
        }
    }

    /// Checks that names are not repeated, and that only values are expected that are taken out of the answer.
    fn check_names(&self) -> Result<(), Error> {
        let picked: Vec<&str> = self.picks.iter().map(Pick::name).collect();
        let expected: Vec<&str> = self.expects.iter().map(Expect::name).collect();
        for (names, option) in [(&picked, "--pick"), (&expected, "--expect")] {
            if let Some(name) = repeated(names) {
                let name = beginning(name);
                return Err(Error::Plan(format!(
                    "\"{name}\" has {option} twice; give each value once"
                )));
            }
        }
        let unknown = expected.iter().find(|name| !picked.contains(name));
        match unknown.filter(|_| !picked.is_empty()) {
            Some(name) => Err(Error::Plan(format!(
                "\"{}\" has --expect but no --pick; the values with --pick are {}",
                beginning(name),
                beginning(&picked.join(", "))
            ))),
            None => Ok(()),
        }
    }
}

/// The first name that comes twice.
fn repeated<'n>(names: &[&'n str]) -> Option<&'n str> {
    let mut places = (0..).zip(names);
    let found = places.find(|(place, name)| names[..*place].contains(name));
    found.map(|(_, name)| *name)
}
