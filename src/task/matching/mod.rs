//! Fuzzy matching: the texts of a reference that are most similar to a record, as in record linkage.
//!
//! For every [`Measure`], the scores are bit for bit those of the Python package RapidFuzz 3.14. As in RapidFuzz,
//! the first of several equal matches is the best match. Texts are compared by Unicode code points.
//!
//! The reference is prepared once: its code points are numbered, and its tokens are sorted and numbered. A record
//! is converted to a bit mask for each symbol, so that the algorithms compare 64 of its symbols at a time.
//! Comparing a pair allocates nothing.
//!
//! Most pairs are not compared at all. An upper bound of the score of a pair follows from how often each symbol
//! occurs in both texts, and from the tokens in common. The texts with the highest bounds are compared first, and
//! texts whose bounds are below the best scores so far are skipped. The answer is the same as if all pairs were
//! compared.
//!
//! In a rayon pool, the search for one record is shared with threads that have nothing else to do.

mod alphabet;
mod block_filter;
mod blocks;
mod bounds;
mod compare;
mod jaro;
mod lcs;
mod levenshtein;
mod measure;
mod pairs;
mod parallel;
mod partial;
mod pattern;
mod prepared_text;
mod process;
mod query;
mod reference;
mod required_overlap;
mod rounding;
mod search;
mod select;
mod sequences;
mod simd;
mod text_filter;
mod token_measures;
mod tokens;
mod top_scores;
mod upper_bounds;
mod weighted;

use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use measure::Measure;
pub use pairs::{Pairs, SkippedPairs};

use super::Task;
use crate::sync::{Mutex, lock};
use alphabet::Symbol;
use reference::Collected;
use search::Search;

/// How to find matches: the options of a [`Match`].
///
/// ```
/// use manyhands::task::matching::{Matching, Measure};
///
/// let matching = Matching::by(Measure::Ratio).cutoff(80.0).best(3).process(true);
/// assert_eq!((matching.measure(), matching.wanted()), (Measure::Ratio, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    measure: Measure,
    cutoff: f64,
    best: usize,
    process: bool,
}

impl Matching {
    /// The best match by a measure: without a cutoff, and without processing of the texts.
    #[must_use]
    pub fn by(measure: Measure) -> Self {
        Matching {
            measure,
            cutoff: 0.0,
            best: 1,
            process: false,
        }
    }

    /// Whether there is a cutoff: a score that a match must have.
    pub(crate) fn has_cutoff(&self) -> bool {
        self.cutoff > 0.0
    }

    /// Finds only matches with at least this score, from 0 to the [`max_score`](Measure::max_score) of the
    /// measure. A negative cutoff and NaN mean 0.
    ///
    /// Like RapidFuzz, this rounds the cutoff to single precision. That matters only for a score that equals
    /// the cutoff: 80 is exact in single precision, but 0.8 becomes a little more.
    #[must_use]
    pub fn cutoff(mut self, cutoff: f64) -> Self {
        self.cutoff = f64::from(cutoff as f32).max(0.0);
        self
    }

    /// Finds up to this number of matches. The default is 1.
    #[must_use]
    pub fn best(mut self, best: usize) -> Self {
        self.best = best;
        self
    }

    /// Whether texts are processed before they are compared. By default they are not.
    ///
    /// Processing turns letters into lower case, replaces everything except letters and digits with spaces, and
    /// removes spaces at both ends. The result is the same as that of RapidFuzz's `default_process`.
    #[must_use]
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    /// The measure of similarity.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// The number of matches that are wanted.
    pub fn wanted(&self) -> usize {
        self.best
    }

    /// Prepares a reference: the texts among which matches are found.
    ///
    /// This takes time and memory proportional to the size of the texts.
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
            SymbolWidth::Narrow(Search::new(collected, self))
        } else {
            SymbolWidth::Wide(Search::new(collected, self))
        };
        Match {
            settings: self,
            search,
            pairs: Mutex::default(),
        }
    }
}

/// A match of a record: a text of the reference, and its score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The index of the text in the reference, counted from 0.
    pub index: usize,
    /// How similar the text is: from 0 to the [`max_score`](Measure::max_score) of the measure.
    pub score: f64,
}

/// A task that finds the best matches of a text in a reference.
///
/// The time for one record is proportional to the size of the reference. Comparing the record with one text takes
/// time proportional to the product of both lengths divided by 64.
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
    search: SymbolWidth,
    pairs: Mutex<Pairs>,
}

/// A search whose symbols take one byte or four bytes.
enum SymbolWidth {
    Narrow(Search<u8>),
    Wide(Search<u32>),
}

impl Match {
    /// The best matches of a text, best first. Equal matches are in the order of the reference. There are fewer
    /// matches than wanted if fewer texts reach the cutoff.
    ///
    /// If one match is wanted, it is the result of RapidFuzz's `process.extractOne`. If several matches are
    /// wanted, they are the result of `process.extract`.
    pub fn score(&self, text: &str) -> Vec<Found> {
        let (found, pairs) = match &self.search {
            SymbolWidth::Narrow(search) => search.find(text),
            SymbolWidth::Wide(search) => search.find(text),
        };
        *lock(&self.pairs) += pairs;
        found
    }

    /// The options of the task.
    pub fn settings(&self) -> Matching {
        self.settings
    }

    /// The number of texts in the reference.
    pub fn len(&self) -> usize {
        match &self.search {
            SymbolWidth::Narrow(search) => search.len(),
            SymbolWidth::Wide(search) => search.len(),
        }
    }

    /// Whether the reference has no texts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of pairs so far, over all records that were scored. A pair consists of a record and a text of the
    /// reference. It was either compared, or skipped because a bound showed that it could not be a match.
    pub fn pairs(&self) -> Pairs {
        *lock(&self.pairs)
    }
}

// A derived implementation would print the whole reference.
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
