//! RapidFuzz's `default_process`: it changes letters to lower case, and replaces everything except letters and
//! digits with spaces.

use std::sync::OnceLock;

/// Tab-separated lines of `first last stride offset`: every `stride`-th code point from `first` to `last`
/// (hexadecimal) is replaced by itself plus `offset`. All other code points are replaced by spaces.
const TABLE: &str = include_str!("../../../data/matching/process.tsv");

/// Number of code points in a page of the map.
const PAGE: usize = 256;

/// The replacement of each code point, in pages.
struct CodePointMap {
    /// `None` if the whole page is replaced by spaces.
    pages: Vec<Option<Box<[char; PAGE]>>>,
}

impl CodePointMap {
    fn shared() -> &'static CodePointMap {
        static SHARED: OnceLock<CodePointMap> = OnceLock::new();
        SHARED.get_or_init(|| CodePointMap::parse(TABLE))
    }

    fn parse(lines: &str) -> CodePointMap {
        let mut pages = vec![None; char::MAX as usize / PAGE + 1];
        for (first, last, stride, offset) in lines.lines().filter_map(parse_line) {
            for from in (first..=last).step_by(stride) {
                let into = from.checked_add_signed(offset).and_then(char::from_u32);
                let page: &mut Option<Box<[char; PAGE]>> = &mut pages[from as usize / PAGE];
                let page = page.get_or_insert_with(|| Box::new([' '; PAGE]));
                page[from as usize % PAGE] = into.unwrap_or(' ');
            }
        }
        CodePointMap { pages }
    }

    /// The replacement of a code point.
    fn get(&self, from: char) -> char {
        let from = from as usize;
        self.pages[from / PAGE]
            .as_ref()
            .map_or(' ', |page| page[from % PAGE])
    }
}

fn parse_line(line: &str) -> Option<(u32, u32, usize, i32)> {
    let mut fields = line.split('\t');
    let mut code_point = || u32::from_str_radix(fields.next()?, 16).ok();
    let (first, last) = (code_point()?, code_point()?);
    let stride = fields.next()?.parse().ok()?;
    Some((first, last, stride, fields.next()?.parse().ok()?))
}

/// Replaces `into` with the result of RapidFuzz's `default_process` for `text`: letters and digits in lower
/// case, spaces for all other code points, and no spaces at either end.
pub(super) fn process(text: &str, into: &mut String) {
    into.clear();
    let table = CodePointMap::shared();
    let start = |c: &char| *c == ' ';
    into.extend(text.chars().map(|c| table.get(c)).skip_while(start));
    into.truncate(into.trim_end_matches(' ').len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert!(TABLE.lines().all(|line| parse_line(line).is_some()));
    }

    #[test]
    fn letters_become_lower_case_and_other_characters_spaces() {
        let mut into = "before".to_owned();
        for (text, expected) in [
            ("  Épson® XL-200 (Ink)!", "épson  xl 200  ink"),
            ("İΣẞ", "iσß"),
            ("\u{1f600}", ""),
            ("", ""),
        ] {
            process(text, &mut into);
            assert_eq!(into, expected);
        }
    }
}
