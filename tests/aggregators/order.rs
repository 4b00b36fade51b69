//! Extrema, top and bottom scores, and histograms are compared with a plain sort.

use manyhands::aggregation::{
    Aggregator, Bins, Bottom, EdgesError, Extrema, Histogram, Ranked, Top,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scores::{any_bits, finite};

fn answer<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A::Output {
    for (index, score) in (0..).zip(scores) {
        aggregator.observe(index, score);
    }
    aggregator.finish()
}

fn bits(ranked: &[Ranked]) -> Vec<(u64, u64)> {
    let bits = |ranked: &Ranked| (ranked.index, ranked.score.to_bits());
    ranked.iter().map(bits).collect()
}

/// Returns every score except NaN, the lowest first. Equal scores are ordered by index.
fn sorted(scores: &[f64]) -> Vec<Ranked> {
    let mut sorted: Vec<Ranked> = (0..)
        .zip(scores)
        .map(|(index, &score)| Ranked { index, score })
        .filter(|ranked| !ranked.score.is_nan())
        .collect();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.index.cmp(&b.index)));
    sorted
}

fn repeating() -> impl Strategy<Value = f64> {
    prop_oneof![
        any_bits(),
        finite(),
        Just(f64::NAN),
        Just(0.0),
        Just(-0.0),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        (-3..3_i32).prop_map(f64::from)
    ]
}

proptest! {
    #[test]
    fn top_and_bottom_are_the_ends_of_a_sort(scores in vec(repeating(), 0..60), k in 0_usize..12) {
        let mut lowest = sorted(&scores);
        let mut highest = lowest.clone();
        highest.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
        lowest.truncate(k);
        highest.truncate(k);
        prop_assert_eq!(bits(&answer(Top::new(k), &scores)), bits(&highest));
        prop_assert_eq!(bits(&answer(Bottom::new(k), &scores)), bits(&lowest));
    }

    #[test]
    fn extrema_are_the_first_of_a_sort(scores in vec(repeating(), 0..60)) {
        let extremes = answer(Extrema::new(), &scores);
        let lowest = sorted(&scores);
        prop_assert_eq!(bits(extremes.min.as_slice()), bits(&lowest[..lowest.len().min(1)]));
        let highest = answer(Top::new(1), &scores);
        prop_assert_eq!(bits(extremes.max.as_slice()), bits(&highest));
        prop_assert_eq!(extremes.nan as usize, scores.len() - lowest.len());
    }

    #[test]
    fn bins_agree_with_the_edges_they_print(
        scores in vec(prop_oneof![repeating(), -2.0..2.0_f64], 0..60),
        (lo, hi) in (finite(), finite()),
        bins in 1_usize..50,
    ) {
        let Ok(histogram) = Histogram::try_new(lo, hi, bins) else { return Ok(()) };
        let edges = histogram.clone().finish().edges;
        prop_assert_eq!((edges[0], edges[bins]), (lo, hi));
        let scores: Vec<f64> = scores.into_iter().chain(edges).collect();
        check_bins(answer(histogram, &scores), &scores)?;
    }

    #[test]
    fn bins_of_any_edges_agree_with_them(mut edges in vec(repeating(), 2..20), scores in vec(repeating(), 0..60)) {
        edges.retain(|edge| !edge.is_nan());
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let Ok(histogram) = Histogram::with_edges(edges.clone()) else {
            prop_assert!(edges.len() < 2);
            return Ok(());
        };
        let scores: Vec<f64> = scores.into_iter().chain(edges).collect();
        check_bins(answer(histogram, &scores), &scores)?;
    }
}

/// Counts the scores of each bin by comparing them with the edges, and checks that the counts are equal.
pub fn check_bins(bins: Bins, scores: &[f64]) -> Result<(), TestCaseError> {
    let last = bins.counts.len() - 1;
    for (bin, &count) in bins.counts.iter().enumerate() {
        let (left, right) = (bins.edges[bin], bins.edges[bin + 1]);
        let holds =
            |score: &&f64| left <= **score && (**score < right || bin == last && **score == right);
        prop_assert_eq!(count as usize, scores.iter().filter(holds).count());
    }
    let counted: u64 = bins.counts.iter().sum::<u64>() + bins.under + bins.over + bins.nan;
    prop_assert_eq!(counted as usize, scores.len());
    let first = bins.edges[0];
    prop_assert_eq!(
        bins.under as usize,
        scores.iter().filter(|score| **score < first).count()
    );
    Ok(())
}

#[test]
fn bins_of_equal_width_have_the_expected_edges() {
    let edges = Histogram::new(-1.0, 1.0, 20).finish().edges;
    let written: Vec<f64> = (-10..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
    assert_eq!(edges, written);
    let edges = Histogram::new(f64::MIN, f64::MAX, 2).finish().edges;
    assert_eq!(edges, [f64::MIN, 0.0, f64::MAX]);
}

#[test]
fn invalid_edges_are_refused() {
    let refused = |lo, hi, bins| Histogram::try_new(lo, hi, bins).map(drop).unwrap_err();
    assert_eq!(refused(0.0, 1.0, 0), EdgesError::NoBins);
    assert_eq!(refused(1.0, 1.0, 1), EdgesError::NotAscending { at: 1 });
    assert_eq!(refused(0.0, f64::INFINITY, 1), EdgesError::NotFinite);
    assert_eq!(refused(0.0, f64::NAN, 1), EdgesError::NotFinite);
    assert_eq!(
        refused(1.0, 1.0 + f64::EPSILON, 2),
        EdgesError::TooMany { bins: 2 }
    );
    // There are enough floats in the range as a whole, but too few near its edges.
    assert_eq!(
        refused(1.0 - 2.0 * f64::EPSILON, 1.0 + 2.0 * f64::EPSILON, 6),
        EdgesError::NotAscending { at: 5 }
    );
    let all = usize::MAX;
    assert_eq!(
        refused(f64::MIN, f64::MAX, all),
        EdgesError::TooMany { bins: all }
    );
    assert_eq!(refused(0.0, 5e-324, all), EdgesError::TooMany { bins: all });
    assert_eq!(refused(1.0, 0.0, all), EdgesError::NotAscending { at: 1 });
    let with_nan = Histogram::with_edges(vec![0.0, 1.0, f64::NAN]).map(drop);
    assert_eq!(with_nan, Err(EdgesError::NotAscending { at: 2 }));
}
