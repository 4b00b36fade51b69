//! Compares the time of the sentiment scorer with that of the crate `vader-parity`, which gives the same scores but
//! allocates memory for every token.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::task::sentiment::Sentiment;
use std::hint::black_box;
use vader_parity::SentimentIntensityAnalyzer;

/// Returns generated reviews of a few hundred words each. About one word in eleven is in the lexicon.
fn synthetic() -> Vec<String> {
    const SENTENCES: [&str; 12] = [
        "The story begins on a train and never leaves it, which is less of a limit than it sounds.",
        "I wasn't sure about the second hour, but the ending is wonderful!",
        "Her brother, a clerk in the harbour office, reads the letters aloud to anyone who waits.",
        "It's kind of slow, and the music doesn't help; at least the pictures are good.",
        "No one in the seats behind us stopped talking (or eating) until the lights went out.",
        "What a terrible waste of two fine actors and a perfectly reasonable budget.",
        "The camera stays outside the house for all of the first act, as in the older version.",
        "<br /><br />I have seen it three times since 1998 and would see it again tomorrow.",
        "Is it funny? Not very. Is it sad? VERY, though hardly in the way they meant.",
        "The dialogue was written by the director's uncle and sounds like a list of parts.",
        "My favourite scene has no words at all: a door, a lamp, and someone else's coat.",
        "Without doubt the worst haircut ever put on film.",
    ];
    let mut state = 7_u64;
    let mut sentence = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        SENTENCES[(state >> 33) as usize % SENTENCES.len()]
    };
    (0..500)
        .map(|_| (0..16).map(|_| sentence()).collect::<Vec<_>>().join(" "))
        .collect()
}

/// Returns the field `text` of every record in the JSON Lines file that the environment variable `MANYHANDS_REVIEWS`
/// names.
fn given() -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Review {
        text: String,
    }
    let path = std::env::var_os("MANYHANDS_REVIEWS")?;
    let lines = std::fs::read_to_string(path).expect("MANYHANDS_REVIEWS names a readable file");
    let review = |line| {
        serde_json::from_str::<Review>(line)
            .expect("a record with a text")
            .text
    };
    Some(lines.lines().map(review).collect())
}

fn compare(criterion: &mut Criterion) {
    let ours = Sentiment::new();
    let theirs = SentimentIntensityAnalyzer::new();
    let given = given().map(|reviews| ("given", reviews));
    for (name, reviews) in given.into_iter().chain([("synthetic", synthetic())]) {
        let mut group = criterion.benchmark_group("sentiment");
        let bytes: usize = reviews.iter().map(String::len).sum();
        group
            .throughput(Throughput::Bytes(bytes as u64))
            .sample_size(20);
        group.bench_function(BenchmarkId::new("manyhands", name), |bencher| {
            bencher.iter(|| {
                reviews
                    .iter()
                    .map(|review| ours.score(black_box(review)).compound)
                    .sum::<f64>()
            });
        });
        group.bench_function(BenchmarkId::new("vader-parity", name), |bencher| {
            bencher.iter(|| {
                let score = |review| theirs.polarity_scores(black_box(review)).compound;
                reviews.iter().map(|review| score(review)).sum::<f64>()
            });
        });
    }
}

criterion_group!(benches, compare);
criterion_main!(benches);
