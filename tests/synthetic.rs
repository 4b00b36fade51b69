//! The synthetic dataset.
use manyhands::dataset::synthetic::Synthetic;
#[test]
fn show() {
    let s = Synthetic::new(100000, 1);
    let mut v = Vec::new();
    for i in 0..s.records() {
        s.write(i, &mut v);
    }
    std::fs::write("/tmp/syn.jsonl", &v).unwrap();
}
