//! The tokens of a text: what stands between white space, in the order of its code points.

use std::ops::Range;

use super::alphabet::{Alphabet, SPACE, Symbol};

/// A token that no text of the reference has.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// One of the different tokens of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Its number in the vocabulary of the reference, or [`UNKNOWN`].
    pub(super) id: u32,
    /// Where it stands among the symbols of the sorted text.
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Token {
    pub(super) fn length(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// White space where RapidFuzz splits a text into tokens.
///
/// It is Python's, but for two characters: a Python string without any code point from U+0100 on is
/// stored in bytes, and there RapidFuzz knows the white space of ASCII alone.
fn is_space(c: char, narrow: bool) -> bool {
    match c {
        '\t'..='\r' | '\u{1c}'..='\u{1f}' | ' ' => true,
        '\u{85}' | '\u{a0}' => !narrow,
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' => true,
        '\u{205f}' | '\u{3000}' => true,
        _ => false,
    }
}

/// Finds the tokens of `text`, and sorts them.
pub(super) fn split(text: &str, tokens: &mut Vec<Range<usize>>) {
    tokens.clear();
    let narrow = text.chars().all(|c| c <= '\u{ff}');
    let mut start = 0;
    for (place, c) in text.char_indices() {
        if is_space(c, narrow) {
            if start < place {
                tokens.push(start..place);
            }
            start = place + c.len_utf8();
        }
    }
    if start < text.len() {
        tokens.push(start..text.len());
    }
    // UTF-8 sorts as its code points do. Equals cannot be told apart, so unstable is as good.
    tokens.sort_unstable_by(|one, other| text[one.clone()].cmp(&text[other.clone()]));
}

/// Appends the sorted tokens of `text`, joined by spaces, to `symbols`, and each different one to
/// `tokens`, numbered by `id`.
pub(super) fn join<S: Symbol>(
    text: &str,
    sorted: &[Range<usize>],
    alphabet: &Alphabet,
    mut id: impl FnMut(&str) -> u32,
    symbols: &mut Vec<S>,
    tokens: &mut Vec<Token>,
) {
    let first = symbols.len();
    let mut before = None;
    for place in sorted {
        let token = &text[place.clone()];
        if before.is_some() {
            symbols.push(S::from_number(SPACE));
        }
        let start = symbols.len() - first;
        alphabet.encode(token, symbols);
        if before != Some(token) {
            tokens.push(Token {
                id: id(token),
                start: start as u32,
                end: (symbols.len() - first) as u32,
            });
        }
        before = Some(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        split(text, &mut found);
        found.into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn tokens_are_sorted_by_code_point() {
        assert_eq!(
            tokens(" b\ta\u{1f}B \u{3000}é ab"),
            ["B", "a", "ab", "b", "é"]
        );
        assert_eq!(tokens(" \n"), [""; 0]);
    }

    #[test]
    fn a_hard_space_splits_only_beside_a_wide_character() {
        assert_eq!(tokens("b\u{a0}a\u{85}c"), ["b\u{a0}a\u{85}c"]);
        assert_eq!(tokens("b\u{a0}ā\u{85}c"), ["b", "c", "ā"]);
    }
}
