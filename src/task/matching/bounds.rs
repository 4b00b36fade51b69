//! How much a pair can score at the most, told without comparing symbols in order.
//!
//! It follows from how many symbols two texts can have in common at the most, which [blocks] tell. A
//! bound is never below the score that is worked out: distances only grow, and the same arithmetic
//! turns them into scores; where it is not the same, [`UP`] is more than rounding can take away.
//!
//! [blocks]: super::blocks

use super::Measure;
use super::blocks::FULL;
use super::rounding::{per_cent, similarity};

/// For bounds that are worked out in another way than scores.
const UP: f64 = 1.0 + 1e-9;

/// Two texts by their lengths, and the least that their Indel distance can be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) here: usize,
    pub(super) there: usize,
    pub(super) distance: usize,
}

impl Pair {
    /// Texts of these lengths that have so much in common; any number where the count is [`FULL`].
    #[inline(always)]
    pub(super) fn with_common(here: usize, there: usize, common: u8) -> Pair {
        let common = match common {
            FULL => here.min(there),
            common => usize::from(common),
        };
        Pair {
            here,
            there,
            distance: (here + there).saturating_sub(2 * common),
        }
    }

    /// The most that `fuzz.ratio` can be.
    #[inline(always)]
    pub(super) fn ratio(self) -> f64 {
        self.indel() * 100.0
    }

    #[inline(always)]
    fn indel(self) -> f64 {
        similarity(self.distance, self.here + self.there, 0.0)
    }

    /// How many symbols can be in common, at the most.
    fn common(self) -> usize {
        let common = (self.here + self.there).saturating_sub(self.distance) / 2;
        common.min(self.here).min(self.there)
    }

    fn levenshtein(self) -> f64 {
        // A replacement does what an insertion and a deletion do.
        let distance = (self.distance + self.here.abs_diff(self.there)) / 2;
        similarity(distance, self.here.max(self.there), 0.0)
    }

    fn jaro(self) -> f64 {
        if self.here == 0 && self.there == 0 {
            return 1.0;
        }
        let common = self.common() as f64;
        if common == 0.0 {
            return 0.0;
        }
        (common / self.here as f64 + common / self.there as f64 + 1.0) / 3.0 * UP
    }

    fn jaro_winkler(self) -> f64 {
        let most = self.jaro();
        // All four characters at the beginning, a tenth each.
        (most + 0.4 * (1.0 - most).max(0.0)) * UP
    }

    /// The most that `fuzz.partial_ratio` can be.
    pub(super) fn partial(self) -> f64 {
        let needle = self.here.min(self.there);
        if needle == 0 {
            return if self.here == self.there { 100.0 } else { 0.0 };
        }
        // Best is a part that holds what is in common and nothing else.
        let common = self.common() as f64;
        200.0 * common / (needle as f64 + common) * UP
    }

    /// The most that a measure of the texts as they stand can give.
    #[inline(always)]
    pub(super) fn most(self, measure: Measure) -> f64 {
        match measure {
            Measure::Indel => self.indel(),
            Measure::Levenshtein | Measure::Osa => self.levenshtein(),
            Measure::Jaro => self.jaro(),
            Measure::JaroWinkler => self.jaro_winkler(),
            Measure::Partial => self.partial(),
            _ => self.ratio(),
        }
    }
}

/// Two texts by their tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenPair {
    /// The texts with their tokens sorted and joined.
    pub(super) sorted: Pair,
    /// The same, whatever the order of the symbols: what only one side has may cross the tokens in
    /// common.
    pub(super) crossing: Pair,
    /// How many symbols each has when every token stands once.
    pub(super) different: (usize, usize),
    /// How many symbols the tokens in common have, each with a space; 0 where there are none.
    pub(super) common: usize,
}

impl TokenPair {
    /// The most that `fuzz.token_set_ratio` can be.
    pub(super) fn token_set(self) -> f64 {
        let (here, there) = self.different;
        if here == 0 || there == 0 {
            return 0.0;
        }
        self.set_score()
    }

    fn set_score(self) -> f64 {
        let (here, there) = self.different;
        // What stands twice may have made the sorted texts differ.
        let twice = self.sorted.here + self.sorted.there - here - there;
        let sorted = match self.common {
            0 => self.sorted,
            _ => self.crossing,
        };
        let distance = sorted.distance.saturating_sub(twice);
        let rests = per_cent(distance, here + there, 0.0);
        if self.common == 0 {
            return rests;
        }
        let common = self.common - 1;
        if here == common || there == common {
            return 100.0;
        }
        let alone_here = per_cent(here - common, common + here, 0.0);
        let alone_there = per_cent(there - common, common + there, 0.0);
        rests.max(alone_here).max(alone_there)
    }

    /// The most that `fuzz.token_ratio` can be.
    pub(super) fn token_ratio(self) -> f64 {
        self.sorted.ratio().max(self.set_score())
    }

    /// The most that `fuzz.partial_token_ratio` can be.
    pub(super) fn partial_token_ratio(self) -> f64 {
        if self.common > 0 {
            return 100.0;
        }
        // What is in common when each token stands once is also in common when some stand twice.
        let (here, there) = self.different;
        let needle = here.min(there);
        let common = self.sorted.common().min(needle) as f64;
        let once = match needle {
            0 => self.sorted.partial(),
            _ => 200.0 * common / (needle as f64 + common) * UP,
        };
        once.max(self.sorted.partial())
    }
}
