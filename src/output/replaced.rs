//! Copies the mode and the owner of a file that is replaced to the file that replaces it.

use std::fs::{File, Metadata};
use std::io;

/// Gives a new, empty file the mode and the owner of the file that it will replace. If the system does not allow this
/// process to set the same group, the new file gives its group no permissions, since scores must never become
/// readable for more users than before.
///
/// # Errors
///
/// Returns an error if the mode cannot be set.
#[cfg(unix)]
pub(super) fn take_over(file: &File, replaced: &Metadata) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    /// The mode bits for reading, writing and executing, without the set-user-ID and set-group-ID bits.
    const PERMISSIONS: u32 = 0o777;
    const GROUP_PERMISSIONS: u32 = 0o070;

    let own = file.metadata()?;
    if own.uid() != replaced.uid() {
        // Only a privileged process may change the owner. In any other process this fails, and the file belongs to
        // the user of the process.
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    let mut mode = replaced.mode() & PERMISSIONS;
    if own.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        mode &= !GROUP_PERMISSIONS;
    }
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn take_over(_file: &File, _replaced: &Metadata) -> io::Result<()> {
    Ok(())
}
