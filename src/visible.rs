//! Which characters cannot be seen, or change how others are seen, and how they are written out.
//!
//! Texts and names come from the data. A terminal obeys control characters, and marks of direction
//! make `gpj.exe` look like `exe.jpg`; characters of no width make two names look like one. All
//! outputs share this list: text escapes such a character as `\u{202e}`, JSON as `\u202e`, which
//! leaves the value as it is, and a page as `U+202E`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// The first character of the scripts that need joiners: all before Arabic do without.
const JOINED_FROM: char = '\u{600}';

/// Whether a character cannot be seen, or changes how others are seen.
///
/// These are control characters, what Unicode calls default-ignorable (soft hyphens, characters of
/// no width, fillers, marks of direction, tags), separators of lines and paragraphs, interlinear
/// annotations, and noncharacters. Variation selectors are not: they choose the look of the character
/// before them, and emoji are full of them.
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
        // Default-ignorable, without the variation selectors.
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
            // Separators of lines and paragraphs, and interlinear annotations.
            | '\u{2028}'..='\u{2029}'
            | '\u{fff9}'..='\u{fffb}'
            // Noncharacters.
            | '\u{fdd0}'..='\u{fdef}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

/// The characters of a text, each with whether it is hidden where it stands.
///
/// That is [`is_hidden`], but for the joiners U+200C and U+200D between two characters that are
/// not: emoji of several people, Persian and many scripts of India are spelt with them. In scripts
/// that have no use for them, such as Latin, joiners are hidden anywhere, and so are those at either
/// end of a word.
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

/// Whether a joiner beside this character has something to join.
fn is_joined(c: Option<char>) -> bool {
    c.is_some_and(|c| c >= JOINED_FROM && !c.is_whitespace() && !is_hidden(c))
}

/// A message for people, with every [hidden](characters) character written out as
/// [`char::escape_unicode`] does.
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

/// JSON with every [hidden](is_hidden) character in it, joiners too, written as `\u202e`: the same
/// value, in characters that all can be seen.
///
/// `text` must be JSON, or part of a string of it. Line breaks and tabs stay as they are, since JSON has them
/// between its tokens only.
///
/// ```
/// use manyhands::output::visible::json;
///
/// assert_eq!(json("{\"file\":\"photo\u{202e}gpj.exe\"}"), r#"{"file":"photo\u202egpj.exe"}"#);
/// ```
pub fn json(text: &str) -> Cow<'_, str> {
    const DELETE: u8 = 0x7f;
    // What is below it is plain ASCII, for which JSON has escapes of its own.
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
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{unit:04x}");
            }
        } else {
            json.push(c);
        }
    }
    Cow::Owned(json)
}

/// A value as JSON on one line, all of whose characters can be seen: see [`json`].
///
/// # Errors
///
/// If the value's own `Serialize` fails, or a map in it has keys that are no strings.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| match json(&text) {
        Cow::Owned(visible) => visible,
        Cow::Borrowed(_) => text,
    })
}

/// A serializer of such JSON, on one line.
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

/// Writes JSON on one line; strings, and JSON that was written before, by [`json`].
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

    /// Every character that there is.
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
                "zero-width characters and marks of direction",
            ),
            ('\u{2028}', '\u{202e}', "separators and embeddings"),
            (
                '\u{2060}',
                '\u{206f}',
                "joiners of words, operators, isolates",
            ),
            ('\u{3164}', '\u{3164}', "the Hangul filler"),
            ('\u{feff}', '\u{feff}', "the byte order mark"),
            ('\u{fff9}', '\u{fffb}', "interlinear annotations"),
            ('\u{fffe}', '\u{ffff}', "noncharacters"),
            ('\u{e0000}', '\u{e007f}', "tags"),
            ('\u{10fffe}', '\u{10ffff}', "the last noncharacters"),
        ];
        for (first, last, what) in ranges {
            assert!((first..=last).all(is_hidden), "{what} can be hidden");
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
        // Whether a list has grown by mistake shows in the number: 65 controls, 66 noncharacters,
        // 4,174 default-ignorable characters of which 260 select variations, and 5 others.
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
    fn joiners_are_shown_where_they_join() {
        for text in [
            "👨\u{200d}👩\u{200d}👧",
            "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "👩🏽\u{200d}💻",
            "می\u{200c}خواهم",
            "ක්\u{200d}ෂ",
        ] {
            assert_eq!(escaped(text), text);
        }
        for (text, told) in [
            ("\u{200d}👩", "\\u{200d}👩"),
            ("👩\u{200d}", "👩\\u{200d}"),
            ("👩\u{200d} 💻", "👩\\u{200d} 💻"),
            ("👩\u{200d}x", "👩\\u{200d}x"),
            ("a\u{200c}b", "a\\u{200c}b"),
            ("é\u{200d}é", "é\\u{200d}é"),
            ("👩\u{200d}\u{200d}💻", "👩\\u{200d}\\u{200d}💻"),
            ("👩\u{202e}\u{200d}💻", "👩\\u{202e}\\u{200d}💻"),
        ] {
            assert_eq!(escaped(text), told);
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
    fn all_ways_to_json_are_one() {
        let raw = serde_json::value::RawValue::from_string("[\"\u{202e}\",\n\t\"\u{7f}\"]".into());
        let hidden = ("\u{e0041} \"quoted\" \u{200d}", raw.unwrap());
        let expected = "[\"\\udb40\\udc41 \\\"quoted\\\" \\u200d\",[\"\\u202e\",\n\t\"\\u007f\"]]";
        assert_eq!(to_json(&hidden).unwrap(), expected);
        let mut line = Vec::new();
        hidden.serialize(&mut json_serializer(&mut line)).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }
}
