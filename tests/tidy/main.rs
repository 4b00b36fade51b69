//! These tests check the rules of this project: which modules a module may import, how long files and functions may
//! be, and which names and words may be used.

mod circles;
mod names;
mod sizes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that each module may import. The stages of a run do not import each other and share only errors. The
/// pipeline combines the stages as values, and the plan combines them by name.
const IMPORTS: &[(&str, &[&str])] = &[
    ("sync", &[]),
    ("turns", &[]),
    ("synced", &[]),
    ("visible", &[]),
    ("similar", &[]),
    ("stop", &["sync"]),
    ("error", &["stop"]),
    ("limit", &["error", "stop", "sync"]),
    ("panics", &["error"]),
    ("machine", &[]),
    ("task", &["error", "sync"]),
    ("dataset", &["error", "panics", "similar", "sync"]),
    ("journal", &["error", "dataset", "sync", "synced", "task"]),
    ("aggregation", &["error", "sync"]),
    ("execution", &["error", "machine", "sync"]),
    ("sink", &["error", "dataset", "sync", "turns"]),
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
            "journal",
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
    (
        "calls",
        &[
            "error", "dataset", "journal", "limit", "panics", "stop", "sync",
        ],
    ),
    (
        "remote",
        &[
            "calls", "error", "dataset", "journal", "limit", "machine", "stop", "sync", "turns",
            "visible",
        ],
    ),
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
            "synced",
            "calls",
            "journal",
            "pipeline",
            "panics",
            "remote",
            "similar",
            "visible",
        ],
    ),
    (
        "stream",
        &[
            "calls",
            "error",
            "task",
            "dataset",
            "aggregation",
            "execution",
            "journal",
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
            "dataset",
            "error",
            "execution",
            "measure",
            "page",
            "plan",
            "report",
            "sink",
            "stop",
            "sync",
            "synced",
            "visible",
        ],
    ),
    ("exit", &["error", "report", "stop"]),
    ("cli", &[]),
];

/// Synonyms of our own words (`record`, `part`, `task`, `scorer`), in the singular and the plural.
const SYNONYMS: &[&str] = &[
    "item", "items", "chunk", "chunks", "job", "jobs", "batch", "batches", "row", "rows",
];

/// Phrases that make a sentence vague. A sentence must say which number, which person or which thread it means.
const VAGUE: &[&str] = &["so many", "so much", "whoever", "nobody", "somebody"];

/// Names from other libraries that contain a synonym and are therefore allowed.
const FOREIGN: &[&str] = &[
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
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
    "comfy_table::Row",
    "Row::from",
    "Row,",
    "add_row",
    "scope=\"row\"",
    "row group",
    "row_group",
    "row_count",
    "num_rows",
    "EnabledStatistics::Chunk",
    "RowSelection",
    "row_selection",
    "record batch",
    "record_batch",
    "with_batch_size",
    "write_batch_size",
    "AWS Batch",
    "aws_batch_array",
    "kubernetes_job",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all files below a folder of the repository that have one of these endings.
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
    assert!(!found.is_empty(), "no files in {folder}");
    found
}

fn sources() -> Vec<PathBuf> {
    files("src", &["rs"])
}

/// Returns all files whose text we have written.
fn texts() -> Vec<PathBuf> {
    let mut all = sources();
    all.extend(files("tests", &["rs"]));
    all.extend(files("benches", &["rs", "md"]));
    all.extend(files("data", &["md"]));
    all.extend(files("docs", &["md"]));
    all.extend(files("examples", &["rs", "py", "js", "sh"]));
    all.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml", ".ci/run"].map(|name| root().join(name)),
    );
    all
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the name of the top-level module to which a source file belongs.
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

/// Returns the code of a file without the declarations under a `#[cfg(test)]`, which are compiled for tests only.
fn production_code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        let for_tests =
            attribute.starts_with("#[cfg(test") || attribute.starts_with("#[cfg(all(test");
        if !for_tests {
            code += line;
            code.push('\n');
            continue;
        }
        // The declaration ends with the first line that has the same indentation and ends like a declaration.
        let indent = &line[..line.len() - attribute.len()];
        let is_last = |line: &&str| {
            line.strip_prefix(indent).is_some_and(|line| {
                let same_indent = !line.starts_with(' ');
                same_indent && (line.starts_with('}') || line.ends_with([';', '}', ',']))
            })
        };
        let _ = lines.find(is_last);
    }
    code
}

/// Whether a file may contain the forbidden words, because it contains the rules or made-up text.
fn is_exempt(path: &Path) -> bool {
    let mut parts = path.strip_prefix(root()).unwrap().iter();
    parts.any(|part| part == "tidy" || part == "synthetic")
}

#[test]
fn modules_import_only_what_the_table_allows() {
    for path in sources() {
        let module = module(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        let (_, allowed) = IMPORTS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} is missing from the table of imports"));
        for line in read(&path).lines().map(without_comment) {
            for used in line.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                assert!(
                    used == module || allowed.contains(&used.as_str()),
                    "{}: {module} may not import {used}",
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
    assert_eq!(
        settled.len(),
        IMPORTS.len(),
        "some modules may import each other"
    );
}

#[test]
fn every_file_begins_with_a_description() {
    for path in files("src", &["rs"])
        .iter()
        .chain(&files("tests", &["rs"]))
        .chain(&files("benches", &["rs"]))
    {
        assert!(
            read(path).starts_with("//! "),
            "{} does not begin with a line of `//! `",
            path.display()
        );
    }
}

/// Returns the matching lines of our own texts, each with its place.
fn lines_with(is_match: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in texts().into_iter().filter(|path| !is_exempt(path)) {
        for (number, line) in (1..).zip(read(&path).lines()) {
            if is_match(line) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    found
}

#[test]
fn one_thing_has_one_name() {
    let found = lines_with(|line| {
        let mut line = line.to_owned();
        for foreign in FOREIGN {
            line = line.replace(foreign, "");
        }
        line.split(|letter: char| !letter.is_alphabetic())
            .any(|word| SYNONYMS.contains(&word.to_lowercase().as_str()))
    });
    assert!(found.is_empty(), "synonyms of our own words: {found:#?}");
}

#[test]
fn no_sentence_is_vague() {
    let found = lines_with(|line| {
        let line = line.to_lowercase().replace('_', " ");
        VAGUE.iter().any(|phrase| line.contains(phrase))
    });
    assert!(found.is_empty(), "say who, or how many: {found:#?}");
}

#[test]
fn no_path_of_a_single_machine_is_named() {
    let found = lines_with(|line| {
        let paths = ["/work/", "/root/", "/home/"];
        paths.iter().any(|path| line.contains(path))
    });
    assert!(found.is_empty(), "{found:#?}");
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

/// Tests that depend on the clock may fail by chance if other tests run at the same time.
#[test]
fn tests_that_depend_on_the_clock_run_alone() {
    for path in files("tests/clock", &["rs"]) {
        let text = read(&path);
        let tests = text.matches("#[test]").count();
        let guards = text.matches("let _alone = crate::alone();").count();
        assert_eq!(tests, guards, "{}: tests and guards", path.display());
    }
}
