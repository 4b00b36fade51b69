//! Every aggregator keeps the laws, and the harness that says so catches those that do not.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use manyhands::aggregation::{
    Aggregator, Bottom, Count, Extrema, Histogram, Kind, Mean, MergeTree, Moments, Quantiles,
    State, StateError, StdDev, Sum, Top, Variance, assert_laws, canonical_bytes,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::scores::{any_bits, assorted, finite_scores};

/// A state that is plain data already.
macro_rules! plain_itself {
    ($aggregator:ident) => {
        impl State for $aggregator {
            type Plain = Self;
            fn kind(&self) -> Kind {
                Kind::new(stringify!($aggregator), 1)
            }
            fn into_plain(self) -> Self {
                self
            }
            fn restore(&self, plain: Self) -> Result<Self, StateError> {
                Ok(plain)
            }
        }
    };
}

/// Everything that takes an `f64`, side by side.
fn family() -> impl Aggregator<f64, Output = impl Serialize + Debug> + State {
    let histogram = Histogram::new(-1.0, 1.0, 7);
    let edges = vec![f64::NEG_INFINITY, -0.5, 0.0, 1e-300, f64::INFINITY];
    let uneven = Histogram::with_edges(edges).expect("edges that ascend");
    let exact = (Count::new(), Sum::new(), Mean::new());
    let spread = (
        Variance::new(),
        Variance::population(),
        StdDev::new(),
        StdDev::population(),
        Moments::new(),
    );
    let order = (Extrema::new(), Top::new(5), Bottom::new(5), Top::new(0));
    (exact, spread, order, histogram, uneven, Quantiles::new())
}

#[test]
fn the_family_keeps_the_laws() {
    assert_laws(family(), &assorted(300));
    let with_nan: Vec<f64> = assorted(50)
        .into_iter()
        .chain([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN])
        .collect();
    assert_laws(family(), &with_nan);
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_laws(family(), &[1.0, infinite, -0.0, infinite, f64::MIN]);
    }
    assert_laws(family(), &[-0.0; 9]);
    assert_laws(family(), &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_family_keeps_the_laws_on_any_bits(scores in vec(any_bits(), 0..40)) {
        assert_laws(family(), &scores);
    }

    #[test]
    fn the_family_keeps_the_laws_on_finite_scores(scores in finite_scores(40)) {
        assert_laws(family(), &scores);
    }
}

/// Sums whose middle is a tie that one bit decides, and sums that cancel, in runs of more scores of
/// one exponent than limbs take between carries.
#[test]
fn the_family_keeps_the_laws_on_long_runs() {
    let half_ulp = f64::EPSILON / 2.0;
    let ties = [
        1.0,
        half_ulp,
        -5e-324,
        1.0 + f64::EPSILON,
        -half_ulp,
        5e-324,
    ];
    let huge = [f64::MAX, f64::MAX, f64::MIN, -1.0, f64::MAX, 1.0];
    let largest_significand = f64::from_bits(2.0_f64.to_bits() - 1);
    for (repeated, among) in [(largest_significand, ties), (-f64::MAX, huge)] {
        let mut scores = vec![repeated; 4_200];
        scores.splice(2_000..2_000, among);
        scores.extend([-repeated; 300]);
        assert_laws(family(), &scores);
    }
}

#[test]
fn combinators_keep_the_laws() {
    let texts = [
        "a", "to", "", "tea", "ten", "i", "in", "inn", "to", "a", "ten", "tee",
    ];
    let length = |text: &&str| text.len() as f64;
    let initial = |text: &&str| text.chars().next();
    assert_laws(Mean::new().of(length), &texts);
    assert_laws(
        Top::new(3)
            .of(length)
            .only(|text: &&str| text.contains('t')),
        &texts,
    );
    assert_laws((Count::new(), Sum::new().of(length)).by(initial), &texts);
    assert_laws(
        Variance::new().of(length).by_ref(|text: &&str| *text),
        &texts,
    );
    assert_laws(
        Quantiles::new().of(length).map(|summary| summary.count),
        &texts,
    );
    let nested = Mean::new()
        .of(length)
        .by(|text: &&str| text.len())
        .by(initial);
    assert_laws(nested, &texts);
    let some = vec![Some(Sum::new().of(length)), None];
    assert_laws(some, &texts);
    assert_laws(Vec::<Count>::new(), &texts);
}

#[test]
fn slices_longer_than_a_block_are_looked_at_whole() {
    let scores: Vec<u32> = (0..2_000).map(|place| place * place % 1_009).collect();
    let number = |score: &u32| f64::from(*score);
    assert_laws((Top::new(9), Sum::new()).of(number), &scores);
    assert_laws(
        Texts::default().of(number).only(|score: &u32| *score < 60),
        &scores,
    );
}

