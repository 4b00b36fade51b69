//! These tests check how states are written as bytes, which bytes are refused, and that malformed bytes do no harm.

use std::fmt::Debug;

use manyhands::ParallelAggregate;
use manyhands::aggregation::{
    Aggregator, Bottom, Confidence, Correlation, Count, Covariance, Distinct, ExactQuantiles,
    Extrema, Frequent, Histogram, Kind, Mean, MeanInterval, Median, Moments, Quantiles, Sample,
    State, StateError, StdDev, Sum, Top, Variance,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;
use twox_hash::XxHash3_64;

use crate::scores::{any_bits, assorted, finite};

fn observed<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A {
    aggregator.observe_slice(0, scores);
    aggregator
}

/// Number of bytes of the mark and the fingerprint, which precede the name and the plain data.
const HEAD: usize = 4 + 16;
const CHECKSUM: usize = 8;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Appends a valid checksum to the bytes, and returns them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = XxHash3_64::oneshot(&bytes).to_le_bytes();
    bytes.extend(&checksum[..CHECKSUM]);
    bytes
}

/// Returns the bytes before the plain data.
fn head_of(bytes: &[u8]) -> &[u8] {
    &bytes[..HEAD + 1 + usize::from(bytes[HEAD])]
}

fn plain_of(bytes: &[u8]) -> &[u8] {
    &bytes[head_of(bytes).len()..bytes.len() - CHECKSUM]
}

/// Returns the bytes of a saved state of this aggregator with this plain data.
fn forged<A: State>(aggregator: A, plain: &impl Serialize) -> Vec<u8> {
    let plain = postcard::to_allocvec(plain).expect("plain data");
    sealed([head_of(&aggregator.save()), &plain].concat())
}

fn impossible<A: State + Clone>(aggregator: &A, plain: &impl Serialize) -> &'static str {
    match aggregator.load(&forged(aggregator.clone(), plain)) {
        Err(StateError::Impossible(why)) => why,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(_) => panic!("an impossible state was loaded"),
    }
}

fn refusal<A: State>(aggregator: &A, bytes: &[u8]) -> StateError {
    aggregator.load(bytes).err().expect("bytes to be refused")
}

/// Other versions and other machines read these bytes, so changing them requires a new version of the kind.
#[test]
fn the_bytes_never_change() {
    let scores = [0.75, -3.0, -0.0, 1e3];
    let mean = observed((Count::new(), Mean::new()), &scores).save();
    let pieces = [
        // These are the mark with the version of the layout, and the fingerprint of the kind.
        "6d687331",
        "754380709968c373f5ede9507b985c67",
        // This is the name `tuple/1(count/1, mean/1)`, after its length.
        "187475706c652f3128636f756e742f312c206d65616e2f3129",
        // The count has observed 4 scores. The mean has observed 4 scores, not only zeros; their sum is
        // +3991 · 2⁻², and there are no NaN or infinities.
        "040402000301971f000000",
        // This is the checksum.
        "bfb7c173e99dfc9b",
    ];
    assert_eq!(hex(&mean), pieces.concat());
    let order = (Extrema::new(), Top::new(2), Quantiles::at(&[0.5]));
    assert_eq!(
        hex(plain_of(&observed(order, &scores).save())),
        "018180808080808088800101808080808080a08f8101030002818080808080a08f81010381808080808080e87f00000400000000000008c00000000000000080000000000000e83f0000000000408f40000000"
    );
    // The state of more than 1,024 scores has another form, and a third one if they have many different values.
    let many = [&scores[..], &[0.75; 1_021]].concat();
    assert_eq!(
        hex(plain_of(&observed(Quantiles::at(&[0.5]), &many).save())),
        "010400000000000008c001000000000000008001000000000000e83ffe070000000000408f4001000000"
    );
    let close = (0..300_u64).map(|place| f64::from_bits(0.75_f64.to_bits() + place));
    let many = [&many[..], &close.collect::<Vec<_>>()].concat();
    assert_eq!(
        hex(plain_of(&observed(Quantiles::at(&[0.5]), &many).save())),
        "0281808080808080888001808080808080a08f8101010002c0fe07aa0ab90a0101bf800801000000"
    );
    let spread = (Moments::new(), Histogram::new(-1.0, 1.0, 4));
    assert_eq!(
        hex(plain_of(&observed(spread, &scores).save())),
        "0402000301971f00000000070199c9d0070400000101010100"
    );
}

