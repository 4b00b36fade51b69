//! Finds the quotes, the delimiters and the line ends of a text, 64 bytes at a time.
//!
//! The marks of 64 bytes are four numbers with a bit for each byte. A few operations on these numbers examine all 64
//! bytes, whereas a loop over the bytes would need several operations for each byte. Vectors of AVX2 compare 32 bytes
//! at once. On other processors, eight bytes are compared at once as a 64-bit number.

/// The number of bytes of a block.
pub(super) const BLOCK: usize = 64;

/// The marks of a block of bytes. The lowest bit of each number stands for the first byte of the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) quotes: u64,
    pub(super) delimiters: u64,
    pub(super) newlines: u64,
    pub(super) returns: u64,
}

/// Finds the marks of a block. The methods are inlined into code that is compiled for the vector instructions that they
/// use. They must not contain closures, because the compiler may not inline a closure, and a call would pass the
/// vectors through memory.
pub(super) trait FindMarks: Copy {
    fn marks(self, block: &[u8; BLOCK], delimiter: u8) -> Marks;
}

/// Finds marks with 64-bit numbers, on every processor.
#[derive(Clone, Copy)]
pub(super) struct ByWords;

impl FindMarks for ByWords {
    fn marks(self, block: &[u8; BLOCK], delimiter: u8) -> Marks {
        let mut found = [0; 4];
        for (place, word) in block.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            for (found, byte) in found.iter_mut().zip([b'"', delimiter, b'\n', b'\r']) {
                *found |= equal_bytes(word, byte) << (8 * place);
            }
        }
        let [quotes, delimiters, newlines, returns] = found;
        Marks {
            quotes,
            delimiters,
            newlines,
            returns,
        }
    }
}

/// Finds marks with the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
impl FindMarks for pulp::x86::V3 {
    #[inline(always)]
    fn marks(self, block: &[u8; BLOCK], delimiter: u8) -> Marks {
        Marks {
            quotes: equal_lanes(self, block, b'"'),
            delimiters: equal_lanes(self, block, delimiter),
            newlines: equal_lanes(self, block, b'\n'),
            returns: equal_lanes(self, block, b'\r'),
        }
    }
}

/// Returns a bit for each byte of the block that is equal to `byte`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn equal_lanes(simd: pulp::x86::V3, block: &[u8; BLOCK], byte: u8) -> u64 {
    let [low, high]: [[u8; 32]; 2] = pulp::cast(*block);
    let lanes = simd.avx._mm256_set1_epi8(byte as i8);
    let low = simd.avx2._mm256_cmpeq_epi8(pulp::cast(low), lanes);
    let high = simd.avx2._mm256_cmpeq_epi8(pulp::cast(high), lanes);
    let low = u64::from(simd.avx2._mm256_movemask_epi8(low) as u32);
    let high = u64::from(simd.avx2._mm256_movemask_epi8(high) as u32);
    low | high << 32
}

/// Returns a bit for each byte of the word that is equal to `byte`. The lowest bit stands for the lowest byte.
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW_BITS: u64 = u64::from_le_bytes([0x7f; 8]);
    let different = word ^ u64::from_le_bytes([byte; 8]);
    // The highest bit of each byte is set if any bit of this byte is set in `different`.
    let is_different = ((different & LOW_BITS) + LOW_BITS) | different;
    let is_equal = (!is_different & !LOW_BITS) >> 7;
    // The multiplication moves the lowest bit of each byte into the highest byte.
    is_equal.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_mark_has_a_bit(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b',' ^ 0x80), Just(b'"' - 1), any::<u8>(),
            ], 0..300),
        ) {
            let blocks = bytes.as_chunks::<BLOCK>().0;
            let bit = |block: &[u8; BLOCK], byte: u8| {
                let bits = block.iter().enumerate().map(|(place, one)| u64::from(*one == byte) << place);
                bits.fold(0, |all, bit| all | bit)
            };
            let expected: Vec<Marks> = blocks
                .iter()
                .map(|block| Marks {
                    quotes: bit(block, b'"'),
                    delimiters: bit(block, b','),
                    newlines: bit(block, b'\n'),
                    returns: bit(block, b'\r'),
                })
                .collect();
            let by_words: Vec<Marks> = blocks.iter().map(|block| ByWords.marks(block, b',')).collect();
            prop_assert_eq!(&by_words, &expected);
            #[cfg(target_arch = "x86_64")]
            if let Some(simd) = pulp::x86::V3::try_new() {
                let found = blocks.iter().map(|block| simd.marks(block, b','));
                prop_assert_eq!(found.collect::<Vec<_>>(), expected);
            }
        }
    }
}
