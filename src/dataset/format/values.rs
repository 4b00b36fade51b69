//! The values of a JSON document, found by reading it from its beginning.
//!
//! Each element of an array is a record, and so is each value that is not in an array, such as objects one after the
//! other. Only brackets and strings are examined here; whether a value is valid JSON is found out when it is read.

use std::ops::ControlFlow;

use memchr::{memchr2, memrchr2};

use super::lines::{blank, line_ends};
use super::state::RecordSpan;
use super::unreadable::Unreadable;
use crate::error::BadRecord;

/// The depth of nesting up to which the scanner checks that each closing bracket is of the kind of the opening one.
/// Deeper brackets are only counted.
const KNOWN_DEPTH: u64 = u128::BITS as u64;

/// Finds the values of a document that is read piece by piece.
#[derive(Debug)]
pub(in crate::dataset) struct ValueScanner {
    /// Bytes before this place have been scanned.
    at: usize,
    expected: Expected,
    /// The value whose beginning has been scanned, but not its end.
    open: Option<OpenValue>,
    /// Number of line ends among the bytes that have been scanned.
    lines: u64,
    after_cr: bool,
    /// The place where the current line begins. It is negative if the beginning of the line is no longer in memory.
    line_start: i64,
    /// The array in which values are expected, by the number of lines before it.
    array: Option<u64>,
    unreadable: Option<Unreadable>,
}

/// What may come after the bytes that have been scanned, if no value is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A value, or an array of values.
    Value,
    /// The first element of an array, or its end.
    FirstElement,
    /// An element after a comma.
    Element,
    /// A comma, or the end of the array.
    Comma,
}

#[derive(Debug)]
struct OpenValue {
    start: usize,
    lines_before: u64,
    inside: Inside,
    depth: u64,
    /// One bit for each of the outermost [`KNOWN_DEPTH`] open brackets: 1 for a brace. The last bit is for the
    /// innermost of these brackets.
    braces: u128,
}

/// Where in a value its last scanned byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Brackets,
    String,
    /// After a backslash in a string.
    Escape,
    /// A number or a word.
    Scalar,
}

impl ValueScanner {
    pub(in crate::dataset) fn new() -> Self {
        ValueScanner {
            at: 0,
            expected: Expected::Value,
            open: None,
            lines: 0,
            after_cr: false,
            line_start: 0,
            array: None,
            unreadable: None,
        }
    }

    /// Scans the bytes that have not been scanned, and calls `found` with each value that ends in them, until `found`
    /// returns `Break`. The scan also stops at an error, after which the document cannot be read.
    pub(in crate::dataset) fn scan(
        &mut self,
        bytes: &[u8],
        mut found: impl FnMut(RecordSpan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut counted = self.at;
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() && self.unreadable.is_none() && self.at < bytes.len() {
            let Some(open) = &mut self.open else {
                self.at += blank(&bytes[self.at..]);
                // The last bytes may be the beginning of a byte-order mark.
                if matches!(bytes[self.at..], [] | [0xef] | [0xef, 0xbb]) {
                    break;
                }
                self.count(bytes, counted);
                counted = self.at;
                self.between(bytes);
                continue;
            };
            match open.scan(bytes, &mut self.at) {
                Ok(false) => {}
                Ok(true) => {
                    if let Some(span) = self.close() {
                        flow = found(span);
                    }
                }
                Err(expected) => {
                    self.count(bytes, counted);
                    counted = self.at;
                    self.refuse(expected, found_in(&bytes[self.at..]));
                }
            }
        }
        self.count(bytes, counted);
        if self.unreadable.is_some() {
            self.at = bytes.len();
        }
        flow
    }

    /// Counts the lines of the bytes that were scanned after the place `counted`.
    fn count(&mut self, bytes: &[u8], counted: usize) {
        let bytes = &bytes[counted..self.at];
        self.lines += line_ends(bytes, self.after_cr);
        self.after_cr = bytes.last().map_or(self.after_cr, |last| *last == b'\r');
        if let Some(end) = memrchr2(b'\n', b'\r', bytes) {
            self.line_start = (counted + end + 1) as i64;
        }
    }

    /// Scans the byte between two values, at which a value or the end of an array begins.
    fn between(&mut self, bytes: &[u8]) {
        use Expected::{Comma, Element, FirstElement, Value};

        let byte = bytes[self.at];
        match (self.expected, byte) {
            (Value, b'[') => {
                self.array = Some(self.lines);
                self.expected = FirstElement;
            }
            (FirstElement | Comma, b']') => {
                self.array = None;
                self.expected = Value;
            }
            (Comma, b',') => self.expected = Element,
            (Value | FirstElement | Element, b'{' | b'[' | b'"' | b'-' | b'.' | b'+')
            | (Value | FirstElement | Element, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                self.open = Some(OpenValue::begin(self.at, self.lines, byte));
            }
            (expected, _) => {
                let expected = match expected {
                    Value => "a JSON value",
                    FirstElement => "a value or the end of the array",
                    Element => "a value after the comma",
                    Comma => "a comma or the end of the array",
                };
                return self.refuse(expected, found_in(&bytes[self.at..]));
            }
        }
        self.at += 1;
    }

    fn close(&mut self) -> Option<RecordSpan> {
        let open = self.open.take()?;
        self.expected = match self.array {
            Some(_) => Expected::Comma,
            None => Expected::Value,
        };
        Some(RecordSpan {
            start: open.start,
            end: self.at,
            lines_before: open.lines_before,
            delimiters: None,
        })
    }

    /// Notes that the document cannot be read beyond the byte that was scanned last.
    fn refuse(&mut self, expected: &str, found: String) {
        self.open = None;
        let column = self.at as i64 - self.line_start + 1;
        let message = format!(
            "expected {expected}, found {found}; the JSON document cannot be read beyond this place"
        );
        self.unreadable = Some(Unreadable {
            lines_before: self.lines,
            reason: BadRecord::last(message, u64::try_from(column).ok()),
        });
    }

    /// Ends the document, because the text ends there. A number or a word that ends there is a value.
    pub(in crate::dataset) fn end(&mut self, bytes: &[u8]) -> Option<RecordSpan> {
        if self.unreadable.is_some() {
            return None;
        }
        let scalar = |open: &OpenValue| open.inside == Inside::Scalar && open.depth == 0;
        let last = match self.open.as_ref().is_some_and(scalar) {
            true => self.close(),
            false => None,
        };
        let value = self.open.as_ref().map(|open| ("value", open.lines_before));
        if self.at < bytes.len() {
            self.refuse("a JSON value", found_in(&bytes[self.at..]));
            self.at = bytes.len();
        } else if let Some((kind, line)) = value.or(self.array.map(|line| ("array", line))) {
            let expected = format!("the end of the {kind} that begins in line {}", line + 1);
            self.refuse(&expected, "the end of the text".to_owned());
        }
        last
    }

    /// The place up to which the document has been scanned.
    pub(in crate::dataset) fn scanned(&self) -> usize {
        self.at
    }

    /// The place where the unfinished value begins, if there is one.
    pub(in crate::dataset) fn open(&self) -> Option<usize> {
        self.open.as_ref().map(|open| open.start)
    }

    /// The reason why the document cannot be read to its end. `None` if no error has been found.
    pub(in crate::dataset) fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_ref()
    }