#[test]
fn a_zero_has_three_states() {
    let saved = |scores: &[f64]| observed(Sum::new(), scores).save();
    assert_eq!(saved(&[-0.0, -0.0]), saved(&[-0.0]));
    for other in [&[0.0][..], &[-0.0, 0.0], &[5e-324, -5e-324]] {
        assert_eq!(saved(other), saved(&[1.0, -1.0]));
    }
    assert_ne!(saved(&[]), saved(&[-0.0]));
    assert_ne!(saved(&[]), saved(&[0.0]));
    assert_ne!(saved(&[-0.0]), saved(&[0.0]));
}

/// Each file of one run is scored by a process that knows the index of the first record of that file.
#[test]
fn partials_with_their_first_index_equal_a_single_run() {
    let scores: Vec<f64> = (0..3_000_u32)
        .map(|place| f64::from(place % 700).sin())
        .collect();
    let all = || {
        (
            (Count::new(), Mean::new(), Top::new(5), Extrema::new()),
            Sample::<f64>::new(20, 7),
            Frequent::above(0.01).of(|score: &f64| score.to_bits()),
        )
            .by(|score: &f64| *score < 0.0)
    };
    let cuts = [0, 1, 1_000, 1_000, 2_345, scores.len()];
    let mut whole = all();
    for cut in cuts.windows(2) {
        let first = cut[0] as u64;
        let partial = all().partial(first);
        let partial = scores[cut[0]..cut[1]]
            .par_iter()
            .copied()
            .aggregate(partial);
        whole.merge(all().load(&partial.save()).unwrap());
    }
    let expected = scores.par_iter().copied().aggregate(all().partial(0));
    assert!(whole.save() == expected.save());
}

#[test]
fn states_of_other_types_are_not_called_damaged() {
    let mut named = Count::new().by(|score: &f64| score.to_string());
    named.observe(0, &0.5);
    let numbered = Count::new().by(|score: &f64| score.to_bits());
    let said = refusal(&numbered, &named.save()).to_string();
    assert_eq!(
        said,
        "the state of by/1(count/1) holds keys or scores of other types than those expected"
    );
}

#[test]
fn a_refusal_says_why() {
    let three = Top::new(3).save();
    let said = |error: StateError| error.to_string();
    assert_eq!(
        said(refusal(&Top::new(4), &three)),
        "the state is of top/1 3, but top/1 4 was expected"
    );
    assert_eq!(
        said(refusal(&Bottom::new(3), &three)),
        "the state is of top/1 3, but bottom/1 3 was expected"
    );
    assert_eq!(refusal(&Top::new(3), b"PK\x03\x04"), StateError::NoState);
    assert_eq!(refusal(&Top::new(3), b""), StateError::NoState);
    assert_eq!(refusal(&Top::new(3), &three[..3]), StateError::NoState);
    assert_eq!(refusal(&Top::new(3), &three[..4]), StateError::Damaged);
    let mut later = three.clone();
    later[3] = b'2';
    assert_eq!(refusal(&Top::new(3), &later), StateError::Layout);
}

/// A state whose kind has any name.
#[derive(Debug)]
struct Named(String);

impl State for Named {
    type Plain = ();
    fn kind(&self) -> Kind {
        Kind::new(&self.0, 1)
    }
    fn into_plain(self) {}
    fn restore(&self, _plain: ()) -> Result<Self, StateError> {
        Ok(Named(self.0.clone()))
    }
}

#[test]
fn a_refusal_is_safe_for_a_terminal() {
    let count = Count::new();
    let said = |name: &str| refusal(&count, &Named(name.into()).save()).to_string();
    assert_eq!(
        said("\u{1b}[2J\n"),
        "the state is of \\u{1b}[2J\\n/1, but count/1 was expected"
    );
    assert!(said(&"long ".repeat(1_000)).len() < 300);
}

