//! Replaces the characters beyond ASCII that matter to the rules: emoji, white space, and the Kelvin sign.
//!
//! Most texts have none of these and are scored without a copy.

use std::sync::LazyLock;

/// Lines of `emoji<TAB>description`; see `data/README.md` for the source.
const DESCRIPTIONS: &str = include_str!("../../../data/vader/emoji.tsv");

/// A code point above all characters that are translated.
const LIMIT: usize = 0x20000;

/// The Kelvin sign: the only character beyond ASCII whose lowercase form is an ASCII letter.
const KELVIN: char = '\u{212a}';

/// The characters that are translated.
struct Dictionary {
    /// A bit for each code point: 1 if it is translated.
    marked: Box<[u64; LIMIT / 64]>,
    /// Emoji with their descriptions, sorted.
    emoji: Vec<(char, &'static str)>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut emoji: Vec<(char, &str)> = DESCRIPTIONS
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(emoji, description)| Some((emoji.chars().next()?, description)))
        .collect();
    emoji.sort_unstable();
    let spaces = ('\u{80}'..='\u{3000}').filter(|c| c.is_whitespace());
    let mut marked = Box::new([0; LIMIT / 64]);
    for c in emoji.iter().map(|&(c, _)| c).chain(spaces).chain([KELVIN]) {
        let c = c as usize % LIMIT;
        marked[c / 64] |= 1 << (c % 64);
    }
    Dictionary { marked, emoji }
});

impl Dictionary {
    fn is_marked(&self, c: char) -> bool {
        let c = c as usize;
        c < LIMIT && self.marked[c / 64] >> (c % 64) & 1 != 0
    }
}

/// The text for the rules: the text itself, or its translation in `copy`.
///
/// As in the reference, a description starts a new word, and any text that follows the emoji continues the last
/// word of the description.
pub(super) fn translate<'t>(text: &'t str, copy: &'t mut String) -> &'t str {
    if text.is_ascii() {
        return text;
    }
    let dictionary = &*DICTIONARY;
    copy.clear();
    let mut copied = 0;
    let mut at = 0;
    while let Some(c) = next_wide(text, &mut at) {
        let start = at;
        at += c.len_utf8();
        if !dictionary.is_marked(c) {
            continue;
        }
        copy.push_str(&text[copied..start]);
        copied = at;
        match dictionary
            .emoji
            .binary_search_by_key(&c, |&(emoji, _)| emoji)
        {
            Ok(found) => copy.extend([" ", dictionary.emoji[found].1]),
            Err(_) if c == KELVIN => copy.push('K'),
            Err(_) => copy.push(' '),
        }
    }
    if copied == 0 {
        return text;
    }
    copy.push_str(&text[copied..]);
    copy
}

/// The first character at or after `at` that is not ASCII; `at` moves to it.
fn next_wide(text: &str, at: &mut usize) -> Option<char> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let bytes = text.as_bytes();
    while let Some(eight) = bytes[*at..].first_chunk() {
        let high = u64::from_le_bytes(*eight) & HIGH;
        if high != 0 {
            *at += high.trailing_zeros() as usize / 8;
            return text[*at..].chars().next();
        }
        *at += 8;
    }
    *at += bytes[*at..].iter().position(|byte| !byte.is_ascii())?;
    text[*at..].chars().next()
}
