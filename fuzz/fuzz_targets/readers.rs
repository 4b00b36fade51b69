//! Every format, chosen or found: a text that arrives in pieces has the same records as the text as a whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands_fuzz::{Reading, assert_same};

fuzz_target!(|input: (Reading, u8, &[u8])| {
    let (reading, piece, text) = input;
    let options = reading.options();
    let whole = reading.read_stream(&options, text, usize::MAX);
    let pieces = reading.read_stream(&options, text, piece.into());
    assert_same(&whole, &pieces);
    for (number, (index, line, _)) in whole.0.iter().enumerate() {
        assert_eq!(*index, number as u64, "indices have no gaps");
        assert!(*line > 0, "a record of a text has a line");
    }
});
