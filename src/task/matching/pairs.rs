//! Counts the pairs that were compared and the pairs that a bound ruled out.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Number of pairs of a record and a text of the reference, compared or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pairs {
    /// Number of pairs that were compared symbol by symbol.
    pub compared: u64,
    /// Number of pairs that were not compared, because a bound showed that they cannot be among the best.
    pub skipped: SkippedPairs,
}

/// Number of pairs that were not compared, by the bound that ruled them out. If several bounds rule out a pair,
/// the pair is counted for the cheapest of these bounds.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SkippedPairs {
    /// Number of pairs whose lengths differ too much.
    pub lengths: u64,
    /// Number of pairs with too few symbols in common, regardless of their order.
    pub symbols: u64,
    /// Number of pairs with too few symbols in common when the halves of the text are compared with parts of the
    /// record.
    pub halves: u64,
    /// Number of pairs with too few symbols and tokens in common. Only measures that compare tokens in common use
    /// this bound.
    pub tokens: u64,
}

impl Pairs {
    /// Number of all pairs, compared or not.
    pub fn all(self) -> u64 {
        self.compared + self.skipped.all()
    }

    /// The pairs that were added after `before`, an earlier value of the same counts.
    #[must_use]
    pub fn since(self, before: Pairs) -> Pairs {
        let (now, then) = (self.skipped, before.skipped);
        Pairs {
            compared: self.compared - before.compared,
            skipped: SkippedPairs {
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

impl SkippedPairs {
    /// Number of pairs that were not compared.
    pub fn all(self) -> u64 {
        self.by_bound().iter().map(|(_, count)| count).sum()
    }

    /// The name and the number of pairs of each bound, the cheapest bound first.
    pub fn by_bound(self) -> [(&'static str, u64); 4] {
        [
            ("lengths", self.lengths),
            ("symbols", self.symbols),
            ("halves", self.halves),
            ("tokens", self.tokens),
        ]
    }
}
