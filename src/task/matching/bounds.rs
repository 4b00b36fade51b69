//! Upper bounds of the score of a pair, computed without comparing symbols in order.
//!
//! They follow from the largest number of symbols that two texts can have in common, which is computed from
//! [blocks]. A bound is never below the score, because the real distance is never smaller than the assumed
//! distance, and the same arithmetic turns both into scores. If the arithmetic differs, the bound is multiplied by
//! [`ROUNDING`], which is more than rounding can lose.
//!
//! [blocks]: super::blocks

use super::Measure;
use super::blocks::SATURATED;
use super::rounding::{per_cent, similarity};

/// Factor for bounds that are computed in a different way than the scores.
const ROUNDING: f64 = 1.0 + 1e-9;

/// A record and a text: their lengths, and a lower bound of their Indel distance.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairBound {
    pub(super) record_length: usize,
    pub(super) text_length: usize,
    pub(super) distance: usize,
}

impl PairBound {
    /// The bound for texts of these lengths that have at most `common` symbols in common.
    #[inline(always)]
    pub(super) fn new(record_length: usize, text_length: usize, common: usize) -> PairBound {
        PairBound {
            record_length,
            text_length,
            distance: (record_length + text_length).saturating_sub(2 * common),
        }
    }

    /// Like [`new`](Self::new), but for a count that may be [`SATURATED`].
    #[inline(always)]
    pub(super) fn from_count(record_length: usize, text_length: usize, count: u8) -> PairBound {
        let common = match count {
            SATURATED => record_length.min(text_length),
            count => usize::from(count),
        };
        PairBound::new(record_length, text_length, common)
    }

    /// Upper bound of `fuzz.ratio`.
    #[inline(always)]
    pub(super) fn ratio(self) -> f64 {
        self.indel() * 100.0
    }

    #[inline(always)]
    fn indel(self) -> f64 {
        similarity(self.distance, self.record_length + self.text_length, 0.0)
    }

    /// Upper bound of the number of symbols in common.
    fn common(self) -> usize {
        let lengths = self.record_length + self.text_length;
        let common = lengths.saturating_sub(self.distance) / 2;
        common.min(self.record_length).min(self.text_length)
    }

    fn levenshtein(self) -> f64 {
        // One replacement does the same as an insertion and a deletion.
        let distance = (self.distance + self.record_length.abs_diff(self.text_length)) / 2;
        similarity(distance, self.record_length.max(self.text_length), 0.0)
    }

    fn jaro(self) -> f64 {
        if self.record_length == 0 && self.text_length == 0 {
            return 1.0;
        }
        let common = self.common() as f64;
        if common == 0.0 {
            return 0.0;
        }
        let shares = common / self.record_length as f64 + common / self.text_length as f64;
        (shares + 1.0) / 3.0 * ROUNDING
    }

    fn jaro_winkler(self) -> f64 {
        let jaro = self.jaro();
        // The bound assumes that all four characters at the beginning are equal, and each of them adds a tenth.
        (jaro + 0.4 * (1.0 - jaro).max(0.0)) * ROUNDING
    }

    /// Upper bound of `fuzz.partial_ratio`.
    pub(super) fn partial(self) -> f64 {
        let needle = self.record_length.min(self.text_length);
        if needle == 0 {
            let equal = self.record_length == self.text_length;
            return if equal { 100.0 } else { 0.0 };
        }
        // In the best case, the part consists of exactly the symbols in common.
        let common = self.common() as f64;
        200.0 * common / (needle as f64 + common) * ROUNDING
    }

    /// Upper bound of a measure that compares whole texts, or parts of them, symbol by symbol.
    #[inline(always)]
    pub(super) fn score(self, measure: Measure) -> f64 {
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

/// The bounds of a record and a text for measures that compare tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenPairBound {
    /// The bound of the texts with their tokens sorted and joined.
    pub(super) sorted: PairBound,
    /// The bound of the sorted texts for symbols in any order. After the tokens in common are removed, the rest of
    /// both sides may match in an order that the sorted texts do not allow.
    pub(super) unordered: PairBound,
    /// Number of symbols of the record and of the text with repeated tokens removed.
    pub(super) distinct: (usize, usize),
    /// Number of symbols of the tokens in common, with a space for each token.
    pub(super) common: usize,
}

impl TokenPairBound {
    /// Upper bound of `fuzz.token_set_ratio`.
    pub(super) fn token_set(self) -> f64 {
        let (record, text) = self.distinct;
        if record == 0 || text == 0 {
            return 0.0;
        }
        self.set_score()
    }

    fn set_score(self) -> f64 {
        let (record, text) = self.distinct;
        // Repeated tokens may account for this much of the distance of the sorted texts.
        let repeated = self.sorted.record_length + self.sorted.text_length - record - text;
        let sorted = match self.common {
            0 => self.sorted,
            _ => self.unordered,
        };
        let distance = sorted.distance.saturating_sub(repeated);
        let rests = per_cent(distance, record + text, 0.0);
        if self.common == 0 {
            return rests;
        }
        let common = self.common - 1;
        if record == common || text == common {
            return 100.0;
        }
        let with_record = per_cent(record - common, common + record, 0.0);
        let with_text = per_cent(text - common, common + text, 0.0);
        rests.max(with_record).max(with_text)
    }

    /// Upper bound of `fuzz.token_ratio`.
    pub(super) fn token_ratio(self) -> f64 {
        self.sorted.ratio().max(self.set_score())
    }

    /// Upper bound of `fuzz.partial_token_ratio`.
    pub(super) fn partial_token_ratio(self) -> f64 {
        if self.common > 0 {
            return 100.0;
        }
        // Symbols that are in common without repeated tokens are also in common with repeated tokens.
        let (record, text) = self.distinct;
        let needle = record.min(text);
        let common = self.sorted.common().min(needle) as f64;
        let distinct = match needle {
            0 => self.sorted.partial(),
            _ => 200.0 * common / (needle as f64 + common) * ROUNDING,
        };
        distinct.max(self.sorted.partial())
    }
}
