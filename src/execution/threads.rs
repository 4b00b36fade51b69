//! How many threads are asked for: a number, or a share of the cores.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::machine::usable_cores;

/// The most threads that make sense to ask for: more is a slip of the finger.
const MOST_THREADS: usize = 1024;

/// How many threads are asked for: a number, or a share of the cores that may be used, which is
/// known only where the threads are to run.
///
/// Written as `8` or `50%`, on the command line as in plain data.
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
pub struct Threads(Asked);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Number(usize),
    Percent(usize),
}

/// Not a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a whole number from 1 to {MOST_THREADS}, or a share of the cores from 1% to 100%"
)]
pub struct BadThreads;

impl Threads {
    /// One.
    pub const ONE: Threads = Threads(Asked::Number(1));

    /// As many as this.
    ///
    /// # Errors
    ///
    /// For none, and for more than 1024.
    pub fn number(threads: usize) -> Result<Self, BadThreads> {
        match threads {
            1..=MOST_THREADS => Ok(Threads(Asked::Number(threads))),
            _ => Err(BadThreads),
        }
    }

    /// This share of the cores.
    ///
    /// # Errors
    ///
    /// For 0 %, and for more than 100 %.
    pub fn percent(percent: usize) -> Result<Self, BadThreads> {
        match percent {
            1..=100 => Ok(Threads(Asked::Percent(percent))),
            _ => Err(BadThreads),
        }
    }

    /// How many these are where there are so many cores: a share to the nearest whole number, halves
    /// up, and at least 1.
    pub fn of(self, cores: usize) -> usize {
        match self.0 {
            Asked::Number(threads) => threads,
            Asked::Percent(percent) => ((cores * percent + 50) / 100).max(1),
        }
    }

    /// How many these are here, of the [`usable_cores`].
    pub fn here(self) -> usize {
        self.of(usable_cores())
    }
}

impl FromStr for Threads {
    type Err = BadThreads;

    fn from_str(text: &str) -> Result<Self, BadThreads> {
        let number = |digits: &str| {
            // Else a sign would do.
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
            Asked::Number(threads) => write!(f, "{threads}"),
            Asked::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}
