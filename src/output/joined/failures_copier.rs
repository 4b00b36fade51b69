//! Copies the reasons of the failed records of a shard.

use std::path::Path;

use super::counted_number::CountedNumber;
use super::json_lines::{NUMBER, written_path};
use super::shard::{FirstLines, ShardFailures};
use super::shard_numbers::OtherRecords;

/// The end of the reason of a record that is not in the file of failures.
pub(super) const LEFT_OUT: &[u8] = b",\"left_out\":true}\n";

/// Copies the lines of a file of reasons, with the numbers of the whole.
#[derive(Debug)]
pub(super) struct ReasonsCopier<'a> {
    /// What a line contains between the number of a record and the number of its line, if the record is in the file in
    /// which the shard begins.
    place: Option<(Vec<u8>, FirstLines<'a>)>,
    records: u64,
    records_before: u64,
    /// The number of the last record, from 1.
    last: u64,
    /// Whether the records of the shard do not fit in the file of the whole.
    are_left_out: bool,
    pub(super) failed: u64,
    pub(super) left_out: u64,
}

impl<'a> ReasonsCopier<'a> {
    pub(super) fn new(shard: &ShardFailures<'a>, are_left_out: bool) -> Self {
        let place = |first: FirstLines<'a>| (place_in(first.path), first);
        ReasonsCopier {
            place: shard.first_lines.map(place),
            records: shard.records,
            records_before: shard.records_before,
            last: 0,
            are_left_out,
            failed: 0,
            left_out: 0,
        }
    }

    /// Appends a line, which ends with a line end.
    ///
    /// # Errors
    ///
    /// Returns what is wrong if the line is not the reason of a later record of the shard.
    pub(super) fn copy(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), OtherRecords> {
        let next = line.strip_prefix(NUMBER).and_then(number);
        let next = next.filter(|(number, _)| (self.last + 1..=self.records).contains(number));
        let Some((number_in_shard, mut rest)) = next else {
            return Err(format!(
                "a reason is not that of a record from {} to {}",
                self.last.saturating_add(1),
                self.records
            ));
        };
        self.last = number_in_shard;
        self.failed += 1;
        out.extend_from_slice(NUMBER);
        push(number_in_shard, self.records_before, out);
        if let Some((place, first)) = &self.place
            && number_in_shard <= first.records
            && let Some(after) = rest.strip_prefix(&place[..])
            && let Some((line, after)) = number(after)
        {
            out.extend_from_slice(place);
            push(line, first.lines_before, out);
            rest = after;
        }
        let is_marked = rest.ends_with(LEFT_OUT);
        self.left_out += u64::from(is_marked || self.are_left_out);
        match rest.strip_suffix(b"}\n") {
            Some(rest) if self.are_left_out && !is_marked => {
                out.extend_from_slice(rest);
                out.extend_from_slice(LEFT_OUT);
            }
            Some(_) => out.extend_from_slice(rest),
            None => return Err("it ends inside a reason".to_owned()),
        }
        Ok(())
    }
}

/// What follows the number of a record that is in this file, up to the number of its line.
fn place_in(path: &Path) -> Vec<u8> {
    let mut place = b",\"file\":\"".to_vec();
    place.extend_from_slice(&written_path(path));
    place.extend_from_slice(b"\",\"line\":");
    place
}

/// The number at the beginning of a text, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let (digits, rest) = text.split_at(digits.count());
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest))
}

/// Appends the sum of two numbers.
fn push(number: u64, before: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(CountedNumber::new(number.saturating_add(before)).digits());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{WrittenFailures, WrittenFile};

    const WHAT: &str = "\"column\":null,\"error\":\"x \\\",\\\"left_out\\\":true\"";

    fn copied(are_left_out: bool, lines: &[&str]) -> Result<(String, u64), OtherRecords> {
        let file = WrittenFile { bytes: 0, hash: 0 };
        let written = WrittenFailures {
            records: file,
            reasons: file,
            is_compressed: false,
            header_bytes: 0,
            heads: Vec::new(),
        };
        let path = Path::new("a \"1\".in");
        let first = FirstLines {
            path,
            records: 9,
            lines_before: 90,
        };
        let shard = ShardFailures {
            records_path: path,
            reasons_path: path,
            written: &written,
            records: 20,
            records_before: 95,
            first_lines: Some(first),
        };
        let mut copier = ReasonsCopier::new(&shard, are_left_out);
        let mut out = Vec::new();
        for line in lines {
            copier.copy(line.as_bytes(), &mut out)?;
        }
        assert_eq!(copier.failed, lines.len() as u64);
        Ok((String::from_utf8(out).expect("JSON"), copier.left_out))
    }

    #[test]
    fn numbers_and_marks_are_those_of_the_whole() {
        let reason = |number: u64, file: &str, line: u64, end: &str| {
            format!("{{\"record\":{number},\"file\":\"{file}\",\"line\":{line},{WHAT}{end}}}\n")
        };
        let mark = ",\"left_out\":true";
        let lines = [
            reason(5, "a \\\"1\\\".in", 9, ""),
            reason(8, "other", 9, ""),
            "{\"record\":9,\"error\":\"no place\"}\n".to_owned(),
            reason(10, "a \\\"1\\\".in", 10, mark),
        ];
        let lines = lines.each_ref().map(String::as_str);
        for (are_left_out, end, left_out) in [(false, "", 1), (true, mark, 4)] {
            let whole = reason(100, "a \\\"1\\\".in", 99, end)
                + &reason(103, "other", 9, end)
                + &format!("{{\"record\":104,\"error\":\"no place\"{end}}}\n")
                + &reason(105, "a \\\"1\\\".in", 10, mark);
            assert_eq!(copied(are_left_out, &lines), Ok((whole, left_out)));
        }
    }

    #[test]
    fn lines_that_are_no_reasons_of_later_records_are_refused() {
        let line = "{\"record\":5,\"error\":\"x\"}\n";
        for lines in [
            &[line, line][..],
            &["{\"record\":0,\"error\":\"x\"}\n"],
            &["{\"record\":21,\"error\":\"x\"}\n"],
            &["{\"error\":\"x\"}\n"],
            &["\n"],
        ] {
            let refused = copied(false, lines).expect_err("it is no reason");
            assert!(refused.starts_with("a reason is not that of a record from "));
            assert!(refused.ends_with("to 20"), "{refused}");
        }
        let refused = copied(false, &["{\"record\":5,\"error\":\"x\n"]);
        assert_eq!(refused, Err("it ends inside a reason".to_owned()));
    }
}
