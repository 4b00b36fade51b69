//! Texts in other encodings: a text that arrives in pieces is decoded like the text as a whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::TextEncoding;
use manyhands_fuzz::{Reading, assert_same};

const LABELS: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "windows-1251",
    "iso-8859-2",
    "shift_jis",
    "euc-kr",
    "gb18030",
    "big5",
    "iso-2022-jp",
    "x-user-defined",
];

fuzz_target!(|input: (Reading, u8, bool, u8, &[u8])| {
    let (reading, label, lossy, piece, text) = input;
    let label = LABELS[usize::from(label) % LABELS.len()];
    let encoding: TextEncoding = label.parse().expect("a label of the standard");
    let options = reading.options().lossy(lossy).encoding(encoding);
    let whole = reading.read_stream(&options, text, usize::MAX);
    let pieces = reading.read_stream(&options, text, piece.into());
    assert_same(&whole, &pieces);
});
