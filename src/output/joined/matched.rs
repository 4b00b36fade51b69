//! Finds the files of each shard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::plan::WrittenFile;

/// Files of one kind that shards have written, such as their scores files.
#[derive(Clone, Debug)]
pub struct ShardFiles<'a> {
    /// What such a file is, for messages, such as `scores file`.
    pub name: &'a str,
    /// The option that writes such a file, for messages, such as `--scores`.
    pub option: &'a str,
    /// What each shard has written. `None` means that it has written no such file.
    pub written: Vec<Option<WrittenFile>>,
    /// Whether each shard must have its file. If not, the files are only recognised.
    pub are_wanted: bool,
}

/// Finds the files of each shard by their lengths and hashes, so it does not matter what the files are called and in
/// which order they are given. All kinds have the same number of shards. The result has, for each kind that is wanted, one
/// path for each shard; for the others, no paths.
///
/// Files with the same bytes may stand for each other. So one empty file is enough for several empty shards, and a shard
/// that was scored twice may have two equal files.
///
/// ```
/// use manyhands::output::{ShardFiles, WrittenFile, match_files};
///
/// let folder = tempfile::tempdir()?;
/// let (one, other) = (folder.path().join("one"), folder.path().join("other"));
/// std::fs::write(&one, "{\"record\":1}\n")?;
/// std::fs::write(&other, "")?;
/// let scores = ShardFiles {
///     name: "scores file",
///     option: "--scores",
///     written: vec![Some(WrittenFile::of(&other)?), Some(WrittenFile::of(&one)?)],
///     are_wanted: true,
/// };
/// assert_eq!(match_files(&[one.clone(), other.clone()], &[scores])?, [[other, one]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`Error::Input`], which names the file or the shard, if a shard has written no file of a kind that is wanted,
/// if a file cannot be read, if a file is that of no shard, or if no file is that of a shard.
pub fn match_files(
    files: &[PathBuf],
    kinds: &[ShardFiles<'_>],
) -> Result<Vec<Vec<PathBuf>>, Error> {
    let shards = kinds.first().map_or(0, |kind| kind.written.len());
    let wanted = || kinds.iter().filter(|kind| kind.are_wanted);
    for kind in wanted() {
        if let Some(shard) = kind.written.iter().position(Option::is_none) {
            let message = format!(
                "it was scored without a {}; score it again with {}",
                kind.name, kind.option
            );
            return Err(of_shard(shard + 1, shards, &message));
        }
    }
    let mut found: BTreeMap<WrittenFile, Vec<&Path>> = BTreeMap::new();
    for written in kinds.iter().flat_map(|kind| &kind.written).flatten() {
        found.entry(*written).or_default();
    }
    let mut without_shard = None;
    for file in files {
        match found.get_mut(&WrittenFile::of(file)?) {
            Some(paths) => paths.push(file),
            None => without_shard = without_shard.or(Some(file)),
        }
    }
    let mut missing = None;
    for kind in wanted() {
        let each = kind.written.iter().flatten();
        let mut each = (1..)
            .zip(each)
            .filter(|(_, written)| found[written].is_empty());
        missing = missing.or(each
            .next()
            .map(|(number, written)| (number, kind.name, written.bytes)));
    }
    match (without_shard, missing) {
        (Some(file), Some((number, name, bytes))) => Err(Error::input(
            file,
            format!(
                "is a file of none of the {shards} shards, and shard {number} of {shards} has no {name}; name its file, \
                 which has {bytes} bytes, or score the shard again if the file has changed"
            ),
        )),
        (Some(file), None) => Err(Error::input(
            file,
            format!(
                "is a file of none of the {shards} shards, which all have their files; do not name it"
            ),
        )),
        (None, Some((number, name, bytes))) => Err(of_shard(
            number,
            shards,
            &format!(
                "none of the {} files is its {name}, which has {bytes} bytes; name that file too, or score the shard again",
                files.len()
            ),
        )),
        (None, None) => Ok(kinds.iter().map(|kind| assigned(kind, &found)).collect()),
    }
}

/// Gives each shard a file of this kind. Shards with equal files get different ones, as far as there are enough.
fn assigned(kind: &ShardFiles<'_>, found: &BTreeMap<WrittenFile, Vec<&Path>>) -> Vec<PathBuf> {
    let mut used: BTreeMap<WrittenFile, usize> = BTreeMap::new();
    let path = |written: &WrittenFile| {
        let next = used.entry(*written).or_default();
        let path = found[written][*next % found[written].len()];
        *next += 1;
        path.to_owned()
    };
    let wanted = kind.written.iter().flatten().filter(|_| kind.are_wanted);
    wanted.map(path).collect()
}

/// An error about a shard. A shard has no path of its own, so its number stands in this place.
fn of_shard(number: usize, shards: usize, message: &str) -> Error {
    Error::input(Path::new(&format!("shard {number} of {shards}")), message)
}
