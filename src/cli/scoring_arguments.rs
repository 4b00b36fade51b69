//! The arguments of `score` and `bench` about the records and the scorer.

use std::path::{Path, PathBuf};

use clap::Args;
use manyhands::dataset::{Delimiter, FormatName, TextEncoding};
use manyhands::output::Endpoints;
use manyhands::plan::arguments::{FieldNames, ScorerArguments, bytes, count, from_one};
use manyhands::plan::{AnyScorer, Missing, Plan, Sampling};

use super::command_error::CommandError;

/// The arguments of `score` and `bench` about the records and the scorer.
#[derive(Debug, Args)]
pub(super) struct ScoringArguments {
    /// Score the text in this field of each record. A field is named exactly, by a path into JSON (user.text or
    /// /user/0), or in tables by the number of its column. Given several times, the texts are joined by line
    /// ends. With exec and http, whole records are sent unless the options of the scorer say otherwise; reports then show
    /// this text.
    #[arg(long = "field", value_name = "FIELD", default_value = "text")]
    fields: Vec<String>,

    /// Read all files in this format: jsonl, json, csv, tsv, text, parquet or arrow. Without this option, the format is
    /// found from the first bytes of each file, from the ending of its name (.jsonl, .ndjson, .json, .csv, .tsv, .txt),
    /// and from the field to score. Parquet and Arrow need a build with the feature parquet.
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// Split delimited text at this character, or at tabs (tab). Without this option, the comma, the semicolon, the
    /// tab or the bar is found from the header.
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<Delimiter>,

    /// Read the first record of delimited text as a record, not as a header. The columns are then named 1, 2, and so
    /// on.
    #[arg(long)]
    no_header: bool,

    /// Score only the first N records. The input is read no further than that.
    #[arg(long, value_name = "N", value_parser = from_one)]
    head: Option<usize>,

    /// Score a random sample of N records, in their order. It is the same sample in any format and on any executor;
    /// with --head, it is drawn from the first records. The sample is held in memory.
    #[arg(long, value_name = "N", value_parser = from_one)]
    sample: Option<usize>,

    /// Refuse records that are longer than this, in bytes or with a unit (kB, MB, GB, KiB, MiB, GiB). Such a
    /// record fails, and is not held in memory.
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = bytes)]
    max_record: u64,

    /// Read the files in this encoding, such as windows-1252, shift_jis or utf-16le, in place of UTF-8.
    #[arg(long, value_name = "LABEL")]
    encoding: Option<TextEncoding>,

    /// Replace bytes that are not text by the character U+FFFD. Without this option, their record fails.
    #[arg(long)]
    lossy: bool,

    /// If a field that is scored has no value (null, an empty cell, or no such field): fail the record, skip it, or
    /// take an empty text [default: fail; with number, skip a record without any value].
    #[arg(long, value_name = "fail|skip|empty")]
    missing: Option<Missing>,

    /// Group the scores by the values of these fields. A name that contains a comma is written in quotes, as in CSV:
    /// '"price, net",kind'. The other options that take several names do the same.
    #[arg(long, value_name = "FIELD,...")]
    by: Vec<FieldNames>,

    /// Show this many of the best and of the worst records.
    #[arg(long, value_name = "K", default_value = "3", value_parser = count::<usize>)]
    top: usize,

    /// Rank the records and compare the groups by this column of the answers. Only for --with exec and http
    /// [default: score].
    #[arg(long, value_name = "COLUMN")]
    rank: Option<String>,

    #[command(flatten)]
    scorer: ScorerArguments,
}

/// Returns the help text of `--with`.
pub(super) fn scorers() -> String {
    format!("Use this scorer: {}", AnyScorer::NAMES.join(", "))
}

impl ScoringArguments {
    /// Returns the plan that scores the records of these files with the scorer of this name. A sample is drawn with
    /// `seed`.
    pub(super) fn plan(
        &self,
        files: &[PathBuf],
        scorer: &str,
        seed: u64,
    ) -> Result<Plan, CommandError> {
        if let Some(format) = self.format
            && !matches!(format, FormatName::Csv | FormatName::Tsv)
        {
            let option = match (self.delimiter, self.no_header) {
                (Some(_), _) => Some("--delimiter"),
                (_, true) => Some("--no-header"),
                _ => None,
            };
            if let Some(option) = option {
                return Err(CommandError::Usage(format!(
                    "{option} is for delimited text, not for --format {format}"
                )));
            }
        }
        let mut plan = Plan::new(files);
        plan.scorer = self.scorer.scorer(scorer)?;
        let standard = |path: &&Path| *path == Path::new("-");
        if plan.inputs().into_iter().filter(standard).count() > 1 {
            return Err(CommandError::Usage(
                "standard input, -, can be read only once".to_owned(),
            ));
        }
        plan.format = self.format;
        plan.delimiter = self.delimiter;
        plan.header = !self.no_header;
        plan.head = self.head.map(|records| records as u64);
        plan.sample = self.sample.map(|records| Sampling {
            seed,
            ..Sampling::new(records as u64)
        });
        plan.max_record = self.max_record;
        plan.fields.clone_from(&self.fields);
        plan.encoding = self.encoding;
        plan.lossy = self.lossy;
        plan.missing = self.missing;
        plan.by = FieldNames::all(&self.by);
        if self.rank.is_some() && plan.scorer.outside().is_none() {
            return Err(CommandError::Usage(format!(
                "--rank is not for --with {scorer}, which ranks the records by a column of its own"
            )));
        }
        plan.rank.clone_from(&self.rank);
        plan.top = self.top;
        plan.program = std::env::current_exe().ok();
        Ok(plan)
    }
}

/// Whether standard input is a pipe, a socket or a file.
#[cfg(unix)]
pub(super) fn standard_input_has_data() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let own = std::io::stdin().as_fd().try_clone_to_owned();
    let metadata = own.and_then(|own| std::fs::File::from(own).metadata());
    metadata.is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_file() || kind.is_fifo() || kind.is_socket()
    })
}

/// Whether standard input is not a terminal.
#[cfg(not(unix))]
pub(super) fn standard_input_has_data() -> bool {
    use std::io::IsTerminal as _;

    !std::io::stdin().is_terminal()
}

/// Returns the inputs of the command, so that outputs can be checked against them: no output may be an input.
pub(super) fn endpoints(plan: &Plan) -> Endpoints {
    let mut endpoints = Endpoints::new();
    for input in plan.inputs() {
        endpoints.input(input);
    }
    endpoints
}
