//! The project's own rules, as tests: who imports whom, how long files are, which words are used.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our modules each module may use. The stages of the pattern know only errors; the
/// pipeline joins them by value, the plan by name.
const IMPORTS: &[(&str, &[&str])] = &[
    ("sync", &[]),
    ("turns", &[]),
    ("visible", &[]),
    ("stop", &["sync"]),
    ("error", &["stop"]),
    ("limit", &["error", "stop", "sync"]),
    ("panics", &["error"]),
    ("machine", &[]),
    ("task", &["error", "sync"]),
    ("dataset", &["error", "sync"]),
    ("aggregation", &["error", "sync"]),
    ("execution", &["error", "machine", "sync"]),
    ("sink", &["error", "sync", "turns"]),
    (
        "report",
        &["error", "aggregation", "execution", "machine", "stop"],
    ),
    ("par_iter", &["aggregation", "execution", "sync"]),
    (
        "pipeline",
        &[
            "error",
            "task",
            "dataset",
            "aggregation",
            "execution",
            "limit",
            "machine",
            "sink",
            "report",
            "sync",
            "stop",
            "panics",
            "turns",
        ],
    ),
    ("remote", &["error", "dataset", "machine", "stop", "sync"]),
    (
        "plan",
        &[
            "error",
            "machine",
            "task",
            "dataset",
            "aggregation",
            "execution",
            "limit",
            "stop",
            "sink",
            "report",
            "sync",
            "pipeline",
            "panics",
            "remote",
            "visible",
        ],
    ),
    (
        "stream",
        &[
            "error",
            "task",
            "dataset",
            "aggregation",
            "execution",
            "limit",
            "machine",
            "report",
            "sync",
            "stop",
            "panics",
            "pipeline",
        ],
    ),
    (
        "measure",
        &[
            "error",
            "machine",
            "task",
            "dataset",
            "aggregation",
            "execution",
            "report",
            "sync",
            "pipeline",
            "plan",
        ],
    ),
    (
        "page",
        &[
            "error",
            "machine",
            "aggregation",
            "limit",
            "report",
            "plan",
            "measure",
            "visible",
        ],
    ),
    (
        "output",
        &[
            "error",
            "execution",
            "measure",
            "page",
            "plan",
            "report",
            "sink",
            "stop",
            "sync",
            "visible",
        ],
    ),
    ("exit", &["error", "report", "stop"]),
    ("cli", &[]),
];

/// Lines a source file may have, tests aside.
const LINES: usize = 500;

/// Words that mean what one of ours means, in one and several: `record`, `part`, `task`, `scorer`.
const SYNONYMS: &[&str] = &[
    "item", "items", "chunk", "chunks", "job", "jobs", "batch", "batches", "row", "rows",
];

/// Names of other libraries that hold such a word.
const FOREIGN: &[&str] = &[
    "Item =",
    "Self::Item",
    "read_chunk",
    "par_chunks",
    ".chunks(",
    "chunks_mut",
    "chunks_exact",
    "as_chunks",
    "first_chunk",
    "last_chunk",
    "Row::from",
    "Row,",
    "add_row",
    "scope=\"row\"",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file with one of these endings below a folder of the repository.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if endings.contains(&ending.unwrap_or_default()) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

fn sources() -> Vec<PathBuf> {
    files("src", &["rs"])
}

/// Every text file that is ours to word.
fn texts() -> Vec<PathBuf> {
    let mut all = sources();
    all.extend(files("tests", &["rs"]));
    all.extend(files("benches", &["rs", "md"]));
    all.extend(files("data", &["md"]));
    all.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml", ".ci/run"].map(|name| root().join(name)),
    );
    all
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The module of the library that a source file belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

#[test]
fn modules_import_what_they_may() {
    for path in sources() {
        let module = module(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        let (_, allowed) = IMPORTS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} is not in the table of imports"));
        for line in read(&path).lines().map(without_comment) {
            for used in line.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                assert!(
                    used == module || allowed.contains(&used.as_str()),
                    "{}: {module} may not use {used}",
                    path.display(),
                );
            }
        }
    }
}

#[test]
fn the_table_of_imports_has_no_circle() {
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    for _ in IMPORTS {
        for (module, allowed) in IMPORTS {
            if allowed.iter().all(|used| settled.contains(used)) {
                settled.insert(module);
            }
        }
    }
    assert_eq!(settled.len(), IMPORTS.len(), "some modules use each other");
}

#[test]
fn files_fit_in_the_head() {
    for path in sources() {
        let text = read(&path);
        let lines = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or(&text)
            .lines()
            .count();
        assert!(lines <= LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn files_say_what_they_are() {
    for path in files("src", &["rs"])
        .iter()
        .chain(&files("tests", &["rs"]))
        .chain(&files("benches", &["rs"]))
    {
        assert!(
            read(path).starts_with("//! "),
            "{} does not say what it is",
            path.display()
        );
    }
}

#[test]
fn one_word_for_one_thing() {
    for path in texts() {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        // Made-up sentences may say what they like.
        if path
            .components()
            .any(|part| part.as_os_str() == "synthetic")
        {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            let mut line = line.to_owned();
            for foreign in FOREIGN {
                line = line.replace(foreign, "");
            }
            let words = line.split(|c: char| !c.is_alphabetic());
            let synonym = words
                .map(str::to_lowercase)
                .find(|word| SYNONYMS.contains(&word.as_str()));
            assert!(
                synonym.is_none(),
                "{}:{}: {synonym:?}",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn nothing_points_outside() {
    for path in texts() {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        let text = read(&path);
        for outside in ["/work/", "/root/", "/home/"] {
            assert!(
                !text.contains(outside),
                "{} names {outside}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden() {
    for crate_root in ["src/lib.rs", "src/main.rs"] {
        assert!(
            read(&root().join(crate_root)).contains("#![forbid(unsafe_code)]"),
            "{crate_root}"
        );
    }
}

#[test]
fn ci_runs_what_the_readme_says() {
    let (readme, ci) = (
        read(&root().join("README.md")),
        read(&root().join(".ci/run")),
    );
    let commands: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("cargo "))
        .collect();
    assert!(
        commands.contains(&"cargo test"),
        "the README does not say how to run the tests"
    );
    for command in commands {
        assert!(ci.contains(command), ".ci/run does not run {command:?}");
    }
}
