//! SplitMix64: random numbers with a published, fixed specification.
//!
//! The distributions of a crate may change between versions, and then the same seed would no longer give the same
//! file. These few lines do not change. The generator was published by Steele, Lea and Flood in "Fast splittable
//! pseudorandom number generators" (OOPSLA 2014), with the constants of Vigna's public-domain `splitmix64.c`.

/// The odd constant nearest to 2⁶⁴ divided by the golden ratio: the step between two states.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The random number of the record with this index: number `index` of SplitMix64 seeded with `seed`. With one seed, no
/// two records have the same number.
pub(in crate::dataset) const fn number_of(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP)))
}

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// The random numbers of one record.
    ///
    /// Mixing is a bijection, so two records of one seed never start from the same state, and neighbouring records
    /// start far apart instead of one step apart in the same sequence.
    pub(super) fn of(seed: u64, index: u64) -> Self {
        Self {
            state: mix(mix(seed.wrapping_add(STEP)) ^ index),
        }
    }

    /// The next 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number in `0..bound` (0 if `bound` is 0), computed as the high half of a product.
    ///
    /// The bias, which is less than `bound` / 2³², is too small to be noticed, and avoiding the bias by rejecting
    /// numbers would require a loop.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Returns true once in `n` calls on average.
    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// Draws one of the choices, all of which are equally likely.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// Draws the index of one of the weights, with a probability proportional to that weight.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut drawn = self.below(weights.iter().sum());
        for (place, &weight) in weights.iter().enumerate() {
            if drawn < weight {
                return place;
            }
            drawn -= weight;
        }
        weights.len() - 1
    }
}

/// Draws from lists and avoids the indices of the last N draws, so that a text does not repeat itself soon.
///
/// Indices are remembered without their lists. Comparing the words would cost more than an unnecessary draw, and if
/// addresses were compared, the result would depend on which words the compiler stores at the same address.
pub(super) struct Fresh<const N: usize> {
    last: [u32; N],
    drawn: usize,
}

impl<const N: usize> Fresh<N> {
    pub(super) fn new() -> Self {
        Self {
            last: [u32::MAX; N],
            drawn: 0,
        }
    }

    /// Draws at most three times, because a list may have fewer elements than the draws that are remembered.
    pub(super) fn draw(&mut self, random: &mut Random, choices: &[&'static str]) -> &'static str {
        let bound = choices.len() as u32;
        let mut place = random.below(bound);
        for _ in 0..2 {
            if self.last.contains(&place) {
                place = random.below(bound);
            }
        }
        self.last[self.drawn % N] = place;
        self.drawn += 1;
        choices[place as usize]
    }
}

/// The output function of SplitMix64.
pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of `splitmix64.c` from state 1234567, which many test suites use as expected values.
    #[test]
    fn it_is_splitmix64() {
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
        assert_eq!(random.bits(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn weights_are_shares() {
        let mut random = Random::of(1, 1);
        let mut seen = [0_u32; 3];
        for _ in 0..10_000 {
            seen[random.weighted(&[70, 0, 30])] += 1;
        }
        assert!((6_800..7_200).contains(&seen[0]), "{seen:?}");
        assert_eq!(seen[1], 0);
    }
}
