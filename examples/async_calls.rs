//! Calls under a limit together with work for a processor core, in both orders: a step after each call, and a step before
//! each call.
//!
//! ```sh
//! cargo run --release --features async --example async_calls
//! ```

use std::time::Duration;

use manyhands::Error;
use manyhands::prelude::*;

/// Stands for a call to a service that returns a review: it waits, and needs no processor core.
async fn fetch(number: u64) -> String {
    tokio::time::sleep(Duration::from_millis(5)).await;
    format!("Review {number}: the plot is great, and the ending is not bad.")
}

/// Stands for a call to a service that takes a summary and says under which number it was stored.
async fn store(summary: &str) -> usize {
    tokio::time::sleep(Duration::from_millis(5)).await;
    summary.len()
}

/// Needs a processor core and never waits.
fn longest_word(text: &str) -> String {
    let words = text.split_whitespace();
    let longest = words.max_by_key(|word| word.chars().count());
    longest.unwrap_or_default().to_owned()
}

fn main() -> Result<(), Error> {
    // A step after each call: at most 64 calls are in flight, all on one thread. The step runs on a worker for each core,
    // so a long step holds up no call.
    let sentiment = Sentiment::new();
    let report = stream(0..2_000_u64)
        .task_async(async |number: &u64| fetch(*number).await)
        .then(|review: &String| sentiment.score(review).compound)
        .in_flight(64)
        .timeout(Duration::from_secs(10))
        .aggregate((Count::new(), Mean::new()))?;
    let (reviews, mean) = report.value;
    println!("{reviews} reviews were fetched and scored: {mean:.4} on average");

    // A step before each call: the scores of one stream are the records of the next one. The first stream runs on the
    // workers, and runs ahead of the calls only as far as its own limit in flight allows.
    let texts = (0..2_000_u64).map(|number| format!("text {number} with some noteworthy words"));
    let stored = std::thread::scope(|scope| {
        let summaries = stream(texts)
            .task(|text: &String| longest_word(text))
            .in_flight(256)
            .iter(scope);
        // A record without a summary becomes a failure of the second stream, so it is not lost.
        let store = fallible_async(async |summary: &Result<String, Error>| match summary {
            Ok(summary) => Ok(store(summary).await),
            Err(failure) => Err(failure.to_string()),
        });
        stream(summaries)
            .task_async(store)
            .in_flight(64)
            .collect::<Vec<usize>>()
    })?;
    println!("{} summaries were stored", stored.len());
    Ok(())
}
