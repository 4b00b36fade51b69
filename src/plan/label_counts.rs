//! How many records have each label of a column.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::aggregation::{Aggregator, Frequent, Kind, Shift, State, StateError};

/// The longest label in bytes. Of a longer text, only the beginning counts.
const LONGEST: usize = 1_000;

/// The summary of a column of labels: the number of records with each label.
///
/// If a column has up to [`MOST_EXACT`](LabelSummary::MOST_EXACT) different labels, each of them is counted exactly. If
/// it has more, the summary lists the labels that at least a [`SHARE`](LabelSummary::SHARE) of the records with a label
/// have, as [`Frequent`](crate::aggregation::Frequent) finds them. Then every label that has this share is listed, no
/// number is too low, and each is too high by more than a quarter of this share only with a probability below 1 in 68
/// billion. In both cases, the summary depends on the records alone, not on the number of workers, the order of their
/// work, or how the records were divided into shards.
///
/// A label of more than 1,000 bytes is counted by its first 1,000 bytes, followed by an ellipsis.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LabelSummary {
    /// Number of records that have a label.
    pub count: u64,
    /// The number of records with each label. If the summary is not [`exact`](LabelSummary::exact), it is an upper bound
    /// of this number, and only the frequent labels are listed.
    pub labels: BTreeMap<String, u64>,
    /// Whether all labels are listed, each with the exact number of its records. The canonical bytes of an answer contain
    /// this value only if it is false.
    #[serde(skip_serializing_if = "is_true")]
    pub exact: bool,
}

fn is_true(value: &bool) -> bool {
    *value
}

impl LabelSummary {
    /// The largest number of different labels of a column that are all counted exactly.
    pub const MOST_EXACT: u64 = 3_200;

    /// If the labels are not counted exactly, the share of the records that a label needs to be listed.
    pub const SHARE: f64 = 0.01;

    /// The listed labels with their numbers of records, the most frequent first. Equally frequent labels are in the
    /// order of their names.
    pub fn by_frequency(&self) -> Vec<(&str, u64)> {
        let labels = self.labels.iter();
        let mut labels: Vec<_> = labels
            .map(|(label, records)| (label.as_str(), *records))
            .collect();
        labels.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
        labels
    }
}

/// The state of the labels of a column.
#[derive(Clone, Debug)]
pub(super) struct LabelCounts(Frequent<String>);

impl LabelCounts {
    pub(super) fn new() -> Self {
        LabelCounts::above(LabelSummary::SHARE)
    }

    fn above(share: f64) -> Self {
        LabelCounts(Frequent::above(share))
    }
}

impl Aggregator<str> for LabelCounts {
    type Output = LabelSummary;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, label: &str) {
        Aggregator::<str>::observe(&mut self.0, index, &*shortened(label));
    }

    fn merge(&mut self, later: Self) {
        Aggregator::<str>::merge(&mut self.0, later.0);
    }

    fn finish(self) -> LabelSummary {
        match self.0.into_counts() {
            Ok(counts) => LabelSummary {
                count: counts.iter().map(|(_, records)| records).sum(),
                labels: counts.into_iter().collect(),
                exact: true,
            },
            Err(frequent) => {
                let frequent = frequent.finish();
                let labels = frequent.keys.into_iter();
                LabelSummary {
                    count: frequent.records,
                    labels: labels.map(|label| (label.key, label.at_most)).collect(),
                    exact: false,
                }
            }
        }
    }
}

/// The part of a label that counts.
fn shortened(label: &str) -> Cow<'_, str> {
    if label.len() <= LONGEST {
        return Cow::Borrowed(label);
    }
    let is_end = |end: &usize| label.is_char_boundary(*end);
    let end = (0..=LONGEST).rev().find(is_end).unwrap_or_default();
    Cow::Owned(format!("{}…", &label[..end]))
}

impl State for LabelCounts {
    type Plain = <Frequent<String> as State>::Plain;

    fn kind(&self) -> Kind {
        Kind::new("labels", 2).around([self.0.kind()])
    }

    fn into_plain(self) -> Self::Plain {
        self.0.into_plain()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        self.0.restore(plain).map(LabelCounts)
    }
}

