//! `manyhands merge`: puts the partial answers of shards together, and prints the report of the whole.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use manyhands::Error;
use manyhands::exit::Exit;
use manyhands::output::{
    CompleteFile, CompleteRunFiles, Destination, Endpoints, FailuresFile, FirstLines, Joined,
    JoinedFailures, Output, PageFile, ScoresOptions, ShardFailures, ShardFiles, ShardScores,
    join_failures, join_scores, match_files,
};
use manyhands::page;
use manyhands::plan::{Answer, MergedAnswer, MergedShard, PartialAnswer, merge};
use manyhands::report::End;

use super::command_error::CommandError;
use super::command_words::arguments;
use super::endings::{
    end_all_failed, failures_left_out, print_end, print_notes, print_report, print_warnings,
};
use super::failures_arguments::{check_name, open_both};
use super::page_arguments::PageArguments;
use super::signals::{SignalWatch, open_destination};
use super::{note, text};

/// The arguments of `merge`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("merge_output").args(["scores", "failures", "html", "partial"]).multiple(true)))]
#[command(group(ArgGroup::new("joined_output").args(["scores", "failures"]).multiple(true)))]
pub struct MergeShards {
    /// Merge these partial answers, in any order. Each shard must be named once; the same result may be named twice.
    #[arg(value_name = "PARTIAL", required = true)]
    partials: Vec<PathBuf>,

    /// Write the merged answer to this file, in a form that merge reads. It may cover some neighbouring shards only; then
    /// no report is printed.
    #[arg(long, value_name = "FILE")]
    partial: Option<PathBuf>,

    /// Put the scores files of the shards together in this file, which has the same bytes as that of one run: .jsonl, .csv or
    /// .tsv, as the files of the shards, each also compressed as .gz or .zst, or - for JSON lines on standard output (the
    /// report is then printed on standard error).
    #[arg(long, short = 'o', value_name = "OUT", requires = "from")]
    scores: Option<PathBuf>,

    /// Put the files of failures of the shards together in this file, and their reasons in FILE.reasons.jsonl. Both have the
    /// same bytes as those that one run writes with --failures.
    #[arg(long, value_name = "FILE", requires = "from")]
    failures: Option<PathBuf>,

    /// Take the scores of the shards, their failures and their reasons from these files, in any order and by any names.
    #[arg(long, value_name = "FILES", num_args = 1.., requires = "joined_output")]
    from: Vec<PathBuf>,

    #[command(flatten)]
    page: PageArguments,

