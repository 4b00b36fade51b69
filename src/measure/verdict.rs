//! The verdict: a comparison in one or two sentences.

use std::fmt::Write as _;

use super::analysis::Losses;
use super::comparison::{Comparison, Measurement};
use super::figures::Estimate;

/// Smallest share of the threads' time at which the largest loss is named.
const NOTABLE_LOSS: f64 = 0.05;

impl Comparison {
    /// The measurement with the highest speed-up, except `sequential`.
    ///
    /// If some measurements are detectably faster than `sequential`, the result is one of them. Another
    /// measurement may have a higher speed-up by chance, with an interval that contains 1.
    pub fn fastest(&self) -> Option<&Measurement> {
        let others = self.measurements.iter().skip(1);
        others.max_by(|a, b| {
            let [a, b] = [a, b].map(|measurement| measurement.speed_up);
            let detectably = (a.low > 1.0).cmp(&(b.low > 1.0));
            detectably.then(a.value.total_cmp(&b.value))
        })
    }

    /// The highest speed-up that this machine allows with this number of threads: the higher of the
    /// ceilings of arithmetic and of copies of the program. Reading memory is left out, because a task
    /// may need less of it.
    pub fn highest_ceiling(&self, threads: usize) -> Option<Estimate> {
        let ceilings = self.analysis.ceilings.iter();
        let ceilings = ceilings.filter(|one| one.threads == threads && one.kernel != "memory");
        let speed_ups = ceilings.map(|ceiling| ceiling.speed_up);
        speed_ups.max_by(|a, b| a.value.total_cmp(&b.value))
    }

    /// Says how well the program scales, and what limits it, in one or two sentences.
    pub fn verdict(&self) -> String {
        if let Some(other) = self.disagreements.first() {
            return format!(
                "The answers differ: the digest of {} is {}, that of sequential is {}. There are no \
                 times.",
                on_threads(&other.executor, other.threads),
                other.digest,
                self.workload.digest
            );
        }
        if self.workload.records == 0 {
            return "There are no records.".to_owned();
        }
        let Some(fastest) = self.fastest() else {
            return "There is nothing to compare sequential with.".to_owned();
        };
        let mut text = self.speed_up_sentence(fastest);
        if fastest.threads > 1
            && let Some(ceiling) = self.highest_ceiling(fastest.threads)
        {
            let _ = write!(
                text,
                " At best, {} threads on this machine do {:.2} times the work of one",
                fastest.threads, ceiling.value
            );
            let mut losses = self.analysis.losses.iter();
            let losses = losses.find(|losses| {
                losses.executor == fastest.executor && losses.threads == fastest.threads
            });
            match losses.and_then(Losses::largest) {
                Some((name, share)) if share >= NOTABLE_LOSS => {
                    let percent = share * 100.0;
                    let _ = write!(text, "; the largest loss is {name}: {percent:.0} %.");
                }
                _ => text.push('.'),
            }
        }
        text
    }

    fn speed_up_sentence(&self, fastest: &Measurement) -> String {
        let Estimate { value, low, high } = fastest.speed_up;
        let confidence = self.settings.confidence * 100.0;
        let name = on_threads(&fastest.executor, fastest.threads);
        if !fastest.speed_up.differs_from(1.0) {
            format!(
                "No detectable difference: the best, {name}, may be {low:.2} to {high:.2} times as fast as \
                 sequential ({confidence:.0} % confidence; measured {value:.2})."
            )
        } else if value < 1.0 {
            format!(
                "Nothing is faster than sequential: the best, {name}, is {value:.2} times as fast \
                 ({low:.2} to {high:.2} with {confidence:.0} % confidence)."
            )
        } else {
            format!(
                "{name} is {value:.2} times as fast as sequential \
                 ({low:.2} to {high:.2} with {confidence:.0} % confidence)."
            )
        }
    }
}

impl Losses {
    /// The name and the share of each loss.
    pub(crate) fn named(&self) -> [(&'static str, f64); 4] {
        [
            ("serial time", self.serial),
            ("imbalance", self.imbalance),
            ("scheduling", self.scheduling),
            ("the machine", self.machine),
        ]
    }

    fn largest(&self) -> Option<(&'static str, f64)> {
        self.named().into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Names an executor with its number of threads.
fn on_threads(executor: &str, threads: usize) -> String {
    let s = if threads == 1 { "" } else { "s" };
    format!("{executor} on {threads} thread{s}")
}
