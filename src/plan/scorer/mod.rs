//! The scorers: named tasks that score text, with their options and columns.
//!
//! Each scorer is one source file, which contains its options, its columns, the files that it reads in addition to
//! the records, its arguments on a command line, and the code that prepares it. The table [`scorers!`] lists all
//! scorers, and all other code is generated from this table: nothing outside this folder knows which scorers there
//! are.

#[cfg(feature = "cli")]
pub mod arguments;
mod cell;
mod columns;
mod exec;
#[cfg(feature = "http")]
mod http;
#[cfg(test)]
mod made_up;
mod matching;
mod number;
mod outside;
mod sentiment;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::not_scored::NotScored;
use super::{Missing, Plan, UnknownName};
use crate::dataset::{FieldValues, Texts};
use crate::error::{Error, Skipped};
use crate::task::matching::Pairs;

pub(super) use cell::Cells;
pub use cell::{Cell, Quote};
pub(crate) use columns::CellKind;
pub(crate) use columns::RESERVED;
pub use columns::{Column, ColumnKind, ScorerColumns};
pub(super) use columns::{MainCell, NamedCell};
pub use matching::ReferenceSummary;
pub use outside::Outside;

/// A scorer as plain data.
pub(super) trait Scorer {
    /// The columns of the scores that the scorer gives.
    fn columns(&self, plan: &Plan) -> ScorerColumns;

    /// The files that the scorer reads in addition to the records.
    fn inputs(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// What to do with a record without a value in a field, if the plan does not say it.
    fn missing(&self) -> Missing {
        Missing::Fail
    }

    /// Whether a record in which some fields have no value gets an answer, if such a record is not to fail.
    fn scores_some_fields(&self) -> bool {
        false
    }

    /// The options that a worker process needs, if it does not need all of them. The cells that it sends are
    /// [completed](PreparedScorer::completed) by the process that has all options.
    fn for_worker(&self) -> Option<AnyScorer> {
        None
    }

    /// The options that determine the answers, if not all of them do: those without limits and without keys.
    fn for_answers(&self) -> Option<AnyScorer> {
        self.for_worker()
    }

    /// The text that a headline shows after the scorer, the field and the files.
    fn subtitle(&self) -> Option<String> {
        None
    }

    /// What scores the records outside this process. `None` if the scorer is [prepared](Scorer::prepare) to score them
    /// in this process.
    fn outside(&self) -> Option<Outside<'_>> {
        None
    }

    /// Whether the scorer reads the [fields](Plan::fields) of the plan. If it does not, because it is given whole
    /// records, reports show the text of these fields for a record that has it.
    fn reads_fields(&self) -> bool {
        true
    }

    /// Prepares the scorer: builds its tables and reads its files.
    fn prepare(&self, plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error>;
}

/// The fields of a record that a scorer reads.
pub(super) struct ScorerInput<'a> {
    /// The values of the fields. The values of the plan's [fields](Plan::fields) come first, and only these are
    /// [needed](FieldValues::needed).
    pub(super) values: &'a FieldValues<'a>,
    pub(super) missing: Missing,
}

impl ScorerInput<'_> {
    /// The text of the plan's fields, see [`FieldValues::text`]. A field without a value fails the record, skips it,
    /// or is an empty text.
    pub(super) fn text(&self) -> Result<Cow<'_, str>, NotScored> {
        self.values.text_or(|place| match self.missing {
            Missing::Fail => Err(self.values.no_value(place, "a text").into()),
            Missing::Skip => {
                let name = self.values.name(place);
                Err(Skipped::new(format!("no value in field {name:?}")).into())
            }
            Missing::Empty => Ok(()),
        })
    }
}

