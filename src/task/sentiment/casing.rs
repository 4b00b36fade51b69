//! Checks whether a token is in upper case, with the same result as `str.isupper` of CPython 3.14.
//!
//! CPython 3.14 follows Unicode 16; the standard library may follow a later version.

/// Whether a token has an uppercase letter, and no lowercase or titlecase letter.
pub(super) fn is_upper(token: &[u8]) -> bool {
    let mut has_upper = false;
    for &byte in token {
        if byte.is_ascii_lowercase() {
            return false;
        }
        if !byte.is_ascii() {
            return std::str::from_utf8(token).is_ok_and(is_upper_wide);
        }
        has_upper |= byte.is_ascii_uppercase();
    }
    has_upper
}

#[cold]
fn is_upper_wide(token: &str) -> bool {
    let cased = || token.chars().filter(|&c| !gained_case(c));
    cased().any(char::is_uppercase)
        && !cased().any(|c| c.is_lowercase() || is_not_upper_in_cpython(c))
}

/// Whether Unicode 17 added the letter or gave it case.
fn gained_case(c: char) -> bool {
    matches!(
        c,
        '\u{a7ce}' | '\u{a7cf}' | '\u{a7d2}' | '\u{a7d4}' | '\u{a7f1}' | '\u{16ea0}'..='\u{16ed3}'
    )
}

/// Whether CPython treats the letter as lowercase or titlecase, but the standard library does not treat it as
/// lowercase: titlecase letters (general category Lt, unchanged since Unicode 3.0), and U+0295, which was
/// lowercase until Unicode 17.
fn is_not_upper_in_cpython(c: char) -> bool {
    matches!(
        c,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{295}'
            | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}'
            | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}'
    )
}
