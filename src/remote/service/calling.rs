//! The calls to a service.

use std::env;
use std::fmt;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

use super::body::whole;
use super::client::{HttpClient, client};
use super::header::Environment;
use super::options::CallHead;
use super::outcome::Outcomes;
use super::rate_limit::{allowances, pause};
use super::reading::AnswerReader;
use super::receiving::ReceivedBody;
use super::redirect::{MOST_REDIRECTS, target};
use super::statistics::CallRecorder;
use super::{BodyTemplate, ServiceOptions, ServiceStatistics};
use crate::calls::{Again, CallControl, CallError};
use crate::dataset::TextRecord;
use crate::error::Error;
use crate::remote::ProgramAnswer;
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The header with which a service recognises that a call was made before.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The largest number of bytes that are read of an answer whose status is no success.
const MOST_OF_FAILURE: usize = 64 << 10;

/// A service that is ready to be called.
///
/// Its futures must be polled on a runtime of tokio that has timers and sockets, such as the one of
/// [`Calls`](crate::calls::Calls).
pub struct Service {
    head: CallHead,
    body: Option<BodyTemplate>,
    reader: AnswerReader,
    max_answer: usize,
    client: HttpClient,
    control: CallControl,
    recorder: CallRecorder,
    in_flight: AtomicUsize,
}

/// What is sent to a service for a record.
#[derive(Clone, Debug)]
pub struct CallBody {
    body: Bytes,
    /// The same for every call with this record, and for no other record.
    key: HeaderValue,
}

/// The environment of this process.
fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}

impl Service {
    /// Checks options as far as this is possible without connections: their syntax, and whether all variables are set.
    ///
    /// # Errors
    ///
    /// Returns an [`Error::Plan`] that contains no secret.
    pub fn check(options: &ServiceOptions) -> Result<(), Error> {
        options.head(&environment).map(drop)
    }

    /// Prepares the calls. They tell `control` what they cost, and for how long the service wants all calls to wait.
    ///
    /// # Errors
    ///
    /// Returns an [`Error::Plan`] that contains no secret, for the same reasons as [`check`](Self::check), and if there are
    /// no certificates or if the variable for a proxy has no valid value.
    pub fn new(options: &ServiceOptions, control: CallControl) -> Result<Self, Error> {
        Service::new_in(&environment, options, control)
    }

