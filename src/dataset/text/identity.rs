//! Whether a file that is opened again is still the same file.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// What identifies a file while its path may come to name another file: its device and its number there, where the
/// system has them, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
}

impl FileIdentity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// The length of the file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Opens the file again. Returns `None` if the path names no file, another file, or a file of another length.
    pub(super) fn open(&self, path: &Path) -> io::Result<Option<File>> {
        // The metadata is read first, because opening a pipe that has taken the place of the file would wait.
        let is_same = |metadata: Metadata| metadata.is_file() && Self::from(&metadata) == *self;
        match std::fs::metadata(path).map(is_same) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let file = File::open(path)?;
        Ok((Self::of(&file)? == *self).then_some(file))
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (device, inode) = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let (device, inode) = (0, 0);
        FileIdentity {
            device,
            inode,
            length: metadata.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_opened_again_must_be_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, other] = ["file", "other"].map(|name| folder.path().join(name));
        std::fs::write(&path, "one").expect("a file");
        std::fs::write(&other, "two").expect("a file");
        let known = FileIdentity::of(&File::open(&path).expect("it is there"));
        let known = known.expect("it can be asked");
        let is_same = || known.open(&path).expect("no error").is_some();
        assert!(is_same());
        assert_eq!(known.length(), 3);
        std::fs::write(&path, "longer").expect("a file");
        assert!(!is_same());
        std::fs::remove_file(&path).expect("a file");
        assert!(!is_same());
        if cfg!(unix) {
            std::fs::rename(&other, &path).expect("a file");
            assert!(!is_same(), "it has the same length");
        }
        std::fs::remove_file(&path).expect("a file");
        std::fs::create_dir(&path).expect("a folder");
        assert!(!is_same());
    }
}