#[test]
fn the_configuration_is_part_of_the_kind() {
    let bins = |hi, bins| Histogram::new(0.0, hi, bins);
    let edges = |edges: &[f64]| Histogram::with_edges(edges.to_vec()).expect("edges that ascend");
    assert_ne!(bins(1.0, 4).kind(), bins(2.0, 4).kind());
    assert_ne!(bins(1.0, 4).kind(), bins(1.0, 5).kind());
    assert_eq!(bins(1.0, 2).kind(), edges(&[0.0, 0.5, 1.0]).kind());
    assert_ne!(Quantiles::at(&[0.5]).kind(), Quantiles::at(&[0.25]).kind());
    assert_ne!(Variance::new().kind(), Variance::population().kind());
    assert_ne!(StdDev::new().kind(), StdDev::population().kind());
    assert_ne!(StdDev::new().kind(), Variance::new().kind());
    assert_ne!(vec![Count::new()].kind(), vec![Count::new(); 2].kind());
    let counts = |most| vec![Count::new(); most];
    assert_ne!(counts(9).kind(), counts(10).kind());
    assert_eq!(counts(9).save().len() - 9, counts(10).save().len() - 10);
    assert_ne!(Some(Count::new()).kind(), None::<Count>.kind());
    assert_ne!(((Count::new(),),).kind(), (Count::new(),).kind());
    let by_sign = |top| Top::new(top).by(|score: &f64| *score < 0.0).kind();
    assert_ne!(by_sign(1), by_sign(2));
}

/// The plain data of a sum: the kind of its finite values, their sum, and the counts of NaN, ∞ and −∞.
type Sums = (u8, (bool, i32, Vec<u32>), [u64; 3]);

fn sum(exponent: i32, digits: &[u32]) -> Sums {
    (2, (false, exponent, digits.to_vec()), [0; 3])
}

#[test]
fn impossible_sums_are_refused() {
    let refused = |plain: Sums| impossible(&Sum::new(), &plain);
    let not_so = "a sum that is not in canonical form";
    assert_eq!(refused(sum(0, &[2])), not_so);
    assert_eq!(refused(sum(0, &[1, 0])), not_so);
    assert_eq!(refused(sum(1, &[])), not_so);
    assert_eq!(refused((2, (true, 0, vec![]), [0; 3])), not_so);
    let beyond = "a sum outside the range of sums of scores";
    assert_eq!(refused(sum(-1075, &[1])), beyond);
    assert_eq!(refused(sum(i32::MIN, &[1])), beyond);
    assert_eq!(refused(sum(i32::MAX, &[1])), beyond);
    assert_eq!(refused(sum(1024 + 56, &[1])), beyond);
    assert_eq!(refused(sum(0, &[1; 60])), beyond);
    let nothing = "a sum other than 0 without values";
    assert_eq!(refused((0, (false, 0, vec![1]), [0; 3])), nothing);
    assert_eq!(refused((1, (false, 0, vec![1]), [0; 3])), nothing);
    let many = "more records than there can be";
    assert_eq!(refused((2, (false, 0, vec![1]), [u64::MAX, 1, 0])), many);
    let largest = Sum::new().load(&forged(Sum::new(), &sum(1024 + 55, &[1])));
    assert_eq!(largest.map(Aggregator::<f64>::finish), Ok(f64::INFINITY));
}

#[test]
fn impossible_moments_are_refused() {
    let mean = |count: u64, plain: Sums| impossible(&Mean::new(), &(count, plain));
    let other_count = "a count that does not match the sum";
    assert_eq!(mean(0, sum(0, &[1])), other_count);
    assert_eq!(mean(1, (0, (false, 0, vec![]), [0; 3])), other_count);
    assert_eq!(mean(2, (2, (false, 0, vec![1]), [1, 1, 0])), other_count);
    assert_eq!(mean((1 << 56) + 1, sum(0, &[1])), other_count);
    let squares = |negative, exponent| (1_u64, sum(0, &[1]), (negative, exponent, vec![1_u32]));
    let refused = |plain| impossible(&Moments::new(), &plain);
    assert_eq!(refused(squares(true, 0)), "a sum of squares below 0");
    assert_eq!(
        refused(squares(false, -2149)),
        "a sum outside the range of sums of scores"
    );
    assert_eq!(
        refused(squares(false, 2104)),
        "a sum outside the range of sums of scores"
    );
    let count = |count: u64| impossible(&Count::new(), &count);
    assert_eq!(count((1 << 56) + 1), "more records than there can be");
}

