//! Encodes values as bytes and hashes the bytes while they are written, without an allocation.

use std::fmt::Display;
use std::hash::Hasher;

use serde::Serialize;
use serde::de::value::Error;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use twox_hash::xxhash3_64::{DEFAULT_SECRET_LENGTH, RawHasher, SecretBuffer};

use super::hash_bytes;

/// Number of bytes that are buffered and hashed at once. Hashing a buffer takes a third of the time
/// of hashing a stream. Clearing a larger buffer for each number would take noticeable time.
const HELD_BYTES: usize = 128;
const SEQUENCE: u8 = b's';
const MAP: u8 = b'm';
/// A streaming hasher with the default secret of the specification.
type StreamingHasher = RawHasher<&'static [u8; DEFAULT_SECRET_LENGTH]>;

/// Hashes what is serialised into it, as these bytes:
///
/// | serde's data model | bytes |
/// |---|---|
/// | number | its own width, little-endian; every NaN as `f64::NAN`, both zeros as +0 |
/// | bool | one byte, 0 or 1 |
/// | text, character | UTF-8, then `ff`, which does not occur in UTF-8 |
/// | bytes, sequence | `s`, the length in 8 bytes, then the elements |
/// | map | `m`, the length in 8 bytes, then the entries |
/// | option | one byte, 0 or 1, then the value |
/// | variant | its index in 4 bytes, then its content |
/// | tuple, struct | the fields; no names |
/// | unit | nothing |
///
/// Two values of one type have different bytes, and neither begins with the other's, unless their
/// `Serialize` omits something: an untagged enum does not name its variant. Marks for numbers and
/// texts would distinguish such values too, but would double the time for a number. The marks `s`
/// and `m` are for JSON, in which 0, `[]` and `{}` are common.
///
/// With postcard's encoding, this table would not be needed. But its integers of variable width
/// take twice as much time as everything else, and it keeps the sign of a NaN, which differs
/// between machines.
pub(super) struct Encoder {
    /// The buffered bytes.
    held: [u8; HELD_BYTES],
    filled: usize,
    /// The hash of the bytes before the buffered bytes, if the value is longer than the buffer.
    spilt: Option<StreamingHasher>,
}

impl Encoder {
    #[inline]
    pub(super) fn new() -> Encoder {
        Encoder {
            held: [0; HELD_BYTES],
            filled: 0,
            spilt: None,
        }
    }

    #[inline]
    pub(super) fn finish(&mut self) -> u64 {
        let held = &self.held[..self.filled];
        match &mut self.spilt {
            None => hash_bytes(held),
            Some(stream) => {
                stream.write(held);
                stream.finish()
            }
        }
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        match self.held.get_mut(self.filled..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled = end;
            }
            None => self.spill(bytes),
        }
    }

    #[cold]
    #[inline(never)]
    fn spill(&mut self, bytes: &[u8]) {
        let stream = self
            .spilt
            .get_or_insert_with(|| RawHasher::new(SecretBuffer::default()));
        stream.write(&self.held[..self.filled]);
        stream.write(bytes);
        self.filled = 0;
    }

    fn begin(&mut self, what: u8, length: Option<usize>) -> Result<&mut Self, Error> {
        let length = length
            .ok_or_else(|| Error::custom("a sequence does not give its length in advance"))?;
        self.write(&[what]);
        self.write(&(length as u64).to_le_bytes());
        Ok(self)
    }
}

/// Writes numbers in their own width.
macro_rules! little_endian {
    ($($write:ident($number:ty)),+ $(,)?) => {
        $(#[inline]
        fn $write(self, value: $number) -> Result<(), Error> {
            self.write(&value.to_le_bytes());
            Ok(())
        })+
    };
}

impl Serializer for &mut Encoder {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.serialize_u8(u8::from(value))
    }

    little_endian!(
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
    );

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        let bits = match value {
            value if value.is_nan() => 0x7fc0_0000,
            0.0 => 0,
            value => value.to_bits(),
        };
        self.write(&bits.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        let bits = match value {
            value if value.is_nan() => 0x7ff8_0000_0000_0000,
            0.0 => 0,
            value => value.to_bits(),
        };
        self.write(&bits.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.write(value.as_bytes());
        self.write(&[0xff]);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.begin(SEQUENCE, Some(value.len()))?.write(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_u8(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.write(&[1]);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        place: u32,
        _variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_u32(place)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        place: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.write(&place.to_le_bytes());
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Error> {
        self.begin(SEQUENCE, length)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        place: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Error> {
        self.write(&place.to_le_bytes());
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Error> {
        self.begin(MAP, length)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        place: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Error> {
        self.write(&place.to_le_bytes());
        Ok(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.serialize_str(&value.to_string())
    }
}

/// Writes the fields of a compound value, one after the other. Names are not written.
macro_rules! one_after_the_other {
    ($($compound:ident: $part:ident($($name:ty)?)),+ $(,)?) => {
        $(impl $compound for &mut Encoder {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $part<T: Serialize + ?Sized>(
                &mut self,
                $(_name: $name,)?
                value: &T,
            ) -> Result<(), Error> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })+
    };
}

one_after_the_other!(
    SerializeSeq: serialize_element(),
    SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(),
    SerializeStruct: serialize_field(&'static str),
    SerializeStructVariant: serialize_field(&'static str),
);

impl SerializeMap for &mut Encoder {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}
