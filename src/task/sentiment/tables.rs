//! Makes the tables of the lexicon, and writes them as source text.
//!
//! The build script compiles this file. The library compiles it for a test alone, which compares its tables with those
//! that are made from the words.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::perfect_hash::{BUCKETS, KEY_BYTES, SLOTS, bucket, hash, key, slot};
use super::words::{BEFORE, ENTRIES, LexiconEntry, Role};

/// Words that negate a valence.
const NEGATIONS: &str = "ain't aint aren't arent can't cannot cant couldn't couldnt daren't darent despite didn't \
    didnt doesn't doesnt don't dont hadn't hadnt hasn't hasnt haven't havent isn't isnt \
    mightn't mightnt mustn't mustnt needn't neednt neither never none nope nor not nothing \
    nowhere oughtn't oughtnt rarely seldom shan't shant shouldn't shouldnt uh-uh uhuh wasn't \
    wasnt weren't werent without won't wont wouldn't wouldnt";

/// Words that raise the magnitude of a valence.
const BOOSTERS: &str = "absolutely amazingly awfully completely considerable considerably decidedly deeply effing \
    enormous enormously entirely especially exceptional exceptionally extreme extremely \
    fabulously flippin flipping frackin fracking frickin fricking friggin frigging fuckin \
    fucking fuggin fugging fully greatly hella highly hugely incredible incredibly intensely \
    major majorly more most particularly purely quite really remarkably so substantially \
    thoroughly total totally tremendous tremendously uber unbelievably unusually utter utterly \
    very";

/// Words that lower the magnitude of a valence.
const DAMPENERS: &str = "almost barely hardly kind-of kinda kindof less little marginal marginally occasional \
    occasionally partly scarce scarcely slight slightly somewhat sort-of sorta sortof";

/// The words that a rule names.
#[rustfmt::skip]
const NAMED: [(&str, Role); 33] = [
    ("never", Role::NEVER), ("so", Role::SO), ("this", Role::THIS), ("without", Role::WITHOUT),
    ("doubt", Role::DOUBT), ("least", Role::LEAST), ("at", Role::AT), ("very", Role::VERY),
    ("no", Role::NO), ("or", Role::OR), ("nor", Role::NOR), ("but", Role::BUT),
    ("kind", Role::KIND), ("sort", Role::SORT), ("of", Role::OF), ("just", Role::JUST),
    ("enough", Role::ENOUGH), ("the", Role::THE), ("shit", Role::SHIT), ("bomb", Role::BOMB),
    ("bad", Role::BAD), ("ass", Role::ASS), ("bus", Role::BUS), ("stop", Role::STOP),
    ("yeah", Role::YEAH), ("right", Role::RIGHT), ("kiss", Role::KISS), ("death", Role::DEATH),
    ("to", Role::TO), ("die", Role::DIE), ("for", Role::FOR), ("beating", Role::BEATING),
    ("heart", Role::HEART),
];

/// All words, with their numbers and entries.
struct NumberedWords<'a> {
    words: Vec<(&'a str, u16)>,
    entries: Vec<LexiconEntry>,
    first_significant: u16,
}

impl<'a> NumberedWords<'a> {
    /// Gives every word a number. `means` has lines of `word<TAB>mean valence`.
    fn new(means: &'a str) -> Self {
        // If a word has several lines, the last one counts, as in the reference.
        let mut words: BTreeMap<&'a str, LexiconEntry> = BTreeMap::new();
        for (word, mean) in means.lines().filter_map(|line| line.split_once('\t')) {
            if let Ok(mean) = mean.parse() {
                let roles = Role::LEXICON;
                words.insert(word, LexiconEntry { mean, roles });
            }
        }
        let mut add = |word, roles| {
            let entry = words.entry(word).or_insert(LexiconEntry::NONE);
            entry.roles = entry.roles.and(roles);
        };
        NAMED.iter().for_each(|&(word, role)| add(word, role));
        for (words, role) in [
            (NEGATIONS, Role::NEGATES),
            (BOOSTERS, Role::BOOSTS),
            (DAMPENERS, Role::DAMPENS),
        ] {
            words.split_whitespace().for_each(|word| add(word, role));
        }

        let mut entries = vec![LexiconEntry::NONE; ENTRIES];
        entries[usize::from(BEFORE)].roles = Role::LEXICON;
        let (significant, others): (Vec<_>, Vec<_>) = words
            .into_iter()
            .partition(|(_, entry)| entry.roles.has(Role::LEXICON.and(Role::BUT)));
        let first_significant = others.len() as u16 + 1;
        let numbers = 1..BEFORE;
        let mut words = Vec::with_capacity(others.len() + significant.len());
        for (number, (word, entry)) in numbers.zip(others.into_iter().chain(significant)) {
            entries[usize::from(number)] = entry;
            words.push((word, number));
        }
        NumberedWords {
            words,
            entries,
            first_significant,
        }
    }
}

