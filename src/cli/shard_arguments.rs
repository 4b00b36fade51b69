//! The arguments of `score` about shards.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use manyhands::Error;
use manyhands::dataset::{Shard, ShardStart};
use manyhands::output::{Destination, Endpoints, Output};
use manyhands::plan::{Answer, Opened, PartialAnswer, Plan, merge};

use super::command_error::CommandError;
use super::command_words::arguments;
use super::output_rules::OutputRules;
use super::signals::{SignalWatch, open_destination};
use super::{note, text};

/// The arguments of `score` about shards.
#[derive(Debug, Args)]
pub(super) struct ShardArguments {
    /// Score only shard I of N shards, which are cut by bytes over all files together, at records. auto/N takes I from the
    /// variable SLURM_ARRAY_TASK_ID (from 1), JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX or OMPI_COMM_WORLD_RANK (from
    /// 0). The command merge puts the shards together.
    #[arg(long, value_name = "I/N|auto/N", requires = "partial", conflicts_with_all = ["head", "sample"])]
    shard: Option<ShardChoice>,

    /// Say whether the shard begins inside a quoted field of delimited text, if merge has refused what the program had
    /// found out.
    #[arg(long, value_name = "quoted|unquoted", requires = "shard")]
    starts: Option<Starts>,

    /// Write the answer to this file, in a form that the command merge reads. The file appears when it is complete. The
    /// exit code is then 0 even if records failed, because merge reports them. If the file exists and is the answer of
    /// the same shard, nothing is scored again.
    #[arg(long, value_name = "FILE")]
    partial: Option<PathBuf>,
}

/// A shard, or the choice to take its number from the engine.
#[derive(Clone, Copy, Debug)]
enum ShardChoice {
    Named(Shard),
    /// The number of shards.
    Auto(u64),
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = match text.strip_prefix("auto/") {
            None => text.parse().map(ShardChoice::Named),
            // The text is checked as if it named the first shard.
            Some(of) => format!("1/{of}")
                .parse()
                .map(|shard: Shard| ShardChoice::Auto(shard.of())),
        };
        parsed.map_err(|error| error.to_string())
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Starts {
    Quoted,
    Unquoted,
}

/// What an earlier attempt of the same shard, with the same plan and input, has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlierAttempt {
    /// There is no partial answer, or it is not the one that this run would write.
    Nothing,
    /// The partial answer, but not all other files that this run would write: the attempt was killed before it had renamed
    /// them, or did not write them.
    Incomplete,
    /// All files that this run would write.
    Whole,
}

/// The variables in which engines say which task of an array a process is, and the number of the first task.
const TASK_NUMBERS: [(&str, u64); 4] = [
    ("SLURM_ARRAY_TASK_ID", 1),
    ("JOB_COMPLETION_INDEX", 0),
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0),
    ("OMPI_COMM_WORLD_RANK", 0),
];

impl ShardArguments {
    /// Sets the shard of a plan, if the user wants a partial answer.
    pub(super) fn apply(&self, plan: &mut Plan) -> Result<(), CommandError> {
        let Some(partial) = &self.partial else {
            return Ok(());
        };
        if partial == Path::new("-") {
            let reason = "--partial: a partial answer that is cut short must not look complete, so it cannot be written to \
                          standard output; name a file";
            return Err(CommandError::Usage(reason.to_owned()));
        }
        if plan.head.is_some() || plan.sample.is_some() {
            let reason = "--partial: the answer for a sample or for the first records cannot be merged with others; leave out \
                          --sample and --head";
            return Err(CommandError::Usage(reason.to_owned()));
        }
        plan.shard = Some(match self.shard {
            None => Shard::WHOLE,
            Some(ShardChoice::Named(shard)) => shard,
            Some(ShardChoice::Auto(of)) => {
                numbered_by_engine(of, |name| env::var(name).ok()).map_err(CommandError::Usage)?
            }
        });
        plan.shard_start = self.starts.map(|starts| match starts {
            Starts::Quoted => ShardStart::Quoted,
            Starts::Unquoted => ShardStart::Unquoted,
        });
        Ok(())
    }

