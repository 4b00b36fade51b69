//! Tells the library which commit it is built from, as the variable `MANYHANDS_COMMIT`, where anybody
//! knows: a package has it in a file that cargo writes, a checkout asks git.
//!
//! By hand rather than by a crate: `vergen-gitcl` brings two dozen crates for one call of git,
//! `shadow-rs` more than fifty, `built` a whole libgit2, and `git-version` takes the commit of
//! whatever repository is around the package.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Nobody measures with a build that is not optimised, and this one would be made anew after every
    // commit.
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return;
    }
    if let Some(commit) = packaged().or_else(checked_out) {
        println!("cargo::rustc-env=MANYHANDS_COMMIT={commit}");
    }
}

/// The commit that a package was made from.
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

/// The commit that is checked out here; `None` where this is no checkout, even if it is in a folder of
/// one.
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
    // A file that is not there would count as changed each time.
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

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
