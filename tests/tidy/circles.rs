//! Files must not use each other in a circle: if one file uses another, the other file must not use the first one,
//! neither directly nor through further files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::{production_code, read, root, sources, without_comment};

/// The path of a module without the name of the crate, such as `["remote", "frame"]`.
type Module = Vec<String>;

/// Returns each module that has a file of its own, with the path of that file.
fn modules() -> BTreeMap<Module, PathBuf> {
    sources()
        .into_iter()
        .filter(|path| !is_for_tests(path))
        .map(|path| (module_of(&path), path))
        .collect()
}

/// Whether a file holds tests or models, or is the root of the program.
pub(crate) fn is_for_tests(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.ends_with("tests") || name.contains("model") || name == "scripted" || name == "main"
}

fn module_of(path: &Path) -> Module {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let inside = inside.with_extension("");
    let mut module: Module = inside
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

/// Returns the paths that the tree of a `use` declaration names. For example, `a::{b, c::d}` names `a::b` and
/// `a::c::d`.
fn paths_of(tree: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in tree.char_indices().chain([(tree.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths.extend(paths_of_branch(tree[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

fn paths_of_branch(branch: &str) -> Vec<Vec<String>> {
    let segments = |path: &str| -> Vec<String> {
        let path = path.split(" as ").next().unwrap_or_default();
        path.split("::")
            .map(|segment| segment.trim().to_owned())
            .filter(|segment| !segment.is_empty())
            .collect()
    };
    match branch.split_once('{') {
        Some((before, rest)) => {
            let before = segments(before);
            let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
            paths_of(inside)
                .into_iter()
                .map(|path| [before.clone(), path].concat())
                .collect()
        }
        None if branch.is_empty() => Vec::new(),
        None => vec![segments(branch)],
    }
}

/// Returns the modules that the `use` declarations of a module name, if they have files of their own.
fn uses(module: &Module, code: &str, modules: &BTreeMap<Module, PathBuf>) -> BTreeSet<Module> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("use ") {
        let starts_a_word = !code[..at].ends_with(|letter: char| letter.is_alphanumeric());
        let Some((tree, _)) = code[at + 4..].split_once(';') else {
            continue;
        };
        if !starts_a_word {
            continue;
        }
        let tree = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        for path in paths_of(&tree) {
            used.extend(resolved(module, &path, modules));
        }
    }
    // A module may name itself and its own children, because the `mod.rs` of a folder has that purpose.
    used.retain(|other| !other.starts_with(module));
    used
}

/// Returns the innermost module on a path that has a file of its own.
fn resolved(
    module: &Module,
    path: &[String],
    modules: &BTreeMap<Module, PathBuf>,
) -> Option<Module> {
    let first = path.first()?;
    let supers = path.iter().take_while(|part| *part == "super").count();
    let mut full = match first.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [module, &path[1..]].concat(),
        "super" => [
            &module[..module.len().saturating_sub(supers)],
            &path[supers..],
        ]
        .concat(),
        _ => [module, path].concat(),
    };
    let relative = !matches!(first.as_str(), "crate" | "self" | "super");
    if relative && !modules.contains_key(&full[..=module.len()]) {
        return None;
    }
    while !full.is_empty() && !modules.contains_key(&full) {
        full.pop();
    }
    (!full.is_empty()).then_some(full)
}

/// Returns the circles of a graph. A circle is a set of nodes, each of which leads to all others.
fn circles<N: Ord + Clone>(graph: &BTreeMap<N, BTreeSet<N>>) -> BTreeSet<BTreeSet<N>> {
    let reachable = |from: &N| {
        let (mut found, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(node) = left.pop() {
            for next in graph.get(node).into_iter().flatten() {
                if found.insert(next.clone()) {
                    left.push(next);
                }
            }
        }
        found
    };
    let reachable: BTreeMap<&N, BTreeSet<N>> =
        graph.keys().map(|node| (node, reachable(node))).collect();
    let circle = |node: &N| -> BTreeSet<N> {
        let others = reachable[node].iter();
        others
            .filter(|other| {
                reachable
                    .get(other)
                    .is_some_and(|found| found.contains(node))
            })
            .cloned()
            .collect()
    };
    let circles = graph.keys().map(circle);
    circles.filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let modules = modules();
    let graph = modules
        .iter()
        .map(|(module, path)| {
            let code = production_code(&read(path));
            let code: Vec<&str> = code.lines().map(without_comment).collect();
            (module.clone(), uses(module, &code.join("\n"), &modules))
        })
        .collect();
    let circles: Vec<Vec<String>> = circles(&graph)
        .iter()
        .map(|circle| circle.iter().map(|module| module.join("::")).collect())
        .collect();
    assert!(
        circles.is_empty(),
        "files that use each other; move what both need to a third file: {circles:#?}"
    );
}

#[test]
fn circles_are_found() {
    let graph = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "d"), ("e", "a")]
        .map(|(from, to)| (from, BTreeSet::from([to])));
    let expected = BTreeSet::from([BTreeSet::from(["b", "c"]), BTreeSet::from(["d"])]);
    assert_eq!(circles(&BTreeMap::from(graph)), expected);
}

#[test]
fn use_declarations_are_understood() {
    let module = |path: &str| -> Module { path.split("::").map(str::to_owned).collect() };
    let known = ["a", "a::b", "a::b::c", "d"].map(|path| (module(path), PathBuf::new()));
    let known = BTreeMap::from(known);
    let code = "use crate::{d::Thing as Other, a::b::{self, c::{X, Y}}};\nuse std::fs;\n\
                pub(crate) use super::Parent;\nuse c::Child;\nuse crate::root;";
    let expected = BTreeSet::from([module("a"), module("d")]);
    assert_eq!(uses(&module("a::b"), code, &known), expected);
    let code = "use crate::a::b::c::X;";
    assert_eq!(uses(&module("d"), code, &known), [module("a::b::c")].into());
}
