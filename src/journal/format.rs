//! The bytes of a journal: a first line for people, then blocks of answers.
//!
//! | bytes of a block | content |
//! |---|---|
//! | 4 | [`MAGIC`] |
//! | 4 | the number of bytes of the entries |
//! | 4 | the number of entries |
//! | 8 | everything before this offset was on the disk when the block was written |
//! | 8 | the hash of the entries |
//! | 8 | the hash of the bytes above, of the salt of the journal, and of the offset of the block |
//! | … | the entries: index (varint), key (16 bytes), length of the answer (varint), answer |
//!
//! A block whose number of entries is 0 has no entries. Its bytes say in [postcard](https://postcard.jamesmunns.com) which
//! [run](super::described::DescribedRun) the answers behind it belong to, up to the next such block. If it has no bytes, it only says what is
//! on the disk.
//!
//! Numbers are little-endian, and hashes are XXH3-64. The salt is a random number in the first line. Because of it, neither
//! a block of another journal, which a disk may show after a power failure, nor an answer that looks like a block is
//! taken for a block.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// The version of the format. A journal of another version is refused.
const FORMAT: u64 = 2;

/// The first bytes of each block. A block behind damage is found by them.
pub(super) const MAGIC: [u8; 4] = *b"\xf1\x9dMh";

/// The number of bytes before the entries of a block.
pub(super) const HEADER_BYTES: usize = 36;

/// The longest first line, in bytes.
pub(super) const MOST_LINE_BYTES: usize = 1024;

/// The most bytes that an entry has before its answer.
pub(super) const MOST_HEAD_BYTES: usize = 2 * MOST_VARINT_BYTES + 16;

/// The most bytes of a number of 64 bits, 7 bits in each.
const MOST_VARINT_BYTES: usize = 10;

/// What the first line begins with.
const BEGIN: &[u8] = b"{\"manyhands\":\"journal\",";

/// What precedes the hash in the first line.
const CHECK: &str = ",\"check\":\"";

#[derive(Serialize, Deserialize)]
struct JournalLine {
    manyhands: String,
    format: u64,
    version: String,
    about: String,
    salt: u64,
}

/// Why a file is not used as a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadLine {
    /// It is something else.
    NoJournal,
    /// It has another format, written by this version of manyhands.
    OtherFormat { format: u64, version: String },
    /// It is a journal whose first line was changed.
    Damaged,
}

/// Makes the first line of a journal.
pub(super) fn first_line(salt: u64) -> String {
    let line = JournalLine {
        manyhands: "journal".to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        about: "answers of a run that has not finished; the same command with --resume uses them"
            .to_owned(),
        salt,
    };
    // Serialising strings and numbers cannot fail.
    let json = serde_json::to_string(&line).unwrap_or_default();
    with_check(json.trim_end_matches('}'))
}

/// Completes a first line, of which the bytes before its hash are given.
fn with_check(fields: &str) -> String {
    let hash = XxHash3_64::oneshot(fields.as_bytes());
    format!("{fields}{CHECK}{hash:016x}\"}}\n")
}

/// Whether these are all bytes of a file that ends within the first line of a journal.
pub(super) fn is_cut_in_first_line(bytes: &[u8]) -> bool {
    let is_line = bytes.len() < MOST_LINE_BYTES && bytes.is_ascii() && !bytes.contains(&b'\n');
    is_line && (BEGIN.starts_with(bytes) || bytes.starts_with(BEGIN))
}

/// Reads the first line, which `bytes` begin with. Returns its length and the salt.
pub(super) fn parse_first_line(bytes: &[u8]) -> Result<(u64, u64), BadLine> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let line = end.and_then(|end| std::str::from_utf8(&bytes[..=end]).ok());
    let line = line.ok_or(BadLine::NoJournal)?;
    let said: serde_json::Value = serde_json::from_str(line).map_err(|_| BadLine::NoJournal)?;
    if said["manyhands"] != "journal" {
        return Err(BadLine::NoJournal);
    }
    let format = said["format"].as_u64().ok_or(BadLine::NoJournal)?;
    if format != FORMAT {
        let version = said["version"].as_str().unwrap_or("unknown").to_owned();
        return Err(BadLine::OtherFormat { format, version });
    }
    let fields = line.rsplit_once(CHECK).map(|(fields, _)| fields);
    if fields.is_none_or(|fields| with_check(fields) != line) {
        return Err(BadLine::Damaged);
    }
    let first: JournalLine = serde_json::from_value(said).map_err(|_| BadLine::Damaged)?;
    Ok((line.len() as u64, first.salt))
}