    /// Like [`new`](Self::new), but in an environment with other variables.
    pub(super) fn new_in(
        environment: &Environment<'_>,
        options: &ServiceOptions,
        control: CallControl,
    ) -> Result<Self, Error> {
        let head = options.head(environment)?;
        let client = client(&head.uri, environment)?;
        Ok(Service {
            head,
            body: options.body.clone(),
            reader: AnswerReader::new(options),
            max_answer: options.max_answer,
            client,
            control,
            recorder: CallRecorder::default(),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// What is sent for a record: the template with the fields of the record, or the whole record.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of its format, or lacks a field of the template. It is not to be tried again.
    pub fn body(&self, record: &TextRecord<'_>) -> Result<CallBody, CallError> {
        let body: Bytes = match &self.body {
            Some(template) => template.fill(record).map(Bytes::from),
            None => whole(record).map(|json| json.into_owned().into()),
        }
        .map_err(|bad| CallError::new(bad).again(Again::Never))?;
        let key = self.key(record.position().index, &body);
        Ok(CallBody { body, key })
    }

    /// The key with which a service recognises that it was called for this record before, also in another run.
    fn key(&self, index: u64, body: &[u8]) -> HeaderValue {
        let uri = &self.head.uri;
        let authority = uri.authority().map(|place| place.as_str());
        let place = [
            self.head.method.as_str(),
            uri.scheme_str().unwrap_or_default(),
            authority.unwrap_or_default(),
            uri.path(),
        ];
        let mut hash = Sha256::new();
        for part in place {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(index.to_le_bytes());
        hash.update(body);
        let mut key = [0; 32];
        for (digits, byte) in key.chunks_exact_mut(2).zip(hash.finalize()) {
            let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 0xf)];
            digits.copy_from_slice(&[digit(byte >> 4), digit(byte)]);
        }
        // Digits are valid in a header.
        HeaderValue::from_bytes(&key).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Calls the service once.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no answer, or if it is not what was expected. The error says whether it makes sense to
    /// try again, and contains no secret.
    pub async fn call(&self, body: CallBody) -> Result<ProgramAnswer, CallError> {
        let _flight = Flight::of(&self.in_flight);
        let began = Instant::now();
        self.recorder.sent(body.body.len());
        let mut uri = self.head.uri.clone();
        for _ in 0..=MOST_REDIRECTS {
            let outcomes = Outcomes {
                secrets: &self.head.secrets,
                uri: &uri,
            };
            let response = self.client.request(self.request(uri.clone(), &body));
            let response = response.await.map_err(|error| outcomes.no_answer(&error))?;
            let (head, stream) = response.into_parts();
            let status = head.status;
            self.recorder.status(status.as_u16());
            let is_throttled = status.as_u16() == 429;
            let allowances = allowances(&head.headers, is_throttled, SystemTime::now());
            let others = self.in_flight.load(Relaxed).saturating_sub(1);
            if let Some(time) = pause(&allowances, others) {
                self.control.pause_all(time);
            }
            let most = match status.is_success() {
                true => self.max_answer,
                false => MOST_OF_FAILURE.min(self.max_answer),
            };
            let received = ReceivedBody::of(&head, stream, most).await;
            self.recorder.received(received.packed);
            let next = target(&uri, &self.head.method, status, &head.headers);
            if let Some(next) = next.map_err(|reason| outcomes.refused(&reason))? {
                uri = next;
                continue;
            }
            self.recorder.ended(began.elapsed());
            if status.is_success() {
                return self.answer(outcomes, received);
            }
            let (failed, wait) = outcomes.failed(&head, &received);
            if let Some(wait) = wait {
                self.control.pause_all(wait);
            }
            return Err(failed);
        }
        let outcomes = Outcomes {
            secrets: &self.head.secrets,
            uri: &uri,
        };
        let reason = format!("the service redirects more than {MOST_REDIRECTS} times");
        Err(outcomes.refused(&reason))
    }

    fn request(&self, uri: Uri, body: &CallBody) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.body.clone()));
        *request.method_mut() = self.head.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.head.headers.clone();
        let headers = request.headers_mut();
        headers.insert(IDEMPOTENCY_KEY, body.key.clone());
        request
    }

    /// Reads an answer whose status is a success.
    fn answer(
        &self,
        outcomes: Outcomes<'_>,
        received: ReceivedBody,
    ) -> Result<ProgramAnswer, CallError> {
        if let Some(problem) = &received.problem {
            return Err(outcomes.incomplete(problem, self.max_answer));
        }
        let body = self.head.secrets.hide_in_answer(received.bytes);
        let read = self.reader.read(&body);
        let cost = match read.cost {
            Some(Ok(cost)) => {
                self.control.spend(cost);
                Ok(())
            }
            Some(Err(reason)) => Err(reason),
            None => Ok(()),
        };
        let answer = read.answer.map_err(|unfit| {
            // The reason may contain a part of a secret, so it is made again from an answer without secrets.
            let hidden = self.head.secrets.hide_all(&body);
            let again = hidden.and_then(|body| self.reader.read(&body).answer.err());
            outcomes.unfit(again.unwrap_or(unfit))
        })?;
        // Another call would cost something that is not known either.
        cost.map_err(|reason| outcomes.unusable(&reason).again(Again::Never))?;
        Ok(answer)
    }

    /// Number of calls in flight.
    #[cfg(test)]
    pub(super) fn calls_in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// What the calls were like so far.
    pub fn statistics(&self) -> ServiceStatistics {
        self.recorder.statistics()
    }
}

/// A call in flight.
struct Flight<'a>(&'a AtomicUsize);

impl<'a> Flight<'a> {
    fn of(in_flight: &'a AtomicUsize) -> Self {
        in_flight.fetch_add(1, Relaxed);
        Flight(in_flight)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("method", &self.head.method)
            .field("host", &self.head.uri.host())
            .field("reader", &self.reader)
            .field("statistics", &self.recorder)
            .finish_non_exhaustive()
    }
}
