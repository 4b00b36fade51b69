//! How many pairs were compared, and what ruled out the others.

use std::ops::AddAssign;

/// How many pairs of a record and a text of the reference there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pairs {
    /// How many were compared symbol by symbol.
    pub compared: u64,
    /// How many were not, because it was clear that they could not be among the best.
    pub skipped: Skipped,
}

/// How many pairs were not compared, by the bound that showed that they need not be: the cheapest one
/// that did.
///
/// ```
/// use manyhands::task::matching::{Matching, Measure};
///
/// let inks = ["Black ink, XL", "Cyan ink", "Black ink XL", "Ink"];
/// let task = Matching::by(Measure::Ratio).cutoff(90.0).against(inks);
/// task.score("Black ink, XS");
/// let pairs = task.pairs();
/// assert_eq!((pairs.all(), pairs.compared), (4, 1));
/// assert_eq!(pairs.skipped.all(), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The lengths are too different.
    pub lengths: u64,
    /// The symbols are: which ones, and how often.
    pub symbols: u64,
    /// The symbols of the halves of the text are, each beside a part of the record.
    pub halves: u64,
    /// The tokens in common are too few.
    pub tokens: u64,
}

impl Pairs {
    /// How many pairs there were in all.
    pub fn all(self) -> u64 {
        self.compared + self.skipped.all()
    }

    /// How many more there are than `before`.
    #[must_use]
    pub fn since(self, before: Pairs) -> Pairs {
        let (now, then) = (self.skipped, before.skipped);
        Pairs {
            compared: self.compared - before.compared,
            skipped: Skipped {
                lengths: now.lengths - then.lengths,
                symbols: now.symbols - then.symbols,
                halves: now.halves - then.halves,
                tokens: now.tokens - then.tokens,
            },
        }
    }
}

impl AddAssign for Pairs {
    fn add_assign(&mut self, other: Pairs) {
        self.compared += other.compared;
        self.skipped.lengths += other.skipped.lengths;
        self.skipped.symbols += other.skipped.symbols;
        self.skipped.halves += other.skipped.halves;
        self.skipped.tokens += other.skipped.tokens;
    }
}

impl Skipped {
    /// How many pairs were not compared, whatever the bound.
    pub fn all(self) -> u64 {
        self.by_bound().iter().map(|(_, count)| count).sum()
    }

    /// The same by the names of the bounds, the cheapest one first.
    pub fn by_bound(self) -> [(&'static str, u64); 4] {
        [
            ("lengths", self.lengths),
            ("symbols", self.symbols),
            ("halves", self.halves),
            ("tokens", self.tokens),
        ]
    }
}
