//! The mode and the owner of a file that is replaced, which its replacement takes over.

use std::fs::{File, Metadata};
use std::io;

/// Gives a new, still empty file the mode and the owner of the one that it will replace. If the system
/// does not allow to give it the same group, the group gets no rights: what was readable for few must
/// never become readable for more.
///
/// # Errors
///
/// If the mode cannot be set.
#[cfg(unix)]
pub(super) fn take_over(file: &File, replaced: &Metadata) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    /// The rights to read, write and execute, without the bits that change who a program runs as.
    const RIGHTS: u32 = 0o777;
    const RIGHTS_OF_GROUP: u32 = 0o070;

    let own = file.metadata()?;
    if own.uid() != replaced.uid() {
        // Only a privileged process may do this. Without it the file stays the caller's own.
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    let mut mode = replaced.mode() & RIGHTS;
    if own.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        mode &= !RIGHTS_OF_GROUP;
    }
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn take_over(_file: &File, _replaced: &Metadata) -> io::Result<()> {
    Ok(())
}
