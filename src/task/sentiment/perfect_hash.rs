//! A perfect hash from short lowercase ASCII words to their numbers.
//!
//! Most tokens of a text are not in the lexicon, and the processor cannot predict which ones are. So a look-up
//! does not branch on its result: it takes one multiplication, one displacement, and one comparison of 16 bytes. A
//! bitmap or tags that are checked first would keep most look-ups in the first-level cache, but the additional
//! instructions and mispredicted branches would cost more than the cache misses that they avoid.
//!
//! Hash and displace: Belazzougui, Botelho and Dietzfelbinger, "Hash, displace, and compress",
//! ESA 2009.

use std::hint::select_unpredictable;

/// Largest length of a word in the table, in bytes. The few longer words are searched one by one.
pub(super) const KEY_BYTES: usize = 16;

/// Number of slots; a power of two.
const SLOTS: usize = 1 << 13;
/// Number of buckets; a power of two. The words of a bucket share a displacement.
const BUCKETS: usize = 1 << 11;

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
    displacements: Box<[u16; BUCKETS]>,
    slots: Box<[HashSlot; SLOTS]>,
    long: Vec<(&'static str, u16)>,
    seed: u64,
}

/// A word's key and number; number 0 marks a free slot.
#[derive(Clone, Copy, Default)]
struct HashSlot {
    key: u128,
    number: u16,
}

impl PerfectHash {
    /// Builds the table. Words must be distinct, and numbers must not be zero.
    pub(super) fn new(words: &[(&'static str, u16)]) -> PerfectHash {
        let (short, long): (Vec<_>, Vec<_>) =
            words.iter().partition(|(word, _)| word.len() <= KEY_BYTES);
        let short: Vec<(u128, u16)> = short
            .into_iter()
            .map(|(word, number)| {
                let mut bytes = [0; KEY_BYTES];
                bytes[..word.len()].copy_from_slice(word.as_bytes());
                (key(bytes, word.len()), number)
            })
            .collect();
        // This first seed was found by trial, and it works, so no other seed is needed.
        let mut seed = 0xfb34_c4b9_d8db_d339;
        loop {
            if let Some(table) = PerfectHash::place(&short, long.clone(), seed) {
                return table;
            }
            seed = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
        }
    }

    /// Places the words, starting with the fullest buckets. Each bucket gets the first displacement that puts all
    /// its words in free slots; `None` if a bucket cannot be placed.
    fn place(
        short: &[(u128, u16)],
        long: Vec<(&'static str, u16)>,
        seed: u64,
    ) -> Option<PerfectHash> {
        let mut table = PerfectHash {
            displacements: Box::new([0; BUCKETS]),
            slots: Box::new([HashSlot::default(); SLOTS]),
            long,
            seed,
        };
        let mut buckets: Vec<Vec<(u128, u16)>> = vec![Vec::new(); BUCKETS];
        for &(key, number) in short {
            buckets[bucket(hash(key, seed))].push((key, number));
        }
        let mut order: Vec<usize> = (0..BUCKETS).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(buckets[at].len()));
        for at in order {
            let entries = &buckets[at];
            let slots = |displacement| {
                let slot = move |&(key, _): &(u128, u16)| slot(hash(key, seed), displacement);
                entries.iter().map(slot)
            };
            let is_free = |&displacement: &u16| {
                slots(displacement).enumerate().all(|(nth, slot)| {
                    table.slots[slot].number == 0
                        && !slots(displacement).take(nth).any(|s| s == slot)
                })
            };
            let displacement = (0..SLOTS as u16).find(is_free)?;
            for &(key, number) in entries {
                let hash = hash(key, seed);
                let slot = slot(hash, displacement);
                table.slots[slot] = HashSlot { key, number };
            }
            table.displacements[at] = displacement;
        }
        Some(table)
    }

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
fn hash(key: u128, seed: u64) -> u64 {
    let product =
        u128::from(key as u64 ^ seed) * u128::from((key >> 64) as u64 ^ !seed.rotate_left(29));
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn bucket(hash: u64) -> usize {
    (hash >> 53) as usize % BUCKETS
}

#[inline]
fn slot(hash: u64, displacement: u16) -> usize {
    (hash as usize ^ usize::from(displacement)) % SLOTS
}
