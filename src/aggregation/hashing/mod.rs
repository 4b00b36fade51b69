//! Hashes that are the same on every machine and in every version: part of what saved states mean.

mod encoder;

use serde::Serialize;
use twox_hash::XxHash3_64;

use encoder::Encoder;

/// The 64-bit hash of a value: [XXH3-64](https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)
/// with seed 0, over the value's encoding as [postcard](https://postcard.jamesmunns.com/wire-format)
/// writes it, but for floats, of which all NaN are one and both zeros are one.
///
/// The hashes of `std` and foldhash are quicker still, and free to change with the version, the
/// machine and the run.
///
/// # Panics
///
/// Where the value's own `Serialize` fails, or does not tell the length of a sequence beforehand.
#[inline]
pub(super) fn hash_of<T: Serialize + ?Sized>(value: &T) -> u64 {
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

/// The number that SplitMix64, seeded with `seed`, gives at place `index` (Steele, Lea and Flood,
/// *Fast splittable pseudorandom number generators*, 2014). Under one seed no two indices give the
/// same number.
#[inline]
pub(super) fn draw(seed: u64, index: u64) -> u64 {
    let steps = index.wrapping_add(1);
    let mut bits = seed.wrapping_add(steps.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What the reference implementation in C makes of the bytes.
    #[test]
    fn hashes_never_change() {
        let hashes = [
            (hash_of(&()), 0x2d06_8005_38d3_94c2),
            (hash_of("manyhands"), 0x4587_b934_43d2_47ff),
            (hash_of(&7_u64), 0x4c5c_ca45_d0f4_811f),
            (hash_of(&u64::MAX), 0x6d06_e806_da1f_9874),
            (hash_of(&0.5), 0x5da9_c77a_7c72_de31),
            (hash_of(&(-3_i32, "a", Some(true))), 0x7f39_49cd_3809_fe23),
            (hash_of(&"long ".repeat(20)), 0x98c7_4587_bcf2_0f94),
            (hash_of(&"long ".repeat(200)), 0xc56d_19e8_1296_19d8),
        ];
        for (hash, known) in hashes {
            assert_eq!(hash, known, "{hash:#018x}");
        }
    }

    /// The first numbers of the reference implementation, for the seed 1234567.
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

    #[test]
    fn all_nan_are_one_and_both_zeros_are_one() {
        assert_eq!(hash_of(&-0.0), hash_of(&0.0));
        assert_eq!(hash_of(&-0.0_f32), hash_of(&0.0_f32));
        assert_eq!(hash_of(&[1.0, -f64::NAN]), hash_of(&[1.0, f64::NAN]));
        let payload = f32::from_bits(f32::NAN.to_bits() | 1);
        assert_eq!(hash_of(&payload), hash_of(&f32::NAN));
        assert_ne!(hash_of(&f64::NAN), hash_of(&f64::INFINITY));
    }

    #[derive(Debug, Clone, Serialize)]
    enum Shape {
        Empty,
        Wrapped(i128),
        Pair(u16, char),
        Named {
            wide: u128,
            names: BTreeMap<String, i8>,
        },
    }

    #[derive(Debug, Clone, Serialize)]
    struct All {
        shape: Shape,
        unit: (),
        numbers: (i16, i32, i64, u8, u32, u64),
        floats: Vec<(f32, f64)>,
        text: String,
        maybe: Option<bool>,
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let names = proptest::collection::btree_map(any::<String>(), any::<i8>(), 0..4);
        prop_oneof![
            Just(Shape::Empty),
            any::<i128>().prop_map(Shape::Wrapped),
            any::<(u16, char)>().prop_map(|(number, letter)| Shape::Pair(number, letter)),
            (any::<u128>(), names).prop_map(|(wide, names)| Shape::Named { wide, names }),
        ]
    }

    fn all() -> impl Strategy<Value = All> {
        // Floats that postcard and we write alike: neither NaN nor −0.
        let ordinary = prop_oneof![Just((0.0, 1.0)), (1e-30_f32..1e30, -1e300..-1e-300)];
        let floats = proptest::collection::vec(ordinary, 0..40);
        let text = prop_oneof!["[a-z]{0,20}", "[ -~]{100,400}"];
        (
            shape(),
            any::<(i16, i32, i64, u8, u32, u64)>(),
            floats,
            text,
            any::<Option<bool>>(),
        )
            .prop_map(|(shape, numbers, floats, text, maybe)| All {
                shape,
                unit: (),
                numbers,
                floats,
                text,
                maybe,
            })
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_postcard(value in all()) {
            let bytes = postcard::to_stdvec(&value).unwrap();
            prop_assert_eq!(hash_of(&value), hash_bytes(&bytes));
        }
    }
}