    /// Overwrite the scores file, the files of failures and of reasons, the merged partial answer and the page, if they exist.
    #[arg(long, requires = "merge_output")]
    force: bool,

    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl MergeShards {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, CommandError> {
        self.failures.as_deref().map_or(Ok(()), check_name)?;
        if self.partials.iter().any(|path| path == Path::new("-")) {
            let reason = "PARTIAL: partial answers are read more than once, so they cannot be standard input; name a file";
            return Err(CommandError::Usage(reason.to_owned()));
        }
        let watch = SignalWatch::start(quiet)?;
        let mut endpoints = Endpoints::new();
        for path in self.partials.iter().chain(&self.from) {
            endpoints.input(path);
        }
        if !self.scores_on_stdout() {
            endpoints.standard_output("the report")?;
        }
        let scores = self.open_scores(&mut endpoints, &watch)?;
        let failures = self.open_failures(&mut endpoints, &watch)?;
        let partial = self.open_partial(&mut endpoints, &watch)?;
        let unfinished = |page: &Option<PageFile>| page.as_ref().and_then(PageFile::unfinished);
        let page = watch.open_output(|| self.page.open(&mut endpoints, self.force), unfinished)?;
        let partials = self.partials.iter().map(|path| PartialAnswer::open(path));
        let merged = merge(partials.collect::<Result<Vec<_>, Error>>()?)?;
        let whole = self.check_whole(&merged);
        let is_whole = whole.is_ok();
        if partial.is_none() || self.wants_the_whole() {
            whole?;
        }
        if let Some(mut partial) = partial {
            let written = merged.partial().write(&mut partial);
            written.map_err(CommandError::write(
                "cannot write the merged partial answer",
            ))?;
            partial.finish()?;
            if !is_whole {
                self.note_some(&merged, quiet);
                return Ok(Exit::Success);
            }
        }
        let joined = self.join(&merged, scores, failures)?;
        let mut answer = merged.answer()?;
        joined.scores.map_or(Ok(()), CompleteFile::publish)?;
        joined.failures.map_or(Ok(()), CompleteRunFiles::publish)?;
        answer.command = arguments();
        answer.warnings.extend(failures_left_out(joined.left_out));
        self.report(&answer, page, quiet)
    }

    /// Whether an output is wanted that only the whole dataset has.
    fn wants_the_whole(&self) -> bool {
        self.scores.is_some() || self.failures.is_some() || self.page.is_wanted() || self.json
    }

    fn check_whole(&self, merged: &MergedAnswer) -> Result<(), Error> {
        merged.check_whole().map_err(|error| match error {
            Error::Merge(message) if self.partial.is_some() => Error::Merge(format!(
                "{message}; without them, --partial is the only output that can be written"
            )),
            error => error,
        })
    }

    fn open_partial(
        &self,
        endpoints: &mut Endpoints,
        watch: &SignalWatch,
    ) -> Result<Option<Destination>, CommandError> {
        let Some(path) = &self.partial else {
            return Ok(None);
        };
        let output = Output::new("the merged partial answer", path).force(self.force);
        open_destination(watch, endpoints, &output).map(Some)
    }

    fn scores_on_stdout(&self) -> bool {
        self.scores.as_deref() == Some(Path::new("-"))
    }

    fn open_scores(
        &self,
        endpoints: &mut Endpoints,
        watch: &SignalWatch,
    ) -> Result<Option<(Destination, ScoresOptions)>, CommandError> {
        let Some(path) = &self.scores else {
            return Ok(None);
        };
        let options = ScoresOptions::of(path)?;
        let output = Output::new("the scores", path).force(self.force);
        let destination = open_destination(watch, endpoints, &output)?;
        Ok(Some((destination, options)))
    }

    /// Opens the file of failures and that of the reasons.
    fn open_failures(
        &self,
        endpoints: &mut Endpoints,
        watch: &SignalWatch,
    ) -> Result<Option<[Destination; 2]>, CommandError> {
        let Some(path) = &self.failures else {
            return Ok(None);
        };
        let set = |output: Output| output.force(self.force);
        open_both(path, set, endpoints, watch).map(Some)
    }

    /// Puts the scores files of the shards together, and their files of failures.
    fn join(
        &self,
        merged: &MergedAnswer,
        scores: Option<(Destination, ScoresOptions)>,
        failures: Option<[Destination; 2]>,
    ) -> Result<JoinedFiles, Error> {
        let mut joined = JoinedFiles::default();
        if let Some(path) = &self.failures {
            FailuresFile::check(path, &merged.inputs())?;
        }
        if scores.is_none() && failures.is_none() {
            return Ok(joined);
        }
        let shards = merged.each();
        let kinds = kinds_of_files(&shards, scores.is_some(), failures.is_some());
        let mut paths = match_files(&self.from, &kinds)?.into_iter();
        let [of_scores, records, reasons] = [(); 3].map(|()| paths.next().unwrap_or_default());
        if let Some((to, options)) = scores {
            let Joined { file, .. } = joined_scores(&shards, &of_scores, to, &options)?;
            joined.scores = Some(file);
        }
        if let Some((to, path)) = failures.zip(self.failures.as_deref()) {
            let failures = joined_failures(&shards, [&records, &reasons], to, path)?;
            joined.left_out = failures.left_out;
            joined.failures = Some(failures.files);
        }
        Ok(joined)
    }

    /// Prints that only some shards were merged.
    fn note_some(&self, merged: &MergedAnswer, quiet: bool) {
        if !quiet {
            let (first, last) = merged.shards();
            let path = self.partial.as_deref().unwrap_or("".as_ref());
            note(format_args!(
                "note: {} is the answer of the shards {} to {last}; merge it with the other shards",
                text::plain(path.display()),
                first.number(),
            ));
        }
    }

    fn report(
        &self,
        answer: &Answer,
        page: Option<PageFile>,
        quiet: bool,
    ) -> Result<Exit, CommandError> {
        if let End::AllFailed(failure) = &answer.report.end {
            return Ok(end_all_failed(answer, failure));
        }
        let page = page.map(|file| file.write(&page::of_answer(answer)));
        let bytes = answer.files.iter().map(|file| file.bytes).sum();
        let report = match self.json {
            true => answer.to_json() + "\n",
            false => text::report(&answer.plan, answer, bytes),
        };
        print_report(&report, self.scores_on_stdout(), self.json)
            .map_err(CommandError::write("cannot write the report"))?;
        print_notes(&answer.plan, answer, quiet);
        print_warnings(answer);
        print_end(&answer.report.end, None);
        page.transpose()?;
        Ok(Exit::of_report(&answer.report))
    }
}

/// The files of the whole, which are complete and still have their temporary names.
#[derive(Debug, Default)]
struct JoinedFiles {
    scores: Option<CompleteFile>,
    failures: Option<CompleteRunFiles>,
    /// Number of failed records that the file of failures does not contain.
    left_out: u64,
}

/// The scores files that the shards have written, their files of failures, and those of the reasons.
fn kinds_of_files(
    shards: &[MergedShard],
    wants_scores: bool,
    wants_failures: bool,
) -> [ShardFiles<'static>; 3] {
    let scores = shards.iter().map(|shard| shard.scores);
    let failures = || shards.iter().map(|shard| shard.failures.as_ref());
    let records = failures().map(|failures| failures.map(|failures| failures.records));
    let reasons = failures().map(|failures| failures.map(|failures| failures.reasons));
    [
        ShardFiles {
            name: "scores file",
            option: "--scores",
            written: scores.collect(),
            are_wanted: wants_scores,
        },
        ShardFiles {
            name: "file of failures",
            option: "--failures",
            written: records.collect(),
            are_wanted: wants_failures,
        },
        ShardFiles {
            name: "file of reasons",
            option: "--failures",
            written: reasons.collect(),
            are_wanted: wants_failures,
        },
    ]
}

/// Puts the scores files of the shards together.
fn joined_scores(
    shards: &[MergedShard],
    paths: &[PathBuf],
    to: Destination,
    options: &ScoresOptions,
) -> Result<Joined, Error> {
    let each = shards.iter().zip(paths);
    let each = each.filter_map(|(shard, path)| {
        Some(ShardScores {
            path,
            records: shard.records,
            records_before: shard.records_before,
            written: shard.scores?,
            first_lines: first_lines(shard),
        })
    });
    join_scores(&each.collect::<Vec<_>>(), to, options)
}

/// Puts the files of failures of the shards together. `paths` are those of the records, and those of the reasons.
fn joined_failures(
    shards: &[MergedShard],
    paths: [&[PathBuf]; 2],
    to: [Destination; 2],
    path: &Path,
) -> Result<JoinedFailures, Error> {
    let [of_records, of_reasons] = paths;
    let each = shards.iter().zip(of_records).zip(of_reasons);
    let each = each.filter_map(|((shard, records_path), reasons_path)| {
        Some(ShardFailures {
            records_path,
            reasons_path,
            written: shard.failures.as_ref()?,
            records: shard.records,
            records_before: shard.records_before,
            first_lines: first_lines(shard),
        })
    });
    let [records, reasons] = to;
    join_failures(&each.collect::<Vec<_>>(), records, reasons, path)
}

/// How the lines of the shard's first records are corrected.
fn first_lines(shard: &MergedShard) -> Option<FirstLines<'_>> {
    let first = shard.first_lines.as_ref()?;
    Some(FirstLines {
        path: &first.path,
        records: first.records,
        lines_before: first.lines,
    })
}
