//! Explains in one sentence why a run took as long as it did.

use std::fmt;
use std::time::Duration;

use super::timing::share;
use super::{End, Floor, ScalingLimit, Shares, SlowRecord, Timing};

/// Smallest share of the workers' time at which a loss is mentioned.
const WORTH_MENTIONING: f64 = 0.2;
/// Smallest share of the workers' time at which a loss is the finding, regardless of the other losses.
const DECIDES: f64 = 0.5;
/// If more workers than this would help, the sentence does not name their number, because memory bandwidth
/// would limit the run before that.
const MANY_WORKERS: usize = 1000;

/// Why a run took as long as it did.
///
/// Displays as a sentence without a full stop: "2 workers were busy 97 % of 3.1 s; more would help
/// up to about 40, then the longest record (80 ms, reviews.jsonl:812) decides".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What the time was mainly spent on.
    pub finding: Finding,
    /// The number of workers, including those that were never woken.
    pub workers: usize,
    /// The number of cores that the process may use.
    pub cores: usize,
    /// The time from the call that started the run to the answer.
    pub wall: Duration,
    /// Where the time went.
    pub shares: Shares,
    /// Up to how many workers the run would become faster.
    pub scaling_limit: ScalingLimit,
    /// The slowest record.
    pub longest: Option<SlowRecord>,
    /// Whether the run ended before its last record.
    pub ended_early: bool,
}

/// What a run mainly spent its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// There were no records.
    Empty,
    /// There was one record, so nothing could be shared.
    OneRecord,
    /// The calling thread did everything, because the remaining records were never worth sharing.
    NotShared,
    /// There were more workers than cores.
    TooManyWorkers,
    /// Other programs used the cores.
    OtherLoad,
    /// The workers waited for input.
    Input,
    /// The workers waited for permits of a limit.
    Limited,
    /// One record took most of the run.
    OneLongRecord,
    /// Some workers had nothing left to do while others still worked.
    Imbalance,
    /// The workers paused, because scores could not be passed on as fast as they were computed.
    Paused,
    /// One thread worked alone, either at the beginning or to compute the answer.
    OneThread,
    /// The workers were busy scoring.
    Busy,
}

impl Explanation {
    /// Explains a run from its timing, its end, and the number of cores that it could use.
    pub fn of(timing: &Timing, end: &End, cores: usize) -> Self {
        let shares = timing.shares();
        Explanation {
            finding: Finding::of(timing, &shares, cores),
            cores,
            workers: timing.workers.len(),
            wall: timing.wall,
            shares,
            scaling_limit: timing.scaling_limit(),
            longest: timing.slowest.first().cloned(),
            ended_early: !end.is_finished(),
        }
    }
}