#[test]
fn impossible_orders_are_refused() {
    let (top, extrema) = (Top::new(2), Extrema::new());
    let ranked = |plain: &[(i64, u64)]| impossible(&top, &plain);
    assert_eq!(ranked(&[(0, 0); 3]), "more records than places");
    assert_eq!(ranked(&[(0, 1), (0, 0)]), "ranked records out of order");
    assert_eq!(ranked(&[(i64::MIN, 1)]), "a NaN among ranked records");
    let extremes = |min, max| impossible(&extrema, &(Some([min, max]), 0_u64));
    assert_eq!(
        extremes((3_i64, 0_u64), (2_i64, 1_u64)),
        "extremes that cross"
    );
    assert_eq!(extremes((3, 0), (3, 1)), "extremes that cross");
    assert_eq!(extremes((3, 0), (i64::MAX, 1)), "an extreme that is NaN");
}

#[test]
fn impossible_counts_are_refused() {
    let histogram = Histogram::new(0.0, 1.0, 2);
    let bins = |counts: &[u64], aside: [u64; 3]| impossible(&histogram, &(counts, aside));
    let many = "more records than there can be";
    assert_eq!(bins(&[1], [0; 3]), "another number of bins");
    assert_eq!(bins(&[1 << 56, 0], [0, 0, 1]), many);
    assert_eq!(bins(&[u64::MAX, 1], [0; 3]), many);
}

#[test]
fn impossible_combinations_are_refused() {
    let groups = Count::new().by(|score: &f64| *score < 0.0);
    let refused = |plain: &[(bool, u64)]| impossible(&groups, &plain);
    assert_eq!(refused(&[(true, 1), (false, 1)]), "groups out of order");
    assert_eq!(refused(&[(true, 1), (true, 1)]), "groups out of order");
    let two = vec![Count::new(); 2];
    assert_eq!(
        impossible(&two, &vec![1_u64]),
        "another number of aggregators"
    );
    assert_eq!(
        impossible(&Some(Count::new()), &None::<u64>),
        "one aggregator more or less"
    );
}

/// A change to the bytes of a saved state.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    /// Writes an integer in one byte more than necessary.
    Lengthen(Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = || prop_oneof![any::<u8>(), Just(0), Just(1), Just(0x7f), Just(0xff)];
    let change = prop_oneof![
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<Index>().prop_map(Change::Remove),
        2 => any::<Index>().prop_map(Change::Lengthen),
    ];
    vec(change, 1..4)
}

/// Loads a changed state, and uses the state if it is not refused.
fn survives<A>(aggregator: A, scores: &[f64], changes: &[Change]) -> Result<(), TestCaseError>
where
    A: Aggregator<f64, Output: Debug> + State,
{
    let whole = observed(aggregator.clone(), scores);
    let bytes = whole.clone().save();
    let mut plain = plain_of(&bytes).to_vec();
    for change in changes {
        match change {
            Change::Insert(at, byte) => plain.insert(at.index(plain.len() + 1), *byte),
            Change::Replace(at, byte) if !plain.is_empty() => {
                let at = at.index(plain.len());
                plain[at] = *byte;
            }
            Change::Remove(at) if !plain.is_empty() => {
                plain.remove(at.index(plain.len()));
            }
            Change::Lengthen(at) if !plain.is_empty() => {
                let at = at.index(plain.len());
                plain[at] |= 0x80;
                plain.insert(at + 1, 0);
            }
            _ => {}
        }
    }
    let forged = sealed([head_of(&bytes), &plain].concat());
    let Ok(foreign) = aggregator.load(&forged) else {
        return Ok(());
    };
    prop_assert_eq!(&foreign.clone().save(), &forged);
    let mut alone = foreign.clone();
    alone.observe(0, &0.5);
    alone.observe_slice(1, scores);
    alone.finish();
    let mut merged = whole;
    merged.merge(foreign.clone());
    merged.merge(foreign);
    merged.finish();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_plain_data_does_harm(
        scores in vec(prop_oneof![any_bits(), finite()], 0..12),
        changes in changes(),
    ) {
        survives(Count::new(), &scores, &changes)?;
        survives(Sum::new(), &scores, &changes)?;
        survives(Mean::new(), &scores, &changes)?;
        survives(Moments::new(), &scores, &changes)?;
        survives(StdDev::population(), &scores, &changes)?;
        survives(Extrema::new(), &scores, &changes)?;
        survives(Top::new(3), &scores, &changes)?;
        survives(Bottom::new(0), &scores, &changes)?;
        survives(Histogram::new(-1.0, 1.0, 4), &scores, &changes)?;
        survives(Quantiles::new(), &scores, &changes)?;
        let side = |score: &f64| score.total_cmp(&0.25) as i8;
        survives((Count::new(), Mean::new()).by(side), &scores, &changes)?;
        survives(vec![Some(Extrema::new()), None], &scores, &changes)?;
        survives((Median::new(), ExactQuantiles::new()), &scores, &changes)?;
        survives((Distinct::new(), Sample::new(3, 1)), &scores, &changes)?;
        let bits = |score: &f64| score.to_bits();
        survives(Frequent::above(1.0).of(bits), &scores, &changes)?;
        survives(MeanInterval::new(Confidence::Percent95), &scores, &changes)?;
        let pair = |score: &f64| (*score, score * score);
        survives(Correlation::new().of(pair), &scores, &changes)?;
        survives(Covariance::new().of(pair), &scores, &changes)?;
    }
}

