//! The bytes of the synthetic dataset depend on the seed alone, and the dataset has the irregularities that its
//! documentation promises.

use std::collections::BTreeMap;

use manyhands::dataset::synthetic::{Review, Synthetic};
use sha2::{Digest, Sha256};
use vader_parity::SentimentIntensityAnalyzer;

fn reviews(records: u64, seed: u64) -> impl Iterator<Item = Review> {
    let reviews = Synthetic::new(records, seed);
    (0..records).map(move |index| reviews.review(index))
}

fn lines(records: u64, seed: u64) -> Vec<u8> {
    let reviews = Synthetic::new(records, seed);
    let mut lines = Vec::new();
    for index in 0..records {
        reviews.write(index, &mut lines);
    }
    lines
}

/// Users refer to generated files by their seed, so changing these bytes is a breaking change.
#[test]
fn the_bytes_of_a_seed_never_change() {
    let lines = lines(1_000, 1);
    let first = String::from_utf8_lossy(lines.split(|&byte| byte == b'\n').next().unwrap());
    assert_eq!(first, FIRST_LINE);
    let digest: String = Sha256::digest(&lines)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, DIGEST);
}

const FIRST_LINE: &str = r#"{"id":"r000001","product":"Paper Orchard","category":"films","rating":2,"text":"(I was given no discount for this) They said \"amazing\"; I say hopeless! There is just enough frustrating pacing to spoil it. The picture in the shop shows another movie. It is useful, fantastic and gorgeous. The box measures 30 \\ 20 \\ 10 cm! Exceptionally dreadful, and half-baked on top of it. I had it with me on the train for three days."}"#;
const DIGEST: &str = "1a3889a9dd0693a29c683f76107e4f22e825094638bcd11b5db833527abb2fba";

#[test]
fn a_record_depends_on_seed_and_index_alone() {
    let whole: Vec<_> = reviews(300, 9).collect();
    let short = Synthetic::new(1, 9);
    for index in (0..300).rev() {
        assert_eq!(short.review(index), whole[index as usize]);
    }
    let same = reviews(300, 10)
        .zip(&whole)
        .filter(|(other, one)| other.text == one.text)
        .count();
    assert!(
        same < 10,
        "{same} of 300 texts are the same with another seed"
    );
}

#[test]
fn the_last_index_has_a_record() {
    let last = Synthetic::new(u64::MAX, 3).review(u64::MAX);
    assert_eq!(last.id, "r18446744073709551616");
}

/// Each line is a JSON object. The fields of the object are in the documented order and contain the review.
#[test]
fn every_line_parses() {
    let lines = lines(3_000, 2);
    let lines = std::str::from_utf8(&lines).unwrap();
    assert_eq!(lines.lines().count(), 3_000);
    for ((number, line), review) in (1..).zip(lines.lines()).zip(reviews(3_000, 2)) {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(parsed["id"], format!("r{number:06}"));
        assert_eq!(parsed["product"], review.product);
        assert_eq!(parsed["category"], review.category);
        assert_eq!(parsed["rating"], review.rating);
        assert_eq!(parsed["text"], review.text);
        assert!((1..=5).contains(&review.rating));
        assert!(
            !review.text.contains(['{', '}']),
            "an empty slot: {}",
            review.text
        );
        let mut at = 0;
        for field in [
            "{\"id\":",
            ",\"product\":",
            ",\"category\":",
            ",\"rating\":",
            ",\"text\":",
        ] {
            at += line[at..].find(field).expect(field);
        }
    }
}

/// Compares the lengths of the texts with the quantiles in the documentation. A length may differ from its quantile
/// by a tenth plus 8 bytes, the length of a word.
#[test]
fn lengths_follow_their_quantiles() {
    let bytes = lines(10_000, 4).len() as f64 / 10_000.0;
    assert!((560.0..640.0).contains(&bytes), "{bytes} bytes per line");
    let mut lengths: Vec<_> = reviews(10_000, 4).map(|review| review.text.len()).collect();
    lengths.sort_unstable();
    for (percent, expected) in [
        (10, 42),
        (30, 145),
        (50, 290),
        (70, 520),
        (90, 1_100),
        (99, 3_200),
    ] {
        let length = lengths[percent * lengths.len() / 100];
        let off = length.abs_diff(expected);
        assert!(
            off <= 8 + expected / 10,
            "{percent} %: {length} bytes, expected {expected}"
        );
    }
}

#[test]
fn stars_follow_the_sentiment() {
    let vader = SentimentIntensityAnalyzer::new();
    let mut sums = [(0.0, 0_u32); 5];
    for review in reviews(2_000, 5) {
        let (sum, count) = &mut sums[usize::from(review.rating) - 1];
        *sum += vader.polarity_scores(&review.text).compound;
        *count += 1;
    }
    let means = sums.map(|(sum, count)| sum / f64::from(count));
    assert!(
        means.is_sorted_by(|low, high| low + 0.05 < *high),
        "{means:?}"
    );
    assert!(means[0] < -0.5 && means[4] > 0.5, "{means:?}");
}

/// The popularity of products follows the law of Zipf, and products differ in their stars.
#[test]
fn groups_differ_in_size_and_mean() {
    let mut products: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut categories: BTreeMap<&str, u32> = BTreeMap::new();
    for review in reviews(12_000, 6) {
        let (count, stars) = products.entry(review.product).or_default();
        *count += 1;
        *stars += u32::from(review.rating);
        *categories.entry(review.category).or_default() += 1;
    }
    assert_eq!(categories.len(), 8);
    assert!(
        categories.values().all(|&count| count > 600),
        "{categories:?}"
    );
    assert!(products.len() > 310, "{} products", products.len());

    let mut popular: Vec<_> = products.values().copied().collect();
    popular.sort_unstable_by(|one, other| other.cmp(one));
    let share = f64::from(popular[0].0) / 12_000.0;
    assert!(
        (0.14..0.18).contains(&share),
        "the first product has {share} of the reviews"
    );
    let ratio = f64::from(popular[0].0) / f64::from(popular[3].0);
    assert!(
        (3.2..4.8).contains(&ratio),
        "the first has {ratio} times the reviews of the fourth"
    );

    let stars = popular[..20]
        .iter()
        .map(|&(count, stars)| f64::from(stars) / f64::from(count));
    let (low, high) = stars.fold((5.0_f64, 1.0_f64), |(low, high), mean| {
        (low.min(mean), high.max(mean))
    });
    assert!(high - low > 1.0, "mean stars from {low} to {high}");
}
