//! Scores records by calls to a service from Rust: the mean of a number in its answers, and the records that failed.
//!
//! ```sh
//! python3 examples/http/service.py 8000 &
//! cargo run --release --features http --example service -- data/reviews.jsonl http://127.0.0.1:8000/ words
//! ```

use std::error::Error;
use std::time::Duration;

use manyhands::Limit;
use manyhands::plan::{HttpOptions, Plan, RunOptions};
use manyhands::remote::ServiceOptions;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, url, column] = &arguments[..] else {
        return Err(
            "expected a file of records, the URL of a service, and the name of a number".into(),
        );
    };
    let mut plan = Plan::new([file]);
    plan.scorer = HttpOptions::new(ServiceOptions::new(url.as_str())).into();
    plan.rank = Some(column.clone());
    plan.limit = Limit::in_flight(64);
    plan.timeout = Some(Duration::from_secs(10));

    let answer = plan.open()?.run(RunOptions::default())?;
    let report = &answer.report;
    println!("{} records scored, {} failed", report.scored, report.failed);
    if let Some(numbers) = report.value.scores.get(column.as_str()) {
        println!("mean {}", numbers.moments.mean);
    }
    for failure in &report.failures {
        println!("failed: {failure}");
    }
    if let Some(calls) = &answer.calls {
        println!("{}", calls.explanation());
    }
    Ok(())
}
