//! The frame of every page: its head, its style, and a content security policy that allows only this style.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");

/// Makes a page with this headline, these sections, and this foot.
pub(super) fn document(title: &str, headline: &Markup, sections: &Markup, foot: &Markup) -> Markup {
    // The policy identifies the style by its hash, so a browser ignores a `style` element that comes from the data.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(STYLE))
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (headline) }
                main { (sections) }
                footer { (foot) }
            }
        }
    }
}

/// Makes a section of the page, with a heading, an introduction that may be empty, and the content.
pub(super) fn section(heading: &str, lead: &Markup, content: &Markup) -> Markup {
    html! {
        section {
            h2 { (heading) }
            @if !lead.0.is_empty() { p.lead { (lead) } }
            (content)
        }
    }
}

/// Makes a large number for the headline, with its name and a remark. An empty remark is left out.
pub(super) fn tile(number: &Markup, name: &str, aside: &str) -> Markup {
    html! {
        div.tile {
            dt { (name) }
            dd { strong { (number) } @if !aside.is_empty() { " " span { (aside) } } }
        }
    }
}

/// Encodes bytes in Base64 according to RFC 4648, section 4. There is no dependency for this, since only one hash is
/// encoded.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = [0; 3];
        bits[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for index in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * index)) as usize & 63];
            text.push(if index <= three.len() {
                digit.into()
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the test vectors of RFC 4648, section 10.
    #[test]
    fn base64_passes_the_test_vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
