use manyhands::dataset::synthetic::Synthetic;
use std::time::Instant;
fn main() {
    let s = Synthetic::new(200000, 1);
    let mut v = Vec::with_capacity(150 << 20);
    for _ in 0..7 {
        v.clear();
        let t = Instant::now();
        for i in 0..s.records() {
            s.write(i, &mut v);
        }
        let e = t.elapsed().as_secs_f64();
        println!(
            "{:.1} MB/s {:.2} us/record",
            v.len() as f64 / e / 1e6,
            e / 2e5 * 1e6
        );
    }
    std::fs::write("/tmp/syn.jsonl", &v).unwrap();
}