#[test]
fn a_state_has_one_encoding() {
    let count = Count::new();
    let bytes = observed(count.clone(), &[0.5; 3]).save();
    let (head, plain) = (head_of(&bytes), plain_of(&bytes));
    assert_eq!(plain, [3]);
    let not_canonical = StateError::NotCanonical {
        kind: "count/1".to_owned(),
    };
    for plain in [[0x83, 0].as_slice(), &[0x83, 0x80, 0x80, 0]] {
        let longer = sealed([head, plain].concat());
        assert_eq!(refusal(&count, &longer), not_canonical);
    }
    // The fingerprint covers neither the length of the name nor the name itself.
    let (mark, name) = head.split_at(HEAD);
    let longer = [mark, &[0x80 | name[0], 0], &name[1..], plain].concat();
    assert_eq!(refusal(&count, &sealed(longer)), not_canonical);
    let renamed = [mark, &[name[0]], b"count/2", plain].concat();
    assert_eq!(refusal(&count, &sealed(renamed)), not_canonical);
    assert_eq!(
        not_canonical.to_string(),
        "the bytes of this state of count/1 differ from those that `save` writes for it; load bytes \
         that `save` returned"
    );
}

/// `restore` sorts the plain data, so lists in different orders lead to the same state. Only the list that would be
/// saved is accepted.
#[test]
fn plain_data_that_would_be_saved_differently_is_refused() {
    #[derive(Debug, Clone, PartialEq)]
    struct Sorted(Vec<u8>);
    impl State for Sorted {
        type Plain = Vec<u8>;
        fn kind(&self) -> Kind {
            Kind::new("sorted", 1)
        }
        fn into_plain(self) -> Vec<u8> {
            self.0
        }
        fn restore(&self, mut plain: Vec<u8>) -> Result<Self, StateError> {
            plain.sort_unstable();
            Ok(Sorted(plain))
        }
    }
    let fresh = Sorted(Vec::new());
    let saved = Sorted(vec![1, 2]).save();
    assert_eq!(fresh.load(&saved), Ok(Sorted(vec![1, 2])));
    assert!(matches!(
        refusal(&fresh, &Sorted(vec![2, 1]).save()),
        StateError::NotCanonical { .. }
    ));
}

/// The length that the bytes claim allocates no memory by itself; only the data allocates memory.
#[test]
fn a_length_alone_takes_no_memory() {
    let length = u64::from(u32::MAX);
    let top = Top::new(usize::MAX);
    assert!(matches!(
        refusal(&top, &forged(top.clone(), &length)),
        StateError::OtherTypes { .. }
    ));
    let groups = Count::new().by(|score: &f64| *score < 0.0);
    assert!(matches!(
        refusal(&groups, &forged(groups.clone(), &length)),
        StateError::OtherTypes { .. }
    ));
}

/// A saved state is small for scores of every magnitude, because it holds the number and not the limbs.
#[test]
fn states_are_small() {
    let saved = |scores: &[f64]| observed((Count::new(), Mean::new()), scores).save().len();
    assert!(saved(&[0.5, 0.25]) < 80, "{}", saved(&[0.5, 0.25]));
    let many = assorted(1_000);
    assert!(saved(&many) < 500, "{}", saved(&many));
}
