//! The written form of a path: a string, or a list of bytes if the path is not UTF-8.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PathText<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes(Vec<u8>),
}

pub(in crate::plan) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    #[cfg(unix)]
    if path.to_str().is_none() {
        use std::os::unix::ffi::OsStrExt as _;

        return PathText::Bytes(path.as_os_str().as_bytes().to_owned()).serialize(to);
    }
    PathText::Text(path.to_string_lossy()).serialize(to)
}

pub(in crate::plan) fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<PathBuf, D::Error> {
    Ok(match PathText::deserialize(from)? {
        PathText::Text(text) => PathBuf::from(text.into_owned()),
        PathText::Bytes(bytes) => path_of(bytes),
    })
}

/// The path with these bytes.
#[cfg(unix)]
pub(in crate::plan) fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;

    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub(in crate::plan) fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