/// What a block says before its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    /// The number of bytes of the entries.
    pub(super) length: u32,
    pub(super) entries: u32,
    /// Everything before this offset was on the disk when the block was written.
    pub(super) on_disk: u64,
    /// The hash of the entries.
    pub(super) hash: u64,
}

/// Where a block of a journal is, which its hash covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockPlace {
    pub(super) salt: u64,
    pub(super) at: u64,
}

impl BlockHeader {
    pub(super) fn bytes(&self, place: BlockPlace) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.entries.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.on_disk.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.hash.to_le_bytes());
        let hash = header_hash(&bytes, place);
        bytes[28..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// Reads the bytes of a header. `None` if they are not those of a header at this place.
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES], place: BlockPlace) -> Option<Self> {
        let header = BlockHeader {
            length: u32::from_le_bytes(part(bytes, 4)),
            entries: u32::from_le_bytes(part(bytes, 8)),
            on_disk: u64::from_le_bytes(part(bytes, 12)),
            hash: u64::from_le_bytes(part(bytes, 20)),
        };
        let is_valid =
            bytes[..4] == MAGIC && u64::from_le_bytes(part(bytes, 28)) == header_hash(bytes, place);
        is_valid.then_some(header)
    }
}

/// The bytes of a number that begins at `at`.
pub(super) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

fn header_hash(bytes: &[u8; HEADER_BYTES], place: BlockPlace) -> u64 {
    let mut hashed = [0; 28 + 16];
    hashed[..28].copy_from_slice(&bytes[..28]);
    hashed[28..36].copy_from_slice(&place.salt.to_le_bytes());
    hashed[36..].copy_from_slice(&place.at.to_le_bytes());
    XxHash3_64::oneshot(&hashed)
}

/// Completes the bytes of a block, whose first [`HEADER_BYTES`] bytes are still free.
pub(super) fn complete_block(block: &mut [u8], entries: u32, on_disk: u64, place: BlockPlace) {
    let (head, payload) = block.split_at_mut(HEADER_BYTES);
    let header = BlockHeader {
        // A block ends with the entry that makes it long, and no entry has more than 1 GiB.
        length: payload.len() as u32,
        entries,
        on_disk,
        hash: XxHash3_64::oneshot(payload),
    };
    head.copy_from_slice(&header.bytes(place));
}

/// Appends an entry to the bytes of a block.
pub(super) fn push_entry(block: &mut Vec<u8>, index: u64, key: u128, answer: &[u8]) {
    let mut head = [0; MOST_HEAD_BYTES];
    let mut length = put_varint(&mut head, 0, index);
    head[length..length + 16].copy_from_slice(&key.to_le_bytes());
    length = put_varint(&mut head, length + 16, answer.len() as u64);
    block.reserve(length + answer.len());
    block.extend_from_slice(&head[..length]);
    block.extend_from_slice(answer);
}

/// Puts a number there, and returns where it ends.
fn put_varint(bytes: &mut [u8], mut at: usize, mut number: u64) -> usize {
    while number >= 0x80 {
        bytes[at] = number as u8 | 0x80;
        number >>= 7;
        at += 1;
    }
    bytes[at] = number as u8;
    at + 1
}

/// What an entry says before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHead {
    pub(super) index: u64,
    pub(super) key: u128,
    /// The number of bytes before the answer.
    pub(super) head_bytes: usize,
    /// The number of bytes of the answer.
    pub(super) length: u64,
}

impl EntryHead {
    /// Reads the beginning of an entry, at the beginning of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Option<EntryHead> {
        let (index, key_at) = varint(bytes, 0)?;
        let key = bytes.get(key_at..key_at + 16)?;
        let (length, head_bytes) = varint(bytes, key_at + 16)?;
        Some(EntryHead {
            index,
            key: u128::from_le_bytes(part(key, 0)),
            head_bytes,
            length,
        })
    }
}

