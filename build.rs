//! Makes the tables of the sentiment lexicon, so that no program has to build them when it starts.
//!
//! Sets the environment variable `MANYHANDS_COMMIT` to the commit that the library is built from, if the commit is
//! known. In a package, it comes from a file that cargo writes. In a checkout, it comes from git.
//!
//! No crate does this well: `vergen-gitcl` adds two dozen dependencies for one call of git, `shadow-rs` adds more
//! than fifty dependencies, `built` needs libgit2, and `git-version` takes the commit of any repository that contains
//! the folder of the package.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(dead_code, reason = "The build script looks no words up.")]
#[path = "src/task/sentiment/perfect_hash.rs"]
mod perfect_hash;
#[path = "src/task/sentiment/tables.rs"]
mod tables;
#[allow(dead_code, reason = "The build script does not apply the rules.")]
#[path = "src/task/sentiment/words.rs"]
mod words;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    sentiment_tables()?;
    commit();
    Ok(())
}

/// Writes the tables of the sentiment lexicon into the folder of the build.
fn sentiment_tables() -> io::Result<()> {
    let means = "data/vader/lexicon.tsv";
    println!("cargo::rerun-if-changed={means}");
    for source in ["perfect_hash", "tables", "words"] {
        println!("cargo::rerun-if-changed=src/task/sentiment/{source}.rs");
    }
    let folder = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let tables = tables::source(&fs::read_to_string(means)?);
    fs::write(folder.join("sentiment_tables.rs"), tables)
}

/// Sets `MANYHANDS_COMMIT`.
fn commit() {
    // Debug builds do not set the variable: they are not measured, and they would have to be rebuilt after every
    // commit.
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return;
    }
    if let Some(commit) = packaged().or_else(checked_out) {
        println!("cargo::rustc-env=MANYHANDS_COMMIT={commit}");
    }
}

/// Returns the commit that the package was made from, or `None` if this is not a package.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, value) = text.split_once("\"sha1\"")?;
    let commit = value.split('"').nth(1)?;
    let known = commit.len() >= 40 && commit.chars().all(|digit| digit.is_ascii_hexdigit());
    let compact: String = text.split_whitespace().collect();
    let dirty = match compact.contains("\"dirty\":true") {
        true => "-dirty",
        false => "",
    };
    known.then(|| format!("{}{dirty}", &commit[..12]))
}

/// Returns the commit that is checked out in this folder, or `None` if this folder is not a checkout, even if a
/// folder above it is a checkout.
fn checked_out() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let commit = git(&[
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ])?;
    // Cargo treats a missing file as changed in every build, so only existing files are named here.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for source in ["src", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={source}");
    }
    Some(commit)
}

/// Runs git and returns what it prints, or `None` if git fails or prints nothing.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
