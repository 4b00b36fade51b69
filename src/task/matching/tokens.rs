//! The tokens of a text: its words between white space, sorted by code points.

use std::ops::Range;

use super::alphabet::{Alphabet, SPACE, Symbol};

/// The number of every token that does not occur in the reference.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// One of the distinct tokens of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenSpan {
    /// The number of the token in the vocabulary of the reference, or [`UNKNOWN`].
    pub(super) id: u32,
    /// The position of the token's first symbol in the sorted text.
    pub(super) start: u32,
    /// The position after the token's last symbol in the sorted text.
    pub(super) end: u32,
}

impl TokenSpan {
    /// Number of symbols.
    pub(super) fn length(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Whether RapidFuzz splits a text into tokens at this character.
///
/// It splits at Python's white space, with two exceptions. Python stores a string without code points above
/// U+00FF (`narrow`) in bytes, and in such a string RapidFuzz splits at the white space of ASCII only.
fn is_space(c: char, narrow: bool) -> bool {
    match c {
        '\t'..='\r' | '\u{1c}'..='\u{1f}' | ' ' => true,
        '\u{85}' | '\u{a0}' => !narrow,
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' => true,
        '\u{205f}' | '\u{3000}' => true,
        _ => false,
    }
}

/// Replaces `tokens` with the ranges of the tokens of `text`, sorted.
pub(super) fn split(text: &str, tokens: &mut Vec<Range<usize>>) {
    tokens.clear();
    let narrow = text.chars().all(|c| c <= '\u{ff}');
    let mut start = 0;
    for (index, c) in text.char_indices() {
        if is_space(c, narrow) {
            if start < index {
                tokens.push(start..index);
            }
            start = index + c.len_utf8();
        }
    }
    if start < text.len() {
        tokens.push(start..text.len());
    }
    // Strings in UTF-8 sort in the order of their code points. Equal tokens cannot be distinguished, so the sort
    // may be unstable.
    tokens.sort_unstable_by(|one, other| text[one.clone()].cmp(&text[other.clone()]));
}

/// Appends the sorted tokens of `text`, joined by spaces, to `symbols`, and each distinct token to `tokens`,
/// numbered by `id`.
pub(super) fn join<S: Symbol>(
    text: &str,
    sorted: &[Range<usize>],
    alphabet: &Alphabet,
    mut id: impl FnMut(&str) -> u32,
    symbols: &mut Vec<S>,
    tokens: &mut Vec<TokenSpan>,
) {
    let first = symbols.len();
    let mut before = None;
    for range in sorted {
        let token = &text[range.clone()];
        if before.is_some() {
            symbols.push(S::from_number(SPACE));
        }
        let start = symbols.len() - first;
        alphabet.encode(token, symbols);
        if before != Some(token) {
            tokens.push(TokenSpan {
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
        found.into_iter().map(|range| &text[range]).collect()
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
    fn a_no_break_space_splits_only_a_text_with_a_wide_character() {
        assert_eq!(tokens("b\u{a0}a\u{85}c"), ["b\u{a0}a\u{85}c"]);
        assert_eq!(tokens("b\u{a0}ā\u{85}c"), ["b", "c", "ā"]);
    }
}
