//! Where the workers' time went.

use std::time::Duration;

use super::Timing;

/// Where the time went, as shares of `workers × wall`. The shares add up to 1, unless the run took no time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Shares {
    /// Time spent in the task.
    pub scoring: f64,
    /// Time spent fetching bytes and waiting for records.
    pub input: f64,
    /// Time spent waiting for permits of a limit.
    pub limited: f64,
    /// Time spent reading, aggregating and passing scores on: the rest of the busy time.
    pub handling: f64,
    /// Time in which a worker was ready to run, but had no core.
    pub preempted: f64,
    /// Idle time between the first and the last record of a worker, which paused because too many scores waited
    /// for their turn.
    pub paused: f64,
    /// Time before a worker began, while the calling thread worked alone and woke the others. For a worker that
    /// never began, it is the whole run.
    pub beginning: f64,
    /// Time after a worker's last record, while other workers still had records.
    pub imbalance: f64,
    /// Time after the last record of the run, while one thread merged states and computed the answer.
    pub ending: f64,
}

impl Timing {
    /// Returns the shares of the workers' time.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    /// let report = Pipeline::new(&numbers, |x: &f64| x.sqrt()).aggregate(Count::new())?;
    /// let shares = report.timing.shares();
    /// let all: f64 = shares.named().iter().map(|(_, share)| share).sum();
    /// assert!((all - 1.0).abs() < 1e-9);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn shares(&self) -> Shares {
        let whole = self.wall.as_secs_f64() * self.workers.len() as f64;
        if whole <= 0.0 {
            return Shares::default();
        }
        let last = self.workers.iter().map(|worker| worker.until).max();
        let last = last.unwrap_or_default().min(self.wall);
        let mut shares = Shares::default();
        let add = |share: &mut f64, time: Duration| *share += time.as_secs_f64() / whole;
        for worker in &self.workers {
            let (from, until) = if worker.began() {
                let until = worker.until.min(last);
                (worker.from.min(until), until)
            } else {
                (last, last)
            };
            let busy = worker.busy.min(until - from);
            let paused = until - from - busy;
            let busy = worker.split(busy);
            add(&mut shares.scoring, busy.scoring);
            add(&mut shares.input, busy.input);
            add(&mut shares.limited, busy.limited);
            add(&mut shares.preempted, busy.preempted);
            add(&mut shares.handling, busy.handling);
            add(&mut shares.paused, paused);
            add(&mut shares.beginning, from);
            add(&mut shares.imbalance, last - until);
            add(&mut shares.ending, self.wall - last);
        }
        shares
    }
}

impl Shares {
    /// Each share with its name.
    pub fn named(&self) -> [(&'static str, f64); 9] {
        [
            ("scoring", self.scoring),
            ("input", self.input),
            ("limited", self.limited),
            ("handling", self.handling),
            ("preempted", self.preempted),
            ("paused", self.paused),
            ("beginning", self.beginning),
            ("imbalance", self.imbalance),
            ("ending", self.ending),
        ]
    }

    /// The share of the busy time, which is everything except waiting for other workers.
    pub fn busy(&self) -> f64 {
        self.scoring + self.input + self.limited + self.handling + self.preempted
    }
}
