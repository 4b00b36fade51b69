//! The outputs of `score` other than the report.

use std::path::Path;
use std::sync::Arc;

use manyhands::Cancel;
use manyhands::output::{Destination, Output, PageFile, RunFiles, ScoresFile, ScoresOptions};
use manyhands::plan::Plan;

use super::Score;
use crate::cli::command_error::CommandError;
use crate::cli::output_rules::OutputRules;
use crate::cli::scoring_arguments::endpoints;
use crate::cli::signals::{GRACE, SignalWatch, WatchedRun, open_destination};

/// The outputs of the command other than the report.
pub(super) struct ScoreOutputs {
    pub(super) files: Option<Arc<RunFiles>>,
    pub(super) page: Option<PageFile>,
    /// The file of the partial answer.
    pub(super) partial: Option<Destination>,
}

impl Score {
    /// Opens the outputs. Each output must be a different file, and must not be an input.
    pub(super) fn open_outputs(
        &self,
        plan: &Plan,
        format: Option<ScoresOptions>,
        rules: OutputRules<'_>,
        journal: Option<&Path>,
        token: &Cancel,
        watch: &SignalWatch,
    ) -> Result<ScoreOutputs, CommandError> {
        let mut endpoints = endpoints(plan);
        if !self.scores_on_stdout() {
            endpoints.standard_output("the report")?;
        }
        if let Some(path) = journal {
            endpoints.output(&Output::new("the journal", path).force(true))?;
        }
        let destination = match self.scores.as_ref().zip(format) {
            Some((path, format)) => {
                let output = rules.apply(Output::new("the scores", path));
                Some((open_destination(watch, &mut endpoints, &output)?, format))
            }
            None => None,
        };
        let failures = &self.failures;
        let failures = failures.open(&mut endpoints, rules, watch)?;
        let partial = self.shard.open(&mut endpoints, rules, watch)?;
        let unfinished = |page: &Option<PageFile>| page.as_ref().and_then(PageFile::unfinished);
        let page = || {
            self.page
                .open_set(&mut endpoints, |page| rules.apply_to_page(page))
        };
        let page = watch.open_output(page, unfinished)?;
        watch.remove_at_once(unfinished(&page));
        // This comes before the first byte of the scores is written. From here on, a signal stops the run, and the
        // report of the stopped run is printed.
        watch.begin_run(WatchedRun {
            token: token.clone(),
            give_up: None,
            grace: GRACE,
            scores: None,
            journal: None,
        });
        let scores = destination.map(|(to, format)| ScoresFile::new(to, &format, plan));
        let files = RunFiles::new(scores.transpose()?, failures.transpose()?).map(Arc::new);
        Ok(ScoreOutputs {
            files,
            page,
            partial,
        })
    }
}
