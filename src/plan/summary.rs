//! The aggregator of a plan: every column described, the groups, the best and the worst.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::aggregation::{
    Aggregator, Bins, Extrema, Extremes, Histogram, MomentSummary, Moments, QuantileSummary,
    Quantiles, Ranked,
};

use super::podiums::{Bars, Podiums, ShownByIndex};
use super::{NO_GROUP, Plan, Scored};

/// Bins of the histogram of a column.
const BINS: usize = 20;

/// What the scores of a plan come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Each column of the scores, by its name.
    pub scores: BTreeMap<&'static str, Described>,
    /// The main column by group, if the plan groups.
    pub groups: Option<BTreeMap<String, GroupSummary>>,
    /// The records with the highest main score, highest first.
    pub top: Vec<Ranked>,
    /// The records with the lowest main score, lowest first.
    pub bottom: Vec<Ranked>,
    /// Of both; no part of the answer that could differ where they are the same.
    #[serde(skip)]
    pub(super) shown: ShownByIndex,
}

/// One column of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Described {
    /// Count, sum, mean, variance, standard deviation.
    pub moments: MomentSummary,
    /// Smallest, largest, and quantiles between.
    pub quantiles: QuantileSummary,
    /// How the scores are distributed over the range of the column.
    pub histogram: Bins,
}

/// One group of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupSummary {
    /// Count, sum, mean, variance, standard deviation.
    pub moments: MomentSummary,
    /// Smallest and largest.
    pub extremes: Extremes,
}

/// The aggregator of a plan, made of the exact ones, so that their laws hold for it.
pub(super) fn summarise(
    plan: &Plan,
    bars: Arc<Bars>,
) -> impl Aggregator<Scored, Output = Summary> + use<> {
    let (names, main) = (plan.scorer.columns(), plan.scorer.main());
    let numbers = names.iter().enumerate();
    let numbers: Vec<_> = numbers
        .filter_map(|(place, column)| Some((place, column.name, column.range?)))
        .collect();
    let describe = |(place, _, (low, high)): &(usize, &str, (f64, f64))| {
        let histogram = Histogram::new(*low, *high, BINS);
        (Moments::new(), Quantiles::new(), histogram)
            .of(number(*place))
            .only(has_number(*place))
    };
    let columns: Vec<_> = numbers.iter().map(describe).collect();
    let groups = plan.by.is_some().then(|| {
        (Moments::new(), Extrema::new())
            .of(number(main))
            .only(has_number(main))
            .by_ref(|scored: &Scored| scored.group.as_deref().unwrap_or(NO_GROUP))
    });
    let podiums = Podiums::new(plan.top, main, bars);
    (columns, groups, podiums).map(move |(columns, groups, (top, bottom, shown))| Summary {
        scores: numbers
            .iter()
            .map(|(_, name, _)| *name)
            .zip(columns.into_iter().map(described))
            .collect(),
        groups: groups.map(|groups| groups.into_iter().map(grouped).collect()),
        top,
        bottom,
        shown,
    })
}

/// The number in a column.
fn number(column: usize) -> impl Fn(&Scored) -> f64 + Copy + Send + Sync {
    move |scored| scored.cells()[column].number().unwrap_or(f64::NAN)
}

/// Whether there is one: a record need not have a match.
fn has_number(column: usize) -> impl Fn(&Scored) -> bool + Copy + Send + Sync {
    move |scored| scored.cells()[column].number().is_some()
}

fn described((moments, quantiles, histogram): (MomentSummary, QuantileSummary, Bins)) -> Described {
    Described {
        moments,
        quantiles,
        histogram,
    }
}

fn grouped(
    (name, (moments, extremes)): (String, (MomentSummary, Extremes)),
) -> (String, GroupSummary) {
    (name, GroupSummary { moments, extremes })
}
