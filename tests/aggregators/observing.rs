//! Helpers that observe values, and that restore plain data which cannot result from any records.

use manyhands::aggregation::{Aggregator, State, StateError};
use serde::Serialize;

/// Returns a pseudorandom number that depends on its place alone.
pub fn scatter(place: u64) -> u64 {
    let mut bits = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    bits ^ (bits >> 32)
}

/// Returns the state of the aggregator after it has observed all these scores.
pub fn observed<S, A: Aggregator<S>>(mut state: A, scores: &[S]) -> A {
    state.observe_slice(0, scores);
    state
}

/// Returns plain data with these values. This works for types that cannot be named, too.
pub fn plain<A: State>(_: &A, values: impl Serialize) -> A::Plain {
    let bytes = postcard::to_stdvec(&values).expect("values that can be written");
    postcard::from_bytes(&bytes).expect("values in the shape of the plain data")
}

/// Asserts that `restore` refuses this plain data.
pub fn assert_impossible<A: State>(fresh: &A, plain: A::Plain) {
    match fresh.restore(plain) {
        Err(StateError::Impossible(_)) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("restored plain data that no records lead to"),
    }
}
