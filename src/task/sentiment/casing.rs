//! Whether a token is written in capitals, as CPython 3.14 sees it.
//!
//! CPython 3.14 follows Unicode 16; the standard library may be ahead of it.

/// Whether there is a capital and no small or titlecase letter.
pub(super) fn is_upper(token: &[u8]) -> bool {
    let mut seen = false;
    for &byte in token {
        if byte.is_ascii_lowercase() {
            return false;
        }
        if !byte.is_ascii() {
            return std::str::from_utf8(token).is_ok_and(is_upper_wide);
        }
        seen |= byte.is_ascii_uppercase();
    }
    seen
}

#[cold]
fn is_upper_wide(token: &str) -> bool {
    let cased = || token.chars().filter(|&c| !gained_case(c));
    cased().any(char::is_uppercase) && !cased().any(|c| c.is_lowercase() || is_small_elsewhere(c))
}

/// Letters that Unicode 17 added with case.
fn gained_case(c: char) -> bool {
    matches!(
        c,
        '\u{a7ce}' | '\u{a7cf}' | '\u{a7d2}' | '\u{a7d4}' | '\u{a7f1}' | '\u{16ea0}'..='\u{16ed3}'
    )
}

/// What is not a small letter to the standard library and keeps a token from being in capitals all
/// the same: titlecase (general category Lt, which has not grown since Unicode 3.0) and U+0295, a
/// small letter until Unicode 17.
fn is_small_elsewhere(c: char) -> bool {
    matches!(
        c,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{295}'
            | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}'
            | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}'
    )
}
