//! A comparison beside an earlier one: has it become slower?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cell::{processor_times, walls};
use super::comparison::{Comparison, Estimate, SCHEMA, Workload};
use super::statistics::{detectable, run_ratio};
use crate::error::Error;
use crate::machine::Machine;

/// The kernel that tells how much of the machine others had: the same instructions whatever has become
/// of the program.
const YARDSTICK: &str = "arithmetic";

/// A comparison beside an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Against {
    /// The name of the earlier one.
    pub name: String,
    /// When that one was made.
    pub began: String,
    /// What is not the same on the machine, a sentence each: the ratios are doubtful then.
    pub changed: Vec<String>,
    /// The cells that both have.
    pub cells: Vec<Ratio>,
}

/// One cell now and then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ratio {
    /// The name of the executor.
    pub executor: String,
    /// How many threads.
    pub threads: usize,
    /// The time now as a multiple of the time then: above 1 it is slower now.
    pub time: Estimate,
    /// The same of processor time.
    pub cpu: Option<Estimate>,
    /// About how many rounds it would take to tell a difference of 3 %. `None` where more rounds do
    /// not help, as with an earlier comparison: runs at different times differ all the same.
    pub rounds_needed: Option<usize>,
    /// The difference that could just be told with the rounds there are, as a share.
    pub detectable: f64,
}

