//! Compares the time in which records are read from files, and a number is taken from each, with that of the crates
//! `csv` and `serde_json`. All contenders work on one thread, and compute the same count, mean and variance.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use manyhands::aggregation::{Aggregator, MomentSummary, Moments};
use manyhands::dataset::{FieldValue, Fields};
use manyhands::error::BadRecord;
use manyhands::prelude::*;

/// The length of the files in bytes, about.
const BYTES: usize = 16 << 20;

/// Number of the column that is read, from 0.
const RATING: usize = 2;

/// Texts of 100 to 500 bytes, with commas, quotes, accents, and a line end in one of a hundred texts.
fn texts() -> impl Iterator<Item = String> {
    const WORDS: [&str; 12] = [
        "the", "film,", "was", "good", "café", "\"fun\"", "and", "long.", "a", "story", "never",
        "ends",
    ];
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    (0..).map(move |number| {
        let words = 20 + random(80);
        let mut text: Vec<&str> = (0..words).map(|_| WORDS[random(WORDS.len())]).collect();
        if number % 100 == 0 {
            text.push("\nThe end.");
        }
        text.join(" ")
    })
}

fn rating(number: usize) -> f64 {
    (number * 37 % 50) as f64 / 10.0
}

/// Writes a table and the same records as JSON lines.
fn write_files(folder: &Path) {
    let mut table = Vec::from("id,category,rating,text\n");
    let mut lines = Vec::new();
    for (number, text) in texts().enumerate() {
        let (rating, quoted) = (rating(number), text.replace('"', "\"\""));
        writeln!(table, "{number},films,{rating},\"{quoted}\"").expect("memory");
        let json = serde_json::to_string(&text).expect("JSON");
        let line = format!(
            r#"{{"id": {number}, "category": "films", "rating": {rating}, "text": {json}}}"#
        );
        writeln!(lines, "{line}").expect("memory");
        if table.len() > BYTES {
            break;
        }
    }
    std::fs::write(folder.join("reviews.csv"), table).expect("a file");
    std::fs::write(folder.join("reviews.jsonl"), lines).expect("a file");
}

fn by_manyhands(path: &Path) -> MomentSummary {
    let files = TextFiles::open([path]).expect("a file");
    let fields = Fields::new(["rating"], [""; 0]);
    let number = fallible(|record: &TextRecord<'_>| {
        let values = fields.of(record)?;
        let number: Option<f64> = match values.get(0) {
            FieldValue::Text(text) | FieldValue::Json(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| BadRecord::new("expected a number", None))
    });
    let report = Pipeline::new(&files, number)
        .executor(&Sequential)
        .aggregate(Moments::new());
    report.expect("a report").value
}

fn by_csv(path: &Path) -> MomentSummary {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let mut record = csv::ByteRecord::new();
    moments(std::iter::from_fn(|| {
        let is_read = reader.read_byte_record(&mut record).expect("a record");
        is_read.then(|| {
            let rating = std::str::from_utf8(&record[RATING]).expect("UTF-8");
            rating.parse().expect("a number")
        })
    }))
}

fn by_serde_json(path: &Path) -> MomentSummary {
    #[derive(serde::Deserialize)]
    struct Review {
        rating: f64,
    }
    let mut reader = BufReader::with_capacity(256 << 10, File::open(path).expect("a file"));
    let mut line = String::new();
    moments(std::iter::from_fn(|| {
        line.clear();
        let read = reader.read_line(&mut line).expect("UTF-8");
        (read > 0).then(|| {
            let review: Review = serde_json::from_str(&line).expect("a review");
            review.rating
        })
    }))
}

fn moments(numbers: impl Iterator<Item = f64>) -> MomentSummary {
    let mut moments = Moments::new();
    for (index, number) in (0..).zip(numbers) {
        moments.observe(index, &number);
    }
    moments.finish()
}

fn compare(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path());
    for (format, name, theirs, reader) in [
        (
            "csv",
            "reviews.csv",
            "csv",
            by_csv as fn(&Path) -> MomentSummary,
        ),
        ("jsonl", "reviews.jsonl", "serde_json", by_serde_json),
    ] {
        let path = folder.path().join(name);
        assert_eq!(by_manyhands(&path), reader(&path));
        let bytes = std::fs::metadata(&path).expect("a file").len();
        let mut group = criterion.benchmark_group(format!("reading {format}"));
        group.throughput(Throughput::Bytes(bytes)).sample_size(20);
        group.bench_function("manyhands", |bencher| {
            bencher.iter(|| by_manyhands(black_box(&path)));
        });
        group.bench_function(theirs, |bencher| bencher.iter(|| reader(black_box(&path))));
    }
}

criterion_group!(benches, compare);
criterion_main!(benches);
