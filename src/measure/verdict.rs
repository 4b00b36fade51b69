//! A comparison in a sentence or two.

use std::fmt::Write as _;

use super::comparison::{Cell, Comparison, Estimate};
use super::why::Losses;

/// A loss of this share of the threads' time is worth telling.
const WORTH_TELLING: f64 = 0.05;

impl Comparison {
    /// The cell with the highest speed-up, the base aside. Where some are detectably faster than the base
    /// it is one of those: another, whose interval holds 1, may have a higher number by chance.
    pub fn fastest(&self) -> Option<&Cell> {
        let others = self.cells.iter().skip(1);
        others.max_by(|a, b| {
            let [a, b] = [a, b].map(|cell| cell.speed_up);
            let surely = (a.low > 1.0).cmp(&(b.low > 1.0));
            surely.then(a.value.total_cmp(&b.value))
        })
    }

    /// What this machine gives so many threads at best: the most that any ceiling has shown, of
    /// those that do not leave the processor.
    pub fn best_here(&self, threads: usize) -> Option<Estimate> {
        let all = self.why.ceilings.iter();
        let these = all.filter(|one| one.threads == threads && one.kernel != "memory");
        let gains = these.map(|one| one.speed_up);
        gains.max_by(|a, b| a.value.total_cmp(&b.value))
    }

    /// How well it scales, and why not better, in a sentence or two.
    pub fn verdict(&self) -> String {
        if let Some(other) = self.disagreements.first() {
            return format!(
                "The answers differ: {} gave the digest {} where sequential gave {}. No times are told.",
                on(&other.executor, other.threads),
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
        let Estimate { value, low, high } = fastest.speed_up;
        let confidence = self.settings.confidence * 100.0;
        let mut text = String::new();
        let name = on(&fastest.executor, fastest.threads);
        if !fastest.speed_up.differs_from(1.0) {
            let _ = write!(
                text,
                "No detectable difference: the best, {name}, may be {low:.2} to {high:.2} times as fast as \
                 sequential ({confidence:.0} % confidence; measured {value:.2})."
            );
        } else if value < 1.0 {
            let _ = write!(
                text,
                "Nothing is faster than sequential: the best, {name}, is {value:.2} times as fast \
                 ({low:.2} to {high:.2} with {confidence:.0} % confidence)."
            );
        } else {
            let _ = write!(
                text,
                "{name} is {value:.2} times as fast as sequential \
                 ({low:.2} to {high:.2} with {confidence:.0} % confidence)."
            );
        }
        if fastest.threads > 1
            && let Some(best) = self.best_here(fastest.threads)
        {
            let _ = write!(
                text,
                " This machine gives {} threads {:.2} times the work of one at best",
                fastest.threads, best.value
            );
            let of = self.why.losses.iter();
            let mut of =
                of.filter(|one| one.executor == fastest.executor && one.threads == fastest.threads);
            match of.next().and_then(Losses::largest) {
                Some((name, share)) if share >= WORTH_TELLING => {
                    let _ = write!(text, "; most is lost to {name}: {:.0} %.", share * 100.0);
                }
                _ => text.push('.'),
            }
        }
        text
    }
}

impl Losses {
    /// Each loss with its name.
    pub fn named(&self) -> [(&'static str, f64); 4] {
        [
            ("what one thread does alone", self.serial),
            ("imbalance", self.imbalance),
            ("scheduling", self.scheduling),
            ("the machine", self.machine),
        ]
    }

    fn largest(&self) -> Option<(&'static str, f64)> {
        self.named().into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// An executor with so many threads.
fn on(executor: &str, threads: usize) -> String {
    let s = if threads == 1 { "" } else { "s" };
    format!("{executor} on {threads} thread{s}")
}