    /// The file of the partial answer, if the user wants one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.partial.as_deref()
    }

    /// Whether the user wants a partial answer.
    pub(super) fn is_wanted(&self) -> bool {
        self.partial.is_some()
    }

    /// Returns what an earlier attempt of the same shard has left. `scores` and `failures` are the files that the run would
    /// write too.
    pub(super) fn earlier(
        &self,
        opened: &Opened,
        scores: Option<&Path>,
        failures: Option<[PathBuf; 2]>,
    ) -> EarlierAttempt {
        let Some(path) = self.partial.as_deref().filter(|path| path.is_file()) else {
            return EarlierAttempt::Nothing;
        };
        let is_same = |partial: PartialAnswer| Ok::<_, Error>((partial.is_of(opened)?, partial));
        let found = PartialAnswer::open(path).and_then(is_same);
        let Ok((true, partial)) = found else {
            return EarlierAttempt::Nothing;
        };
        let written = partial.failures();
        let [records, reasons] = failures.map_or([None, None], |paths| paths.map(Some));
        let wanted = [
            (scores.map(Path::to_owned), partial.scores()),
            (records, written.map(|written| written.records)),
            (reasons, written.map(|written| written.reasons)),
        ];
        let mut attempt = EarlierAttempt::Whole;
        for (path, written) in wanted {
            let Some(path) = path else { continue };
            match (path.metadata(), written) {
                (Ok(file), Some(written)) if file.len() == written.bytes => {}
                (Err(error), _) if error.kind() == ErrorKind::NotFound => {
                    attempt = EarlierAttempt::Incomplete;
                }
                _ => return EarlierAttempt::Nothing,
            }
        }
        attempt
    }

    /// The answer of an earlier attempt that has written [all its files](EarlierAttempt::Whole), as its run has returned it. Of
    /// its times, only those are known that merge knows of each shard.
    pub(super) fn earlier_answer(&self, opened: &Opened) -> Result<Option<Answer>, Error> {
        let Some(path) = &self.partial else {
            return Ok(None);
        };
        let mut answer = merge([PartialAnswer::open(path)?])?.answer_of_shards();
        answer.plan = opened.plan().clone();
        answer.command = arguments();
        Ok(Some(answer))
    }

    /// Prints that the shard is not scored again.
    pub(super) fn note_done(&self) {
        let path = self.partial.as_deref().unwrap_or(Path::new(""));
        note(format_args!(
            "note: {} is the answer of this shard already, so nothing was scored; --force scores it again",
            text::plain(path.display())
        ));
    }

    /// Prints that another attempt has written the answer while the shard was scored.
    pub(super) fn note_done_meanwhile(&self) {
        let path = self.partial.as_deref().unwrap_or(Path::new(""));
        note(format_args!(
            "note: another run has written {}, the same answer of this shard, meanwhile",
            text::plain(path.display())
        ));
    }

    /// Opens the file, if the user has asked for it.
    pub(super) fn open(
        &self,
        endpoints: &mut Endpoints,
        rules: OutputRules<'_>,
        watch: &SignalWatch,
    ) -> Result<Option<Destination>, CommandError> {
        let Some(path) = &self.partial else {
            return Ok(None);
        };
        let output = rules.apply_to_partial(Output::new("the partial answer", path));
        open_destination(watch, endpoints, &output).map(Some)
    }
}

/// The shard whose number an engine gives to this process.
fn numbered_by_engine(of: u64, value: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let mut found: Option<(&str, Shard)> = None;
    for (name, first) in TASK_NUMBERS {
        let Some(text) = value(name) else { continue };
        let number = text.trim().parse::<u64>().ok();
        let number = number.and_then(|number| number.checked_sub(first)?.checked_add(1));
        let Some(shard) = number.and_then(|number| Shard::new(number, of)) else {
            let last = of - 1 + first;
            return Err(format!(
                "--shard auto/{of}: expected a number from {first} to {last} in {name}, found {text:?}; number the tasks of the \
                 engine from {first} to {last}"
            ));
        };
        match found {
            Some((other, one)) if one != shard => {
                return Err(format!(
                    "--shard auto/{of}: {other} names shard {one}, and {name} names shard {shard}; name the shard itself"
                ));
            }
            _ => found = Some((name, shard)),
        }
    }
    let names: Vec<&str> = TASK_NUMBERS.iter().map(|(name, _)| *name).collect();
    found.map(|(_, shard)| shard).ok_or_else(|| {
        format!(
            "--shard auto/{of}: none of the variables {} is set, so the number of the shard is not known; name it, such as \
             --shard 1/{of}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(variables: &[(&str, &str)]) -> Result<String, String> {
        let value = |wanted: &str| {
            let mut variables = variables.iter();
            let found = variables.find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        numbered_by_engine(16, value).map(|shard| shard.to_string())
    }

    #[test]
    fn each_engine_counts_in_its_own_way() {
        for (name, first, last) in [
            ("SLURM_ARRAY_TASK_ID", "1", "16"),
            ("JOB_COMPLETION_INDEX", "0", "15"),
            ("AWS_BATCH_JOB_ARRAY_INDEX", "0", "15"),
            ("OMPI_COMM_WORLD_RANK", "0", "15"),
        ] {
            assert_eq!(shard(&[(name, first)]), Ok("1/16".to_owned()));
            assert_eq!(shard(&[(name, last)]), Ok("16/16".to_owned()));
        }
    }

    #[test]
    fn a_number_that_names_no_shard_is_refused() {
        for (name, value) in [
            ("SLURM_ARRAY_TASK_ID", "0"),
            ("SLURM_ARRAY_TASK_ID", "17"),
            ("JOB_COMPLETION_INDEX", "16"),
            ("AWS_BATCH_JOB_ARRAY_INDEX", ""),
            ("OMPI_COMM_WORLD_RANK", "-1"),
        ] {
            let refused = shard(&[(name, value)]).expect_err(value);
            assert!(refused.contains(name), "{refused}");
        }
        assert!(
            shard(&[])
                .expect_err("no variable")
                .contains("--shard 1/16")
        );
    }

    #[test]
    fn two_engines_must_agree() {
        let agreed = [("SLURM_ARRAY_TASK_ID", "3"), ("OMPI_COMM_WORLD_RANK", "2")];
        assert_eq!(shard(&agreed), Ok("3/16".to_owned()));
        let differing = [("SLURM_ARRAY_TASK_ID", "3"), ("OMPI_COMM_WORLD_RANK", "0")];
        assert!(shard(&differing).is_err());
    }
}
