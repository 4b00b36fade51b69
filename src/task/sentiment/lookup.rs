//! A perfect hash from short lowercase ASCII words to their numbers.
//!
//! Most tokens of a text are unknown words, and which ones are known cannot be predicted, so a
//! look-up has no branch on what it finds: one multiplication, one displacement, one comparison of
//! 16 bytes. A bitmap or tags in front would keep most comparisons in the first-level cache; both
//! cost more, in mispredicted branches and in instructions, than the cache misses they save.
//!
//! Hash and displace: Belazzougui, Botelho and Dietzfelbinger, "Hash, displace, and compress",
//! ESA 2009.

use std::hint::select_unpredictable;

/// How much of a word is compared at once. Longer words are few and looked up one by one.
pub(super) const KEY_BYTES: usize = 16;

const SLOTS: usize = 1 << 13;
const BUCKETS: usize = 1 << 11;

/// What fills a key after the end of the word: a byte that UTF-8 never contains, so that no word
/// can be mistaken for a shorter one.
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

pub(super) struct Lookup {
    displacements: Box<[u16; BUCKETS]>,
    slots: Box<[Slot; SLOTS]>,
    long: Vec<(&'static str, u16)>,
    seed: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u128,
    number: u16,
}

impl Lookup {
    /// Builds the table; words must be distinct, numbers not zero.
    pub(super) fn new(words: &[(&'static str, u16)]) -> Lookup {
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
        // Found by trying: the first that needs no other.
        let mut seed = 0xfb34_c4b9_d8db_d339;
        loop {
            if let Some(table) = Lookup::place(&short, long.clone(), seed) {
                return table;
            }
            seed = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
        }
    }

    /// Places the fullest buckets first, each at the first displacement that finds only free slots.
    fn place(short: &[(u128, u16)], long: Vec<(&'static str, u16)>, seed: u64) -> Option<Lookup> {
        let mut table = Lookup {
            displacements: Box::new([0; BUCKETS]),
            slots: Box::new([Slot::default(); SLOTS]),
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
                table.slots[slot] = Slot { key, number };
            }
            table.displacements[at] = displacement;
        }
        Some(table)
    }

    /// The number of the word whose key this is, or 0.
    #[inline]
    pub(super) fn number(&self, key: u128) -> u16 {
        let hash = hash(key, self.seed);
        let slot = slot(hash, self.displacements[bucket(hash)]);
        let Slot { key: known, number } = self.slots[slot];
        select_unpredictable(known == key, number, 0)
    }

    /// The number of a lowercase word longer than [`KEY_BYTES`], or 0.
    #[cold]
    pub(super) fn number_of_long(&self, word: &[u8]) -> u16 {
        let same = |(known, _): &&(&str, u16)| known.as_bytes() == word;
        self.long.iter().find(same).map_or(0, |&(_, number)| number)
    }
}

/// The key of the lowercase word in the first `length` bytes; the other bytes do not matter.
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
