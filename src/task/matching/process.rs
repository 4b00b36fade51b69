//! Texts made alike before they are compared: lower case, and letters and digits alone.

use std::sync::OnceLock;

/// Lines of `first last stride offset`: the code points from `first` to `last` (hexadecimal), every
/// `stride`-th of them, become themselves plus `offset`. All others become spaces.
const TABLE: &str = include_str!("../../../data/matching/process.tsv");

/// How many code points share a page of the table.
const PAGE: usize = 256;

/// What each code point becomes.
struct Table {
    /// `None` where all become spaces.
    pages: Vec<Option<Box<[char; PAGE]>>>,
}

impl Table {
    fn shared() -> &'static Table {
        static SHARED: OnceLock<Table> = OnceLock::new();
        SHARED.get_or_init(|| Table::parse(TABLE))
    }

    fn parse(lines: &str) -> Table {
        let mut pages = vec![None; char::MAX as usize / PAGE + 1];
        for (first, last, stride, offset) in lines.lines().filter_map(parse_line) {
            for from in (first..=last).step_by(stride) {
                let into = from.checked_add_signed(offset).and_then(char::from_u32);
                let page: &mut Option<Box<[char; PAGE]>> = &mut pages[from as usize / PAGE];
                let page = page.get_or_insert_with(|| Box::new([' '; PAGE]));
                page[from as usize % PAGE] = into.unwrap_or(' ');
            }
        }
        Table { pages }
    }

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

/// Writes to `into` what RapidFuzz's `default_process` makes of `text`: each code point in lower
/// case if it is a letter or a digit, else a space; then no spaces at either end.
pub(super) fn process(text: &str, into: &mut String) {
    into.clear();
    let table = Table::shared();
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
    fn letters_become_small_and_marks_become_spaces() {
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
