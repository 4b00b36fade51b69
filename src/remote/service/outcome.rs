//! What became of a call, and whether it is tried again.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use http::response::Parts;
use http::{StatusCode, Uri};

use super::reading::Unfit;
use super::receiving::{BodyProblem, ReceivedBody};
use super::secrets::Secrets;
use super::waiting::{LONGEST_WAIT, retry_after};
use crate::calls::{Again, CallError, RetryReason};
use crate::error::{Refused, Unavailable, UnusableAnswer};

/// The status of services that have too many calls, and no time to answer in a better way.
const OVERLOADED: u16 = 529;

/// Makes the errors of calls. None of them contains a secret.
#[derive(Clone, Copy)]
pub(super) struct Outcomes<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) uri: &'a Uri,
}

impl Outcomes<'_> {
    /// The error of an answer that is not what was expected.
    pub(super) fn unusable(self, reason: &str) -> CallError {
        let reason = self.secrets.hide(reason).into_owned();
        CallError::new(UnusableAnswer { reason }).reason(RetryReason::BadAnswer)
    }

    /// The error of an answer that cannot be used. The service is asked once more.
    pub(super) fn unfit(self, unfit: Unfit) -> CallError {
        let error = match unfit {
            Unfit::Unexpected(reason) => self.unusable(&reason),
            Unfit::Refused(refused) => self.refused(&refused.reason),
        };
        error.again(Again::Once).reason(RetryReason::BadAnswer)
    }

    /// The error of a call that the service has refused.
    pub(super) fn refused(self, reason: &str) -> CallError {
        let reason = self.secrets.hide(reason).into_owned();
        CallError::new(Refused { reason }).again(Again::Never)
    }

    fn unavailable(self, reason: &str) -> CallError {
        let reason = self.secrets.hide(reason).into_owned();
        CallError::new(Unavailable { reason })
    }

    /// The host and the port, as a message shows them.
    fn place(self) -> String {
        let authority = self.uri.authority().map(|place| place.as_str());
        authority.unwrap_or_default().to_owned()
    }

    /// The error of a call without an answer.
    pub(super) fn no_answer(self, error: &hyper_util::client::legacy::Error) -> CallError {
        let place = self.place();
        let last = innermost(error);
        let (what, again) = match error.is_connect() {
            true if is_about_encryption(error) => ("no encrypted connection to", Again::Never),
            true if last.contains("proxy authorization") => ("no connection to", Again::Never),
            true => ("no connection to", Again::AsUsual),
            false if is_about_encryption(error) => ("the encryption failed of", Again::Never),
            false => ("no answer from", Again::AsUsual),
        };
        let failed = self.unavailable(&format!("{what} {place}: {last}"));
        failed.again(again).reason(RetryReason::Connection)
    }

    /// The error of an answer with a status that is not a success. If the service asks all callers to wait, returns this
    /// time too.
    pub(super) fn failed(self, head: &Parts, body: &ReceivedBody) -> (CallError, Option<Duration>) {
        let status = head.status;
        let shown = self.secrets.beginning(&body.bytes, body.problem.is_some());
        let separator = if shown.is_empty() { "" } else { ": " };
        let reason = format!("{}{separator}{shown}", described(status));
        let wait = retry_after(&head.headers, SystemTime::now()).filter(|wait| !wait.is_zero());
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS => RetryReason::Throttled,
            StatusCode::SERVICE_UNAVAILABLE if wait.is_some() => RetryReason::Throttled,
            StatusCode::REQUEST_TIMEOUT => RetryReason::Timeout,
            status if status.as_u16() == OVERLOADED => RetryReason::Throttled,
            status if status.is_server_error() => RetryReason::ServiceError,
            _ => return (self.refused(&reason), None),
        };
        match wait {
            Some(wait) if wait > LONGEST_WAIT => {
                let advice = format!(
                    "{reason}; the service asks to wait for {} s, and {} s is the most",
                    wait.as_secs(),
                    LONGEST_WAIT.as_secs()
                );
                let failed = self.unavailable(&advice).again(Again::Never);
                (failed.reason(kind), None)
            }
            Some(wait) => {
                let failed = self.unavailable(&reason).again(Again::After(wait));
                let is_for_all = kind == RetryReason::Throttled;
                (failed.reason(kind), is_for_all.then_some(wait))
            }
            None => (self.unavailable(&reason).reason(kind), None),
        }
    }

    /// The error of an answer of which a part is missing.
    pub(super) fn incomplete(self, problem: &BodyProblem, most: usize) -> CallError {
        let place = self.place();
        match problem {
            BodyProblem::TooLong => {
                let reason = format!("the answer has more than {most} bytes");
                self.unusable(&reason).again(Again::Never)
            }
            BodyProblem::Broken(error) => {
                let last = innermost(error);
                let reason = format!("the answer from {place} is not complete: {last}");
                self.unavailable(&reason).reason(RetryReason::Connection)
            }
            BodyProblem::Damaged => {
                let reason = "the answer is packed with gzip, but damaged".to_owned();
                self.unavailable(&reason).reason(RetryReason::Connection)
            }
            BodyProblem::Encoding(encoding) => {
                let shown = self.secrets.beginning(encoding.as_bytes(), false);
                let reason = format!(
                    "expected an answer without encoding or with gzip, found the encoding {shown}"
                );
                self.unusable(&reason).again(Again::Never)
            }
        }
    }
}

/// A status as people know it.
fn described(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(name) => format!("{} {name}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// An error and those that caused it, from the outermost to the innermost.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An error of input and output conceals the error that it was made from.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// The message of the error that caused all others, which says most.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let last = causes(error).last();
    last.map_or(String::new(), |last| last.to_string())
}

fn is_about_encryption(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}
