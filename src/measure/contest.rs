//! A contest: cold starts, rounds, and what they come to.

use std::thread;
use std::time::{Instant, SystemTime};

use super::ceiling::{Kernels, Level};
use super::cell;
use super::comparison::{Cold, Comparison, Disagreement, SCHEMA, Workload as Described};
use super::copies::Copiers;
use super::doubts::doubts;
use super::explain;
use super::options::Options;
use super::rounds::{self, Disagrees, Ran, Subject, Turns};
use super::why::Why;
use super::workload::{Answered, Workload};
use crate::error::Error;
use crate::machine::{Machine, Meanwhile, Moment};
use crate::report::Digest;

/// An executor with a number of threads, which can be made ready.
pub(super) struct Contestant<'a> {
    pub(super) executor: String,
    pub(super) threads: usize,
    pub(super) make: Box<dyn Fn() -> Result<Box<dyn Workload + 'a>, Error> + 'a>,
}

/// A contestant made ready, after its cold start.
pub(super) struct Warm<'a> {
    pub(super) executor: String,
    pub(super) threads: usize,
    pub(super) cold: Cold,
    pub(super) workload: Box<dyn Workload + 'a>,
}

/// What the cells and the ceilings have done.
pub(super) struct Played<'w, 'a> {
    pub(super) cells: Vec<(&'w Warm<'a>, Turns)>,
    pub(super) ceilings: Vec<(Level, Turns)>,
    /// What happened on the machine during the rounds.
    pub(super) meanwhile: Meanwhile,
}

/// Compares; the first contestant is the base.
pub(super) fn hold(
    contestants: Vec<Contestant<'_>>,
    bytes: Option<u64>,
    machine: Machine,
    options: &Options<'_>,
) -> Result<Comparison, Error> {
    let (began, clock) = (SystemTime::now(), Instant::now());
    let settings = options.settings()?;
    let mut warm = Vec::with_capacity(contestants.len());
    let mut answers = Vec::with_capacity(contestants.len());
    for contestant in contestants {
        let (one, answer) = start(contestant)?;
        warm.push(one);
        answers.push(answer);
    }
    let first = answers
        .first()
        .ok_or_else(|| Error::Measure("there is no executor".to_owned()))?;
    let expected = first.digest;
    let disagrees = |(one, answer): (&Warm<'_>, &Answered)| {
        (answer.digest != expected).then(|| Disagreement {
            executor: one.executor.clone(),
            threads: one.threads,
            round: None,
            digest: answer.digest.to_string(),
        })
    };
    let mut comparison = Comparison {
        schema: SCHEMA,
        began: humantime::format_rfc3339_seconds(began).to_string(),
        took: 0.0,
        workload: Described {
            name: options.name.to_owned(),
            records: first.records,
            failed: first.failed,
            bytes,
            loading: options.loading,
            digest: expected.to_string(),
        },
        settings,
        warnings: Vec::new(),
        machine,
        meanwhile: Meanwhile::default(),
        cells: Vec::new(),
        disagreements: warm.iter().zip(&answers).filter_map(disagrees).collect(),
        costs: Vec::new(),
        why: Why::default(),
        against: None,
    };
    // Rounds over no records would measure the clock.
    if comparison.agrees() && comparison.workload.records > 0 {
        match play(&warm, &comparison, expected, options)? {
            Ok(played) => {
                cell::settle(&mut comparison, &played);
                comparison.why = explain::explain(&comparison, &played)?;
                comparison.meanwhile = played.meanwhile;
                comparison.warnings = doubts(&comparison);
            }
            Err(disagrees) => {
                let one = &warm[disagrees.subject];
                comparison.disagreements.push(Disagreement {
                    executor: one.executor.clone(),
                    threads: one.threads,
                    round: Some(disagrees.round),
                    digest: disagrees.digest.to_string(),
                });
            }
        }
    }
    comparison.took = clock.elapsed().as_secs_f64();
    Ok(comparison)
}

fn start(contestant: Contestant<'_>) -> Result<(Warm<'_>, Answered), Error> {
    let began = Instant::now();
    let workload = (contestant.make)()?;
    let start = began.elapsed().as_secs_f64();
    let answer = workload.run()?;
    let first_run = answer.timing.wall.as_secs_f64();
    let warm = Warm {
        executor: contestant.executor,
        threads: contestant.threads,
        cold: Cold { start, first_run },
        workload,
    };
    Ok((warm, answer))
}

/// Has the rounds of all cells and ceilings.
fn play<'w, 'a>(
    warm: &'w [Warm<'a>],
    comparison: &Comparison,
    expected: Digest,
    options: &Options<'_>,
) -> Result<Result<Played<'w, 'a>, Disagrees>, Error> {
    let kernels = Kernels::ready(warm, comparison);
    let levels = kernels.iter().flat_map(Kernels::levels);
    let levels: Vec<Level> = levels.collect();
    let most = kernels.as_ref().map_or(1, Kernels::most);
    let (played, meanwhile) = thread::scope(|scope| {
        let copiers = Copiers::start(scope, most)?;
        let cells = warm
            .iter()
            .map(|one| Box::new(InTurn(&*one.workload)) as Box<dyn Subject>);
        let ceilings = levels
            .iter()
            .filter_map(|&level| kernels.as_ref()?.subject(level, &copiers));
        let mut subjects: Vec<_> = cells.chain(ceilings).collect();
        let progress = |done, of| options.progress.iter().for_each(|tell| tell(done, of));
        let moment = Moment::now();
        let played = rounds::play(&mut subjects, &comparison.settings, expected, &progress)?;
        Ok::<_, Error>((played, moment.until_now()))
    })?;
    Ok(played.map(|mut turns| {
        let ceilings = turns.split_off(warm.len());
        Played {
            cells: warm.iter().zip(turns).collect(),
            ceilings: levels.into_iter().zip(ceilings).collect(),
            meanwhile,
        }
    }))
}

/// A workload that has its turn.
struct InTurn<'w>(&'w dyn Workload);

impl Subject for InTurn<'_> {
    fn run(&mut self) -> Result<Ran, Error> {
        let answered = self.0.run()?;
        Ok(Ran {
            wall: answered.timing.wall,
            cpu: answered.timing.cpu,
            digest: Some(answered.digest),
            timing: Some(answered.timing),
        })
    }
}
