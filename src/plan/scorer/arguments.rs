//! The arguments of all scorers on a command line, and the parsers of names, counts, sizes, durations and rates.

mod names;
mod quantities;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::{AnyScorer, augment};
use crate::error::Error;

#[cfg(feature = "http")]
pub use super::http::without_secrets;
pub use names::FieldNames;
pub use quantities::{MostInFlight, bytes, count, duration, from_one, in_flight, rate};

/// The id that a command must give to its argument for the name of the scorer. The arguments of a scorer refer to
/// this id.
pub const WITH: &str = "with";

/// A scorer that has arguments on a command line.
pub(super) trait FromArguments: Sized {
    /// The type of the arguments.
    type Arguments: Args;

    /// Returns the scorer that the arguments describe.
    fn from_arguments(arguments: Self::Arguments) -> Result<Self, Error>;
}

/// The arguments of all scorers, which a command can flatten into its own arguments.
///
/// ```
/// use clap::Parser;
/// use manyhands::plan::AnyScorer;
/// use manyhands::plan::arguments::{ScorerArguments, WITH};
///
/// #[derive(Parser)]
/// struct Command {
///     #[arg(id = WITH, long = "with", value_parser = AnyScorer::known_name)]
///     scorer: &'static str,
///     #[command(flatten)]
///     arguments: ScorerArguments,
/// }
///
/// let command = Command::parse_from(["score", "--with", "match", "--against", "cities.txt"]);
/// let scorer = command.arguments.scorer(command.scorer)?;
/// assert_eq!(scorer.inputs(), ["cities.txt"]);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScorerArguments(ArgMatches);

impl ScorerArguments {
    /// Returns the scorer that has this name, with its arguments.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if the arguments do not describe a scorer, or if there is an argument of
    /// another scorer.
    pub fn scorer(&self, name: &str) -> Result<AnyScorer, Error> {
        AnyScorer::from_arguments(self, name)
    }

    /// The options of type `S`.
    pub(super) fn options<S: FromArguments>(&self) -> Result<S, Error> {
        let arguments = S::Arguments::from_arg_matches(&self.0);
        S::from_arguments(arguments.map_err(|error| Error::Plan(error.to_string()))?)
    }

    /// Returns an error if there is an argument of the scorer `other`, whose options have type `S`, although the
    /// command names a different scorer.
    pub(super) fn refuse<S: FromArguments>(&self, other: &str, name: &str) -> Result<(), Error> {
        let command = S::Arguments::augment_args(Command::new(""));
        let on_command_line = Some(ValueSource::CommandLine);
        let mut arguments = command.get_arguments();
        let given = arguments
            .find(|argument| self.0.value_source(argument.get_id().as_str()) == on_command_line);
        let Some(given) = given else { return Ok(()) };
        let what = match given.get_long() {
            Some(long) => format!("--{long}"),
            None => "a program after --".to_owned(),
        };
        Err(Error::Plan(format!(
            "{what} is for --with {other}, not for --with {name}"
        )))
    }
}

impl Args for ScorerArguments {
    fn augment_args(command: Command) -> Command {
        augment(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        augment(command)
    }
}

impl FromArgMatches for ScorerArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(ScorerArguments(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}
