//! Values in postcard's encoding, hashed as they are written, without an allocation.

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

/// Bytes that are held and hashed at one go, which takes a third of the time that a stream does.
/// Clearing more than this would show in the cost of a number.
const HELD_BYTES: usize = 128;
/// What a `u128` can take, seven bits to a byte.
const VARINT_BYTES: usize = 19;

/// The secret is the one that the specification names for no other.
type Stream = RawHasher<&'static [u8; DEFAULT_SECRET_LENGTH]>;

/// Hashes what is serialised into it. Postcard's own serialiser would do, if it let floats be
/// looked at: the sign of a NaN differs from machine to machine.
pub(super) struct Encoder {
    held: [u8; HELD_BYTES],
    filled: usize,
    /// What went before the bytes held, of a value that is longer.
    spilt: Option<Stream>,
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

    /// Seven bits to a byte, the lowest first; all but the last have the high bit set.
    #[inline]
    fn write_varint(&mut self, mut number: u64) {
        let mut bytes = [0; VARINT_BYTES];
        let mut length = 1;
        while number >= 0x80 {
            bytes[length - 1] = number as u8 | 0x80;
            number >>= 7;
            length += 1;
        }
        bytes[length - 1] = number as u8;
        self.write(&bytes[..length]);
    }

    fn write_wide_varint(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.write(&[number as u8 | 0x80]);
            number >>= 7;
        }
        self.write(&[number as u8]);
    }

    fn write_length(&mut self, length: Option<usize>) -> Result<&mut Self, Error> {
        let length = length.ok_or_else(|| Error::custom("a sequence does not tell its length"))?;
        self.write_varint(length as u64);
        Ok(self)
    }
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

    #[inline]
    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_u8(value as u8)
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(i64::from(value))
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(i64::from(value))
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.serialize_u64(((value << 1) ^ (value >> 63)) as u64)
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.serialize_u128(((value << 1) ^ (value >> 127)) as u128)
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.write(&[value]);
        Ok(())
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(u64::from(value))
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(u64::from(value))
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.write_varint(value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.write_wide_varint(value);
        Ok(())
    }

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
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.write_varint(value.len() as u64);
        self.write(value);
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
        self.write_varint(u64::from(place));
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Error> {
        self.write_length(length)
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
        self.write_varint(u64::from(place));
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Error> {
        self.write_length(length)
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
        self.write_varint(u64::from(place));
        Ok(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.serialize_str(&value.to_string())
    }
}

/// The parts of a compound value, one after the other; names are not written.
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
