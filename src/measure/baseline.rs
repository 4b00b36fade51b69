//! Compares a comparison with an earlier one, the baseline, to find out whether the program has become slower.

use std::collections::BTreeMap;

use super::comparison::{
    BaselineComparison, BaselineRatio, Comparison, Measurement, SCHEMA, Workload,
};
use super::figures::{Settings, processor_times, wall_times};
use super::statistics::{detectable, run_ratio};
use crate::error::Error;
use crate::machine::Machine;

/// The kernel whose times show how much of the machine other programs used: it runs the same instructions in
/// every comparison, even if the measured program has changed.
const REFERENCE_KERNEL: &str = "arithmetic";

impl Comparison {
    /// Compares this comparison with an earlier one of the same work, the baseline called `name`.
    ///
    /// Stores the result in [`baseline`](Comparison::baseline), and also adds the reasons to doubt it to
    /// [`warnings`](Comparison::warnings).
    ///
    /// The intervals are wider than those within one comparison, because measurements at different times differ
    /// by more than the rounds of one measurement do. The kernel `arithmetic` shows whether other programs used
    /// the machine during one of the two measurements: if they did, its time on several threads, relative to
    /// its time on one thread, has changed too. The interval is then extended so that it includes the ratio
    /// corrected for that change.
    ///
    /// ```
    /// use manyhands::measure::{Options, compare};
    /// use manyhands::prelude::*;
    /// use std::time::Duration;
    ///
    /// let numbers: Vec<u64> = (0..2000).collect();
    /// let task = |n: &u64| (0..*n).fold(0, u64::wrapping_add);
    /// let queue = TaskQueue::new(2);
    /// let options = Options::default().rounds(3).least_turn(Duration::ZERO);
    /// let earlier = compare(&numbers, task, &[&queue], &options)?;
    /// let mut now = compare(&numbers, task, &[&queue], &options)?;
    /// now.compare_to_baseline("earlier", &earlier)?;
    /// let baseline = now.baseline.expect("the comparison with the baseline");
    /// assert_eq!(baseline.ratios.len(), 2);
    /// for ratio in baseline.slower_by(0.05) {
    ///     println!("{} takes {} times as long", ratio.executor, ratio.time.value);
    /// }
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the baseline has another schema, measures different work (different records,
    /// different bytes or a different answer), has no times, or shares no configuration with this comparison.
    pub fn compare_to_baseline(&mut self, name: &str, baseline: &Comparison) -> Result<(), Error> {
        let refused =
            |reason: &str| Error::Measure(format!("the baseline {name} cannot be used: {reason}"));
        if baseline.schema != SCHEMA {
            return Err(refused(&format!(
                "it has schema {}, and this version reads {SCHEMA}; save it again",
                baseline.schema
            )));
        }
        if !self.agrees() || !baseline.agrees() {
            return Err(refused("the answers of one of the two comparisons differ"));
        }
        if let Some(other) = other_work(&self.workload, &baseline.workload) {
            return Err(refused(&format!(
                "it is not the same work: {other}; save another one under a new name"
            )));
        }
        let mut changed = machine_changes(&self.machine, &baseline.machine);
        if let (Some(now), Some(then)) = (runs_per_turn(self), runs_per_turn(baseline))
            && now != then
        {
            changed.push(format!(
                "a turn was the fastest of {then} runs and is the fastest of {now}; the fastest of more \
                 runs is shorter"
            ));
        }
        let ratios = self.ratios(baseline, &mut changed);
        if ratios.is_empty() {
            return Err(refused(
                "it has none of these executors with the same number of threads",
            ));
        }
        let doubts = changed
            .iter()
            .map(|change| format!("compared with {name}: {change}"));
        self.warnings.extend(doubts);
        self.baseline = Some(BaselineComparison {
            name: name.to_owned(),
            began: baseline.began.clone(),
            changed,
            ratios,
        });
        Ok(())
    }

    fn ratios(&self, baseline: &Comparison, changed: &mut Vec<String>) -> Vec<BaselineRatio> {
        let mut load_changes: BTreeMap<usize, Option<f64>> = BTreeMap::new();
        let mut ratios = Vec::new();
        for now in &self.measurements {
            let key = |one: &Measurement| (one.executor.clone(), one.threads);
            let mut measurements = baseline.measurements.iter();
            let Some(then) = measurements.find(|then| key(then) == key(now)) else {
                continue;
            };
            let load_change = load_changes
                .entry(now.threads)
                .or_insert_with(|| load_change(self, baseline, now.threads));
            ratios.push(self.ratio(now, then, *load_change));
        }
        changed.extend(load_changes.into_iter().filter_map(|(threads, change)| {
            Some(format!(
                "{threads} threads of plain arithmetic take {:.2} times as long as before, relative to one \
                 thread: other programs used more or less of the machine",
                change?
            ))
        }));
        ratios
    }

    /// The ratio of the times of one configuration. The interval of the wall-clock times is extended so that it
    /// includes the ratio corrected for the change of the load.
    fn ratio(
        &self,
        now: &Measurement,
        then: &Measurement,
        load_change: Option<f64>,
    ) -> BaselineRatio {
        let Settings {
            confidence, seed, ..
        } = self.settings;
        let ratio = |now: &[f64], then: &[f64]| run_ratio(now, then, confidence, seed);
        let cpu = processor_times(&now.turns).zip(processor_times(&then.turns));
        let mut time = ratio(&wall_times(&now.turns), &wall_times(&then.turns));
        if let Some(change) = load_change {
            time.low = time.low.min(time.low / change);
            time.high = time.high.max(time.high / change);
        }
        BaselineRatio {
            executor: now.executor.clone(),
            threads: now.threads,
            time,
            cpu: cpu.map(|(now, then)| ratio(&now, &then)),
            detectable: detectable(&time, confidence),
        }
    }
}

/// The time that the reference kernel takes now with this number of threads, as a multiple of its time in
/// the baseline; `None` if no change is detectable.
///
/// Both times are relative to the fastest turn of one thread, because the amount of work in the kernel is
/// calibrated again for each comparison. The times of the contenders are not divided by this ratio: on a busy
/// machine the times of the kernel are as noisy as those of the contenders, and over 98 recorded runs the
/// quotients had wider intervals than the times alone.
fn load_change(now: &Comparison, then: &Comparison, threads: usize) -> Option<f64> {
    let relative_to_one = |comparison| -> Option<Vec<f64>> {
        let alone = kernel_times(comparison, 1)?.into_iter();
        let alone = alone.min_by(f64::total_cmp)?.max(1e-9);
        let times = kernel_times(comparison, threads)?.into_iter();
        Some(times.map(|time| time / alone).collect())
    };
    let settings = &now.settings;
    let (now, then) = (relative_to_one(now)?, relative_to_one(then)?);
    let ratio = run_ratio(&now, &then, settings.confidence, settings.seed);
    (threads > 1 && ratio.differs_from(1.0)).then_some(ratio.value)
}

/// The times of the reference kernel with this number of threads, in seconds.
fn kernel_times(comparison: &Comparison, threads: usize) -> Option<Vec<f64>> {
    let mut ceilings = comparison.analysis.ceilings.iter();
    let kernel = ceilings.find(|one| one.kernel == REFERENCE_KERNEL && one.threads == threads);
    kernel.map(|kernel| wall_times(&kernel.turns))
}

/// Number of runs in each turn of a contender.
fn runs_per_turn(comparison: &Comparison) -> Option<u32> {
    Some(comparison.measurements.first()?.turns.first()?.runs)
}

/// Describes a difference between two workloads; `None` if they are the same.
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

/// Returns one sentence for each fact about the machine that has changed since the baseline was saved. Only facts
/// that affect times are compared.
fn machine_changes(now: &Machine, then: &Machine) -> Vec<String> {
    fn text(fact: Option<impl ToString>) -> Option<String> {
        fact.map(|fact| fact.to_string())
    }
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
            text(threads(now)),
            text(threads(then)),
        ),
        (
            "the number of cores",
            text(now.allowed_cores()),
            text(then.allowed_cores()),
        ),
        ("the quota of cores", text(now.quota()), text(then.quota())),
        ("the governor", now.governor.clone(), then.governor.clone()),
        (
            "the operating system",
            Some(now.system.clone()),
            Some(then.system.clone()),
        ),
        ("the kernel", now.kernel.clone(), then.kernel.clone()),
    ];
    let changed = facts.into_iter().filter(|(_, now, then)| now != then);
    let unknown = || "unknown".to_owned();
    changed
        .map(|(what, now, then)| {
            let (now, then) = (now.unwrap_or_else(unknown), then.unwrap_or_else(unknown));
            format!("{what} was {then} and is {now}")
        })
        .collect()
}