/// Reads a number, and returns it and where it ends.
fn varint(bytes: &[u8], begin: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (digit, byte) in bytes
        .get(begin..)?
        .iter()
        .take(MOST_VARINT_BYTES)
        .enumerate()
    {
        number |= u64::from(byte & 0x7f).checked_shl(7 * digit as u32)?;
        if byte & 0x80 == 0 {
            return Some((number, begin + digit + 1));
        }
    }
    None
}

/// The entries of a block, each with its place in the bytes.
pub(super) struct BlockEntries<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> BlockEntries<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        BlockEntries { payload, at: 0 }
    }

    /// Whether the bytes are exactly this number of entries.
    pub(super) fn are(payload: &'a [u8], number: u32) -> bool {
        let mut entries = BlockEntries::new(payload);
        let found = entries.by_ref().count();
        found == number as usize && entries.at == payload.len()
    }
}

impl Iterator for BlockEntries<'_> {
    type Item = (EntryHead, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.payload[self.at..];
        let head = EntryHead::parse(rest)?;
        let length = head
            .head_bytes
            .checked_add(usize::try_from(head.length).ok()?)?;
        if length > rest.len() {
            return None;
        }
        let begin = self.at;
        self.at += length;
        Some((head, begin..self.at))
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_is_read_back() {
        let line = first_line(u64::MAX);
        assert!(
            line.len() < MOST_LINE_BYTES && line.ends_with("\"}\n"),
            "{line}"
        );
        let read = parse_first_line(format!("{line}and more\n").as_bytes());
        assert_eq!(read, Ok((line.len() as u64, u64::MAX)));
    }

    #[test]
    fn files_that_are_no_journals_are_recognized() {
        let line = first_line(7);
        for other in [
            "",
            "\n",
            "{}\n",
            "{\"manyhands\":\"plan\"}\n",
            "a,b\n",
            line.trim_end(),
        ] {
            assert_eq!(parse_first_line(other.as_bytes()), Err(BadLine::NoJournal));
        }
        for length in 0..line.len() {
            assert!(is_cut_in_first_line(&line.as_bytes()[..length]), "{length}");
        }
        for other in [&line, "x", "{\"text\":", "{\"manyhands\":\"plan\""] {
            assert!(!is_cut_in_first_line(other.as_bytes()), "{other}");
        }
        let newer = line.replace("\"format\":2", "\"format\":3");
        let expected = BadLine::OtherFormat {
            format: 3,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        assert_eq!(parse_first_line(newer.as_bytes()), Err(expected));
        let changed = line.replace("\"salt\":7", "\"salt\":8");
        assert_eq!(parse_first_line(changed.as_bytes()), Err(BadLine::Damaged));
    }

    #[test]
    fn entries_are_read_back() {
        let mut payload = Vec::new();
        let entries = [
            (0, 0, 0),
            (127, 1, 1),
            (128, u128::MAX, 300),
            (u64::MAX, 9, 5),
        ];
        for (index, key, length) in entries {
            push_entry(&mut payload, index, key, &vec![7; length]);
        }
        let read = BlockEntries::new(&payload);
        let read = read.map(|(head, _)| (head.index, head.key, head.length as usize));
        let read: Vec<_> = read.collect();
        assert_eq!(read, entries);
        assert!(BlockEntries::are(&payload, 4) && !BlockEntries::are(&payload, 3));
        assert!(!BlockEntries::are(&payload[..payload.len() - 1], 4));
    }

    #[test]
    fn a_header_is_valid_only_in_its_place() {
        let header = BlockHeader {
            length: 1,
            entries: 2,
            on_disk: 3,
            hash: 4,
        };
        let place = BlockPlace { salt: 5, at: 6 };
        let bytes = header.bytes(place);
        assert_eq!(BlockHeader::parse(&bytes, place), Some(header));
        assert_eq!(
            BlockHeader::parse(&bytes, BlockPlace { salt: 5, at: 7 }),
            None
        );
        assert_eq!(
            BlockHeader::parse(&bytes, BlockPlace { salt: 6, at: 6 }),
            None
        );
    }
}
