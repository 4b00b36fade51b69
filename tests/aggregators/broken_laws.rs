//! The harness detects aggregators that break a law, and names the law.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use manyhands::aggregation::{Aggregator, Kind, State, StateError, assert_laws};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::scores::assorted;

/// Implements `State` for an aggregator whose plain data is the aggregator itself.
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

/// Returns the message with which the harness rejects an aggregator that breaks a law.
fn message_of<A>(aggregator: A, scores: &[f64]) -> String
where
    A: Aggregator<f64, Output: Serialize + Debug> + State,
{
    let outcome = catch_unwind(AssertUnwindSafe(|| assert_laws(aggregator, scores)));
    let panic = outcome.expect_err("the harness did not detect a broken law");
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
    let message = message_of(Rounded(0.0), &rounding());
    assert!(
        message.contains("not associative in index order: seed "),
        "{message}"
    );
    assert!(message.contains("50 records in "), "{message}");
}

/// The running mean and the running sum of squared deviations.
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
    let message = message_of(Running::default(), &rounding());
    assert!(
        message.contains("not associative in index order: seed "),
        "{message}"
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
    let message = message_of(Merged::default(), &rounding());
    assert!(
        message.contains("not associative in index order: seed "),
        "{message}"
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
    let message = message_of(Forgetful::default(), &assorted(40));
    assert!(
        message.contains("not left alone by its identity: all records merged into"),
        "{message}"
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
    let message = message_of(First::default(), &assorted(40));
    assert!(message.contains("not commutative: seed "), "{message}");
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
    let message = message_of(Counting(1), &[0.5]);
    assert!(
        message.contains("not left alone by its identity"),
        "{message}"
    );
}

/// Declares an aggregator that counts scores, and replaces its other functions by the given broken ones.
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
fn a_state_that_depends_on_the_order_is_caught() {
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
    let message = message_of(Arrivals::default(), &assorted(40));
    assert!(
        message
            .contains("what the aggregator saves is not commutative, though its answer is: seed "),
        "{message}"
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
    let message = message_of(Lossy::default(), &assorted(40));
    assert!(
        message
            .contains("the aggregator is not whole when saved and loaded: loaded by a fresh state"),
        "{message}"
    );
}

#[test]
fn a_restored_state_with_another_configuration_is_caught() {
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
    let message = message_of(Above(0.5, 0), &assorted(40));
    assert!(
        message.contains("not whole when saved and loaded: saved after half of the records"),
        "{message}"
    );
}

#[test]
fn a_load_that_adds_to_the_loader_is_caught() {
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
    let message = message_of(Piling::default(), &assorted(40));
    assert!(
        message
            .contains("not whole when saved and loaded: loaded by one that has seen all records"),
        "{message}"
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
    let message = message_of(Lenient::default(), &assorted(40));
    assert!(
        message.contains("not strict about what it loads: it loaded bytes of which 0 is damaged"),
        "{message}"
    );
}

#[test]
fn a_load_from_other_bytes_than_are_saved_is_caught() {
    /// Its `load` does the same as the provided function, but does not compare the bytes.
    #[derive(Clone, Default)]
    struct Lax(u64);
    counting!(Lax, 0, {});
    impl State for Lax {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("lax", 1)
        }
        fn into_plain(self) -> u64 {
            self.0
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Lax(count))
        }
        fn load(&self, bytes: &[u8]) -> Result<Self, StateError> {
            let fresh = Lax(0).save();
            let (head, _) = fresh.split_at(fresh.len() - 1 - 8);
            let (content, sum) = bytes.split_last_chunk::<8>().ok_or(StateError::Damaged)?;
            let plain = content.strip_prefix(head).ok_or(StateError::Damaged)?;
            match postcard::take_from_bytes(plain) {
                Ok((count, [])) if XxHash3_64::oneshot(content).to_le_bytes() == *sum => {
                    Ok(Lax(count))
                }
                _ => Err(StateError::Damaged),
            }
        }
    }
    let message = message_of(Lax::default(), &assorted(40));
    assert!(
        message.contains(
            "not strict about what it loads: it loaded a state from other bytes than it saves"
        ),
        "{message}"
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
    let message = message_of(Short::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not the same in slices as one by one: all records"),
        "{message}"
    );
}

#[test]
fn a_fork_that_is_lost_is_caught() {
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
    let message = message_of(Lost::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not whole after its forks were merged: seed "),
        "{message}"
    );
}

#[test]
fn a_loaded_state_that_others_cannot_merge_into_is_caught() {
    #[derive(Clone, Default)]
    struct Closed {
        count: u64,
        loaded: bool,
    }
    impl Aggregator<f64> for Closed {
        type Output = u64;
        fn observe(&mut self, _index: u64, _score: &f64) {
            self.count += 1;
        }
        fn merge(&mut self, later: Self) {
            if !self.loaded {
                self.count += later.count;
            }
        }
        fn finish(self) -> u64 {
            self.count
        }
    }
    impl State for Closed {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("closed", 1)
        }
        fn into_plain(self) -> u64 {
            self.count
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Closed {
                count,
                loaded: true,
            })
        }
    }
    let message = message_of(Closed::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not whole when saved and loaded: seed "),
        "{message}"
    );
}

#[test]
fn a_merge_that_loses_slices_is_caught() {
    #[derive(Clone, Default)]
    struct Pending {
        texts: String,
        pending: String,
    }
    impl Aggregator<f64> for Pending {
        type Output = String;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.texts += &std::mem::take(&mut self.pending);
            self.texts += &format!("{score} ");
        }
        fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
            for score in scores {
                self.pending += &format!("{score} ");
            }
        }
        fn merge(&mut self, later: Self) {
            self.texts += &std::mem::take(&mut self.pending);
            self.texts += &later.texts;
        }
        fn finish(self) -> String {
            self.texts + &self.pending
        }
    }
    impl State for Pending {
        type Plain = String;
        fn kind(&self) -> Kind {
            Kind::new("pending", 1)
        }
        fn into_plain(self) -> String {
            self.finish()
        }
        fn restore(&self, texts: String) -> Result<Self, StateError> {
            Ok(Pending {
                texts,
                pending: String::new(),
            })
        }
    }
    let message = message_of(Pending::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not the same in slices as one by one: seed "),
        "{message}"
    );
}

