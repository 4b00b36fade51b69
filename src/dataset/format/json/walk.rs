//! A fast walk through the members of a JSON object.
//!
//! Most records are objects without anything unusual, and a task reads one or two of their members. The walk checks the
//! grammar of the whole record (RFC 8259), since a record that is not JSON has to fail, but it decodes nothing and
//! looks at 32 bytes of a string at a time. The walk gives up as soon as something is unusual, such as an escape in a
//! name, a tab between two tokens or a mistake. `serde_json` then reads the record from its beginning. Only
//! `serde_json` decides what is wrong with a record, and where.

/// The number of bytes of a string that are examined at a time.
const WIDTH: usize = 32;

/// The largest depth of nested arrays and objects in the value of a member. A record with a deeper value is unusual.
const DEEPEST: u32 = 64;

/// Calls `member` with the name and the value of each member of a JSON object, in their order. Returns `None` if the
/// record is not an object, or is unusual. In this case, `member` may already have been called with some of the
/// members.
#[inline]
pub(super) fn walk<'a>(record: &'a str, member: impl FnMut(&'a str, &'a str)) -> Option<()> {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(WalkByVectors {
            simd,
            record,
            member,
        });
    }
    walk_with(SpecialByWords, record, member)
}

/// Finds special bytes: those that end a string, begin an escape or are control characters. The methods are inlined
/// into code that is compiled for the vector instructions that they use. They must not contain closures, because the
/// compiler may not inline a closure, and a call would pass the vectors through memory.
trait FindSpecial: Copy {
    /// Returns a number whose lowest set bit stands for the first special byte. Higher bits may be wrong. Returns 0 if
    /// no byte is special.
    fn special(self, bytes: &[u8; WIDTH]) -> u32;
}

/// Walks through a record.
#[inline(always)]
fn walk_with<'a>(
    special: impl FindSpecial,
    record: &'a str,
    mut member: impl FnMut(&'a str, &'a str),
) -> Option<()> {
    let cursor = Cursor {
        bytes: record.as_bytes(),
        special,
    };
    let mut at = cursor.expect(cursor.blank(0), b'{')?;
    at = cursor.blank(at);
    if cursor.byte(at) == Some(b'}') {
        return cursor.end(at + 1);
    }
    loop {
        let name = cursor.expect(at, b'"')?;
        let name_end = cursor.plain_string(name)?;
        at = cursor.blank(name_end + 1);
        let value = cursor.blank(cursor.expect(at, b':')?);
        at = cursor.value(value)?;
        member(record.get(name..name_end)?, record.get(value..at)?);
        at = cursor.blank(at);
        match cursor.byte(at)? {
            b',' => at = cursor.blank(at + 1),
            b'}' => return cursor.end(at + 1),
            _ => return None,
        }
    }
}

/// The bytes of a record. A method that reads something takes its place and returns the place after it, or `None` if
/// something else is at the place.
#[derive(Clone, Copy)]
struct Cursor<'a, F> {
    bytes: &'a [u8],
    special: F,
}

