//! `exec`: a program of the user.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outside::{ScoredOutside, found_columns};
use super::{AnyScorer, Outside, PreparedScorer, Scorer, ScorerColumns};
use crate::error::Error;
use crate::plan::Plan;
use crate::remote::SendAs;

/// The largest number of characters of the program and its arguments that a headline shows.
const SHOWN: usize = 80;

/// The scorer `exec`: a program of the user, in any language. Several processes of it are started, one for each
/// worker of the plan. Each process reads a record a line on its standard input and answers each record with a line on
/// its standard output, in the same order.
///
/// An answer is one JSON value. A number is the value of the column `score`, a string is the value of the column
/// `label`, and an object has a value for each column: numbers and strings (labels), of which a run computes statistics,
/// and any other JSON, which is copied to the scores file. The columns are found during the run, and a record that has no
/// value or `null` in a column is missing there. The answer `{"error": "reason"}` makes the record fail for that reason.
///
/// Programs are started on Unix systems only. On other systems, a plan with this scorer is refused when it is opened.
///
/// ```no_run
/// use manyhands::plan::{ExecOptions, Plan, RunOptions};
///
/// let mut plan = Plan::new(["reviews.csv"]);
/// let mut options = ExecOptions::new(["python3", "score.py"]);
/// options.restart_after = Some(10_000);
/// plan.scorer = options.into();
/// let answer = plan.open()?.run(RunOptions::default())?;
/// println!("{}", answer.report.value.scores["score"].moments.mean);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecOptions {
    /// The program and its arguments. No shell reads them. A program whose name contains no `/` is looked for in the
    /// folders of the variable `PATH`. Reports contain these words, so none of them may be a secret; the environment is
    /// the place for secrets.
    pub program: Vec<String>,
    /// How records are written to the program.
    pub send: SendAs,
    /// Time that a new process may take until its first answer, for example to load a model. This time does not count as
    /// time for the first record, see [`Plan::timeout`]. `None` means the timeout of the plan and a minute (later the
    /// time that other processes took to start, see [`Program::start_timeout`](crate::remote::Program::start_timeout)), or any time if
    /// the plan has no timeout.
    pub start_timeout: Option<Duration>,
    /// Number of records after which a process is replaced by a new one, for programs that need more and more memory.
    /// `None` means that processes are not replaced.
    pub restart_after: Option<u64>,
    /// The largest number of bytes of memory that a process and its descendants may hold. If they hold more, they are
    /// killed, and the record that they were working on is found as after any other death. `None` means no limit.
    pub max_memory: Option<u64>,
    /// Whether the program gets only the few variables of the environment that almost every program needs, and none of
    /// the others, which may hold secrets.
    pub clean_env: bool,
}

impl ExecOptions {
    /// The options to run this program with these arguments.
    pub fn new<S: Into<String>>(program: impl IntoIterator<Item = S>) -> Self {
        ExecOptions {
            program: program.into_iter().map(Into::into).collect(),
            send: SendAs::default(),
            start_timeout: None,
            restart_after: None,
            max_memory: None,
            clean_env: false,
        }
    }

    /// Returns an error if the options make no sense.
    fn check(&self, plan: &Plan) -> Result<(), Error> {
        let refuse = |message: &str| Err(Error::Plan(message.to_owned()));
        if cfg!(not(unix)) {
            return refuse("the scorer exec starts programs on Unix systems only");
        }
        if self.program.first().is_none_or(String::is_empty) {
            return refuse("the scorer exec needs a program to start");
        }
        if self.program.iter().any(|argument| argument.contains('\0')) {
            return refuse("the program and its arguments cannot contain the character NUL");
        }
        if self.start_timeout.is_some_and(|time| time.is_zero()) {
            return refuse("the time for the start of a program must be more than 0");
        }
        if self.restart_after == Some(0) {
            return refuse("a process must score at least 1 record before it is replaced");
        }
        if self.max_memory == Some(0) {
            return refuse("a process needs more than 0 bytes of memory");
        }
        if self.send.sends_whole_records() && plan.missing.is_some() {
            return refuse(
                "the program gets whole records, so it decides what a missing value means; leave out --missing, or \
                 send the text alone (--send text)",
            );
        }
        Ok(())
    }
}