impl Comparison {
    /// Holds this comparison against an earlier one of the same work, called `name`: what has come of
    /// it stands in [`against`](Comparison::against), and what makes it doubtful among the warnings too.
    ///
    /// Intervals are those of [`run_ratio`], wider than rounds alone would tell. Where a kernel of
    /// arithmetic, too, in as many threads as a cell, has become slower or faster beside a single thread
    /// of it, others were at work on the machine in one of the two, and the interval of the cell
    /// reaches to what its ratio would be without that.
    ///
    /// ```
    /// use manyhands::measure::{Options, compare};
    /// use manyhands::prelude::*;
    ///
    /// let numbers: Vec<u64> = (0..2000).collect();
    /// let task = |n: &u64| (0..*n).fold(0, u64::wrapping_add);
    /// let queue = TaskQueue::new(2);
    /// let options = Options::default().rounds(3).least_turn(0.0);
    /// let earlier = compare(&numbers, task, &[&queue], &options)?;
    /// let mut now = compare(&numbers, task, &[&queue], &options)?;
    /// now.hold_against("earlier", &earlier)?;
    /// let against = now.against.expect("what it was held against");
    /// assert_eq!(against.cells.len(), 2);
    /// for ratio in against.slower_by(0.05) {
    ///     println!("{} takes {} times as long", ratio.executor, ratio.time.value);
    /// }
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the earlier one is of another schema or of other work (other records, other bytes, another
    /// answer), has no times, or no cell of this one.
    pub fn hold_against(&mut self, name: &str, earlier: &Comparison) -> Result<(), Error> {
        let refused =
            |why: &str| Error::Measure(format!("nothing can be held against {name}: {why}"));
        if earlier.schema != SCHEMA {
            return Err(refused(&format!(
                "it has schema {}, and this version reads {SCHEMA}; save it again",
                earlier.schema
            )));
        }
        if !self.agrees() || !earlier.agrees() {
            return Err(refused("the answers of one of the two differ"));
        }
        if let Some(other) = other_work(&self.workload, &earlier.workload) {
            return Err(refused(&format!(
                "it is not the same work: {other}; save another under a name of its own"
            )));
        }
        let mut changed = changes(&self.machine, &earlier.machine);
        if let (Some(now), Some(then)) = (runs(self), runs(earlier))
            && now != then
        {
            changed.push(format!(
                "a turn was the best of {then} runs and is the best of {now}: the best of more is better"
            ));
        }
        let cells = self.ratios(earlier, &mut changed);
        if cells.is_empty() {
            return Err(refused(
                "it has none of these executors with as many threads",
            ));
        }
        let doubtful = changed
            .iter()
            .map(|changed| format!("beside {name}: {changed}"));
        self.warnings.extend(doubtful);
        self.against = Some(Against {
            name: name.to_owned(),
            began: earlier.began.clone(),
            changed,
            cells,
        });
        Ok(())
    }

    fn ratios(&self, earlier: &Comparison, changed: &mut Vec<String>) -> Vec<Ratio> {
        let settings = &self.settings;
        let mut weathers: BTreeMap<usize, Option<f64>> = BTreeMap::new();
        let mut ratios = Vec::new();
        for now in &self.cells {
            let mut cells = earlier.cells.iter();
            let same =
                cells.find(|then| (&then.executor, then.threads) == (&now.executor, now.threads));
            let Some(then) = same else { continue };
            let ratio = |now: &[f64], then: &[f64]| {
                run_ratio(now, then, settings.confidence, settings.seed)
            };
            let cpu = processor_times(&now.turns).zip(processor_times(&then.turns));
            let mut time = ratio(&walls(&now.turns), &walls(&then.turns));
            let weather = weathers
                .entry(now.threads)
                .or_insert_with(|| weather(self, earlier, now.threads));
            if let Some(weather) = *weather {
                time.low = time.low.min(time.low / weather);
                time.high = time.high.max(time.high / weather);
            }
            ratios.push(Ratio {
                executor: now.executor.clone(),
                threads: now.threads,
                time,
                cpu: cpu.map(|(now, then)| ratio(&now, &then)),
                rounds_needed: None,
                detectable: detectable(&time, settings.confidence),
            });
        }
        changed.extend(weathers.into_iter().filter_map(|(threads, weather)| {
            Some(format!(
                "{threads} threads of plain arithmetic take {:.2} times as long as then, where one \
                 thread does not: others had more or less of the machine",
                weather?
            ))
        }));
        ratios
    }
}

impl Against {
    /// The cells whose time is more than this share above that of the earlier one, as surely as the
    /// interval tells: its lower end is.
    pub fn slower_by(&self, share: f64) -> impl Iterator<Item = &Ratio> {
        let slower = move |ratio: &&Ratio| ratio.time.low > 1.0 + share;
        self.cells.iter().filter(slower)
    }
}

/// How many times as long as then the kernel takes now in so many threads, where that can be told.
///
/// Beside one thread of it at its best, because how much there is to do in it is fitted to the machine
/// anew each time. It is not what all times are divided by: on a busy machine the kernel is as noisy
/// as the cells, and over 98 recorded runs the quotients had wider intervals than the times alone.
fn weather(now: &Comparison, then: &Comparison, threads: usize) -> Option<f64> {
    let beside_one = |comparison| -> Option<Vec<f64>> {
        let alone = kernel(comparison, 1)?.into_iter();
        let alone = alone.min_by(f64::total_cmp)?.max(1e-9);
        let times = kernel(comparison, threads)?.into_iter();
        Some(times.map(|time| time / alone).collect())
    };
    let settings = &now.settings;
    let (now, then) = (beside_one(now)?, beside_one(then)?);
    let ratio = run_ratio(&now, &then, settings.confidence, settings.seed);
    (threads > 1 && ratio.differs_from(1.0)).then_some(ratio.value)
}

/// The times of the kernel with so many threads.
fn kernel(comparison: &Comparison, threads: usize) -> Option<Vec<f64>> {
    let mut ceilings = comparison.why.ceilings.iter();
    let kernel = ceilings.find(|one| one.kernel == YARDSTICK && one.threads == threads);
    kernel.map(|kernel| walls(&kernel.turns))
}

/// How many runs a turn had.
fn runs(comparison: &Comparison) -> Option<u32> {
    Some(comparison.cells.first()?.turns.first()?.runs)
}

/// What makes it other work.
fn other_work(now: &Workload, then: &Workload) -> Option<String> {
    if now.records != then.records {
        return Some(format!(
            "{} records now, {} then",
            now.records, then.records
        ));
    }
    if let (Some(now), Some(then)) = (now.bytes, then.bytes)
        && now != then
    {
        return Some(format!("{now} bytes now, {then} then"));
    }
    (now.digest != then.digest).then(|| {
        format!(
            "the answer has digest {} now and had {} then: other records, another scorer or other options",
            now.digest, then.digest
        )
    })
}

/// What has become different on the machine, as far as times depend on it.
fn changes(now: &Machine, then: &Machine) -> Vec<String> {
    let threads = |machine: &Machine| machine.allowed.map(|allowed| allowed.hardware_threads);
    let facts = [
        ("the processor", now.cpu.clone(), then.cpu.clone()),
        (
            "the architecture",
            Some(now.architecture.clone()),
            Some(then.architecture.clone()),
        ),
        (
            "the number of hardware threads",
            told(threads(now)),
            told(threads(then)),
        ),
        (
            "the number of cores",
            told(now.allowed_cores()),
            told(then.allowed_cores()),
        ),
        ("the quota of cores", told(now.quota()), told(then.quota())),
        ("the governor", now.governor.clone(), then.governor.clone()),
        (
            "the operating system",
            Some(now.system.clone()),
            Some(then.system.clone()),
        ),
        ("the kernel", now.kernel.clone(), then.kernel.clone()),
    ];
    let changed = facts.into_iter().filter(|(_, now, then)| now != then);
    let none = || "not known".to_owned();
    changed
        .map(|(what, now, then)| {
            let (now, then) = (now.unwrap_or_else(none), then.unwrap_or_else(none));
            format!("{what} was {then} and is {now}")
        })
        .collect()
}

fn told(fact: Option<impl ToString>) -> Option<String> {
    fact.map(|fact| fact.to_string())
}
