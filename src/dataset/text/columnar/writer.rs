//! Writes the values of a column as JSON.

use std::fmt::{self, Write as _};

use arrow_buffer::NullBuffer;
use serde::Serialize;

/// Appends the value at an index as JSON. The value is not null.
pub(super) type WriteValue = Box<dyn Fn(usize, &mut Vec<u8>) + Send + Sync>;

/// Writes the values of one array as JSON.
pub(super) struct ValueWriter {
    nulls: Option<NullBuffer>,
    write: WriteValue,
}

impl ValueWriter {
    pub(super) fn new(nulls: Option<NullBuffer>, write: WriteValue) -> Self {
        ValueWriter { nulls, write }
    }

    /// Appends the value at `index` as JSON.
    #[inline]
    pub(super) fn write(&self, index: usize, json: &mut Vec<u8>) {
        match &self.nulls {
            Some(nulls) if nulls.is_null(index) => json.extend_from_slice(b"null"),
            _ => (self.write)(index, json),
        }
    }
}

impl fmt::Debug for ValueWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueWriter").finish_non_exhaustive()
    }
}

/// Appends a number or a text as JSON.
#[inline]
pub(super) fn push_json(json: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let written = serde_json::to_writer(json, value);
    // This cannot fail, since it writes numbers and texts to memory.
    debug_assert!(written.is_ok());
}

/// Appends a number. Numbers that are not finite are written as Python's module `json` writes them.
#[inline]
pub(super) fn push_float(json: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        push_json(json, &value);
    } else {
        json.extend_from_slice(match value {
            _ if value.is_nan() => b"NaN",
            _ if value > 0.0 => b"Infinity",
            _ => b"-Infinity",
        });
    }
}

/// Appends a text that needs no escapes, such as a date, in quotes.
pub(super) fn push_quoted(json: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    struct Appended<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Appended<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    json.push(b'"');
    let _ = Appended(json).write_fmt(text);
    json.push(b'"');
}

/// Appends bytes: as a text if they are UTF-8, and otherwise as an object with their hexadecimal digits, which no task
/// takes for a text.
pub(super) fn push_bytes(json: &mut Vec<u8>, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return push_json(json, text);
    }
    json.extend_from_slice(b"{\"hex\":\"");
    push_hex(json, bytes);
    json.extend_from_slice(b"\"}");
}

/// Appends an identifier of 16 bytes in the usual form of a UUID.
pub(super) fn push_uuid(json: &mut Vec<u8>, bytes: &[u8]) {
    json.push(b'"');
    for (place, length) in [(0, 4), (4, 2), (6, 2), (8, 2), (10, 6)] {
        if place > 0 {
            json.push(b'-');
        }
        push_hex(json, &bytes[place..place + length]);
    }
    json.push(b'"');
}

fn push_hex(json: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        json.push(DIGITS[usize::from(byte >> 4)]);
        json.push(DIGITS[usize::from(byte & 15)]);
    }
}