#[test]
fn a_slice_that_is_truncated_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Cut(u64);
    plain_itself!(Cut);
    counting!(Cut, 0, {
        fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
            self.0 += scores.len().min(4_096) as u64;
        }
    });
    let message = message_of(Cut::default(), &assorted(4_100));
    assert!(
        message.contains("not the same in slices as one by one: all records in one slice"),
        "{message}"
    );
}

#[test]
fn a_clone_that_shares_with_forks_is_caught() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The forks share a counter, as they may. The clones share it too, which is wrong.
    #[derive(Clone, Default)]
    struct Shared {
        own: u64,
        common: Option<Arc<AtomicU64>>,
        root: std::sync::OnceLock<Arc<AtomicU64>>,
    }
    impl Aggregator<f64> for Shared {
        type Output = u64;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, _score: &f64) {
            match &self.common {
                Some(common) => {
                    common.fetch_add(1, Ordering::Relaxed);
                }
                None => self.own += 1,
            }
        }
        fn fork(&self) -> Self {
            let common = self.root.get_or_init(Arc::default);
            Shared {
                own: 0,
                common: Some(Arc::clone(common)),
                ..Shared::default()
            }
        }
        fn merge(&mut self, later: Self) {
            self.own += later.own;
        }
        fn finish(self) -> u64 {
            let common = self.root.get();
            self.own + common.map_or(0, |common| common.load(Ordering::Relaxed))
        }
    }
    impl State for Shared {
        type Plain = u64;
        fn kind(&self) -> Kind {
            Kind::new("shared", 1)
        }
        fn into_plain(self) -> u64 {
            self.finish()
        }
        fn restore(&self, count: u64) -> Result<Self, StateError> {
            Ok(Shared {
                own: count,
                ..Shared::default()
            })
        }
    }
    let message = message_of(Shared::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not independent of its clones: a clone of a state"),
        "{message}"
    );
}

