//! How many records have a match, and how good their matches are.

use super::{Answer, AnyScorer};
use crate::aggregation::Bins;

/// Number of records that have a match: in total, and by the score of the match.
///
/// ```
/// # use std::fs;
/// use manyhands::plan::{MatchOptions, Plan, RunOptions};
/// use manyhands::task::matching::{Matching, Measure};
///
/// # let folder = tempfile::tempdir()?;
/// # let [typed, cities] = ["typed.jsonl", "cities.txt"].map(|name| folder.path().join(name));
/// fs::write(&typed, "{\"text\":\"Lissabon\"}\n{\"text\":\"Lima\"}\n{\"text\":\"Ulm\"}\n")?;
/// fs::write(&cities, "Lisbon\nLima\nLondon\n")?;
/// let mut plan = Plan::new([typed]);
/// let matching = Matching::by(Measure::Ratio).cutoff(60.0);
/// plan.scorer = MatchOptions::new(matching, cities).into();
/// let matches = plan.open()?.run(RunOptions::default())?.matches().expect("a plan that matches");
/// let at_least: Vec<_> = matches.at_least.iter().map(|at| (at.score, at.records)).collect();
/// assert_eq!(at_least, [(95.0, 1), (90.0, 1), (85.0, 2)]);
/// assert_eq!(matches.matched, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Matches {
    /// Number of records that have a match.
    pub matched: u64,
    /// Number of these records whose match has at least a certain score. The scores are edges of the
    /// [histogram](super::NumberSummary::histogram) of the scores, from the highest edge that a match reaches down
    /// to the edge that all matches reach.
    pub at_least: Vec<AtLeast>,
    /// Whether there is a cutoff. Without a cutoff, every scored record has a match, however bad the match is.
    pub has_cutoff: bool,
}

/// Number of records whose match has at least a certain score.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AtLeast {
    /// The score that the matches reach.
    pub score: f64,
    /// Number of records whose match has at least this score.
    pub records: u64,
}

impl Answer {
    /// How many records have a match, and how good their matches are. `None` if the scorer has no reference.
    pub fn matches(&self) -> Option<Matches> {
        self.pairs?;
        let (_, score) = self.report.value.main()?;
        let has_cutoff = match &self.plan.scorer {
            AnyScorer::Match(options) => options.matching.has_cutoff(),
            _ => true,
        };
        let bins = score.histogram.as_ref()?;
        Some(Matches::of(bins, has_cutoff))
    }
}

impl Matches {
    fn of(bins: &Bins, has_cutoff: bool) -> Self {
        let matched = bins.over + bins.counts.iter().sum::<u64>();
        let mut records = bins.over;
        let bins = bins.edges.iter().zip(&bins.counts).rev();
        let mut at_least: Vec<AtLeast> = bins
            .map(|(edge, bin)| {
                records += bin;
                let score = *edge;
                AtLeast { score, records }
            })
            .filter(|at_least| at_least.records > 0)
            .collect();
        let all = at_least.partition_point(|at_least| at_least.records < matched);
        at_least.truncate(all + 1);
        Matches {
            matched,
            at_least,
            has_cutoff,
        }
    }
}
