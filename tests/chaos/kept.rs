//! The answers in a journal on the disk, read without the code that is tested.

use twox_hash::XxHash3_64;

use crate::scene::Files;

/// What a block begins with, and the number of bytes before its entries.
const MAGIC: &[u8] = b"\xf1\x9dMh";
const HEADER_BYTES: usize = 36;

/// The index of the record of each answer in a journal. Of equal records, one may have taken over the answer of another, so
/// that an index occurs twice.
fn kept_in(journal: &[u8]) -> Vec<usize> {
    let mut kept = Vec::new();
    let line = journal.iter().position(|byte| *byte == b'\n');
    let mut at = line.map_or(journal.len(), |end| end + 1);
    let first: serde_json::Value = serde_json::from_slice(&journal[..at]).unwrap_or_default();
    let salt = first["salt"].as_u64().unwrap_or_default();
    while let Some(header) = journal.get(at..at + HEADER_BYTES) {
        let number = |at: usize, bytes: usize| {
            let digits = header[at..at + bytes].iter().rev();
            digits.fold(0_u64, |number, digit| number << 8 | u64::from(*digit))
        };
        let hashed = [
            &header[..28],
            &salt.to_le_bytes(),
            &(at as u64).to_le_bytes(),
        ]
        .concat();
        let is_whole = header.starts_with(MAGIC) && XxHash3_64::oneshot(&hashed) == number(28, 8);
        let begin = at + HEADER_BYTES;
        at = begin + number(4, 4) as usize;
        let entries = journal.get(begin..at);
        let entries =
            entries.filter(|entries| is_whole && XxHash3_64::oneshot(entries) == number(20, 8));
        let Some(mut entries) = entries else {
            break;
        };
        // A block without entries may say which command the next ones are of.
        while number(8, 4) > 0 && !entries.is_empty() {
            kept.push(varint(&mut entries) as usize);
            // The key follows.
            entries = &entries[16..];
            let length = varint(&mut entries) as usize;
            entries = &entries[length..];
        }
    }
    kept
}

/// The index of the record of each answer in the journal that belongs to this output.
pub(crate) fn kept(files: &Files, output: &str) -> Vec<usize> {
    let names = [".journal", ".journal.complete"].map(|end| format!("{output}{end}"));
    let journal = names.iter().find_map(|name| files.get(name));
    journal.map(|journal| kept_in(journal)).unwrap_or_default()
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for digit in 0.. {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        number |= u64::from(byte & 0x7f) << (7 * digit);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}
