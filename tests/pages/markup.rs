//! This is a strict check of a page: its elements must be closed in order, every plot must have a description and a
//! table of its figures, and the page must not run scripts or load other files.

use std::collections::BTreeSet;

/// The content of a page.
pub struct PageContent {
    /// The ids of the figures.
    pub ids: BTreeSet<String>,
    /// The text of the page, in which each run of white space is replaced by one space.
    pub text: String,
}

const VOID: [&str; 3] = ["meta", "br", "link"];
const KNOWN: [&str; 48] = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "aside",
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "dl",
    "dt",
    "dd",
    "div",
    "ul",
    "li",
    "b",
    "i",
    "span",
    "bdi",
    "br",
    "code",
    "strong",
    "figure",
    "figcaption",
    "svg",
    "desc",
    "path",
    "rect",
    "circle",
    "text",
    "details",
    "summary",
    "table",
    "thead",
    "g",
    "tbody",
    "tr",
    "th",
    "td",
    "link",
    "script",
];
const ATTRIBUTES: [&str; 28] = [
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "viewBox",
    "role",
    "aria-labelledby",
    "d",
    "x",
    "y",
    "cx",
    "cy",
    "r",
    "width",
    "height",
    "transform",
    "stroke-width",
    "tabindex",
    "scope",
    "open",
    "rel",
    "href",
    "hidden",
    "dir",
    "style",
];

/// A tag, with its name, its attributes, and whether it closes an element.
struct Tag<'p> {
    name: &'p str,
    attributes: Vec<(&'p str, &'p str)>,
    closes: bool,
}

impl<'p> Tag<'p> {
    fn attribute(&self, name: &str) -> Option<&'p str> {
        let found = self.attributes.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| *value)
    }
}

/// Parses a tag, whose `<` has been read already. Returns the tag and the rest of the page.
fn tag(rest: &str) -> (Tag<'_>, &str) {
    let closes = rest.starts_with('/');
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let end = rest.find([' ', '>']).expect("a tag that ends");
    let (name, mut rest) = rest.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return (
                Tag {
                    name,
                    attributes,
                    closes,
                },
                after,
            );
        }
        let end = rest.find(['=', ' ', '>']).expect("an attribute that ends");
        let key = &rest[..end];
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            (value, rest) = quoted.split_once('"').expect("a quote that ends");
        }
        attributes.push((key, value));
    }
}

/// Replaces the character references in a text by their characters. Only the references that pages use are allowed.
fn resolved(text: &str) -> String {
    for (start, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        let rest = &text[start..];
        assert!(
            known.iter().any(|known| rest.starts_with(known)),
            "a bare & in {rest:.20}"
        );
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

/// Checks a page.
///
/// # Panics
///
/// Panics if the page breaks a rule.
pub fn check(page: &str) -> PageContent {
    let mut rest = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a document type");
    assert!(!page.contains("<!--") && !page.contains("<![CDATA["));
    let mut open: Vec<&str> = Vec::new();
    let mut content = PageContent {
        ids: BTreeSet::new(),
        text: String::new(),
    };
    let mut ids = BTreeSet::new();
    let mut policy = None;
    // This set holds the names of the elements in the current figure.
    let mut figure: Option<BTreeSet<&str>> = None;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(
            !text.contains('>') || open.last() == Some(&"style"),
            "a bare > in {text:.80}"
        );
        let invisible = |c: char| {
            c.is_control() && !c.is_whitespace() || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(
            !text.contains(invisible),
            "invisible characters in {text:?}"
        );
        if open.last() != Some(&"style") {
            content.text += &resolved(text);
            content
                .text
                .push_str(if after.starts_with(['/', 'b', 's', 'i', 'c']) {
                    ""
                } else {
                    " "
                });
        }
        let (tag, after) = tag(after);
        rest = after;
        assert!(KNOWN.contains(&tag.name), "<{}>", tag.name);
        assert!(!["script", "link"].contains(&tag.name), "<{}>", tag.name);
        if tag.closes {
            assert_eq!(open.pop(), Some(tag.name), "closed in the wrong place");
            if tag.name == "figure" {
                let elements = figure.take().expect("a figure");
                for part in ["svg", "title", "desc", "table", "h3"] {
                    assert!(elements.contains(part), "a figure without {part}");
                }
            }
            continue;
        }
        for (key, value) in &tag.attributes {
            assert!(ATTRIBUTES.contains(key), "{key} of <{}>", tag.name);
            assert!(
                !["style", "href", "rel", "src"].contains(key),
                "{key} of <{}>",
                tag.name
            );
            assert!(!resolved(value).contains("url("), "{value}");
        }
        if tag.attribute("http-equiv") == Some("Content-Security-Policy") {
            policy = tag.attribute("content").map(resolved);
        }
        if let Some(id) = tag.attribute("id") {
            assert!(ids.insert(id), "{id} twice");
        }
        if tag.name == "figure" {
            assert!(figure.is_none(), "a figure in a figure");
            figure = Some(BTreeSet::new());
            content
                .ids
                .insert(tag.attribute("id").expect("an id").to_owned());
        }
        if tag.name == "svg" {
            assert!(figure.is_some(), "a drawing outside of a figure");
            assert_eq!(tag.attribute("role"), Some("img"));
            let by = tag.attribute("aria-labelledby").expect("what labels it");
            let (title, description) = by.split_once(' ').expect("two ids");
            let starts = format!("<title id=\"{title}\">");
            let described = format!("<desc id=\"{description}\">");
            assert!(
                rest.starts_with(&starts),
                "a drawing without its title first"
            );
            let description = rest.split_once(&described).expect("a description").1;
            assert!(!description.starts_with('<'), "an empty description");
        }
        if let Some(elements) = &mut figure {
            elements.insert(tag.name);
        }
        if !VOID.contains(&tag.name) {
            open.push(tag.name);
        }
    }
    assert!(
        open.is_empty() && rest.trim().is_empty(),
        "{open:?} {rest:?}"
    );
    let policy = policy.expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for fetched in ["http://", "https://", "@import", "url("] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    content.text = content
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    content
}

#[test]
#[should_panic(expected = "closed in the wrong place")]
fn an_unclosed_element_is_found() {
    check("<!DOCTYPE html><html><p><b></p></b></html>");
}

#[test]
#[should_panic(expected = "<script>")]
fn a_script_is_found() {
    check("<!DOCTYPE html><html><script></script></html>");
}

#[test]
#[should_panic(expected = "a figure without table")]
fn a_figure_without_its_table_is_found() {
    let drawing = "<svg role=\"img\" aria-labelledby=\"a b\"><title id=\"a\">A</title><desc id=\"b\">B</desc></svg>";
    check(&format!(
        "<!DOCTYPE html><html><figure id=\"f\"><h3>A</h3>{drawing}</figure></html>"
    ));
}
