//! A requested number of threads, which is an absolute number or a share of the cores.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::machine::usable_cores;

/// The largest number of threads that is accepted. A larger number is a mistake.
const MOST_THREADS: usize = 1024;

/// A requested number of threads: an absolute number, or a share of the usable cores, whose number is
/// known only on the machine where the threads run.
///
/// The number is written as `8` or `50%`, both on the command line and in plain data.
///
/// ```
/// use manyhands::execution::Threads;
///
/// let half: Threads = "50%".parse()?;
/// assert_eq!((half.of(8), half.of(3), half.of(1)), (4, 2, 1));
/// let eight: Threads = "8".parse()?;
/// assert_eq!(eight.of(2), 8);
/// assert!("0".parse::<Threads>().is_err());
/// assert!("120%".parse::<Threads>().is_err());
/// # Ok::<(), manyhands::execution::BadThreads>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threads(ThreadCount);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ThreadCount {
    Number(usize),
    Percent(usize),
}

/// The error for a number of threads that is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a whole number from 1 to {MOST_THREADS}, or a share of the cores from 1% to 100%"
)]
pub struct BadThreads;

impl Threads {
    /// One thread.
    pub const ONE: Threads = Threads(ThreadCount::Number(1));

    /// Requests this many threads.
    ///
    /// # Errors
    ///
    /// Returns an error if `threads` is 0 or more than 1024.
    pub fn number(threads: usize) -> Result<Self, BadThreads> {
        match threads {
            1..=MOST_THREADS => Ok(Threads(ThreadCount::Number(threads))),
            _ => Err(BadThreads),
        }
    }

    /// Requests this share of the usable cores, in per cent.
    ///
    /// # Errors
    ///
    /// Returns an error if `percent` is 0 or more than 100.
    pub fn percent(percent: usize) -> Result<Self, BadThreads> {
        match percent {
            1..=100 => Ok(Threads(ThreadCount::Percent(percent))),
            _ => Err(BadThreads),
        }
    }

    /// The number of threads on a machine with `cores` usable cores. A share is rounded to the nearest whole
    /// number of threads, with halves rounded up, and is at least 1 thread.
    pub fn of(self, cores: usize) -> usize {
        match self.0 {
            ThreadCount::Number(threads) => threads,
            ThreadCount::Percent(percent) => ((cores * percent + 50) / 100).max(1),
        }
    }

    /// The number of threads on this machine, from its [`usable_cores`].
    pub fn here(self) -> usize {
        self.of(usable_cores())
    }
}

impl FromStr for Threads {
    type Err = BadThreads;

    fn from_str(text: &str) -> Result<Self, BadThreads> {
        let number = |digits: &str| {
            // `parse` would also accept a leading plus sign.
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            let number = digits.parse().map_err(|_| BadThreads);
            if plain { number } else { Err(BadThreads) }
        };
        match text.strip_suffix('%') {
            Some(digits) => Self::percent(number(digits)?),
            None => Self::number(number(text)?),
        }
    }
}

impl TryFrom<String> for Threads {
    type Error = BadThreads;

    fn try_from(text: String) -> Result<Self, BadThreads> {
        text.parse()
    }
}

impl From<Threads> for String {
    fn from(threads: Threads) -> String {
        threads.to_string()
    }
}

impl fmt::Display for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ThreadCount::Number(threads) => write!(f, "{threads}"),
            ThreadCount::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}
