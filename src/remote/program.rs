//! A program of the user as what scores records: any program that reads a record a line and writes an answer a line.
//!
//! A record's way: `supply` reads it on a thread of its own. A worker of the run takes it into its `slot` and sends it to
//! its process (`sending`, `window`, `process`), receives the answer (`receiving`, `answer`), waits until it is certain
//! (`certain`), and visits the record with the answer (`run`, `kinds`). If the process ends or misbehaves, `recovery` finds the record at fault.
//! If the run ends early, `finishing` keeps the answers that are still to come.

mod certain;
mod descendants;
mod entry;
mod environment;
mod find;
mod finishing;
mod guard;
mod last_words;
mod launch;
#[cfg(test)]
mod memory_tests;
mod process;
mod receiving;
mod recovery;
mod run;
mod sending;
mod shared;
mod slot;
mod supply;
#[cfg(test)]
mod tests;
mod window;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use guard::guard;
use launch::Launch;
pub use run::Answered;
use shared::ProgramShared;
pub(crate) use shared::{ProgramLimits, Surroundings};

use crate::dataset::{Dataset, Fields, TextRecord};
use crate::error::{Cause, Error};
use crate::remote::{ProgramAnswer, RecordReply, SendAs, on_one_line};
use crate::stop::Cancel;

/// A program of the user, which scores records in processes of its own: one for each worker of a run.
///
/// The program is started once for each worker. It reads records on standard input, one in each line, and writes an
/// answer to each of them on standard output, one in each line and in the same order. See [`ProgramAnswer`] for what an answer
/// may be. If a process ends or hangs, the record of which it did so fails, and the others are sent to a new process.
///
/// ```
/// use manyhands::dataset::OpenOptions;
/// use manyhands::prelude::*;
/// use manyhands::remote::Program;
///
/// let reviews = OpenOptions::new().open(&["data/reviews.jsonl"])?;
/// let program = Program::new("jq").arguments(["--unbuffered", "-c", ".text | length"]);
/// # let program = Program::new("sed").arguments(["-u", "s/.*/7/"]);
/// let report = program.answer(&reviews, &Cancel::new(), |answers| {
///     Pipeline::new(answers, fallible(Program::number("score"))).aggregate(Mean::new())
/// })??;
/// assert_eq!(report.scored, 2000);
/// # assert_eq!(report.value, 7.0);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Program {
    launch: Launch,
    limits: ProgramLimits,
}

impl Program {
    /// A program, named by its path or by a name that is searched for in the folders of `PATH`.
    pub fn new(program: impl Into<OsString>) -> Self {
        Program {
            launch: Launch {
                program: program.into(),
                arguments: Vec::new(),
                clean_env: false,
                guard: None,
            },
            limits: ProgramLimits::default(),
        }
    }

    /// Adds arguments. No shell is involved: each argument reaches the program as it is.
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.launch
            .arguments
            .extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Gives the program only the few variables of the environment that almost every program needs.
    pub fn clean_env(mut self, is_clean: bool) -> Self {
        self.launch.clean_env = is_clean;
        self
    }

    /// Starts the processes through this program, which must call [`guard`]. The processes then end when this process
    /// ends, even if it is killed.
    pub fn guarded_by(mut self, program: impl Into<PathBuf>) -> Self {
        self.launch.guard = Some(program.into());
        self
    }

    /// Sets how records are written to the program. The default is [`SendAs::Json`].
    pub fn send(mut self, send: SendAs) -> Self {
        self.limits.send = send;
        self
    }

    /// Sets the time that a record may take, from when it is the next one to be answered. The process of a record that
    /// takes longer is killed, and the record fails.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.limits.timeout = Some(time);
        self
    }

    /// Sets the time that a new process may take until its first answer. The default is no limit if there
    /// is no [timeout](Self::timeout) of a record. Otherwise, it is this timeout and a minute, and after the first answer of
    /// any process, this timeout and twice the longest start so far, but at least 5 s more.
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.limits.start_timeout = Some(time);
        self
    }

    /// Tries a record that failed again, up to this number of times. The pauses before it double from 100 ms up to 30 s.
    pub fn retries(mut self, times: u32) -> Self {
        self.limits.retries = times;
        self
    }

    /// Replaces each process after this number of records.
    pub fn restart_after(mut self, records: u64) -> Self {
        self.limits.restart_after = Some(records.max(1));
        self
    }

    /// Sets the memory that a process and its descendants may hold, in bytes. A process that holds more is killed, and its
    /// record fails.
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.limits.max_memory = Some(bytes);
        self
    }

    /// Sets how records are written, and all limits.
    pub(crate) fn limited_by(mut self, limits: ProgramLimits) -> Self {
        self.limits = limits;
        self
    }

    /// A task that takes the number with this name out of an answer. An answer without this number fails its record.
    pub fn number(
        name: impl Into<String>,
    ) -> impl Fn(&RecordReply<ProgramAnswer>) -> Result<f64, Cause> {
        let name = name.into();
        move |reply| {
            let answer = reply.take()?;
            let number = answer.number(&name);
            number.ok_or_else(|| format!("expected a number named {name:?} in the answer").into())
        }
    }

    /// Calls `run` with the answers of the program for these records, and ends all processes when it returns. If records
    /// are sent as [texts](SendAs::Text), the text is that of their field `text`. The
    /// processes also end soon after `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// Returns an error if the program does not exist, or if a thread cannot be started. Other errors are those of `run`.
    pub fn answer<D, R>(
        &self,
        records: &D,
        stop: &Cancel,
        run: impl FnOnce(&Answered<'_, D>) -> R,
    ) -> Result<R, Error>
    where
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
    {
        let text = Fields::new(["text"], [""; 0]);
        let encode = |record: &TextRecord<'_>, line: &mut Vec<u8>| {
            match self.limits.send {
                SendAs::Text => {
                    let values = text.of(record)?;
                    line.extend_from_slice(on_one_line(values.text()?).as_bytes());
                }
                _ => line.extend_from_slice(record.to_json()?.as_bytes()),
            }
            Ok(())
        };
        let surroundings = Surroundings {
            encode: &encode,
            permits: None,
            progress: &|_| {},
            memory: None,
        };
        self.answer_in(surroundings, records, stop, run)
    }

    /// Like [`answer`](Self::answer), but as part of a plan.
    pub(crate) fn answer_in<D, R>(
        &self,
        surroundings: Surroundings<'_>,
        records: &D,
        stop: &Cancel,
        run: impl FnOnce(&Answered<'_, D>) -> R,
    ) -> Result<R, Error>
    where
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
    {
        let shared = ProgramShared::new(&self.launch, &self.limits, surroundings, stop);
        Answered::while_fed(records, shared, run)
    }
}