/// A scorer that is ready to score records.
pub(super) trait PreparedScorer: fmt::Debug + Send + Sync {
    /// The cells of a text: one for each known column, in the order of the columns. Or the reason why the text has
    /// none.
    fn score(&self, input: &ScorerInput<'_>) -> Result<Cells, NotScored>;

    /// Whether one record alone may keep several cores busy.
    fn shares_records(&self) -> bool {
        false
    }

    /// The texts among which the scorer finds matches. `None` if the scorer has no reference.
    fn reference(&self) -> Option<&Arc<Texts>> {
        None
    }

    /// The options of the scorer with all column names. `None` if the original options have them already, and do not
    /// leave names to the reference file.
    fn resolved(&self) -> Option<AnyScorer> {
        None
    }

    /// Completes the cells that a worker process has sent. The worker process leaves out the values that this process
    /// can look up.
    fn completed(&self, cells: Cells) -> Cells {
        cells
    }

    /// Number of pairs of a record and a text of the reference, compared or skipped, so far. `None` if the scorer
    /// has no reference.
    fn pairs(&self) -> Option<Pairs> {
        None
    }
}

/// Generates all code that depends on the list of scorers. The list has a line for each scorer, with the name of
/// the scorer and the type of its options.
macro_rules! scorers {
    ($($(#[$attribute:meta])* $name:literal => $variant:ident($module:ident::$options:ident),)+) => {
        $($(#[$attribute])* pub use $module::$options;)+

        /// A scorer with its options.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum AnyScorer {
            $(
                $(#[$attribute])*
                #[doc = concat!("`", $name, "`.")]
                #[serde(rename = $name)]
                $variant($options),
            )+
        }

        impl AnyScorer {
            /// The names of all scorers.
            pub const NAMES: &[&str] = &[$($(#[$attribute])* $name),+];

            /// The name of the scorer.
            pub fn name(&self) -> &'static str {
                match self {
                    $($(#[$attribute])* AnyScorer::$variant(_) => $name,)+
                }
            }

            fn options(&self) -> &dyn Scorer {
                match self {
                    $($(#[$attribute])* AnyScorer::$variant(options) => options,)+
                }
            }

            #[cfg(feature = "cli")]
            fn from_arguments(
                arguments: &arguments::ScorerArguments,
                name: &str,
            ) -> Result<Self, Error> {
                $(
                    $(#[$attribute])*
                    if name != $name {
                        arguments.refuse::<$options>($name, name)?;
                    }
                )+
                match name {
                    $($(#[$attribute])* $name => arguments.options::<$options>().map(AnyScorer::from),)+
                    _ => Err(Error::Plan(UnknownName::new("scorer", name, Self::NAMES).to_string())),
                }
            }
        }

        $(
            $(#[$attribute])*
            impl From<$options> for AnyScorer {
                fn from(options: $options) -> Self {
                    AnyScorer::$variant(options)
                }
            }
        )+

        /// Adds the arguments of all scorers to a command.
        #[cfg(feature = "cli")]
        fn augment(command: clap::Command) -> clap::Command {
            $(
                $(#[$attribute])*
                let command = <<$options as arguments::FromArguments>::Arguments as clap::Args>
                    ::augment_args(command);
            )+
            // Resets the help heading, so that the arguments that follow do not get the heading of the last scorer.
            command.next_help_heading(None::<&str>)
        }
    };
}

scorers! {
    "sentiment" => Sentiment(sentiment::SentimentOptions),
    "number" => Number(number::NumberOptions),
    "match" => Match(matching::MatchOptions),
    "exec" => Exec(exec::ExecOptions),
    #[cfg(feature = "http")]
    "http" => Http(http::HttpOptions),
    #[cfg(test)]
    "made-up" => MadeUp(made_up::MadeUpOptions),
}

impl AnyScorer {
    /// Returns the name as it is in the list of scorers, if a scorer has this name.
    ///
    /// # Errors
    ///
    /// Returns an error that lists all names if no scorer has this name.
    pub fn known_name(name: &str) -> Result<&'static str, UnknownName> {
        let known = Self::NAMES.iter().find(|known| **known == name);
        let unknown = || match name {
            "http" => UnknownName::not_in_this_build("scorer", "http", "http"),
            _ => UnknownName::new("scorer", name, Self::NAMES),
        };
        known.copied().ok_or_else(unknown)
    }

    /// Adapts the number of records in flight to the service that scores them.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if no service scores the records.
    pub fn adapt_in_flight(&mut self) -> Result<(), Error> {
        #[cfg(feature = "http")]
        if let AnyScorer::Http(http) = self {
            http.adaptive = true;
            return Ok(());
        }
        Err(Error::Plan(format!(
            "the number of records in flight adapts to a service only with the scorer http, not with {self}"
        )))
    }

    /// The files that the scorer reads in addition to the records.
    pub fn inputs(&self) -> Vec<&Path> {
        self.options().inputs()
    }

    /// The text that a headline shows after the scorer, the field and the files. An example is
    /// `against cities.txt by ratio`.
    pub fn subtitle(&self) -> Option<String> {
        self.options().subtitle()
    }

    /// What scores the records outside this process. `None` if the scorer itself scores them.
    pub fn outside(&self) -> Option<Outside<'_>> {
        self.options().outside()
    }

    /// Whether the scorer reads the [fields](Plan::fields) of the plan. If it does not, because it is given whole
    /// records, these fields are only shown in reports.
    pub fn reads_fields(&self) -> bool {
        self.options().reads_fields()
    }

    pub(super) fn columns(&self, plan: &Plan) -> ScorerColumns {
        self.options().columns(plan)
    }

    pub(super) fn missing(&self) -> Missing {
        self.options().missing()
    }

    /// Whether the policy changes an answer: whether a record in which a field has no value gets one.
    pub(super) fn answers_without_value(&self, missing: Missing, fields: usize) -> bool {
        match missing {
            Missing::Fail => false,
            Missing::Skip => self.options().scores_some_fields() && fields > 1,
            Missing::Empty => true,
        }
    }

    /// The scorer of a worker process.
    pub(super) fn for_worker(&self) -> Self {
        self.options().for_worker().unwrap_or_else(|| self.clone())
    }

    /// The scorer with the options that determine its answers.
    pub(super) fn for_answers(&self) -> Self {
        self.options().for_answers().unwrap_or_else(|| self.clone())
    }

    pub(super) fn prepare(&self, plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        self.options().prepare(plan)
    }
}

impl Default for AnyScorer {
    fn default() -> Self {
        SentimentOptions::default().into()
    }
}

impl fmt::Display for AnyScorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
