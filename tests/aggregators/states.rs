//! States as bytes: what they look like, and that bytes from anywhere do no harm.

use manyhands::aggregation::{Aggregator, Count, State};

#[test]
fn a_count_is_a_few_bytes() {
    let mut count = Count::new();
    count.observe(0, &1.0);
    assert_eq!(count.save().len(), 37);
}
