//! Files that are cut into parts: the parts, read in any order, have the records of the file as a stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::Dataset as _;
use manyhands_fuzz::{Folder, Reading, assert_same, is_legacy, message};

thread_local! {
    static FOLDER: Folder = Folder::default();
}

fuzz_target!(|input: (Reading, u8, u64, &[u8])| {
    let (reading, part_bytes, order, text) = input;
    let options = reading.options();
    let expected = reading.read_stream(&options, text, usize::MAX);
    let path = FOLDER.with(|folder| folder.write(reading.name(), text));
    let source = match options.open(&[&path]) {
        Ok(source) => source.with_part_bytes(u64::from(part_bytes).max(1)),
        // An error that refuses a file when it is opened ends a stream before its first record.
        Err(error) => {
            let found = (Vec::new(), Some(message(&error)));
            assert!(found == expected || is_legacy(&found), "{found:?}");
            return;
        }
    };
    if source.is_stream() {
        // How much of damaged compressed data is unpacked depends on the pieces in which it is read.
        assert_same(&expected, &reading.read(&source, 0..1000));
        return;
    }
    let mut parts: Vec<usize> = (0..source.parts()).collect();
    parts.sort_by_key(|part| (*part as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut found = Vec::new();
    let mut ended = None;
    for part in parts {
        let (seen, error) = reading.read(&source, part..part + 1);
        found.extend(seen);
        ended = ended.or(error);
    }
    found.sort();
    assert_eq!((found, ended), expected);
});