#[test]
fn a_combination_is_commutative_where_all_of_it_is() {
    fn commutes<A: Aggregator<f64>>(_: &A) -> bool {
        A::COMMUTATIVE
    }
    let sign = |score: &f64| score.is_sign_negative();
    assert!(commutes(
        &(Sum::new(), Count::new(), ()).by(sign).only(|_: &f64| true)
    ));
    assert!(!commutes(&(Sum::new(), Texts::default())));
    assert!(!commutes(
        &Texts::default().by(sign).map(|groups| groups.len())
    ));
}

#[test]
fn an_aggregator_in_order_keeps_the_laws() {
    assert_laws(Texts::default(), &assorted(40));
    assert_laws(
        Texts::default().by(|score: &f64| *score > 0.0),
        &assorted(40),
    );
}

#[test]
fn groups_are_those_of_a_plain_loop() {
    let words = ["tea", "to", "tea", "a", "to", "tea"].map(String::from);
    let mut counts = Count::new().by_ref(|word: &String| word.as_str());
    let mut places = Texts::default()
        .of(|word: &String| word.len() as f64)
        .by(|word: &String| word.clone());
    for (index, word) in (0..).zip(&words) {
        counts.observe(index, word);
        places.observe(index, word);
    }
    let counts: Vec<(String, u64)> = counts.finish().into_iter().collect();
    assert_eq!(
        counts,
        [("a".into(), 1), ("tea".into(), 3), ("to".into(), 2)]
    );
    assert_eq!(places.finish()["tea"], "0:3 2:3 5:3 ");
}

proptest! {
    #[test]
    fn a_merge_tree_depends_on_the_number_of_parts_alone(
        order in (0_usize..40).prop_flat_map(|parts| Just((0..parts).collect::<Vec<_>>()).prop_shuffle())
    ) {
        let partial = |part: usize| Shape(format!("{part}"));
        let in_order = MergeTree::<f64, Shape>::new();
        for part in 0..order.len() {
            in_order.insert(part, partial(part));
            let bound = order.len().ilog2() as usize + 1;
            prop_assert!(in_order.waiting() <= bound);
        }
        let shuffled = MergeTree::<f64, Shape>::new();
        for &part in &order {
            shuffled.insert(part, partial(part));
        }
        let identity = Shape("nothing".into());
        prop_assert_eq!(shuffled.finish(identity.clone()).0, in_order.finish(identity).0);
    }
}

#[test]
fn a_merge_tree_is_a_binary_counter() {
    let tree = MergeTree::<f64, Shape>::new();
    for part in [6, 3, 1, 0, 5, 2, 4] {
        tree.insert(part, Shape(part.to_string()));
    }
    let shape = tree.finish(Shape("nothing".into())).0;
    assert_eq!(shape, "((((0 1) (2 3)) (4 5)) 6)");
}

/// Writes down how it was merged.
#[derive(Clone)]
struct Shape(String);

impl Aggregator<f64> for Shape {
    type Output = String;
    fn observe(&mut self, _index: u64, _score: &f64) {}
    fn merge(&mut self, later: Self) {
        self.0 = format!("({} {})", self.0, later.0);
    }
    fn finish(self) -> String {
        self.0
    }
}

/// A user's own, associative in index order and no more: the records it saw, as it saw them.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Texts(String);

plain_itself!(Texts);
impl Aggregator<f64> for Texts {
    type Output = String;
    fn observe(&mut self, index: u64, score: &f64) {
        self.0 += &format!("{index}:{score} ");
    }
    fn merge(&mut self, later: Self) {
        self.0 += &later.0;
    }
    fn finish(self) -> String {
        self.0
    }
}

/// What the harness says of an aggregator that breaks a law.
fn complaint<A>(aggregator: A, scores: &[f64]) -> String
where
    A: Aggregator<f64, Output: Serialize + Debug> + State,
{
    let outcome = catch_unwind(AssertUnwindSafe(|| assert_laws(aggregator, scores)));
    let panic = outcome.expect_err("a law is broken, and the harness did not see it");
    *panic.downcast::<String>().expect("a message")
}

fn rounding() -> Vec<f64> {
    (1..=50).map(|step| 1.0 / f64::from(step)).collect()
}

