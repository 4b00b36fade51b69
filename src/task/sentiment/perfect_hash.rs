//! A perfect hash from short lowercase ASCII words to their numbers.
//!
//! Most tokens of a text are not in the lexicon, and the processor cannot predict which ones are. So a look-up
//! does not branch on its result: it takes one multiplication, one displacement, and one comparison of 16 bytes. A
//! bitmap or tags that are checked first would keep most look-ups in the first-level cache, but the additional
//! instructions and mispredicted branches would cost more than the cache misses that they avoid.
//!
//! Hash and displace: Belazzougui, Botelho and Dietzfelbinger, "Hash, displace, and compress",
//! ESA 2009.
//!
//! The build script compiles this file too, since it makes the tables.

use std::hint::select_unpredictable;

/// Largest length of a word in the table, in bytes. The few longer words are searched one by one.
pub(super) const KEY_BYTES: usize = 16;

/// Number of slots; a power of two.
pub(super) const SLOTS: usize = 1 << 13;
/// Number of buckets; a power of two. The words of a bucket share a displacement.
pub(super) const BUCKETS: usize = 1 << 11;

/// For each length of a word, the bits that fill the rest of its key. UTF-8 never contains these bytes, so no word
/// has the key of a shorter word.
const FILL: [u128; KEY_BYTES + 1] = {
    let mut fill = [u128::MAX; KEY_BYTES + 1];
    let mut length = 1;
    while length <= KEY_BYTES {
        fill[length] = if length == KEY_BYTES {
            0
        } else {
            u128::MAX << (8 * length)
        };
        length += 1;
    }
    fill
};

/// The numbers of words, by their bytes.
pub(super) struct PerfectHash {
    pub(super) seed: u64,
    pub(super) displacements: [u16; BUCKETS],
    pub(super) slots: [HashSlot; SLOTS],
    pub(super) long: &'static [(&'static str, u16)],
}

/// A word's key and number; number 0 marks a free slot. The alignment keeps a slot within one cache line.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct HashSlot {
    pub(super) key: u128,
    pub(super) number: u16,
}

impl HashSlot {
    pub(super) const FREE: HashSlot = HashSlot { key: 0, number: 0 };
}

impl PerfectHash {
    /// The number of the word with this key, or 0.
    #[inline]
    pub(super) fn number(&self, key: u128) -> u16 {
        let hash = hash(key, self.seed);
        let slot = slot(hash, self.displacements[bucket(hash)]);
        let HashSlot { key: known, number } = self.slots[slot];
        select_unpredictable(known == key, number, 0)
    }

    /// The number of a lowercase word longer than [`KEY_BYTES`], or 0.
    #[cold]
    pub(super) fn number_of_long(&self, word: &[u8]) -> u16 {
        let same = |(known, _): &&(&str, u16)| known.as_bytes() == word;
        self.long.iter().find(same).map_or(0, |&(_, number)| number)
    }
}

/// The key of the word in the first `length` bytes; the other bytes are ignored.
#[inline]
pub(super) fn key(bytes: [u8; KEY_BYTES], length: usize) -> u128 {
    u128::from_le_bytes(bytes) | FILL[length.min(KEY_BYTES)]
}

#[inline]
pub(super) fn hash(key: u128, seed: u64) -> u64 {
    let product =
        u128::from(key as u64 ^ seed) * u128::from((key >> 64) as u64 ^ !seed.rotate_left(29));
    product as u64 ^ (product >> 64) as u64
}

#[inline]
pub(super) fn bucket(hash: u64) -> usize {
    (hash >> 53) as usize % BUCKETS
}

#[inline]
pub(super) fn slot(hash: u64, displacement: u16) -> usize {
    (hash as usize ^ usize::from(displacement)) % SLOTS
}
