//! What all workers of a run share: how the program is started and used, and what is known about it.

use std::time::Duration;

use super::launch::{Launch, ProgramEnd};
use crate::dataset::TextRecord;
use crate::error::{Cause, Error};
use crate::journal::AnswerMemory;
use crate::limit::Permits;
use crate::remote::start_history::StartHistory;
use crate::remote::{ProgramAnswer, SendAs};
use crate::stop::Cancel;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Time that a new process may take until its first answer in addition to the timeout of a record, if the user does not
/// say how long it may take and no process has answered yet.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The shortest such time. Once processes have answered, it is twice the longest time that one of them took.
const SHORT_START: Duration = Duration::from_secs(5);

/// The limits on processes and records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ProgramLimits {
    pub(crate) send: SendAs,
    /// The time that a record may take.
    pub(crate) timeout: Option<Duration>,
    /// The time that a new process may take until its first answer.
    pub(crate) start_timeout: Option<Duration>,
    /// How often a record that failed is tried again.
    pub(crate) retries: u32,
    /// Number of records after which a process is replaced.
    pub(crate) restart_after: Option<u64>,
    /// The memory that a process may hold, in bytes.
    pub(crate) max_memory: Option<u64>,
}

impl ProgramLimits {
    /// The largest number of records that are sent as one list. `None`: each record is a line of its own.
    pub(super) fn list(&self) -> Option<usize> {
        match self.send {
            SendAs::Array(most) => Some(most.get().into()),
            SendAs::Json | SendAs::Text => None,
        }
    }
}

/// Appends what the program is sent for a record to a line, without a line end.
type Encode<'a> = dyn Fn(&TextRecord<'_>, &mut Vec<u8>) -> Result<(), Cause> + Sync + 'a;

/// What the caller of a run provides besides the program and the records.
pub(crate) struct Surroundings<'a> {
    /// Appends what the program is sent for a record to a line, without a line end.
    pub(crate) encode: &'a Encode<'a>,
    /// What a process needs before it may be sent a record, if the number of records per second is limited.
    pub(crate) permits: Option<Permits>,
    /// Called with the number of bytes of records that are done.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
    /// Has the answers of earlier runs, and keeps those of this run. `None`: every record is sent, and no answer is kept.
    pub(crate) memory: Option<&'a dyn AnswerMemory<ProgramAnswer>>,
}

/// What all workers of a run share.
pub(super) struct ProgramShared<'a> {
    pub(super) launch: &'a Launch,
    pub(super) limits: &'a ProgramLimits,
    pub(super) around: Surroundings<'a>,
    pub(super) stop: Cancel,
    pub(super) history: Mutex<StartHistory>,
    /// The longest time that a process has taken until its first answer. `None` before the first answer.
    longest_start: Mutex<Option<Duration>>,
    /// Whether the program answers a record without waiting for more records, as far as is known.
    is_prompt: AtomicBool,
    /// Whether processes are known to hold answers back until they are sent more records, or until their input ends.
    is_buffering: AtomicBool,
    /// Number of processes that seemed to answer at once, but gave their last answers only when their input was closed.
    late: AtomicU32,
}

/// Number of processes that have to answer [late](ProgramShared::add_late) until the program counts as one that buffers
/// its answers. A process may also be late because a record takes unusually long.
const MOST_LATE: u32 = 3;

impl<'a> ProgramShared<'a> {
    pub(super) fn new(
        launch: &'a Launch,
        limits: &'a ProgramLimits,
        around: Surroundings<'a>,
        stop: &Cancel,
    ) -> Self {
        ProgramShared {
            launch,
            limits,
            around,
            stop: stop.clone(),
            history: Mutex::default(),
            longest_start: Mutex::default(),
            is_prompt: AtomicBool::new(false),
            is_buffering: AtomicBool::new(false),
            late: AtomicU32::new(0),
        }
    }

    pub(super) fn is_prompt(&self) -> bool {
        self.is_prompt.load(Relaxed)
    }

    pub(super) fn set_prompt(&self, is_prompt: bool) {
        let is_prompt = is_prompt && self.late.load(Relaxed) < MOST_LATE;
        if self.is_prompt() != is_prompt {
            self.is_prompt.store(is_prompt, Relaxed);
        }
    }

    pub(super) fn is_buffering(&self) -> bool {
        self.is_buffering.load(Relaxed)
    }

    /// Notes that a process has held answers back until its input ended.
    pub(super) fn set_buffering(&self) {
        self.is_buffering.store(true, Relaxed);
    }

    /// Notes that a process gave its last answers only when its input was closed.
    pub(super) fn add_late(&self) {
        if self.late.fetch_add(1, Relaxed) + 1 >= MOST_LATE {
            self.set_prompt(false);
        }
    }

    /// Notes that a process has given its first answer after this time.
    pub(super) fn has_started(&self, took: Duration) {
        lock(&self.history).add_ready();
        let mut longest = lock(&self.longest_start);
        *longest = (*longest).max(Some(took));
    }

    /// The time that a process may take to answer this number of records. `None` if there is no limit. Until the first
    /// answer of a process, the time includes its start.
    pub(super) fn allowed_time(&self, has_answered: bool, records: usize) -> Option<Duration> {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let timeout = self.limits.timeout;
        let timeout = timeout.map(|timeout| timeout.saturating_mul(records));
        if has_answered {
            return timeout;
        }
        self.limits.start_timeout.or_else(|| {
            let longest = *lock(&self.longest_start);
            let start = longest.map_or(START_TIMEOUT, |longest| {
                longest
                    .saturating_mul(2)
                    .max(SHORT_START)
                    .min(START_TIMEOUT)
            });
            timeout.map(|timeout| timeout.saturating_add(start))
        })
    }

    /// The longest time that a process has taken until its first answer.
    pub(super) fn longest_start(&self) -> Duration {
        lock(&self.longest_start).unwrap_or_default()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Notes that a process has ended before its first answer. `before` is the history from when it was started.
    ///
    /// # Errors
    ///
    /// Returns an error if no process has ever answered, and this is not the first one that ended so.
    pub(super) fn add_death(&self, before: StartHistory, why: &str) -> Result<(), Error> {
        let mut history = lock(&self.history);
        history.add_death(before);
        if history.has_succeeded() || !history.is_hopeless() || self.is_stopped() {
            return Ok(());
        }
        let message = format!(
            "{}: {} processes in succession ended before they had answered a record; the last: {why}",
            self.launch.program.display(),
            history.deaths(),
        );
        Err(Error::Program { message })
    }
}

/// Why a process gave no answer.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It ended.
    Ended(ProgramEnd),
    /// It closed its output and went on.
    ClosedOutput,
    /// It wrote something that is no answer.
    Garbage(String),
    /// It wrote more lines than it was sent records.
    TooManyAnswers,
    /// It wrote a line that is too long.
    TooLong(usize),
    /// It held more memory than is allowed.
    TooMuchMemory(u64),
    /// It gave no answer in this time.
    Overdue(Duration),
}
