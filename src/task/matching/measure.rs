//! How alike two texts are, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How alike two texts are.
///
/// The names are those of the command line; each gives the number that the function of RapidFuzz
/// 3.14 gives, bit for bit. Distances are over Unicode code points. *Indel* is the edit distance of
/// insertions and deletions alone, |a| + |b| − 2·LCS(a, b).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Measure {
    /// `fuzz.ratio`: one minus Indel over the sum of the lengths, from 0 to 100.
    #[default]
    Ratio,
    /// `fuzz.partial_ratio`: the best `ratio` of the shorter text with a part of the longer one,
    /// from 0 to 100.
    Partial,
    /// `fuzz.token_sort_ratio`: the `ratio` of the texts with their tokens sorted, from 0 to 100.
    TokenSort,
    /// `fuzz.token_set_ratio`: the best `ratio` among the tokens in common, alone and with those
    /// that only one of the texts has, from 0 to 100.
    TokenSet,
    /// `fuzz.token_ratio`: the larger of `token-sort` and `token-set`, from 0 to 100.
    TokenRatio,
    /// `fuzz.WRatio`: the largest of several of these, each with a weight, from 0 to 100.
    Wratio,
    /// `Levenshtein.normalized_similarity`: one minus the distance over the longer length, from 0
    /// to 1.
    Levenshtein,
    /// `OSA.normalized_similarity`: as `levenshtein`, but two neighbours that have changed places
    /// cost one, from 0 to 1.
    Osa,
    /// `Indel.normalized_similarity`: a hundredth of `ratio`, from 0 to 1.
    Indel,
    /// `Jaro.similarity`, from 0 to 1. M. A. Jaro, "Advances in Record-Linkage Methodology as
    /// Applied to Matching the 1985 Census of Tampa, Florida", JASA 84 (1989).
    Jaro,
    /// `JaroWinkler.similarity`: Jaro's, and a tenth of what is missing to 1 for each of the first
    /// four characters in common, from 0 to 1. W. E. Winkler, "String Comparator Metrics and
    /// Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage" (1990).
    JaroWinkler,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Measure; 11] = [
        Measure::Ratio,
        Measure::Partial,
        Measure::TokenSort,
        Measure::TokenSet,
        Measure::TokenRatio,
        Measure::Wratio,
        Measure::Levenshtein,
        Measure::Osa,
        Measure::Indel,
        Measure::Jaro,
        Measure::JaroWinkler,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Ratio => "ratio",
            Measure::Partial => "partial",
            Measure::TokenSort => "token-sort",
            Measure::TokenSet => "token-set",
            Measure::TokenRatio => "token-ratio",
            Measure::Wratio => "wratio",
            Measure::Levenshtein => "levenshtein",
            Measure::Osa => "osa",
            Measure::Indel => "indel",
            Measure::Jaro => "jaro",
            Measure::JaroWinkler => "jaro-winkler",
        }
    }

    /// The score of two equal texts, the most there is: 100 or 1. The least is 0.
    pub fn most(self) -> f64 {
        match self {
            Measure::Ratio
            | Measure::Partial
            | Measure::TokenSort
            | Measure::TokenSet
            | Measure::TokenRatio
            | Measure::Wratio => 100.0,
            Measure::Levenshtein
            | Measure::Osa
            | Measure::Indel
            | Measure::Jaro
            | Measure::JaroWinkler => 1.0,
        }
    }

    /// Whether it looks at the texts as they stand.
    pub(super) fn reads_text(self) -> bool {
        !matches!(
            self,
            Measure::TokenSort | Measure::TokenSet | Measure::TokenRatio
        )
    }

    /// Whether it looks at their tokens.
    pub(super) fn reads_tokens(self) -> bool {
        !self.reads_text() || self == Measure::Wratio
    }

    /// Whether it looks at which tokens are in common.
    pub(super) fn reads_sets(self) -> bool {
        self.reads_tokens() && self != Measure::TokenSort
    }

    /// Whether it looks for a place in the longer text.
    pub(super) fn is_partial(self) -> bool {
        matches!(self, Measure::Partial | Measure::Wratio)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
