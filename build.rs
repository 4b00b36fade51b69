//! Sets the variable `MANYHANDS_COMMIT` to the commit that the library is built from, if it is known: a package
//! has it in a file that cargo writes, and a checkout asks git.
//!
//! No crate does this well: `vergen-gitcl` has two dozen dependencies for one call of git, `shadow-rs` more than
//! fifty, `built` needs libgit2, and `git-version` takes the commit of any repository around the package.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds are not measured, and they would be rebuilt after every commit.
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return;
    }
    if let Some(commit) = packaged().or_else(checked_out) {
        println!("cargo::rustc-env=MANYHANDS_COMMIT={commit}");
    }
}

/// The commit that the package was made from; `None` if this is not a package.
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

/// The commit that is checked out here; `None` if this is not a checkout, even if a folder above is one.
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
    // Cargo treats a missing file as changed in every build, so only existing ones are named.
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

/// What git prints; `None` if it fails or prints nothing.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