impl<F: FindSpecial> Cursor<'_, F> {
    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    #[inline(always)]
    fn expect(&self, at: usize, byte: u8) -> Option<usize> {
        (self.byte(at)? == byte).then_some(at + 1)
    }

    /// The place of the first byte from `at` on that is not a space.
    #[inline(always)]
    fn blank(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    /// Checks that only spaces follow until the end of the record.
    #[inline(always)]
    fn end(&self, at: usize) -> Option<()> {
        (self.blank(at) == self.bytes.len()).then_some(())
    }

    /// Finds the first special byte from `at` on, and returns the byte and its place.
    #[inline(always)]
    fn special(&self, mut at: usize) -> Option<(u8, usize)> {
        while let Some(next) = self.bytes[at..].first_chunk() {
            let special = self.special.special(next);
            if special != 0 {
                let place = special.trailing_zeros() as usize;
                return Some((next[place % WIDTH], at + place));
            }
            at += WIDTH;
        }
        let rest = self.bytes[at..].iter();
        let place = rest.take_while(|byte| !is_special(**byte)).count();
        Some((self.byte(at + place)?, at + place))
    }

    /// Returns the place of the closing quote of a string without escapes. The opening quote is before `at`.
    #[inline(always)]
    fn plain_string(&self, at: usize) -> Option<usize> {
        let (byte, end) = self.special(at)?;
        (byte == b'"').then_some(end)
    }

    /// Reads a string whose opening quote has been read.
    #[inline(always)]
    fn string(&self, mut at: usize) -> Option<usize> {
        loop {
            let (byte, place) = self.special(at)?;
            at = place + 1;
            match byte {
                b'"' => return Some(at),
                b'\\' => at = self.escape(at)?,
                _ => return None,
            }
        }
    }

    /// Reads an escape whose backslash has been read.
    #[inline(always)]
    fn escape(&self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
            b'u' => {
                let digits = self.bytes.get(at + 1..at + 5)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn value(&self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'[' | b'{' => self.nested(at),
            _ => self.scalar(at),
        }
    }

    #[inline(always)]
    fn scalar(&self, at: usize) -> Option<usize> {
        let word = |word: &[u8]| {
            self.bytes[at..]
                .starts_with(word)
                .then_some(at + word.len())
        };
        match self.byte(at)? {
            b'"' => self.string(at + 1),
            b'-' | b'0'..=b'9' => self.number(at),
            b't' => word(b"true"),
            b'f' => word(b"false"),
            b'n' => word(b"null"),
            _ => None,
        }
    }

    #[inline(always)]
    fn number(&self, at: usize) -> Option<usize> {
        let digits = self.expect(at, b'-').unwrap_or(at);
        let mut end = self.digits(digits)?;
        if end > digits + 1 && self.byte(digits) == Some(b'0') {
            return None;
        }
        if let Some(fraction) = self.expect(end, b'.') {
            end = self.digits(fraction)?;
        }
        if let Some(b'e' | b'E') = self.byte(end) {
            let sign = matches!(self.byte(end + 1), Some(b'+' | b'-'));
            end = self.digits(end + 1 + usize::from(sign))?;
        }
        Some(end)
    }

    /// Reads digits, of which there must be at least one.
    #[inline(always)]
    fn digits(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while self.byte(end).is_some_and(|byte| byte.is_ascii_digit()) {
            end += 1;
        }
        (end > at).then_some(end)
    }

    /// Reads an array or an object. Each open array or object is a level. A level has a bit in `objects`, which is set
    /// if the level is an object. The lowest bit is that of the innermost level.
    #[inline(always)]
    fn nested(&self, mut at: usize) -> Option<usize> {
        let (mut objects, mut depth) = (0_u64, 0);
        loop {
            // A value begins here.
            match self.byte(at)? {
                open @ (b'[' | b'{') => {
                    if depth == DEEPEST {
                        return None;
                    }
                    depth += 1;
                    objects = objects << 1 | u64::from(open == b'{');
                    at = self.blank(at + 1);
                    if self.byte(at)? != if open == b'{' { b'}' } else { b']' } {
                        at = self.name_of_level(at, objects)?;
                        continue;
                    }
                }
                _ => at = self.scalar(at)?,
            }
            // A value has been read. It may be the last one of its level, and of the levels around it.
            loop {
                at = self.blank(at);
                match (self.byte(at)?, objects & 1) {
                    (b',', _) => {
                        at = self.name_of_level(self.blank(at + 1), objects)?;
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        (objects, depth, at) = (objects >> 1, depth - 1, at + 1);
                        if depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    /// If the innermost level is an object, reads the name and the colon before a value. Returns the place of the
    /// value.
    #[inline(always)]
    fn name_of_level(&self, at: usize, objects: u64) -> Option<usize> {
        if objects & 1 == 0 {
            return Some(at);
        }
        let end = self.string(self.expect(at, b'"')?)?;
        Some(self.blank(self.expect(self.blank(end), b':')?))
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

/// Finds special bytes with 64-bit numbers, on every processor.
#[derive(Clone, Copy)]
struct SpecialByWords;

impl FindSpecial for SpecialByWords {
    fn special(self, bytes: &[u8; WIDTH]) -> u32 {
        const ONES: u64 = u64::from_le_bytes([1; 8]);
        let mut special = 0;
        for (place, word) in bytes.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            // The highest bit of a byte is set if the byte is less than the limit. A borrow may wrongly set the bit of
            // a later byte, but only after a byte whose bit is rightly set. So the first bit that is set is right.
            let less_than = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
            let equal = |byte: u8| less_than(word ^ (ONES * u64::from(byte)), 1);
            let found = (less_than(word, 0x20) | equal(b'"') | equal(b'\\')) & (ONES << 7);
            // The multiplication moves the highest bit of each byte into the highest byte.
            special |= ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * place);
        }
        special as u32
    }
}

/// Finds special bytes with the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
impl FindSpecial for pulp::x86::V3 {
    #[inline(always)]
    fn special(self, bytes: &[u8; WIDTH]) -> u32 {
        let bytes = pulp::cast(*bytes);
        let quote = self.avx._mm256_set1_epi8(b'"' as i8);
        let backslash = self.avx._mm256_set1_epi8(b'\\' as i8);
        let last_control = self.avx._mm256_set1_epi8(0x1f);
        let quotes = self.avx2._mm256_cmpeq_epi8(bytes, quote);
        let backslashes = self.avx2._mm256_cmpeq_epi8(bytes, backslash);
        let lesser = self.avx2._mm256_min_epu8(bytes, last_control);
        let controls = self.avx2._mm256_cmpeq_epi8(lesser, bytes);
        let either = self.avx2._mm256_or_si256(quotes, backslashes);
        let special = self.avx2._mm256_or_si256(either, controls);
        self.avx2._mm256_movemask_epi8(special) as u32
    }
}

/// A walk with the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
struct WalkByVectors<'a, M> {
    simd: pulp::x86::V3,
    record: &'a str,
    member: M,
}

#[cfg(target_arch = "x86_64")]
impl<'a, M: FnMut(&'a str, &'a str)> pulp::NullaryFnOnce for WalkByVectors<'a, M> {
    type Output = Option<()>;

    #[inline(always)]
    fn call(self) -> Option<()> {
        walk_with(self.simd, self.record, self.member)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    type Members<'a> = Vec<(&'a str, &'a str)>;

    fn members(record: &str) -> Option<Members<'_>> {
        let mut found = Vec::new();
        walk(record, |name, value| found.push((name, value)))?;
        let mut by_words = Vec::new();
        walk_with(SpecialByWords, record, |name, value| {
            by_words.push((name, value));
        })?;
        assert_eq!(found, by_words);
        Some(found)
    }

    #[test]
    fn members_are_found_as_they_are_written() {
        let record =
            r#" {"a": "x\"\u00e9\\", "b":[1,{"c":[], "d\n" : {}},[ ]] ,"c":-0.5e+10,"": null } "#;
        let expected = [
            ("a", r#""x\"\u00e9\\""#),
            ("b", r#"[1,{"c":[], "d\n" : {}},[ ]]"#),
            ("c", "-0.5e+10"),
            ("", "null"),
        ];
        assert_eq!(members(record), Some(expected.to_vec()));
        assert_eq!(members("{}"), Some(vec![]));
        for unusual in [
            "[]",
            "{\"a\\n\":1}",
            "{\t}",
            "{\"a\":01}",
            "{} {}",
            "{\"a\":1,}",
        ] {
            assert_eq!(members(unusual), None, "{unusual}");
        }
        let deep = |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(members(&deep(64)).is_some());
        assert!(members(&deep(65)).is_none());
    }

    /// JSON, and text that is nearly JSON.
    fn record() -> impl Strategy<Value = String> {
        let token = prop_oneof![
            4 => "[{}\\[\\],:\" ]",
            3 => "\"[a\\\\é]{0,3}(a{40}|\\\\[\"nu/x]|\\\\u00[0-9g]{2})?\"[:,}]?",
            2 => "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
            1 => prop_oneof![Just("true"), Just("null"), Just("NaN"), Just("\t"), Just("\u{1}")].prop_map(str::to_owned),
        ];
        let value = prop_oneof![
            "\"[a-z é]{0,70}(\\\\n|\\\\u00e9|\\\\\\\\)?[a-z]{0,40}\"",
            "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,4})?(e[+-]?[0-9])?",
            Just("[1, {\"x\": [true]}, []]".to_owned()),
        ];
        let member =
            ("[a-z]{0,40}", value).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        let object = proptest::collection::vec(member, 0..5);
        prop_oneof![
            proptest::collection::vec(token, 0..12)
                .prop_map(|tokens| format!("{{{}", tokens.concat())),
            object.prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// A record that the walk accepts is JSON, and `serde_json` finds the same members. The walk accepts all JSON
        /// in which nothing is unusual.
        #[test]
        fn members_are_those_of_serde_json(record in record(), damage in any::<(prop::sample::Index, u8)>()) {
            struct Read<'a>(Members<'a>);
            impl<'de: 'a, 'a> serde::Deserialize<'de> for Read<'a> {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    struct Visitor;
                    impl<'de> serde::de::Visitor<'de> for Visitor {
                        type Value = Members<'de>;
                        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            f.write_str("an object")
                        }
                        fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                            let mut members = Vec::new();
                            while let Some((name, value)) = map.next_entry::<&'de str, &'de RawValue>()? {
                                members.push((name, value.get()));
                            }
                            Ok(members)
                        }
                    }
                    from.deserialize_map(Visitor).map(Read)
                }
            }
            let read = |record| serde_json::from_str::<Read<'_>>(record).ok().map(|read| read.0);
            let (found, expected) = (members(&record), read(&record));
            if let Some(found) = &found {
                prop_assert_eq!(Some(found), expected.as_ref());
            } else {
                let is_unusual = record.contains(|one: char| one.is_ascii_control());
                prop_assert!(expected.is_none() || is_unusual, "{}", record);
            }
            // The walk accepts nothing wrong after one byte of the record is changed.
            let mut bytes = record.clone().into_bytes();
            let place = damage.0.index(bytes.len());
            bytes[place] = damage.1 % 128;
            if let Ok(damaged) = String::from_utf8(bytes)
                && let Some(found) = members(&damaged)
            {
                prop_assert_eq!(Some(found), read(&damaged));
            }
        }
    }
}
