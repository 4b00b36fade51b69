//! `manyhands merge`: puts the partial answers of shards together, and prints the report of the whole.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use manyhands::Error;
use manyhands::exit::Exit;
use manyhands::output::{
    Destination, Endpoints, FirstLines, Joined, Output, PageFile, ScoresOptions, ShardScores,
    join_scores, match_scores,
};
use manyhands::page;
use manyhands::plan::{Answer, MergedAnswer, PartialAnswer, merge};
use manyhands::report::End;

use super::command_error::CommandError;
use super::command_words::arguments;
use super::endings::{end_all_failed, print_end, print_notes, print_report, print_warnings};
use super::page_arguments::PageArguments;
use super::signals::SignalWatch;
use super::{note, text};

/// The arguments of `merge`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("merge_output").args(["scores", "html", "partial"]).multiple(true)))]
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

    /// Take the scores of the shards from these files, in any order and by any names.
    #[arg(long, value_name = "SCORES", num_args = 1.., requires = "scores")]
    from: Vec<PathBuf>,

    #[command(flatten)]
    page: PageArguments,

    /// Overwrite the scores file, the merged partial answer and the page, if they exist.
    #[arg(long, requires = "merge_output")]
    force: bool,

    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl MergeShards {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, CommandError> {
        let watch = SignalWatch::start(quiet)?;
        let mut endpoints = Endpoints::new();
        for path in self.partials.iter().chain(&self.from) {
            endpoints.input(path);
        }
        if !self.scores_on_stdout() {
            endpoints.standard_output("the report")?;
        }
        let scores = self.open_scores(&mut endpoints, &watch)?;
        let partial = self.open_partial(&mut endpoints, &watch)?;
        let unfinished = |page: &Option<PageFile>| page.as_ref().and_then(PageFile::unfinished);
        let page = watch.open_output(|| self.page.open(&mut endpoints, self.force), unfinished)?;
        let partials = self.partials.iter().map(|path| PartialAnswer::open(path));
        let merged = merge(partials.collect::<Result<Vec<_>, Error>>()?)?;
        let is_whole = {
            let (first, last) = merged.shards();
            first.number() == 1 && last.number() == last.of()
        };
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
        if let Some((to, options)) = scores {
            self.join(&merged, to, &options)?.file.publish()?;
        }
        let mut answer = merged.answer()?;
        answer.command = arguments();
        self.report(&answer, page, quiet)
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
        let open = || Ok(endpoints.open(&output)?);
        watch.open_output(open, Destination::unfinished).map(Some)
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
        let open = || Ok(endpoints.open(&output)?);
        let destination = watch.open_output(open, Destination::unfinished)?;
        Ok(Some((destination, options)))
    }

    /// Puts the scores files of the shards together.
    fn join(
        &self,
        merged: &MergedAnswer,
        to: Destination,
        options: &ScoresOptions,
    ) -> Result<Joined, Error> {
        let shards = merged.each();
        let written: Vec<_> = shards.iter().map(|shard| shard.scores).collect();
        let paths = match_scores(&self.from, &written)?;
        let each = shards.iter().zip(&paths).zip(written.into_iter().flatten());
        let each = each.map(|((shard, path), written)| ShardScores {
            path,
            records: shard.records,
            records_before: shard.records_before,
            written,
            first_lines: shard.first_lines.as_ref().map(|first| FirstLines {
                path: &first.path,
                records: first.records,
                lines_before: first.lines,
            }),
        });
        join_scores(&each.collect::<Vec<_>>(), to, options)
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
