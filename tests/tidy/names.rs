//! No two files of the crate may declare types with the same name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::circles::is_for_tests;
use crate::{production_code, read, sources};

/// Returns the name of the type that a line declares, if it declares one, as in `pub(crate) struct Name<T>`.
fn declared(line: &str) -> Option<&str> {
    let indent = line.len() - line.trim_start().len();
    let mut words = line.split_whitespace().peekable();
    words.next_if(|word| word.starts_with("pub"));
    // `pub(in crate::remote)` consists of two words.
    words.next_if(|word| word.ends_with(')'));
    let keyword = words.next()?;
    let is_type = match keyword {
        "struct" | "enum" | "trait" | "union" => indent <= 4,
        // An indented `type` is the associated type of a trait.
        "type" => indent == 0,
        _ => false,
    };
    let name = words.next().filter(|_| is_type)?;
    let length = name
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(name.len());
    (length > 0).then_some(&name[..length])
}

#[test]
fn no_two_files_declare_types_of_the_same_name() {
    let mut files: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in sources().into_iter().filter(|path| !is_for_tests(path)) {
        for name in production_code(&read(&path)).lines().filter_map(declared) {
            // A file may declare the same type several times, once for each platform.
            files
                .entry(name.to_owned())
                .or_default()
                .insert(path.clone());
        }
    }
    files.retain(|_, paths| paths.len() > 1);
    assert!(
        files.is_empty(),
        "type names that are declared in several files: {files:#?}"
    );
}

#[test]
fn declarations_are_recognized() {
    for (line, name) in [
        ("struct Plain;", Some("Plain")),
        ("pub(crate) enum Generic<T> {", Some("Generic")),
        ("pub(in crate::remote) trait Seen: Sync {", Some("Seen")),
        ("    pub struct InAModule(u64);", Some("InAModule")),
        ("pub type Alias = u64;", Some("Alias")),
        ("    type Associated = u64;", None),
        ("        struct InAFunction;", None),
        ("fn structure() {", None),
        ("", None),
    ] {
        assert_eq!(declared(line), name, "{line}");
    }
}
