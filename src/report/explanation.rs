//! Why a run took as long as it did, in a sentence.

use std::fmt;
use std::time::Duration;

use super::timing::share;
use super::{End, Floor, Reach, Shares, SlowRecord, Timing};

/// A loss of this share of the workers' time is what is worth telling …
const WORTH_TELLING: f64 = 0.2;
/// … and of this share what decides.
const DECIDES: f64 = 0.5;
/// Nobody counts workers beyond this; nor would they all find memory fast enough.
const FAR: usize = 1000;

/// Why a run took as long as it did.
///
/// Displays as a sentence without its full stop: "2 workers were busy 97 % of 3.1 s; more would help
/// up to about 40, then the longest record (80 ms, reviews.jsonl:812) decides".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What decided.
    pub finding: Finding,
    /// How many workers could have worked.
    pub workers: usize,
    /// How many cores the process may use.
    pub cores: usize,
    /// From the call to the answer.
    pub wall: Duration,
    /// Where the time went.
    pub shares: Shares,
    /// Up to how many workers it would become faster.
    pub reach: Reach,
    /// The slowest record.
    pub longest: Option<SlowRecord>,
    /// Whether the run was ended before its last record.
    pub ended_early: bool,
}

/// What decided how long a run took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// There were no records.
    Empty,
    /// There was one record: nothing to share.
    OneRecord,
    /// The calling thread did it alone: there was not enough to share.
    NotShared,
    /// There were more workers than cores.
    TooManyWorkers,
    /// Other threads of the machine had the cores.
    OtherLoad,
    /// The workers waited for input.
    Input,
    /// The workers waited for permits: there is a limit.
    Limited,
    /// One record took most of the run.
    OneLongRecord,
    /// Some workers had nothing left while others still worked.
    Imbalance,
    /// The workers rested: scores could not be handed on as fast as they came.
    Resting,
    /// One thread worked by itself, at the beginning or on the answer.
    OneThread,
    /// The workers worked.
    Busy,
}

impl Explanation {
    /// Explains a run that took such a time on so many cores and ended so.
    pub fn of(timing: &Timing, end: &End, cores: usize) -> Self {
        let shares = timing.shares();
        Explanation {
            finding: Finding::of(timing, &shares, cores),
            cores,
            workers: timing.workers.len(),
            wall: timing.wall,
            shares,
            reach: timing.reach(),
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
        if shares.preempted >= WORTH_TELLING {
            return if began > cores {
                Finding::TooManyWorkers
            } else {
                Finding::OtherLoad
            };
        }
        if shares.input >= DECIDES {
            return Finding::Input;
        }
        if shares.limited >= DECIDES {
            return Finding::Limited;
        }
        if !several {
            return Finding::Busy;
        }
        if share(timing.span(), timing.wall) >= DECIDES {
            return Finding::OneLongRecord;
        }
        let losses = [
            (Finding::Imbalance, shares.imbalance),
            (Finding::Resting, shares.resting),
            (Finding::OneThread, shares.beginning + shares.ending),
        ];
        let worst = losses.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        match worst {
            Some((finding, lost)) if lost >= WORTH_TELLING => finding,
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
            resting,
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
                "{workers} without a core {} of {wall}, since there are {}: as many workers as cores \
                 would do",
                Percent(preempted),
                self.cores
            ),
            Finding::OtherLoad => write!(
                f,
                "{workers} kept waiting for cores {} of {wall}: other threads use them too, and more \
                 workers would not help",
                Percent(preempted)
            ),
            Finding::Input => write!(
                f,
                "{workers} waiting for input {} of {wall}: more would not help",
                Percent(input)
            ),
            Finding::Limited => write!(
                f,
                "{workers} waiting for the limit {} of {wall}: more would not help",
                Percent(limited)
            ),
            Finding::OneLongRecord => {
                let time = self.longest.as_ref().map(|longest| longest.time);
                let longest = share(time.unwrap_or_default(), self.wall);
                self.longest(f)?;
                write!(
                    f,
                    " took {} of {wall}: more workers would not help",
                    Percent(longest)
                )
            }
            Finding::Imbalance => {
                let lost = Percent(imbalance);
                write!(
                    f,
                    "{workers} without work {lost} of {wall}, at the end, while "
                )?;
                write!(f, "others still had some; ")?;
                self.prospects(f)
            }
            Finding::Resting => write!(
                f,
                "{workers} made to rest {} of {wall}: the scores are not taken as fast as they come",
                Percent(resting)
            ),
            Finding::OneThread => {
                let lost = Percent(beginning + ending);
                write!(
                    f,
                    "{workers} idle {lost} of {wall}, while one thread began "
                )?;
                write!(f, "or worked out the answer; ")?;
                self.prospects(f)
            }
            Finding::Busy => {
                let busy = Percent(self.shares.busy());
                write!(f, "{workers} busy {busy} of {wall}; ")?;
                self.prospects(f)
            }
        }?;
        if self.ended_early {
            write!(f, "; this is of the time until it was ended early")?;
        }
        Ok(())
    }
}

impl Explanation {
    /// What more workers would do.
    fn prospects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reach { workers, floor, .. } = self.reach;
        if workers > FAR.max(self.workers) {
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
            Floor::OneThread => write!(
                f,
                "what one thread does alone ({}) decides",
                Readable(self.reach.time)
            ),
            Floor::Waking => write!(f, "waking one costs more than it saves"),
        }
    }

    /// The longest record, and where it stands.
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

/// A share, in per cent without digits behind the point.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %", self.0 * 100.0)
    }
}

/// Workers, and the verb that goes with so many.
struct Workers(usize);

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "1 worker was"),
            several => write!(f, "{several} workers were"),
        }
    }
}

/// A time to two digits, in the unit that suits it.
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
