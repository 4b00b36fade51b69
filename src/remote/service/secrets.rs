//! Texts that no output may contain, and how they are removed from texts that come from outside.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::visible::escaped;

/// What takes the place of a secret.
pub(super) const HIDDEN: &str = "[hidden]";

/// Secrets with fewer bytes are not searched for. They are not guarded by being secret, and would be found everywhere.
const SHORTEST: usize = 4;

/// A credential with fewer bytes may be in the values of an answer.
const SHORTEST_CREDENTIAL: usize = 8;

/// A secret that is perhaps no credential, and has fewer bytes, may be in the values of an answer.
const SHORTEST_OTHER: usize = 16;

/// The largest number of characters of an answer in a message.
const MOST_CHARACTERS: usize = 200;

/// A text that no output may contain.
pub(super) struct Secret {
    text: String,
    /// Whether the text is certainly a credential, such as a password.
    is_credential: bool,
}

impl Secret {
    /// A password, a token or the like.
    pub(super) fn credential(text: &str) -> Self {
        Secret {
            text: text.to_owned(),
            is_credential: true,
        }
    }

    /// The value of a header or of a parameter that is probably no credential.
    pub(super) fn other(text: &str) -> Self {
        Secret {
            text: text.to_owned(),
            is_credential: false,
        }
    }

    /// Whether the text is removed from the values of an answer, too. A short text that is no credential, such as the
    /// name of a model, may be the very value that the user wants.
    fn is_hidden_in_values(&self) -> bool {
        let shortest = match self.is_credential {
            true => SHORTEST_CREDENTIAL,
            false => SHORTEST_OTHER,
        };
        self.text.len() >= shortest
    }
}

/// Whether the name of a header or of a parameter says that its value is a credential.
pub(super) fn is_credential(name: &str) -> bool {
    const WHOLE: [&str; 2] = ["code", "sig"];
    const PARTS: [&str; 11] = [
        "auth",
        "key",
        "token",
        "secret",
        "pass",
        "pwd",
        "cookie",
        "session",
        "signature",
        "cred",
        "jwt",
    ];
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// All secrets of a service. It removes them from texts that come from outside, such as an answer that repeats the key,
/// or the message of a library.
#[derive(Default)]
pub(super) struct Secrets {
    /// The secrets that no message may contain, from the longest to the shortest.
    in_messages: Vec<Finder<'static>>,
    /// The secrets that no value of an answer may contain, from the longest to the shortest.
    in_values: Vec<Finder<'static>>,
}

impl Secrets {
    pub(super) fn new(secrets: Vec<Secret>) -> Self {
        let finders = |is_searched: &dyn Fn(&Secret) -> bool| {
            let searched = secrets.iter().filter(|secret| is_searched(secret));
            let mut texts: Vec<String> = searched.flat_map(|secret| forms(&secret.text)).collect();
            texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            texts.dedup();
            let texts = texts.iter();
            texts
                .map(|text| Finder::new(text.as_bytes()).into_owned())
                .collect()
        };
        Secrets {
            in_messages: finders(&|secret| secret.text.len() >= SHORTEST),
            in_values: finders(&Secret::is_hidden_in_values),
        }
    }

    /// A text without secrets.
    pub(super) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match replaced(text.as_bytes(), &self.in_messages) {
            // A secret is text, so the rest is text too. A part of a character cannot equal a whole secret.
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// The body of an answer, without those secrets that its values must not contain.
    pub(super) fn hide_in_answer(&self, body: Bytes) -> Bytes {
        match replaced(&body, &self.in_values) {
            Some(bytes) => bytes.into(),
            None => body,
        }
    }

    /// The body of an answer without any secret, for a message. `None` if it contains none.
    pub(super) fn hide_all(&self, body: &[u8]) -> Option<Vec<u8>> {
        replaced(body, &self.in_messages)
    }

    /// The beginning of a text that comes from outside, for a message. If the text `is_cut`, it may end with a part of a
    /// secret.
    pub(super) fn beginning(&self, text: &[u8], is_cut: bool) -> String {
        let longest = self.in_messages.first().map_or(0, |it| it.needle().len());
        let end = match is_cut {
            true => text.len().saturating_sub(longest),
            false => text.len(),
        };
        let text = String::from_utf8_lossy(&text[..end]);
        let hidden = self.hide(&text);
        let one_line = hidden.split_whitespace().collect::<Vec<_>>().join(" ");
        match one_line.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => format!("{}…", escaped(&one_line[..end])),
            None => escaped(&one_line).into_owned(),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// The forms in which a secret may appear: as it is, within a string of JSON, and within a URL.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    if let Ok(json) = serde_json::to_string(secret) {
        let inside = json[1..json.len() - 1].to_owned();
        // Some services escape slashes.
        forms.push(inside.replace('/', "\\/"));
        forms.push(inside);
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let in_url = secret.bytes().map(|byte| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    forms.push(in_url.collect());
    forms.extend(without_percents(secret));
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// A part of a URL in which each `%` and the code after it is replaced by its character.
fn without_percents(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The text with every secret replaced. `None` if it contains no secret.
fn replaced(text: &[u8], secrets: &[Finder<'static>]) -> Option<Vec<u8>> {
    let mut found: Option<Vec<u8>> = None;
    for secret in secrets {
        let text = found.as_deref().unwrap_or(text);
        let mut copy = Vec::new();
        let mut copied = 0;
        for place in secret.find_iter(text) {
            copy.extend_from_slice(&text[copied..place]);
            copy.extend_from_slice(HIDDEN.as_bytes());
            copied = place + secret.needle().len();
        }
        if copied > 0 {
            copy.extend_from_slice(&text[copied..]);
            found = Some(copy);
        }
    }
    found
}
