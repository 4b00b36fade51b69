//! Hidden characters, which are invisible characters and characters that change how other characters are shown.
//!
//! Texts and names come from the data. A terminal executes control characters, direction marks make `gpj.exe` look
//! like `exe.jpg`, and zero-width characters make two names look equal. All outputs use the same list of hidden
//! characters. Text shows such a character as `\u{202e}`, and a page shows it as `U+202E`. JSON writes it as
//! `\u202e`, which does not change the value.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// The first code point of the scripts that use joiners. Scripts with smaller code points, which come before Arabic,
/// do not use joiners.
const JOINED_FROM: char = '\u{600}';

/// Returns whether a character is invisible or changes how other characters are shown.
///
/// Hidden characters are control characters, the default-ignorable characters of Unicode (soft hyphens,
/// zero-width characters, fillers, direction marks, tags), line and paragraph separators, interlinear
/// annotations, and noncharacters. Variation selectors are not hidden: they choose the form of the character
/// before them, and are common in emoji.
///
/// ```
/// use manyhands::output::visible::is_hidden;
///
/// assert!(is_hidden('\u{1b}') && is_hidden('\u{202e}') && is_hidden('\u{feff}'));
/// assert!(!is_hidden(' ') && !is_hidden('ß') && !is_hidden('\u{fe0f}'));
/// ```
pub fn is_hidden(c: char) -> bool {
    if c < '\u{ad}' {
        return c.is_control();
    }
    matches!(
        c,
        // These are the default-ignorable characters, without the variation selectors.
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
            // These are the line and paragraph separators, and the interlinear annotations.
            | '\u{2028}'..='\u{2029}'
            | '\u{fff9}'..='\u{fffb}'
            // These are the noncharacters, together with the last two code points of every plane below.
            | '\u{fdd0}'..='\u{fdef}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

/// Returns the characters of a text. Each comes with a flag that says whether the character is hidden at its
/// position.
///
/// A character is hidden if [`is_hidden`] returns true. The joiners U+200C and U+200D are an exception: they are not
/// hidden between two visible characters, since emoji of several people, Persian and many scripts of India need them.
/// In scripts that do not use joiners, such as Latin, and at either end of a word, a joiner is hidden.
///
/// ```
/// use manyhands::output::visible::characters;
///
/// let hidden = |text: &str| characters(text).filter(|(_, hidden)| *hidden).count();
/// assert_eq!(hidden("👩\u{200d}💻"), 0);
/// assert_eq!(hidden("pass\u{200d}word"), 1);
/// ```
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut rest = text.chars();
    let mut before = None;
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let joins = matches!(c, NON_JOINER | JOINER)
            && [before, rest.clone().next()].into_iter().all(is_joined);
        before = Some(c);
        Some((c, is_hidden(c) && !joins))
    })
}

/// Returns whether this is a visible character of a script that uses joiners. A joiner between two such characters is
/// not hidden.
fn is_joined(c: Option<char>) -> bool {
    c.is_some_and(|c| c >= JOINED_FROM && !c.is_whitespace() && !is_hidden(c))
}

/// Returns the text with every [hidden](characters) character escaped as [`char::escape_unicode`] does. It is meant
/// for messages that people read.
///
/// ```
/// use manyhands::output::visible::escaped;
///
/// assert_eq!(escaped("photo\u{202e}gpj.exe"), "photo\\u{202e}gpj.exe");
/// ```
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !characters(text).any(|(_, hidden)| hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for (c, hidden) in characters(text) {
        if hidden {
            escaped.extend(c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns JSON with every [hidden](is_hidden) character escaped, for example as `\u202e`. Joiners are always
/// escaped. The JSON value stays the same, and all characters of the JSON text are visible.
///
/// `text` must be JSON, or part of a JSON string. Line breaks and tabs are kept, since JSON allows them only
/// between its tokens.
///
/// ```
/// use manyhands::output::visible::json;
///
/// assert_eq!(json("{\"file\":\"photo\u{202e}gpj.exe\"}"), r#"{"file":"photo\u202egpj.exe"}"#);
/// ```
pub fn json(text: &str) -> Cow<'_, str> {
    const DELETE: u8 = 0x7f;
    // Bytes below this one are plain ASCII, and JSON already escapes the control characters among them.
    if text.bytes().all(|byte| byte < DELETE) {
        return Cow::Borrowed(text);
    }
    let is_escaped = |c: char| c >= char::from(DELETE) && is_hidden(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut json = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // This cannot fail, since it writes to a string.
                let _ = write!(json, "\\u{unit:04x}");
            }
        } else {
            json.push(c);
        }
    }
    Cow::Owned(json)
}

/// Serializes a value as JSON on one line. All characters are visible, as after [`json`].
///
/// # Errors
///
/// Returns an error if the `Serialize` implementation of the value fails, or if the value contains a map whose keys
/// are not strings.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| match json(&text) {
        Cow::Owned(visible) => visible,
        Cow::Borrowed(_) => text,
    })
}

/// Returns a serializer that writes JSON on one line. All characters are visible, as after [`json`].
///
/// ```
/// use manyhands::output::visible::json_serializer;
/// use serde::Serialize as _;
///
/// let mut line = Vec::new();
/// "e\u{ad}vil".serialize(&mut json_serializer(&mut line))?;
/// assert_eq!(line, br#""e\u00advil""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn json_serializer<W: io::Write>(out: W) -> Serializer<W, impl Formatter> {
    Serializer::with_formatter(out, Visible)
}