#[test]
fn a_rounded_sum_is_caught() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Rounded(f64);
    plain_itself!(Rounded);
    impl Aggregator<f64> for Rounded {
        type Output = f64;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0 += score;
        }
        fn merge(&mut self, later: Self) {
            self.0 += later.0;
        }
        fn finish(self) -> f64 {
            self.0
        }
    }
    let said = complaint(Rounded(0.0), &rounding());
    assert!(
        said.contains("not associative in index order: seed "),
        "{said}"
    );
    assert!(said.contains("50 records in "), "{said}");
}

/// Running mean and sum of squared deviations.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Deviations {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Deviations {
    fn welford(&mut self, score: f64) {
        self.count += 1.0;
        let before = score - self.mean;
        self.mean += before / self.count;
        self.squares += before * (score - self.mean);
    }

    fn chan(&mut self, later: Deviations) {
        let count = self.count + later.count;
        if count > 0.0 {
            let apart = later.mean - self.mean;
            self.mean += apart * later.count / count;
            self.squares += later.squares + apart * apart * self.count * later.count / count;
            self.count = count;
        }
    }
}

#[test]
fn welford_and_chan_are_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Running(Deviations);
    plain_itself!(Running);
    impl Aggregator<f64> for Running {
        type Output = f64;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.welford(*score);
        }
        fn merge(&mut self, later: Self) {
            self.0.chan(later.0);
        }
        fn finish(self) -> f64 {
            self.0.squares / (self.0.count - 1.0)
        }
    }
    let said = complaint(Running::default(), &rounding());
    assert!(
        said.contains("not associative in index order: seed "),
        "{said}"
    );
}

#[test]
fn chan_alone_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Merged(Deviations);
    plain_itself!(Merged);
    impl Aggregator<f64> for Merged {
        type Output = f64;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.chan(Deviations {
                count: 1.0,
                mean: *score,
                squares: 0.0,
            });
        }
        fn merge(&mut self, later: Self) {
            self.0.chan(later.0);
        }
        fn finish(self) -> f64 {
            self.0.squares / (self.0.count - 1.0)
        }
    }
    let said = complaint(Merged::default(), &rounding());
    assert!(
        said.contains("not associative in index order: seed "),
        "{said}"
    );
}

#[test]
fn a_merge_that_drops_something_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Forgetful {
        count: u64,
        negative: u64,
    }
    plain_itself!(Forgetful);
    impl Aggregator<f64> for Forgetful {
        type Output = (u64, u64);
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.count += 1;
            self.negative += u64::from(*score < 0.0);
        }
        fn merge(&mut self, later: Self) {
            self.count += later.count;
        }
        fn finish(self) -> (u64, u64) {
            (self.count, self.negative)
        }
    }
    let said = complaint(Forgetful::default(), &assorted(40));
    assert!(
        said.contains("not left alone by its identity: all records merged into"),
        "{said}"
    );
}

#[test]
fn a_first_score_that_claims_to_commute_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct First(Option<f64>);
    plain_itself!(First);
    impl Aggregator<f64> for First {
        type Output = Option<f64>;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.get_or_insert(*score);
        }
        fn merge(&mut self, later: Self) {
            self.0 = self.0.or(later.0);
        }
        fn finish(self) -> Option<f64> {
            self.0
        }
    }
    let said = complaint(First::default(), &assorted(40));
    assert!(said.contains("not commutative: seed "), "{said}");
}

#[test]
fn an_identity_that_counts_is_caught() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Counting(u64);
    plain_itself!(Counting);
    impl Aggregator<f64> for Counting {
        type Output = u64;
        fn observe(&mut self, _index: u64, _score: &f64) {
            self.0 += 1;
        }
        fn merge(&mut self, later: Self) {
            self.0 += later.0;
        }
        fn finish(self) -> u64 {
            self.0
        }
    }
    let said = complaint(Counting(1), &[0.5]);
    assert!(said.contains("not left alone by its identity"), "{said}");
}

/// How many scores there were, in an aggregator whose other functions are to go wrong.
macro_rules! counting {
    ($aggregator:ident, $count:tt, { $($wrong:tt)* }) => {
        impl Aggregator<f64> for $aggregator {
            type Output = u64;
            const COMMUTATIVE: bool = true;
            fn observe(&mut self, _index: u64, _score: &f64) {
                self.$count += 1;
            }
            fn merge(&mut self, later: Self) {
                self.$count += later.$count;
            }
            fn finish(self) -> u64 {
                self.$count
            }
            $($wrong)*
        }
    };
}

#[test]
fn a_state_that_tells_the_order_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Arrivals(Vec<f64>);
    plain_itself!(Arrivals);
    impl Aggregator<f64> for Arrivals {
        type Output = Vec<f64>;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.push(*score);
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn finish(mut self) -> Vec<f64> {
            self.0.sort_by(f64::total_cmp);
            self.0
        }
    }
    let said = complaint(Arrivals::default(), &assorted(40));
    assert!(
        said.contains("what the aggregator saves is not commutative, though its answer is: seed "),
        "{said}"
    );
}