impl Shift for LabelCounts {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        self.0.shift(by).map(LabelCounts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::aggregation::{assert_laws, assert_shift_laws};

    /// The number of labels that are counted exactly if a label must belong to every record to be listed.
    const FEW: usize = 32;

    fn observed(
        state: LabelCounts,
        labels: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> LabelCounts {
        let mut state = state;
        for (index, label) in (0..).zip(labels) {
            state.observe(index, label.as_ref());
        }
        state
    }

    /// Labels of a column in which every second record has the label `many`.
    fn labels(different: u64, records: u64) -> Vec<String> {
        let label = |n: u64| match n % 2 {
            0 => "many".to_owned(),
            _ => format!("label {}", n % different),
        };
        (0..records).map(label).collect()
    }

    #[test]
    fn labels_up_to_the_bound_are_counted_exactly_and_then_the_frequent_ones() {
        let most = LabelSummary::MOST_EXACT;
        let all: Vec<String> = (0..most).map(|n| n.to_string()).collect();
        let exact = observed(LabelCounts::new(), &all).finish();
        assert_eq!(
            (exact.count, exact.labels.len() as u64, exact.exact),
            (most, most, true)
        );
        let more = (0..most + 1).map(|n| n.to_string());
        let more = more.chain(std::iter::repeat_n("often".to_owned(), 500));
        let summary = observed(LabelCounts::new(), more).finish();
        assert_eq!((summary.count, summary.exact), (most + 501, false));
        assert_eq!(summary.labels.keys().collect::<Vec<_>>(), ["often"]);
        let at_most = summary.labels["often"];
        assert!((500..510).contains(&at_most), "{at_most}");
        assert_eq!(summary.by_frequency(), [("often", at_most)]);
    }

    #[test]
    fn long_labels_count_by_their_beginning() {
        let long = "é".repeat(600);
        let labels = [&long[..], &long[..1_100], "x"];
        let summary = observed(LabelCounts::new(), labels).finish();
        let expected = [("x".to_owned(), 1), (format!("{}…", "é".repeat(500)), 2)];
        assert_eq!(summary.labels, expected.into());
    }

    /// Each shard is numbered from 0. Shards of 100 records have few labels, and longer shards have too many to be
    /// counted exactly.
    #[test]
    fn shards_give_the_answer_of_the_whole() {
        let fresh = || LabelCounts::above(0.5);
        let all = labels(500, 10_000);
        let whole = observed(fresh(), &all);
        let summary = whole.clone().finish();
        assert!(!summary.exact && summary.labels.len() == 1);
        for records in [100, 1_000, 9_990] {
            let mut merged = fresh();
            for (shard, first) in all.chunks(records).zip((0..).step_by(records)) {
                let bytes = observed(fresh(), shard).save();
                let shard = fresh().load(&bytes).expect("a state");
                merged.merge(shard.shift(first).expect("a state without indices"));
            }
            assert_eq!(merged.clone().finish(), summary);
            assert_eq!(merged.save(), whole.clone().save());
        }
    }

    #[test]
    fn the_laws_hold_for_few_and_many_labels() {
        let look: fn(&String) -> &str = String::as_str;
        for different in [2, 40, 200] {
            let labels = labels(different, 400);
            let state = LabelCounts::above(1.0).of_ref(look);
            assert_laws(state.clone(), &labels);
            assert_shift_laws(state, &labels);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

        #[test]
        fn the_laws_hold(labels in proptest::collection::vec("[a-e]{0,2}", 0..60)) {
            let look: fn(&String) -> &str = String::as_str;
            let state = LabelCounts::new().of_ref(look);
            assert_laws(state.clone(), &labels);
            assert_shift_laws(state, &labels);
        }

        /// The summary is the same however the records are divided among workers, also if there are too many labels.
        #[test]
        fn neither_cuts_nor_order_show(
            workers in proptest::collection::vec(0_usize..4, 1..400),
            different in 2_u64..4 * FEW as u64,
        ) {
            let all = labels(different, workers.len() as u64);
            let whole = observed(LabelCounts::above(1.0), &all);
            let mut states = vec![LabelCounts::above(1.0); 4];
            let records: Vec<_> = (0..).zip(&all).zip(&workers).collect();
            for ((index, label), worker) in records.into_iter().rev() {
                states[*worker].observe(index, label);
            }
            let merged = states.into_iter().reduce(|mut merged, later| {
                merged.merge(later);
                merged
            });
            let merged = merged.expect("states");
            prop_assert_eq!(merged.clone().save(), whole.clone().save());
            prop_assert_eq!(merged.finish(), whole.finish());
        }
    }
}
