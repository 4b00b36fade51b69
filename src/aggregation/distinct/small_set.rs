//! A small set of hashes.

/// The largest number of hashes that a set can hold. The table of a full set takes as much memory
/// as the registers that replace it.
pub(super) const MOST: usize = 1 << 10;
const FEWEST_PLACES: usize = 8;
/// Marks a vacant place; no hash has this value.
const VACANT: u64 = 0;

/// A set of hashes in an open-addressing table: each hash is stored at the first vacant place,
/// beginning at the place that its low bits give. At most half of the places are taken, so searches
/// are short.
#[derive(Debug, Clone, Default)]
pub(super) struct SmallSet {
    places: Vec<u64>,
    count: usize,
}

impl SmallSet {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.places.iter().copied().filter(|&hash| hash != VACANT)
    }

    /// Inserts a hash, or returns false if the set is full.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        match self.find(hash) {
            Some(place) if self.places[place] == hash => true,
            place => self.add(hash, place),
        }
    }

    /// Returns the place of the hash, or the vacant place where it belongs; `None` if the table has
    /// no places yet.
    #[inline]
    fn find(&self, hash: u64) -> Option<usize> {
        let last = self.places.len().checked_sub(1)?;
        let mut place = hash as usize & last;
        while self.places[place] != hash && self.places[place] != VACANT {
            place = (place + 1) & last;
        }
        Some(place)
    }

    #[inline(never)]
    fn add(&mut self, hash: u64, place: Option<usize>) -> bool {
        if self.count == MOST {
            return false;
        }
        let place = match place {
            Some(place) if 2 * self.count < self.places.len() => Some(place),
            _ => {
                self.grow();
                self.find(hash)
            }
        };
        if let Some(place) = place {
            self.places[place] = hash;
            self.count += 1;
        }
        true
    }

    fn grow(&mut self) {
        let places = FEWEST_PLACES.max(2 * self.places.len());
        let before = std::mem::replace(&mut self.places, vec![VACANT; places]);
        for hash in before {
            if let Some(place) = self.find(hash) {
                self.places[place] = hash;
            }
        }
    }
}
