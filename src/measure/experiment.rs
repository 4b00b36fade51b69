//! Runs a comparison: the first run of each contender, the rounds, and the analysis.

use std::thread;
use std::time::{Instant, SystemTime};

use super::ceilings::Kernels;
use super::comparison::{ColdStart, Comparison, Disagreement, Workload};
use super::copies::CopyThreads;
use super::explain;
use super::options::Options;
use super::round_results::{CeilingLevel, Contender, ReadyContender, RoundResults};
use super::rounds::{self, SingleRun, Subject, WrongAnswer};
use super::runnable::{MeasuredRun, Runnable};
use super::summary;
use super::warnings::warnings;
use crate::error::Error;
use crate::machine::{Machine, Moment};
use crate::report::Digest;

/// Compares the contenders. All others are compared with the first one.
pub(super) fn run(
    contenders: Vec<Contender<'_>>,
    bytes: Option<u64>,
    machine: Machine,
    options: &Options<'_>,
) -> Result<Comparison, Error> {
    let (began, clock) = (SystemTime::now(), Instant::now());
    let settings = options.settings()?;
    let mut ready = Vec::with_capacity(contenders.len());
    let mut outcomes = Vec::with_capacity(contenders.len());
    for contender in contenders {
        let (contender, outcome) = start(contender)?;
        ready.push(contender);
        outcomes.push(outcome);
    }
    let first = outcomes
        .first()
        .ok_or_else(|| Error::Measure("there is no executor".to_owned()))?;
    let expected = first.digest;
    let differs = |(contender, outcome): (&ReadyContender<'_>, &MeasuredRun)| {
        (outcome.digest != expected).then(|| disagreement(contender, None, outcome.digest))
    };
    let workload = Workload {
        name: options.name.to_owned(),
        records: first.records,
        failed: first.failed,
        skipped: first.skipped,
        bytes,
        loading: options.loading,
        digest: expected.to_string(),
    };
    let began = humantime::format_rfc3339_seconds(began).to_string();
    let mut comparison = Comparison::new(began, workload, settings, machine);
    comparison.disagreements = ready.iter().zip(&outcomes).filter_map(differs).collect();
    // Without records, the rounds would only measure the clock.
    if comparison.agrees() && comparison.workload.records > 0 {
        match run_rounds(&ready, &comparison, expected, options)? {
            Ok(results) => {
                summary::summarise(&mut comparison, &results);
                comparison.analysis = explain::explain(&comparison, &results)?;
                comparison.meanwhile = results.meanwhile;
                comparison.warnings = warnings(&comparison);
            }
            Err(wrong) => {
                let contender = &ready[wrong.subject];
                let disagreement = disagreement(contender, Some(wrong.round), wrong.digest);
                comparison.disagreements.push(disagreement);
            }
        }
    }
    comparison.took = clock.elapsed();
    Ok(comparison)
}

fn disagreement(
    contender: &ReadyContender<'_>,
    round: Option<usize>,
    digest: Digest,
) -> Disagreement {
    Disagreement {
        executor: contender.executor.clone(),
        threads: contender.threads,
        round,
        digest: digest.to_string(),
    }
}

/// Starts the executor of a contender and makes the first run.
fn start(contender: Contender<'_>) -> Result<(ReadyContender<'_>, MeasuredRun), Error> {
    let began = Instant::now();
    let runnable = (contender.make)()?;
    let start = began.elapsed();
    let outcome = runnable.run()?;
    let first_run = outcome.timing.wall;
    let ready = ReadyContender {
        executor: contender.executor,
        threads: contender.threads,
        cold: ColdStart { start, first_run },
        runnable,
    };
    Ok((ready, outcome))
}

/// Runs the rounds of all contenders and ceilings.
fn run_rounds<'w, 'a>(
    ready: &'w [ReadyContender<'a>],
    comparison: &Comparison,
    expected: Digest,
    options: &Options<'_>,
) -> Result<Result<RoundResults<'w, 'a>, WrongAnswer>, Error> {
    let kernels = Kernels::for_contenders(ready, comparison);
    let levels = kernels.iter().flat_map(Kernels::levels);
    let levels: Vec<CeilingLevel> = levels.collect();
    let most_copies = kernels.as_ref().map_or(1, Kernels::most_copies);
    let (histories, meanwhile) = thread::scope(|scope| {
        let threads = CopyThreads::start(scope, most_copies)?;
        let contenders = ready
            .iter()
            .map(|contender| Box::new(ContenderSubject(&*contender.runnable)) as Box<dyn Subject>);
        let ceilings = levels
            .iter()
            .filter_map(|&level| kernels.as_ref()?.subject(level, &threads));
        let mut subjects: Vec<_> = contenders.chain(ceilings).collect();
        let progress = |done, total| options.progress.iter().for_each(|call| call(done, total));
        let moment = Moment::now();
        let histories = rounds::run(&mut subjects, &comparison.settings, expected, &progress)?;
        Ok::<_, Error>((histories, moment.until_now()))
    })?;
    Ok(histories.map(|mut histories| {
        let ceilings = histories.split_off(ready.len());
        RoundResults {
            contenders: ready.iter().zip(histories).collect(),
            ceilings: levels.into_iter().zip(ceilings).collect(),
            meanwhile,
        }
    }))
}

/// A contender, as a subject that has turns.
struct ContenderSubject<'w>(&'w dyn Runnable);

impl Subject for ContenderSubject<'_> {
    fn run(&mut self) -> Result<SingleRun, Error> {
        let outcome = self.0.run()?;
        Ok(SingleRun {
            wall: outcome.timing.wall,
            cpu: outcome.timing.cpu,
            digest: Some(outcome.digest),
            timing: Some(outcome.timing),
        })
    }
}
