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

    let own = file.metadata()?;
    if own.uid() != replaced.uid() {
        // Only a privileged process may change the owner. In any other process this fails, and the file belongs to
        // the user of the process.
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    let has_group = own.gid() == replaced.gid() || fchown(file, None, Some(replaced.gid())).is_ok();
    file.set_permissions(Permissions::from_mode(mode_for(replaced.mode(), has_group)))
}

/// The mode of the new file if the replaced file has the mode `replaced`, and `has_group` says whether the new file has
/// the same group. The set-user-ID, set-group-ID and sticky bits are left out.
#[cfg(unix)]
fn mode_for(replaced: u32, has_group: bool) -> u32 {
    match has_group {
        true => replaced & 0o777,
        false => replaced & 0o707,
    }
}

#[cfg(not(unix))]
pub(super) fn take_over(_file: &File, _replaced: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::mode_for;

    #[test]
    fn another_group_gets_no_permissions() {
        for (replaced, same_group, other_group) in [
            (0o100_664, 0o664, 0o604),
            (0o100_670, 0o670, 0o600),
            (0o100_600, 0o600, 0o600),
            (0o107_777, 0o777, 0o707),
            (0o100_000, 0, 0),
        ] {
            assert_eq!(mode_for(replaced, true), same_group, "{replaced:o}");
            assert_eq!(mode_for(replaced, false), other_group, "{replaced:o}");
        }
    }
}