/// Writes JSON on one line. Strings and raw JSON are escaped by [`json`].
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        CompactFormatter.write_string_fragment(out, &json(fragment))
    }

    fn write_raw_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        CompactFormatter.write_raw_fragment(out, &json(fragment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every character of Unicode.
    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    #[test]
    fn each_kind_of_hidden_character_is_known() {
        let ranges = [
            ('\0', '\u{1f}', "C0 controls"),
            ('\u{7f}', '\u{9f}', "delete and C1 controls"),
            ('\u{ad}', '\u{ad}', "the soft hyphen"),
            ('\u{61c}', '\u{61c}', "the Arabic letter mark"),
            ('\u{180e}', '\u{180e}', "the Mongolian vowel separator"),
            (
                '\u{200b}',
                '\u{200f}',
                "zero-width characters and direction marks",
            ),
            ('\u{2028}', '\u{202e}', "separators and embeddings"),
            ('\u{2060}', '\u{206f}', "word joiners, operators, isolates"),
            ('\u{3164}', '\u{3164}', "the Hangul filler"),
            ('\u{feff}', '\u{feff}', "the byte order mark"),
            ('\u{fff9}', '\u{fffb}', "interlinear annotations"),
            ('\u{fffe}', '\u{ffff}', "noncharacters"),
            ('\u{e0000}', '\u{e007f}', "tags"),
            ('\u{10fffe}', '\u{10ffff}', "the last noncharacters"),
        ];
        for (first, last, what) in ranges {
            assert!((first..=last).all(is_hidden), "{what} are hidden");
        }
        let shown = [
            ' ',
            'a',
            '~',
            '\u{a0}',
            'é',
            '漢',
            '👍',
            '\u{301}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{e01ef}',
            '\u{fffd}',
            '\u{e000}',
        ];
        assert!(!shown.into_iter().any(is_hidden));
        assert_eq!(
            all().filter(|c| c.is_control() && !is_hidden(*c)).count(),
            0
        );
        // The total shows whether the list has grown by mistake. It consists of 65 control characters, 66
        // noncharacters, 4,174 default-ignorable characters less the 260 variation selectors, and 5 other characters.
        assert_eq!(
            all().filter(|c| is_hidden(*c)).count(),
            65 + 66 + (4_174 - 260) + 5
        );
    }

    #[test]
    fn messages_show_every_character() {
        assert_eq!(
            escaped("a\n\u{9b}31m\u{202e}\u{e0041}"),
            "a\\u{a}\\u{9b}31m\\u{202e}\\u{e0041}"
        );
        assert!(matches!(escaped("漢字 é\u{301} 👍"), Cow::Borrowed(_)));
        for c in all().filter(|c| is_hidden(*c)) {
            assert_eq!(
                escaped(&format!("a{c}b")),
                format!("a{}b", c.escape_unicode())
            );
        }
    }

    #[test]
    fn joiners_are_kept_between_characters_that_they_join() {
        for text in [
            "👨\u{200d}👩\u{200d}👧",
            "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "👩🏽\u{200d}💻",
            "می\u{200c}خواهم",
            "ක්\u{200d}ෂ",
        ] {
            assert_eq!(escaped(text), text);
        }
        for (text, expected) in [
            ("\u{200d}👩", "\\u{200d}👩"),
            ("👩\u{200d}", "👩\\u{200d}"),
            ("👩\u{200d} 💻", "👩\\u{200d} 💻"),
            ("👩\u{200d}x", "👩\\u{200d}x"),
            ("a\u{200c}b", "a\\u{200c}b"),
            ("é\u{200d}é", "é\\u{200d}é"),
            ("👩\u{200d}\u{200d}💻", "👩\\u{200d}\\u{200d}💻"),
            ("👩\u{202e}\u{200d}💻", "👩\\u{202e}\\u{200d}💻"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let some = all().filter(|c| *c < '\u{3200}' || is_hidden(*c));
        for c in some {
            let value = format!("a{c}\\{c}\"");
            let text = serde_json::to_string(&value).unwrap();
            let visible = json(&text);
            assert!(
                !visible.contains(is_hidden),
                "{c:?} is not escaped in {visible:?}"
            );
            assert_eq!(serde_json::from_str::<String>(&visible).unwrap(), value);
            assert_eq!(
                matches!(visible, Cow::Borrowed(_)),
                !text.contains(is_hidden)
            );
        }
    }

    #[test]
    fn every_way_to_json_gives_the_same_text() {
        let raw = serde_json::value::RawValue::from_string("[\"\u{202e}\",\n\t\"\u{7f}\"]".into());
        let hidden = ("\u{e0041} \"quoted\" \u{200d}", raw.unwrap());
        let expected = "[\"\\udb40\\udc41 \\\"quoted\\\" \\u200d\",[\"\\u202e\",\n\t\"\\u007f\"]]";
        assert_eq!(to_json(&hidden).unwrap(), expected);
        let mut line = Vec::new();
        hidden.serialize(&mut json_serializer(&mut line)).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }
}
