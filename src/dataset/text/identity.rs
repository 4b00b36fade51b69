//! Whether a file that is opened again is still the same file.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Identifies a file, so that another file that has taken its path is recognised. It consists of the device and the
/// inode, if the system has them, and the length. A file that has become longer is still the same file.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
}

impl FileIdentity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// The length that the file had, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Opens the file again. Returns `None` if the path names no file or another file, or if the file has become shorter.
    pub(super) fn open(&self, path: &Path) -> io::Result<Option<File>> {
        // The metadata is read first, because opening a pipe that has taken the place of the file would wait.
        match std::fs::metadata(path).map(|found| found.is_file() && self.is_still(&found)) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let file = File::open(path)?;
        let is_still = self.is_still(&file.metadata()?);
        Ok(is_still.then_some(file))
    }

    fn is_still(&self, found: &Metadata) -> bool {
        let FileIdentity {
            device,
            inode,
            length,
        } = Self::from(found);
        (device, inode) == (self.device, self.inode) && length >= self.length
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
        assert!(is_same());
        std::fs::write(&path, "x").expect("a file");
        assert!(!is_same(), "it has become shorter");
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
