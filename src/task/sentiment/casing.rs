//! Whether a token is written in capitals, as CPython 3.14 sees it (Unicode 16).

/// Characters that gained case after Unicode 16, when the standard library may know of it already.
const NEWLY_CASED: [char; 0] = [];

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
    let cased = || token.chars().filter(|c| !NEWLY_CASED.contains(c));
    cased().any(char::is_uppercase) && !cased().any(|c| c.is_lowercase() || is_titlecase(c))
}

/// Unicode's general category Lt, which has not grown since Unicode 3.0.
fn is_titlecase(c: char) -> bool {
    matches!(
        c,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}'
            | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}'
            | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}'
    )
}