/// Where each short word is placed in the perfect hash.
struct Placed {
    seed: u64,
    displacements: Vec<u16>,
    /// The key and the number of the word in each slot; the number is 0 if the slot is free.
    slots: Vec<(u128, u16)>,
}

impl Placed {
    /// Places the words. They must be distinct, and their numbers must not be zero.
    fn new(short: &[(u128, u16)]) -> Self {
        // This first seed was found by trial, and it works, so no other seed is needed.
        let mut seed = 0xfb34_c4b9_d8db_d339;
        loop {
            if let Some(placed) = Placed::with_seed(short, seed) {
                return placed;
            }
            seed = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
        }
    }

    /// Places the words, starting with the fullest buckets. Each bucket gets the first displacement that puts all
    /// its words in free slots; `None` if a bucket cannot be placed.
    fn with_seed(short: &[(u128, u16)], seed: u64) -> Option<Self> {
        let mut placed = Placed {
            seed,
            displacements: vec![0; BUCKETS],
            slots: vec![(0, 0); SLOTS],
        };
        let mut buckets: Vec<Vec<(u128, u16)>> = vec![Vec::new(); BUCKETS];
        for &(key, number) in short {
            buckets[bucket(hash(key, seed))].push((key, number));
        }
        let mut order: Vec<usize> = (0..BUCKETS).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(buckets[at].len()));
        for at in order {
            let words = &buckets[at];
            let slots = |displacement| {
                let slot = move |&(key, _): &(u128, u16)| slot(hash(key, seed), displacement);
                words.iter().map(slot)
            };
            let is_free = |&displacement: &u16| {
                slots(displacement).enumerate().all(|(nth, slot)| {
                    placed.slots[slot].1 == 0
                        && !slots(displacement).take(nth).any(|other| other == slot)
                })
            };
            let displacement = (0..SLOTS as u16).find(is_free)?;
            for &(key, number) in words {
                placed.slots[slot(hash(key, seed), displacement)] = (key, number);
            }
            placed.displacements[at] = displacement;
        }
        Some(placed)
    }
}

/// Returns the definition of the built-in lexicon. `means` has lines of `word<TAB>mean valence`.
pub(super) fn source(means: &str) -> String {
    let numbered = NumberedWords::new(means);
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for (word, number) in numbered.words {
        match word.len() <= KEY_BYTES {
            true => {
                let mut bytes = [0; KEY_BYTES];
                bytes[..word.len()].copy_from_slice(word.as_bytes());
                short.push((key(bytes, word.len()), number));
            }
            false => long.push((word, number)),
        }
    }
    let placed = Placed::new(&short);
    let slots = placed.slots.iter().map(|(key, number)| match number {
        0 => "F".to_owned(),
        _ => format!("s({key:#x}, {number})"),
    });
    let entries = numbered.entries.iter().map(|entry| {
        let LexiconEntry { mean, roles } = entry;
        match mean.to_bits() == 0 && *roles == Role::NONE {
            true => "N".to_owned(),
            false => format!("e({mean:?}, {:#x})", roles.0),
        }
    });
    let displacements = placed.displacements.iter().map(u16::to_string);
    let mut source = String::from(
        "static BUILT_IN: Lexicon = {\n\
         const F: HashSlot = HashSlot::FREE;\n\
         const N: LexiconEntry = LexiconEntry::NONE;\n\
         const fn s(key: u128, number: u16) -> HashSlot { HashSlot { key, number } }\n\
         const fn e(mean: f64, roles: u64) -> LexiconEntry { LexiconEntry { mean, roles: Role(roles) } }\n\
         Lexicon {\n",
    );
    let (seed, first) = (placed.seed, numbered.first_significant);
    let _ = writeln!(source, "words: PerfectHash {{\nseed: {seed:#x},");
    let _ = writeln!(source, "displacements: [{}],", list(displacements));
    let _ = writeln!(source, "slots: [{}],", list(slots));
    let _ = writeln!(source, "long: &{long:?},\n}},");
    let _ = writeln!(source, "entries: [{}],", list(entries));
    let _ = writeln!(source, "first_significant: {first},\n}}\n}};");
    source
}

/// The values of an array, some in each line.
fn list(values: impl Iterator<Item = String>) -> String {
    let values: Vec<_> = values.collect();
    let lines: Vec<_> = values.chunks(16).map(|line| line.join(", ")).collect();
    lines.join(",\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_tables_are_those_of_the_words() {
        let means = include_str!("../../../data/vader/lexicon.tsv");
        let built_in = include_str!(concat!(env!("OUT_DIR"), "/sentiment_tables.rs"));
        assert!(super::source(means) == built_in, "they differ");
    }
}