    /// Adjusts all places after this number of bytes was removed from the front of the memory. All removed bytes must
    /// have been scanned.
    pub(in crate::dataset) fn remove_front(&mut self, bytes: usize) {
        self.at -= bytes;
        self.line_start -= bytes as i64;
        if let Some(open) = &mut self.open {
            open.start -= bytes;
        }
    }

    /// Adjusts the place of the scanner after the last bytes that it scanned were removed; `bytes` is their number.
    pub(in crate::dataset) fn remove_back(&mut self, bytes: usize) {
        self.at -= bytes;
        self.line_start -= bytes as i64;
    }
}

impl OpenValue {
    fn begin(start: usize, lines_before: u64, first: u8) -> Self {
        let inside = match first {
            b'{' | b'[' => Inside::Brackets,
            b'"' => Inside::String,
            _ => Inside::Scalar,
        };
        OpenValue {
            start,
            lines_before,
            inside,
            depth: u64::from(inside == Inside::Brackets),
            braces: u128::from(first == b'{'),
        }
    }

    /// Scans on to the end of the value. Returns whether the end was found, or which bracket was expected in place of
    /// another one.
    fn scan(&mut self, bytes: &[u8], at: &mut usize) -> Result<bool, &'static str> {
        while *at < bytes.len() {
            let rest = &bytes[*at..];
            match self.inside {
                Inside::String => {
                    let Some(end) = memchr2(b'"', b'\\', rest) else {
                        break;
                    };
                    *at += end + 1;
                    match (rest[end], self.depth) {
                        (b'\\', _) => self.inside = Inside::Escape,
                        (_, 0) => return Ok(true),
                        _ => self.inside = Inside::Brackets,
                    }
                }
                Inside::Escape => {
                    *at += 1;
                    self.inside = Inside::String;
                }
                Inside::Scalar => {
                    let Some(end) = rest.iter().position(|byte| ends_scalar(*byte)) else {
                        break;
                    };
                    *at += end;
                    return Ok(true);
                }
                Inside::Brackets => {
                    let Some(next) = rest.iter().position(|byte| is_structure(*byte)) else {
                        break;
                    };
                    *at += next;
                    match rest[next] {
                        b'"' => self.inside = Inside::String,
                        open @ (b'{' | b'[') => {
                            self.depth += 1;
                            if self.depth <= KNOWN_DEPTH {
                                self.braces = self.braces << 1 | u128::from(open == b'{');
                            }
                        }
                        close => {
                            let is_brace = self.braces & 1 == 1;
                            if self.depth <= KNOWN_DEPTH {
                                if is_brace != (close == b'}') {
                                    return Err(if is_brace { "a }" } else { "a ]" });
                                }
                                self.braces >>= 1;
                            }
                            self.depth -= 1;
                        }
                    }
                    *at += 1;
                    if self.depth == 0 {
                        return Ok(true);
                    }
                }
            }
        }
        *at = bytes.len();
        Ok(false)
    }
}

fn is_structure(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}

fn ends_scalar(byte: u8) -> bool {
    is_structure(byte) || byte.is_ascii_whitespace() || matches!(byte, b',' | b':')
}

/// Returns the first character of some bytes for a message.
fn found_in(bytes: &[u8]) -> String {
    match bytes.first() {
        Some(first) if first.is_ascii_graphic() => format!("{:?}", char::from(*first)),
        _ => "text that is no JSON".to_owned(),
    }
}
