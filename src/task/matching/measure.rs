//! The measures of similarity.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A measure of how similar two texts are.
///
/// Each variant gives, bit for bit, the score of the named function of RapidFuzz 3.14. Distances are over
/// Unicode code points. *Indel* is the edit distance by insertions and deletions alone,
/// |a| + |b| − 2·LCS(a, b), with LCS the length of the longest common subsequence. *Tokens* are the
/// parts of a text that white space separates.
///
/// ```
/// use manyhands::task::matching::Measure;
///
/// assert_eq!(Measure::JaroWinkler.name(), "jaro-winkler");
/// assert_eq!(Measure::JaroWinkler.max_score(), 1.0);
/// assert_eq!(Measure::Ratio.max_score(), 100.0);
/// ```
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
    /// `fuzz.token_set_ratio`: the best `ratio` among three texts: the tokens in common, and the tokens in common
    /// followed by the tokens that only one side has, from 0 to 100.
    TokenSet,
    /// `fuzz.token_ratio`: the larger of `token-sort` and `token-set`, from 0 to 100.
    TokenRatio,
    /// `fuzz.WRatio`: the largest of several of these scores, each multiplied by a weight, from 0 to 100.
    Wratio,
    /// `Levenshtein.normalized_similarity`: one minus the number of insertions, deletions and replacements
    /// over the longer length, from 0 to 1.
    Levenshtein,
    /// `OSA.normalized_similarity` (optimal string alignment): as `levenshtein`, but a transposition of
    /// two neighbours counts as one edit, from 0 to 1.
    Osa,
    /// `Indel.normalized_similarity`: a hundredth of `ratio`, from 0 to 1.
    Indel,
    /// `Jaro.similarity`, from 0 to 1. M. A. Jaro, "Advances in Record-Linkage Methodology as
    /// Applied to Matching the 1985 Census of Tampa, Florida", JASA 84 (1989).
    Jaro,
    /// `JaroWinkler.similarity`: Jaro's similarity, raised by a tenth of the distance to 1 for each of the
    /// first four characters that are equal, from 0 to 1. W. E. Winkler, "String Comparator Metrics and
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

    /// The name on the command line.
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

    /// The largest score, which two equal texts have: 100 or 1. The smallest score is 0.
    pub fn max_score(self) -> f64 {
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

    /// Whether the measure compares the texts themselves.
    pub(super) fn reads_text(self) -> bool {
        !matches!(
            self,
            Measure::TokenSort | Measure::TokenSet | Measure::TokenRatio
        )
    }

    /// Whether the measure compares tokens.
    pub(super) fn reads_tokens(self) -> bool {
        !self.reads_text() || self == Measure::Wratio
    }

    /// Whether the measure depends on which tokens are in common.
    pub(super) fn reads_sets(self) -> bool {
        self.reads_tokens() && self != Measure::TokenSort
    }

    /// Whether the measure searches for the shorter text in the longer one.
    pub(super) fn is_partial(self) -> bool {
        matches!(self, Measure::Partial | Measure::Wratio)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
