//! Files and functions must be short enough to be read at once.

use crate::{production_code, read, sources};

/// Maximum number of lines in a source file, not counting its tests.
const FILE_LINES: usize = 400;

/// Maximum number of lines in a function, from its name to its closing brace.
const FUNCTION_LINES: usize = 80;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for path in sources() {
        let lines = production_code(&read(&path)).lines().count();
        if lines > FILE_LINES && !path.ends_with("tests.rs") {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "more than {FILE_LINES} lines: {long:#?}");
}

/// Returns a message for each function that is longer than allowed, with its name and its number of lines.
fn long_functions(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().collect();
    let mut long = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &&str| {
            line.strip_prefix(indent).is_some_and(|line| {
                let same_indent = !line.starts_with(' ');
                same_indent && (line.starts_with('}') || line.ends_with(['}', ';']))
            })
        };
        let length = lines[first..]
            .iter()
            .position(ends)
            .map_or(0, |last| last + 1);
        if length > FUNCTION_LINES {
            long.push(format!("{name} has {length} lines"));
        }
    }
    long
}

/// Returns the name of the function that a line begins, if it begins one.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let modifiers = ["pub", "const", "async"];
    let begins = before.split_whitespace().all(|word| {
        modifiers.iter().any(|modifier| word.starts_with(modifier)) || word.ends_with(')')
    });
    let length = after.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    begins.then(|| &after[..length.unwrap_or(after.len())])
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for path in sources() {
        for function in long_functions(&production_code(&read(&path))) {
            long.push(format!("{}: {function}", path.display()));
        }
    }
    assert!(
        long.is_empty(),
        "more than {FUNCTION_LINES} lines: {long:#?}"
    );
}

#[test]
fn lines_of_functions_are_counted() {
    let function = |lines: usize| {
        let body = "        call();\n".repeat(lines - 3);
        format!("    pub(crate) fn name<T>(\n    ) {{\n{body}    }}\n\n    fn other() {{}}\n")
    };
    assert!(long_functions(&function(FUNCTION_LINES)).is_empty());
    let long = long_functions(&function(FUNCTION_LINES + 1));
    assert_eq!(long, ["name has 81 lines"]);
    let declarations = "    fn one(&self) -> u64;\n    fn other(\n    );\n".repeat(100);
    assert!(long_functions(&declarations).is_empty());
}