impl Scorer for ExecOptions {
    fn columns(&self, plan: &Plan) -> ScorerColumns {
        found_columns(plan)
    }

    fn for_answers(&self) -> Option<AnyScorer> {
        Some(AnyScorer::from(ExecOptions {
            start_timeout: None,
            restart_after: None,
            max_memory: None,
            ..self.clone()
        }))
    }

    fn subtitle(&self) -> Option<String> {
        let program = self.program.join(" ");
        Some(match program.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("by {}…", &program[..end]),
            None => format!("by {program}"),
        })
    }

    fn outside(&self) -> Option<Outside<'_>> {
        Some(Outside::Program(self))
    }

    fn reads_fields(&self) -> bool {
        !self.send.sends_whole_records()
    }

    fn prepare(&self, plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        self.check(plan)?;
        Ok(Box::new(ScoredOutside("processes of its program")))
    }
}

/// The arguments of `exec` on a command line.
#[cfg(feature = "cli")]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With exec")]
pub(super) struct ExecArguments {
    /// Write records to the program in this way: each as a JSON object on a line (json), the text of the fields alone
    /// (text; line ends in it are written as \n and \r, and backslashes as \\), or up to N records as a JSON array on a
    /// line (array:N), which the program answers with an array.
    #[arg(long, value_name = "json|text|array:N", default_value_t = SendAs::Json)]
    send: SendAs,

    /// Give up a new process that has not answered its first record after this time, such as 2m [default: the time of
    /// --timeout and a minute, or no limit without --timeout].
    #[arg(long, value_name = "DURATION", value_parser = super::arguments::duration)]
    start_timeout: Option<Duration>,

    /// Replace a process by a new one after N records.
    #[arg(long, value_name = "N", value_parser = super::arguments::from_one)]
    restart_after: Option<usize>,

    /// Kill and replace a process that holds more memory than this, together with its own child processes, in bytes or
    /// with a unit such as 2G.
    #[arg(long, value_name = "BYTES", value_parser = super::arguments::bytes)]
    max_memory: Option<u64>,

    /// Give the program only PATH, HOME, the language, and the few other variables of the environment that almost every
    /// program needs.
    #[arg(long)]
    clean_env: bool,

    /// The program that scores the records, with its arguments: python3 score.py. It reads a record a line, and writes
    /// an answer a line: a number, a text, or a JSON object of them. Reports contain these words, so put secrets into the
    /// environment.
    #[arg(value_name = "PROGRAM", last = true)]
    program: Vec<String>,
}

#[cfg(feature = "cli")]
impl super::arguments::FromArguments for ExecOptions {
    type Arguments = ExecArguments;

    fn from_arguments(arguments: ExecArguments) -> Result<Self, Error> {
        let ExecArguments {
            send,
            start_timeout,
            restart_after,
            max_memory,
            clean_env,
            program,
        } = arguments;
        if program.is_empty() {
            let message = "expected the program that scores the records after --, such as: --with exec -- python3 score.py";
            return Err(Error::Plan(message.to_owned()));
        }
        Ok(ExecOptions {
            program,
            send,
            start_timeout,
            restart_after: restart_after.map(|records| records as u64),
            max_memory,
            clean_env,
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_headline_shows_the_beginning_of_the_program() {
        let subtitle = |program: &[&str]| ExecOptions::new(program.iter().copied()).subtitle();
        assert_eq!(subtitle(&["jq", "-c"]).as_deref(), Some("by jq -c"));
        let long = "é".repeat(100);
        assert_eq!(
            subtitle(&["x", &long]),
            Some(format!("by x {}…", "é".repeat(78)))
        );
    }
}
