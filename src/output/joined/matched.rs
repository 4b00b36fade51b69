//! Finds the scores file of each shard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::plan::WrittenFile;

/// Finds the scores file of each shard by its length and its hash, so it does not matter what the files are called and
/// in which order they are given. `written` states what each shard has written; `None` means that it has written no
/// scores file. The result has one path for each shard.
///
/// Files with the same bytes may stand for each other. So one empty file is enough for several empty shards, and a shard
/// that was scored twice may have two equal files.
///
/// ```
/// use manyhands::output::{WrittenFile, match_scores};
///
/// let folder = tempfile::tempdir()?;
/// let (one, other) = (folder.path().join("one"), folder.path().join("other"));
/// std::fs::write(&one, "{\"record\":1}\n")?;
/// std::fs::write(&other, "")?;
/// let written = [Some(WrittenFile::of(&other)?), Some(WrittenFile::of(&one)?)];
/// assert_eq!(match_scores(&[one.clone(), other.clone()], &written)?, [other, one]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`Error::Input`], which names the file or the shard, if a shard has written no scores file, if a file cannot
/// be read, if a file is that of no shard, or if no file is that of a shard.
pub fn match_scores(
    files: &[PathBuf],
    written: &[Option<WrittenFile>],
) -> Result<Vec<PathBuf>, Error> {
    let shards = written.len();
    let mut expected = Vec::with_capacity(shards);
    for (number, written) in (1..).zip(written) {
        expected.push(written.ok_or_else(|| {
            of_shard(
                number,
                shards,
                "it was scored without a scores file; score it again with --scores",
            )
        })?);
    }
    let mut found: BTreeMap<WrittenFile, Vec<&Path>> = expected
        .iter()
        .map(|written| (*written, Vec::new()))
        .collect();
    let mut without_shard = None;
    for file in files {
        match found.get_mut(&WrittenFile::of(file)?) {
            Some(paths) => paths.push(file),
            None => without_shard = without_shard.or(Some(file)),
        }
    }
    let missing = expected
        .iter()
        .position(|written| found[written].is_empty());
    let missing = missing.map(|shard| (shard + 1, expected[shard].bytes));
    match (without_shard, missing) {
        (Some(file), Some((number, bytes))) => Err(Error::input(
            file,
            format!(
                "is the scores file of none of the {shards} shards, and shard {number} of {shards} has no file; name its \
             file, which has {bytes} bytes, or score the shard again if the file has changed"
            ),
        )),
        (Some(file), None) => Err(Error::input(
            file,
            format!(
                "is the scores file of none of the {shards} shards, which all have their files; do not name it"
            ),
        )),
        (None, Some((number, bytes))) => Err(of_shard(
            number,
            shards,
            &format!(
                "none of the {} files is its scores file, which has {bytes} bytes; name that file too, or score the shard \
             again",
                files.len()
            ),
        )),
        (None, None) => Ok(assigned(&expected, &found)),
    }
}

/// Gives each shard a file. Shards with equal files get different ones, as far as there are enough.
fn assigned(expected: &[WrittenFile], found: &BTreeMap<WrittenFile, Vec<&Path>>) -> Vec<PathBuf> {
    let mut used: BTreeMap<WrittenFile, usize> = BTreeMap::new();
    let path = |written: &WrittenFile| {
        let next = used.entry(*written).or_default();
        let path = found[written][*next % found[written].len()];
        *next += 1;
        path.to_owned()
    };
    expected.iter().map(path).collect()
}

/// An error about a shard. A shard has no path of its own, so its number stands in this place.
fn of_shard(number: usize, shards: usize, message: &str) -> Error {
    Error::input(Path::new(&format!("shard {number} of {shards}")), message)
}
