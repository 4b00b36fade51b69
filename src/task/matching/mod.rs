//! The best matches of a text in a reference: record linkage, by how alike two texts are.
//!
//! The scores are those of the Python package RapidFuzz 3.14, bit for bit, for every [`Measure`];
//! so is which of several equal matches is the best, the first. Texts are compared by Unicode code
//! points.
//!
//! The reference is prepared once: its code points are numbered, its tokens sorted and numbered. A
//! record becomes a bit mask for each symbol, with which an algorithm compares 64 of its symbols at
//! a time; nothing is allocated for a pair.
//!
//! Most pairs are not compared at all. What a pair can score at the most follows from how often which
//! symbols stand in both texts, and from which tokens are in common; the texts that promise most come
//! first, and what promises less than they score is left out. That changes nothing in the answer.

mod alphabet;
mod blocks;
mod bounds;
mod compare;
mod jaro;
mod lcs;
mod levenshtein;
mod measure;
mod needle;
mod pairs;
mod partial;
mod pattern;
mod process;
mod query;
mod reference;
mod rounding;
mod search;
mod sequences;
mod side_by_side;
mod sieve;
mod token_measures;
mod tokens;

use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use measure::Measure;
pub use pairs::{Pairs, Skipped};

use super::Task;
use crate::sync::{Mutex, lock};
use alphabet::Symbol;
use reference::Collected;
use search::Search;

/// How to find matches: what a [`Match`] is made of, but for the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matching {
    measure: Measure,
    cutoff: f64,
    best: usize,
    process: bool,
}

impl Matching {
    /// The best match by a measure, however bad it is, of texts as they stand.
    #[must_use]
    pub fn by(measure: Measure) -> Self {
        Matching {
            measure,
            cutoff: 0.0,
            best: 1,
            process: false,
        }
    }

    /// Finds only matches that score at least this much: up to 100 or up to 1, by the
    /// [measure](Measure::most). Less than 0, and NaN, are as 0.
    ///
    /// It is rounded to single precision first, as RapidFuzz does it. That shows where a score is
    /// the cutoff itself: 80 out of 100 has that precision, 0.8 becomes a little more.
    #[must_use]
    pub fn cutoff(mut self, cutoff: f64) -> Self {
        self.cutoff = f64::from(cutoff as f32).max(0.0);
        self
    }

    /// Finds this many matches, or as many as there are.
    #[must_use]
    pub fn best(mut self, best: usize) -> Self {
        self.best = best;
        self
    }

    /// Compares texts by their letters and digits alone, in lower case, and not as they stand: all
    /// other characters become spaces, and none is left at either end. As RapidFuzz's
    /// `default_process` does it, code point by code point.
    #[must_use]
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    /// How texts are compared.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// How many matches are wanted.
    pub fn wanted(&self) -> usize {
        self.best
    }

    /// Prepares the texts to find matches among.
    ///
    /// ```
    /// use manyhands::task::matching::{Matching, Measure};
    ///
    /// let inks = ["Black ink, XL", "Cyan ink", "Ink XL (black)"];
    /// let task = Matching::by(Measure::TokenSort).process(true).against(inks);
    /// let found = task.score("black XL ink");
    /// assert_eq!((found[0].index, found[0].score), (0, 100.0));
    /// ```
    pub fn against<T: AsRef<str>>(self, texts: impl IntoIterator<Item = T>) -> Match {
        let mut collected = Collected::new();
        let mut processed = String::new();
        for text in texts {
            if self.process {
                process::process(text.as_ref(), &mut processed);
                collected.push(&processed);
            } else {
                collected.push(text.as_ref());
            }
        }
        let search = if collected.alphabet.size() <= u8::NUMBERS {
            Width::Narrow(Search::new(collected, self))
        } else {
            Width::Wide(Search::new(collected, self))
        };
        Match {
            settings: self,
            search,
            pairs: Mutex::default(),
        }
    }
}

/// A match of a record.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Which text of the reference, from 0.
    pub index: usize,
    /// How alike it is: from 0 to 100 or to 1, by the [measure](Measure::most).
    pub score: f64,
}

/// A task that finds the best matches of a text in a reference.
///
/// It takes time proportional to the size of the reference, and for each text of it to the product
/// of both lengths over 64.
///
/// ```
/// use manyhands::prelude::*;
/// use manyhands::task::matching::{Matching, Measure};
///
/// let task = Matching::by(Measure::Ratio).cutoff(60.0).against(["Lisbon", "Lima", "London"]);
/// let typed = ["Lissabon", "Lodnon", "Paris"];
/// let found: Vec<_> = typed.map(|city| task.score(city).first().map(|best| best.index)).into();
/// assert_eq!(found, [Some(0), Some(2), None]);
///
/// let report = Pipeline::new(&typed, |city: &&str| task.score(city).len() as f64)
///     .aggregate(Sum::new())?;
/// assert_eq!(report.value, 2.0);
/// # Ok::<(), manyhands::Error>(())
/// ```
pub struct Match {
    settings: Matching,
    search: Width,
    pairs: Mutex<Pairs>,
}

/// A search, by how many bytes a symbol takes.
enum Width {
    Narrow(Search<u8>),
    Wide(Search<u32>),
}

impl Match {
    /// The best matches of a text, best first; of equals the one that stands first in the reference
    /// comes first. Fewer than are wanted where fewer reach the cutoff.
    ///
    /// The best one is RapidFuzz's `process.extractOne`, several are its `process.extract`.
    pub fn score(&self, text: &str) -> Vec<Found> {
        let (found, pairs) = match &self.search {
            Width::Narrow(search) => search.find(text),
            Width::Wide(search) => search.find(text),
        };
        *lock(&self.pairs) += pairs;
        found
    }

    /// How it finds matches.
    pub fn settings(&self) -> Matching {
        self.settings
    }

    /// How many texts the reference has.
    pub fn len(&self) -> usize {
        match &self.search {
            Width::Narrow(search) => search.len(),
            Width::Wide(search) => search.len(),
        }
    }

    /// Whether the reference has no texts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many pairs there have been since it was made.
    pub fn pairs(&self) -> Pairs {
        *lock(&self.pairs)
    }
}

// Derived, this would print the whole reference.
impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Match")
            .field("settings", &self.settings)
            .field("texts", &self.len())
            .finish_non_exhaustive()
    }
}

impl Task<str> for Match {
    type Score = Vec<Found>;
    type Error = Infallible;

    fn score(&self, text: &str) -> Result<Vec<Found>, Infallible> {
        Ok(self.score(text))
    }
}