#[test]
fn an_answer_in_hash_order_is_reported_as_such() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Hashed(std::collections::BTreeSet<u64>);
    plain_itself!(Hashed);
    impl Aggregator<f64> for Hashed {
        type Output = std::collections::HashSet<u64>;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.insert(score.to_bits());
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn finish(self) -> Self::Output {
            self.0.into_iter().collect()
        }
    }
    let message = message_of(Hashed::default(), &assorted(40));
    assert!(
        message.contains("the aggregator is not the same twice: one loop and one more"),
        "{message}"
    );
}

#[test]
fn a_restore_that_panics_is_caught() {
    #[derive(Clone, Default)]
    struct Trusting(Vec<u8>);
    impl Aggregator<f64> for Trusting {
        type Output = Vec<u8>;
        fn observe(&mut self, index: u64, _score: &f64) {
            self.0.push(index as u8 % 8);
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn finish(self) -> Vec<u8> {
            self.0
        }
    }
    impl State for Trusting {
        type Plain = Vec<u8>;
        fn kind(&self) -> Kind {
            Kind::new("trusting", 1)
        }
        fn into_plain(self) -> Vec<u8> {
            self.0
        }
        fn restore(&self, plain: Vec<u8>) -> Result<Self, StateError> {
            let mut seen = [false; 8];
            plain.iter().for_each(|&bit| seen[usize::from(bit)] = true);
            Ok(Trusting(plain))
        }
    }
    let message = message_of(Trusting::default(), &assorted(40));
    assert!(
        message.contains("it panicked on changed plain data: index out of bounds"),
        "{message}"
    );
}

#[test]
fn a_state_that_a_merge_closes_is_caught() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Closing {
        count: u64,
        #[serde(skip)]
        closed: bool,
    }
    plain_itself!(Closing);
    impl Aggregator<f64> for Closing {
        type Output = u64;
        fn observe(&mut self, _index: u64, _score: &f64) {
            self.count += u64::from(!self.closed);
        }
        fn merge(&mut self, later: Self) {
            self.count += later.count;
            self.closed = true;
        }
        fn finish(self) -> u64 {
            self.count
        }
    }
    let message = message_of(Closing::default(), &assorted(40));
    assert!(
        message.contains("not associative in index order: observed and merged in turns: seed "),
        "{message}"
    );
}

#[test]
fn long_answers_are_shown_where_they_differ() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Bounded(Vec<f64>);
    plain_itself!(Bounded);
    impl Aggregator<f64> for Bounded {
        type Output = Vec<f64>;
        fn observe(&mut self, _index: u64, score: &f64) {
            self.0.push(*score);
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
            self.0.truncate(3_000);
        }
        fn finish(self) -> Vec<f64> {
            self.0
        }
    }
    let message = message_of(Bounded::default(), &vec![0.25; 3_100]);
    assert!(message.contains("  one loop: …"), "{message}");
    assert!(message.len() < 2_500, "{message}");
}

#[test]
fn answers_with_the_same_text_are_reported_as_such() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Payload(u64);
    plain_itself!(Payload);
    impl Aggregator<f64> for Payload {
        type Output = f64;
        fn observe(&mut self, _index: u64, _score: &f64) {}
        fn merge(&mut self, _later: Self) {
            self.0 = 1;
        }
        fn finish(self) -> f64 {
            f64::from_bits(f64::NAN.to_bits() | self.0)
        }
    }
    let message = message_of(Payload::default(), &assorted(40));
    assert!(
        message.contains("merged:   the same text, but different bits"),
        "{message}"
    );
}
