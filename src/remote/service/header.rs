//! The headers of the calls to a service, whose values are secrets.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::secrets::{HIDDEN, Secret, is_credential};
use crate::error::Error;

/// Finds the value of an environment variable.
pub(super) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A header of the calls to a service: `Name: value`, in which `$NAME` or `${NAME}` stands for the environment variable
/// of this name, and `$$` for a dollar sign.
///
/// The value is a secret, also where a shell has already put it in the place of a variable. `Display`, `Debug` and
/// `Serialize` therefore show the value only if it consists of variables whose names have no small letters, perhaps after
/// a word such as `Bearer`; any other value becomes `[hidden]`. Reading a header from a text never fails.
/// [`Service::new`](super::Service::new) checks it, because a program that reads command lines would show a wrong value.
///
/// ```
/// use manyhands::remote::HeaderTemplate;
///
/// let header = HeaderTemplate::from("Authorization: Bearer $TOKEN");
/// assert_eq!(header.to_string(), "Authorization: Bearer $TOKEN");
/// let header = HeaderTemplate::from("Authorization: Bearer sk-5ec7e7");
/// assert_eq!(header.to_string(), "Authorization: Bearer [hidden]");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct HeaderTemplate(String);

/// A header with its value.
pub(super) struct ResolvedHeader {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    /// What outputs must not contain.
    pub(super) secrets: Vec<Secret>,
}

/// The words before a credential in the header `Authorization`.
const SCHEMES: [&str; 9] = [
    "Bearer", "Basic", "Token", "ApiKey", "Api-Key", "Key", "DPoP", "Digest", "GenieKey",
];

/// The headers whose values, if no variable is in them, say nothing about the user.
const PUBLIC: [HeaderName; 5] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::USER_AGENT,
];

/// The headers that belong to the connection or to the single call. The names of others begin with `proxy-`.
const OWN: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "idempotency-key",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A part of the value of a header.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    /// A dollar sign, written as `$$`.
    Dollar,
    /// The name of an environment variable.
    Variable(&'a str),
}

/// A dollar sign that neither the name of a variable nor another dollar sign follows.
#[derive(Debug, PartialEq)]
struct LoneDollar;

fn pieces(value: &str) -> Result<Vec<Piece<'_>>, LoneDollar> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((text, after)) = rest.split_once('$') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Dollar);
            rest = after;
            continue;
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(LoneDollar)?,
            None => {
                let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
            }
        };
        let is_first = |letter: u8| letter.is_ascii_alphabetic() || letter == b'_';
        let is_other = |letter: u8| is_first(letter) || letter.is_ascii_digit();
        if !name.bytes().next().is_some_and(is_first) || !name.bytes().all(is_other) {
            return Err(LoneDollar);
        }
        pieces.push(Piece::Variable(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Whether a value, without a word such as `Bearer`, certainly consists of variables. Otherwise, it may be a password
/// that contains a dollar sign, so that what looks like the name of a variable is a part of it.
fn may_be_shown(value: &str) -> bool {
    let is_certain = |piece: &Piece<'_>| match piece {
        Piece::Variable(name) => !name.bytes().any(|letter| letter.is_ascii_lowercase()),
        Piece::Text(text) => text.trim().is_empty(),
        Piece::Dollar => false,
    };
    pieces(value).is_ok_and(|pieces| pieces.iter().all(is_certain))
}

/// Divides a value into a word such as `Bearer`, if it begins with one, and the rest.
fn without_scheme(value: &str) -> (Option<&str>, &str) {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest.trim_start()),
        _ => (None, value),
    }
}

impl HeaderTemplate {
    /// The name, and the value in which no variable is replaced. `None` if the text has no colon.
    fn parts(&self) -> Option<(&str, &str)> {
        let (name, value) = self.0.split_once(':')?;
        Some((name.trim(), value.trim()))
    }

    /// Replaces the variables.
    pub(super) fn resolve(&self, environment: &Environment<'_>) -> Result<ResolvedHeader, Error> {
        let refuse = |message: String| Err(Error::Plan(message));
        let Some((written, template)) = self.parts() else {
            return refuse(
                "expected a header with its name, such as 'Authorization: Bearer $TOKEN', found no colon".to_owned(),
            );
        };
        let Ok(name) = HeaderName::from_bytes(written.as_bytes()) else {
            return refuse(
                "expected the name of a header before the colon, such as 'Authorization: Bearer $TOKEN', found \
                 characters that no such name has"
                    .to_owned(),
            );
        };
        if OWN.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
            return refuse(format!(
                "the header {name} is set by manyhands; leave it out"
            ));
        }
        if template.contains(HIDDEN) {
            return refuse(format!(
                "the header {name} was written without its value; give it in full"
            ));
        }
        let Ok(pieces) = pieces(template) else {
            return refuse(format!(
                "expected the name of an environment variable after each dollar sign in the header {name}, such as \
                 $TOKEN; write $$ for a dollar sign"
            ));
        };
        let mut text = String::new();
        let mut secrets = Vec::new();
        for piece in &pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Dollar => text.push('$'),
                Piece::Variable(variable) => {
                    let shown = may_be_shown(without_scheme(template).1).then_some(*variable);
                    let value = environment(variable).unwrap_or_default();
                    let value = value.trim();
                    if value.is_empty() {
                        return Err(not_set(&name, shown));
                    }
                    text.push_str(value);
                    secrets.push(Secret::credential(value));
                }
            }
        }
        let text = text.trim();
        let Ok(mut value) = HeaderValue::from_str(text) else {
            return refuse(format!(
                "the value of the header {name} has a line end or another character that no header can have"
            ));
        };
        value.set_sensitive(true);
        if !PUBLIC.contains(&name) {
            let kind: fn(&str) -> Secret = match is_credential(name.as_str()) {
                true => Secret::credential,
                false => Secret::other,
            };
            secrets.push(kind(text));
            let words = text.split_whitespace();
            secrets.extend(words.filter(|word| !is_scheme(word)).map(kind));
        }
        Ok(ResolvedHeader {
            name,
            value,
            secrets,
        })
    }
}

/// The error of a variable in a header that has no value. Its name is given if it may be shown.
fn not_set(header: &HeaderName, variable: Option<&str>) -> Error {
    let called = match variable {
        Some(variable) => format!("the environment variable {variable}"),
        None => "an environment variable".to_owned(),
    };
    Error::Plan(format!(
        "{called} in the header {header} is not set, or is empty; set it, or write $$ for a dollar sign"
    ))
}

fn is_scheme(word: &str) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

impl fmt::Display for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        let parts = parts.filter(|(name, _)| HeaderName::from_bytes(name.as_bytes()).is_ok());
        let Some((name, value)) = parts else {
            return f.write_str(HIDDEN);
        };
        write!(f, "{name}:")?;
        let (scheme, rest) = without_scheme(value);
        if let Some(scheme) = scheme {
            write!(f, " {scheme}")?;
        }
        match may_be_shown(rest) {
            true => write!(f, " {rest}"),
            false => write!(f, " {HIDDEN}"),
        }
    }
}

impl fmt::Debug for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderTemplate({self})")
    }
}

impl From<String> for HeaderTemplate {
    fn from(text: String) -> Self {
        HeaderTemplate(text)
    }
}

impl From<&str> for HeaderTemplate {
    fn from(text: &str) -> Self {
        HeaderTemplate(text.to_owned())
    }
}

impl From<HeaderTemplate> for String {
    /// The header without its secrets.
    fn from(header: HeaderTemplate) -> String {
        header.to_string()
    }
}

impl FromStr for HeaderTemplate {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}
