//! Hashes that are the same on every machine and in every version, since saved states contain them.

mod encoder;

use serde::Serialize;
use twox_hash::XxHash3_64;

use encoder::Encoder;

/// Returns the 64-bit hash of a value:
/// [XXH3-64](https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) with seed 0, over the
/// bytes that [`Encoder`] defines.
///
/// The hashes of `std` and foldhash are faster, but may change with the version, the machine and
/// the run.
///
/// # Panics
///
/// Panics if the value's `Serialize` fails, or does not give the length of a sequence in advance.
#[inline]
pub(crate) fn hash_of<T: Serialize + ?Sized>(value: &T) -> u64 {
    let mut encoder = Encoder::new();
    match value.serialize(&mut encoder) {
        Ok(()) => encoder.finish(),
        Err(error) => panic!("the value has no canonical bytes: {error}"),
    }
}

#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The amount that SplitMix64 adds to its state between two numbers.
pub(super) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns number `index` of SplitMix64 seeded with `seed` (Steele, Lea and Flood, *Fast splittable
/// pseudorandom number generators*, 2014). With one seed, no two indices give the same number.
#[inline]
pub(super) fn draw(seed: u64, index: u64) -> u64 {
    let steps = index.wrapping_add(1);
    let mut bits = seed.wrapping_add(steps.wrapping_mul(STEP));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// These are the hashes that the reference implementation in C gives.
    #[test]
    fn hashes_never_change() {
        let hashes = [
            (hash_of(&()), 0x2d06_8005_38d3_94c2),
            (hash_of("manyhands"), 0x9dff_26ec_e99a_6ec2),
            (hash_of(&7_u64), 0x8167_1e58_d6b5_96af),
            (hash_of(&0.5), 0x5da9_c77a_7c72_de31),
            (hash_of(&"long ".repeat(20)), 0x50d5_16ae_86c1_27a7),
            (hash_of(&"long ".repeat(40)), 0xee49_61c1_b9bc_bfc9),
            (hash_of(&"long ".repeat(200)), 0x7d78_8226_6e87_05a7),
        ];
        for (hash, known) in hashes {
            assert_eq!(hash, known, "{hash:#018x}");
        }
    }

    #[derive(Serialize)]
    enum Shape {
        Empty,
        Wrapped(i16),
        Pair(u16, char),
        Named {
            wide: u128,
            names: BTreeMap<&'static str, i8>,
        },
    }

    fn assert_bytes<T: Serialize + ?Sized>(value: &T, bytes: &[u8]) {
        assert_eq!(hash_of(value), hash_bytes(bytes), "{bytes:x?}");
    }

    #[test]
    fn bytes_follow_the_table() {
        assert_bytes(&(1_u8, 2_u16, 3_u32), &[1, 2, 0, 3, 0, 0, 0]);
        assert_bytes(
            &(-1_i8, -2_i16, -3_i32),
            &[255, 254, 255, 253, 255, 255, 255],
        );
        assert_bytes(&-4_i64, &(-4_i64).to_le_bytes());
        assert_bytes(
            &(5_u128, -6_i128),
            &[5_i128.to_le_bytes(), (-6_i128).to_le_bytes()].concat(),
        );
        assert_bytes(
            &(0.5_f32, -0.25),
            &[&0.5_f32.to_le_bytes()[..], &(-0.25_f64).to_le_bytes()].concat(),
        );
        assert_bytes(&(true, false, (), "a", 'é'), b"\x01\x00a\xff\xc3\xa9\xff");
        assert_bytes(&(None::<u8>, Some(7_u8)), &[0, 1, 7]);
        assert_bytes(&vec!["a", "b"], b"s\x02\0\0\0\0\0\0\0a\xffb\xff");
        assert_bytes(&Shape::Empty, &[0; 4]);
        assert_bytes(&Shape::Wrapped(9), &[1, 0, 0, 0, 9, 0]);
        assert_bytes(&Shape::Pair(1, 'b'), b"\x02\0\0\0\x01\0b\xff");
        let named = Shape::Named {
            wide: 0,
            names: [("a", -1)].into(),
        };
        let bytes = [
            &[3, 0, 0, 0][..],
            &[0; 16],
            b"m",
            &1_u64.to_le_bytes(),
            b"a\xff\xff",
        ]
        .concat();
        assert_bytes(&named, &bytes);
    }

    #[test]
    fn common_json_values_have_different_hashes() {
        let texts = [
            "null",
            "false",
            "true",
            "0",
            "1",
            "-1",
            "0.5",
            "\"\"",
            "\"0\"",
            "[]",
            "{}",
            "[0]",
            "[[]]",
            "[{}]",
            "[null]",
            "[\"\"]",
            "{\"\":0}",
            "{\"\":null}",
            "[\"\",0]",
        ];
        let values = texts.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        let hashes: std::collections::BTreeSet<u64> = values.iter().map(hash_of).collect();
        assert_eq!(hashes.len(), texts.len());
    }

    #[test]
    fn all_nan_have_one_hash_and_both_zeros_have_one() {
        assert_bytes(&[-0.0, 0.0], &[0; 16]);
        assert_bytes(&-0.0_f32, &[0; 4]);
        let payload = f64::from_bits(f64::NAN.to_bits() | 1);
        for nan in [f64::NAN, -f64::NAN, payload] {
            assert_bytes(&nan, &0x7ff8_0000_0000_0000_u64.to_le_bytes());
            assert_bytes(&(nan as f32), &0x7fc0_0000_u32.to_le_bytes());
        }
        assert_bytes(&f64::NEG_INFINITY, &f64::NEG_INFINITY.to_le_bytes());
    }

    proptest! {
        /// Buffered and streamed bytes give the same hash.
        #[test]
        fn long_values_are_hashed_like_their_bytes(texts in proptest::collection::vec("[a-z]{0,9}|[a-z]{90,300}", 0..9)) {
            let mut bytes = b"s".to_vec();
            bytes.extend((texts.len() as u64).to_le_bytes());
            for text in &texts {
                bytes.extend(text.bytes());
                bytes.push(0xff);
            }
            prop_assert_eq!(hash_of(&texts), hash_bytes(&bytes));
        }
    }

    /// These are the first numbers of the reference implementation with the seed 1234567.
    #[test]
    fn draws_never_change() {
        let known = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        for (index, number) in (0..).zip(known) {
            assert_eq!(draw(1_234_567, index), number);
        }
    }
}
