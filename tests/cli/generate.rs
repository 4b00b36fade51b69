//! These tests cover `generate`, which writes synthetic reviews.

use super::{folder_with, read, run, sample, score, write};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = folder_with("unused", "");
    let reviews = |seed: &str| run(&folder, &["generate", "--records", "300", "--seed", seed]);
    let first = reviews("7");
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert_eq!(first.out.lines().count(), 300);
    assert!(first.out.ends_with("}\n"));
    assert_eq!(first.out, reviews("7").out);
    assert_ne!(first.out, reviews("8").out);
}

#[test]
fn the_sample_is_what_is_generated() {
    let folder = folder_with("unused", "");
    let generated = run(&folder, &["generate", "--records", "2000"]).out;
    let sample = std::fs::read_to_string(sample()).expect("the sample");
    assert!(
        generated == sample,
        "data/reviews.jsonl is not what generate makes"
    );
}

#[test]
fn fewer_reviews_are_a_prefix_of_more() {
    let folder = folder_with("unused", "");
    let none = run(&folder, &["generate", "-n", "0"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    let few = run(&folder, &["generate", "-n", "1"]);
    let many = run(&folder, &["generate", "-n", "3"]);
    assert!(many.out.starts_with(&few.out));
}

#[test]
fn reviews_can_be_scored() {
    let folder = folder_with("unused", "");
    write(
        &folder,
        "in.jsonl",
        run(&folder, &["generate", "-n", "500"]).out,
    );
    let arguments = [
        "--by", "category", "--keep", "id", "--scores", "out.csv", "--json",
    ];
    let json = score(&folder, "in.jsonl", &arguments).json();
    assert_eq!((&json["scored"], &json["failed"]), (&500.into(), &0.into()));
    assert_eq!(read(&folder, "out.csv").lines().count(), 501);
}
