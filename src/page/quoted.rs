//! Escapes texts and names from the data, so that every character is visible and none acts as markup.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use crate::visible::characters;

/// Largest size of the markup of a name, in bytes.
const NAME: usize = 400;
/// Largest size of the markup of a sentence, in bytes. A sentence may quote several names.
const SENTENCE: usize = 3000;

/// Escapes a name, a path, or a message from the data, and cuts it if it is long. Its direction of writing does not
/// affect the text around it.
pub(super) fn quoted(text: impl std::fmt::Display) -> Markup {
    beginning(&text.to_string(), NAME)
}

/// Escapes a sentence of the program that may quote names from the data.
pub(super) fn sentence(text: impl std::fmt::Display) -> Markup {
    beginning(&text.to_string(), SENTENCE)
}

fn beginning(text: &str, bytes: usize) -> Markup {
    let (shown, rest) = visible(text, bytes, false);
    html! {
        bdi {
            @if text.trim().is_empty() { span.odd { "“" (shown) "”" } } @else { (shown) }
            @if rest > 0 { "…" }
        }
    }
}

/// Escapes text from the data for places in which no markup is possible, such as titles of pages and tooltips.
pub(super) fn plain(text: impl std::fmt::Display) -> String {
    const CHARACTERS: usize = 120;
    let mut plain = String::new();
    for (index, (c, hidden)) in characters(&text.to_string()).enumerate() {
        if index == CHARACTERS {
            plain.push('…');
            break;
        }
        if hidden {
            let _ = write!(plain, "{}", code(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Number of bytes of markup that texts may still take on a page.
pub(super) struct TextBudget(pub(super) usize);

impl TextBudget {
    /// Shows the beginning of a text, and, if the budget allows it, the rest of the text for the reader to unfold.
    pub(super) fn text(&mut self, text: &str) -> Markup {
        const BEGINNING: usize = 360;
        const UNFOLDED: usize = 12_000;
        let (beginning, rest) = visible(text, BEGINNING.min(self.0), true);
        self.0 -= beginning.0.len().min(self.0);
        if rest == 0 {
            return html! { bdi { (beginning) } };
        }
        let (whole, left_out) = visible(text, UNFOLDED.min(self.0), true);
        if whole.0.len() <= beginning.0.len() {
            return html! { bdi { (beginning) "…" } };
        }
        self.0 -= whole.0.len().min(self.0);
        html! {
            details.text {
                summary { bdi { (beginning) "…" } }
                p { bdi { (whole) } }
                @if left_out > 0 {
                    p.aside { "… and " (super::numbers::count(left_out as u64)) " characters more." }
                }
            }
        }
    }
}

/// Returns the beginning of a text as markup of about `bytes` bytes, and the number of characters that were left out.
/// If `prose` is true, line breaks and tabs stay as they are.
fn visible(text: &str, bytes: usize, prose: bool) -> (Markup, usize) {
    let mut markup = String::new();
    let mut left = characters(text);
    while let Some((c, hidden)) = left.next() {
        if markup.len() >= bytes {
            return (PreEscaped(markup), 1 + left.count());
        }
        let blank = prose && matches!(c, '\n' | '\r' | '\t');
        match c {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            '\'' => markup.push_str("&#39;"),
            _ if hidden && !blank => {
                let _ = write!(markup, "<span class=\"odd\">{}</span>", code(c));
            }
            _ => markup.push(c),
        }
    }
    (PreEscaped(markup), 0)
}

/// Returns a symbol for a line break or a tab, and the code point for any other character.
fn code(c: char) -> String {
    match c {
        '\n' => "↵".to_owned(),
        '\t' => "⇥".to_owned(),
        _ => format!("U+{:04X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_data_is_markup_or_invisible() {
        let hostile = "</style><script>'\"&\u{202e}gpj\0\u{feff}";
        let markup = quoted(hostile).into_string();
        assert!(markup.contains("&lt;/style&gt;&lt;script&gt;&#39;&quot;&amp;"));
        for code in ["U+202E", "U+0000", "U+FEFF"] {
            assert!(markup.contains(code), "{code} is not in {markup}");
        }
        assert!(!markup.contains(['\u{202e}', '\0', '\u{feff}']));
        assert!(!plain(hostile).contains(['\u{202e}', '\0', '\u{feff}']));
        assert!(quoted("👩‍💻 e\u{301}").into_string().contains("👩‍💻 e\u{301}"));
        assert!(quoted(" ").into_string().contains("“ ”"));
    }

    #[test]
    fn long_texts_stay_within_the_budget() {
        let text = "<\u{202e}".repeat(500_000);
        let mut budget = TextBudget(20_000);
        let texts: String = (0..10).map(|_| budget.text(&text).into_string()).collect();
        assert!(texts.len() < 25_000, "{}", texts.len());
        let mut budget = TextBudget(20_000);
        let whole = "word ".repeat(200);
        let unfolded = budget.text(&whole).into_string();
        assert!(unfolded.contains(&whole), "{unfolded}");
    }
}
