//! How much a pair can score at the most, told without comparing symbols in order.
//!
//! What two texts have in common cannot be more than what their symbols have in common when order
//! is left out. Each text has a profile, how often which symbols stand in it; the distance of two
//! profiles is a few instructions, and on real titles nearly all pairs are ruled out by it. A bound
//! is never below the score that is worked out: distances only grow, and the same arithmetic turns
//! them into scores; where it is not the same, [`UP`] is more than rounding can take away.

use super::Measure;
use super::alphabet::Symbol;
use super::rounding::{per_cent, similarity};

/// How many counts a profile has. The most frequent symbols have one of their own.
const COUNTS: usize = 32;

/// For bounds that are worked out in another way than scores.
const UP: f64 = 1.0 + 1e-9;

/// How often which symbols stand in a text. Some share a count, and a count stops at 255; both make
/// profiles closer than their texts, never less close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile([u8; COUNTS]);

impl Profile {
    /// The profile of a text, and how many of its symbols the reference does not hold.
    pub(super) fn of<S: Symbol>(text: &[S]) -> (Profile, usize) {
        let mut counts = [0u8; COUNTS];
        let mut unknown = 0;
        for symbol in text {
            match symbol.number().checked_sub(1) {
                Some(number) => {
                    let count = &mut counts[number % COUNTS];
                    *count = count.saturating_add(1);
                }
                None => unknown += 1,
            }
        }
        (Profile(counts), unknown)
    }

    /// The sum of the differences of the counts.
    ///
    /// By itself the compiler makes a few wide instructions of it, inside a loop it does not.
    #[inline(never)]
    fn distance(&self, other: &Profile) -> usize {
        let mut sum = 0;
        for (one, other) in self.0.iter().zip(&other.0) {
            sum += (i32::from(*one) - i32::from(*other)).unsigned_abs();
        }
        sum as usize
    }
}

/// The outline of a record's text: enough to bound what it has in common with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    pub(super) length: usize,
    profile: Profile,
    /// How many symbols match nothing.
    unknown: usize,
}

impl Outline {
    pub(super) fn of<S: Symbol>(text: &[S]) -> Outline {
        let (profile, unknown) = Profile::of(text);
        Outline {
            length: text.len(),
            profile,
            unknown,
        }
    }

    /// Together with a text of the reference.
    #[inline(always)]
    pub(super) fn with(&self, length: usize, profile: &Profile) -> Pair {
        Pair {
            here: self.length,
            there: length,
            distance: self.profile.distance(profile) + self.unknown,
        }
    }
}

/// Two texts by their lengths, and the least that their Indel distance can be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) here: usize,
    pub(super) there: usize,
    pub(super) distance: usize,
}

impl Pair {
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
        // Not more than either length: distances are at least their difference but for counts that
        // stopped.
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
        let distance = self.sorted.distance.saturating_sub(twice);
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