#[test]
fn a_restored_state_that_lost_something_is_caught() {
    #[derive(Clone, Default)]
    struct Lossy(u64, u64);
    impl Aggregator<f64> for Lossy {
        type Output = (u64, u64);
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0 += 1;
            self.1 += u64::from(*score < 0.0);
        }
        fn merge(&mut self, later: Self) {
            self.0 += later.0;
            self.1 += later.1;
        }
        fn finish(self) -> (u64, u64) {
            (self.0, self.1)
        }
    }
    impl State for Lossy {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("lossy", 1)
        }
        fn into_plain(self) -> u64 {
            self.0
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Lossy(count, 0))
        }
    }
    let said = complaint(Lossy::default(), &assorted(40));
    assert!(
        said.contains("the aggregator is not whole when saved and loaded: loaded by a fresh state"),
        "{said}"
    );
}

#[test]
fn a_restored_state_that_is_set_up_otherwise_is_caught() {
    #[derive(Clone)]
    struct Above(f64, u64);
    impl Aggregator<f64> for Above {
        type Output = u64;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.1 += u64::from(*score > self.0);
        }
        fn merge(&mut self, later: Self) {
            self.1 += later.1;
        }
        fn finish(self) -> u64 {
            self.1
        }
    }
    impl State for Above {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("above", 1)
        }
        fn into_plain(self) -> u64 {
            self.1
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Above(0.0, count))
        }
    }
    let said = complaint(Above(0.5, 0), &assorted(40));
    assert!(
        said.contains("not whole when saved and loaded: saved after half of the records"),
        "{said}"
    );
}

#[test]
fn a_load_into_what_was_there_is_caught() {
    #[derive(Clone, Default)]
    struct Piling(u64);
    counting!(Piling, 0, {});
    impl State for Piling {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("piling", 1)
        }
        fn into_plain(self) -> u64 {
            self.0
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Piling(self.0 + count))
        }
    }
    let said = complaint(Piling::default(), &assorted(40));
    assert!(
        said.contains("not whole when saved and loaded: loaded by one that has seen all records"),
        "{said}"
    );
}

#[test]
fn a_lenient_load_is_caught() {
    #[derive(Clone, Default)]
    struct Lenient(u64);
    counting!(Lenient, 0, {});
    impl State for Lenient {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("lenient", 1)
        }
        fn into_plain(self) -> u64 {
            self.0
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Lenient(count))
        }
        fn save(self) -> Vec<u8> {
            self.0.to_le_bytes().to_vec()
        }
        fn load(&self, bytes: &[u8]) -> Result<Self, StateError> {
            let count = bytes.try_into().map_err(|_| StateError::Damaged)?;
            Ok(Lenient(u64::from_le_bytes(count)))
        }
    }
    let said = complaint(Lenient::default(), &assorted(40));
    assert!(
        said.contains("not strict about what it loads: it loaded bytes of which 0 is damaged"),
        "{said}"
    );
}

#[test]
fn a_slice_without_its_last_score_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Short(u64);
    plain_itself!(Short);
    counting!(Short, 0, {
        fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
            self.0 += (scores.len() as u64).saturating_sub(1);
        }
    });
    let said = complaint(Short::default(), &assorted(40));
    assert!(
        said.contains("the aggregator is not the same in slices as one by one: seed "),
        "{said}"
    );
}

#[test]
fn a_fork_that_does_not_come_back_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Lost {
        count: u64,
        #[serde(skip)]
        forked: bool,
    }
    plain_itself!(Lost);
    impl Aggregator<f64> for Lost {
        type Output = u64;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, _score: &f64) {
            self.count += 1;
        }
        fn fork(&self) -> Self {
            Lost {
                forked: true,
                ..*self
            }
        }
        fn merge(&mut self, later: Self) {
            if !later.forked {
                self.count += later.count;
            }
        }
        fn finish(self) -> u64 {
            self.count
        }
    }
    let said = complaint(Lost::default(), &assorted(40));
    assert!(
        said.contains("the aggregator is not whole once its forks have come back: seed "),
        "{said}"
    );
}

#[test]
fn bytes_tell_values_apart_by_their_bits() {
    assert_eq!(
        canonical_bytes(&(1_u64, "a")),
        canonical_bytes(&(1_u64, "a"))
    );
    assert_ne!(canonical_bytes(&0.0), canonical_bytes(&-0.0));
    assert_eq!(canonical_bytes(&()), b"mh1");
}
