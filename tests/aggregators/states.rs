//! States taken down and restored, by whatever way the records were shared out.

use manyhands::aggregation::{Aggregator, State, StateError};

/// A number that follows from its place, and looks like any other.
pub fn scatter(place: u64) -> u64 {
    let mut bits = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    bits ^ (bits >> 32)
}

/// The state of an aggregator that has observed all of these.
pub fn observed<S, A: Aggregator<S>>(mut state: A, scores: &[S]) -> A {
    for (index, score) in (0..).zip(scores) {
        state.observe(index, score);
    }
    state
}

/// Checks that the saved state is one and the same for records in any order, in any number of
/// parts, merged in any order, some of them by way of their bytes.
pub fn assert_one_state<S, A: Aggregator<S> + State>(fresh: &A, scores: &[S]) {
    let expected = observed(fresh.clone(), scores).save();
    for round in 0..24_u64 {
        let parts = 1 + scatter(round) % 9;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by_key(|&place| scatter(place as u64 ^ round << 40));
        let mut states = vec![fresh.clone(); parts as usize];
        for place in order {
            let part = scatter((place as u64) << 20 ^ round) % parts;
            states[part as usize].observe(place as u64, &scores[place]);
        }
        let mut whole = fresh.clone();
        for (part, mut state) in (0..).zip(states) {
            if scatter(part ^ round << 8) & 1 == 0 {
                state = fresh.load(&state.save()).expect("what was saved");
            }
            if scatter(part ^ round << 16) & 1 == 0 {
                std::mem::swap(&mut whole, &mut state);
            }
            whole.merge(state);
        }
        assert!(whole.save() == expected, "round {round}");
    }
    let restored = fresh.load(&expected).expect("what was saved");
    assert!(restored.save() == expected, "not the state that was saved");
}

/// Checks that no state comes to this.
pub fn assert_impossible<A: State>(fresh: &A, plain: A::Plain) {
    match fresh.restore(plain) {
        Err(StateError::Impossible(_)) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("restored what no state comes to"),
    }
}

/// Plain data that was read from these values, whatever its type is called.
pub fn plain<A: State>(_: &A, values: impl serde::Serialize) -> A::Plain {
    let bytes = postcard::to_stdvec(&values).expect("values that can be written");
    postcard::from_bytes(&bytes).expect("values in the shape of the plain data")
}