impl Finding {
    fn of(timing: &Timing, shares: &Shares, cores: usize) -> Self {
        let began = timing.workers.iter().filter(|one| one.began()).count();
        let several = timing.workers.len() > 1;
        match timing.records() {
            0 => return Finding::Empty,
            1 => return Finding::OneRecord,
            _ if several && began == 1 => return Finding::NotShared,
            _ => {}
        }
        // These two findings come before the lack of cores, because a worker that mostly waited for input or for a
        // permit would not have been faster with a core of its own.
        if shares.input >= DECIDES {
            return Finding::Input;
        }
        if shares.limited >= DECIDES {
            return Finding::Limited;
        }
        if shares.preempted >= WORTH_MENTIONING {
            return if began > cores {
                Finding::TooManyWorkers
            } else {
                Finding::OtherLoad
            };
        }
        if !several {
            return Finding::Busy;
        }
        if share(timing.span(), timing.wall) >= DECIDES {
            return Finding::OneLongRecord;
        }
        let losses = [
            (Finding::Imbalance, shares.imbalance),
            (Finding::Paused, shares.paused),
            (Finding::OneThread, shares.beginning + shares.ending),
        ];
        let worst = losses.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        match worst {
            Some((finding, lost)) if lost >= WORTH_MENTIONING => finding,
            _ => Finding::Busy,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shares {
            preempted,
            input,
            limited,
            imbalance,
            paused,
            beginning,
            ending,
            ..
        } = self.shares;
        let wall = Readable(self.wall);
        let workers = Workers(self.workers);
        match self.finding {
            Finding::Empty if self.ended_early => write!(f, "no record was done"),
            Finding::Empty => write!(f, "there were no records"),
            Finding::OneRecord => write!(f, "one record in {wall}: there was nothing to share"),
            Finding::NotShared => write!(
                f,
                "the calling thread did it alone in {wall}: there was not enough to share"
            ),
            Finding::TooManyWorkers => write!(
                f,
                "{workers} without a core {} of {wall}, because there are only {}: as many workers as \
                 cores would do",
                Percent(preempted),
                self.cores
            ),
            Finding::OtherLoad => write!(
                f,
                "{workers} kept waiting for cores {} of {wall}: other threads use them too, and more \
                 workers would not help",
                Percent(preempted)
            ),
            Finding::Input => self.waiting(f, "input", input),
            Finding::Limited => self.waiting(f, "the limit", limited),
            Finding::OneLongRecord => {
                let time = self.longest.as_ref().map(|longest| longest.time);
                let longest = Percent(share(time.unwrap_or_default(), self.wall));
                self.longest(f)?;
                write!(f, " took {longest} of {wall}: more workers would not help")
            }
            Finding::Imbalance => {
                let lost = Percent(imbalance);
                write!(f, "{workers} without work {lost} of {wall}, at the end, ")?;
                write!(f, "while others still had some; ")?;
                self.prospects(f)
            }
            Finding::Paused => write!(
                f,
                "{workers} paused {} of {wall}: the scores are not taken as fast as they come",
                Percent(paused)
            ),
            Finding::OneThread => {
                let lost = Percent(beginning + ending);
                write!(
                    f,
                    "{workers} idle {lost} of {wall}, while one thread began "
                )?;
                write!(f, "or computed the answer; ")?;
                self.prospects(f)
            }
            Finding::Busy => {
                let busy = Percent(self.shares.busy());
                write!(f, "{workers} busy {busy} of {wall}; ")?;
                self.prospects(f)
            }
        }?;
        if self.ended_early {
            write!(
                f,
                "; these figures are for the time until the run was ended early"
            )?;
        }
        Ok(())
    }
}

impl Explanation {
    /// Writes that the workers waited for `what`, which more workers would not change.
    fn waiting(&self, f: &mut fmt::Formatter<'_>, what: &str, share: f64) -> fmt::Result {
        let (workers, wall) = (Workers(self.workers), Readable(self.wall));
        let share = Percent(share);
        write!(
            f,
            "{workers} waiting for {what} {share} of {wall}: more would not help"
        )
    }

    /// Writes what more workers would change.
    fn prospects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScalingLimit {
            workers,
            floor,
            time,
        } = self.scaling_limit;
        if workers > MANY_WORKERS.max(self.workers) {
            return write!(f, "more would help");
        }
        if workers > self.workers {
            write!(f, "more would help up to about {workers}, then ")?;
        } else {
            write!(f, "more would not help: ")?;
        }
        match floor {
            Floor::LongestRecord => {
                self.longest(f)?;
                write!(f, " decides")
            }
            Floor::OneThread => {
                write!(f, "what one thread does alone ({}) decides", Readable(time))
            }
            Floor::Waking => write!(f, "waking one costs more than it saves"),
        }
    }

    /// Writes the longest record, with its time and place.
    fn longest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(longest) = &self.longest else {
            return write!(f, "the longest record");
        };
        match longest.records {
            0 | 1 => write!(f, "the longest record")?,
            several => write!(f, "the longest record, one of {several}")?,
        }
        write!(f, " ({}, ", Readable(longest.time))?;
        match &longest.place {
            Some(place) => write!(f, "{place})"),
            None => write!(f, "record {})", longest.index + 1),
        }
    }
}

/// A share, displayed as a whole number of per cent, such as `97 %`.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %", self.0 * 100.0)
    }
}

/// A number of workers, displayed with its verb, such as `2 workers were`.
struct Workers(usize);

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "1 worker was"),
            several => write!(f, "{several} workers were"),
        }
    }
}

/// A time, displayed with two significant digits in a suitable unit, such as `3.1 s`.
struct Readable(Duration);

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (number, unit) = match seconds {
            _ if seconds < 1e-3 => (seconds * 1e6, "µs"),
            _ if seconds < 1.0 => (seconds * 1e3, "ms"),
            _ if seconds < 120.0 => (seconds, "s"),
            _ => (seconds / 60.0, "min"),
        };
        if number < 9.95 {
            write!(f, "{number:.1} {unit}")
        } else {
            write!(f, "{number:.0} {unit}")
        }
    }
}
