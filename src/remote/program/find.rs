//! Finds the file of a program as a shell does, and says why a program cannot be started.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::Access;
use rustix::io::Errno;

use crate::remote::spawn::remedy;

/// Where programs are looked for if the environment has no variable `PATH`.
const USUAL_PATH: &str = "/bin:/usr/bin";

/// What a path leads to.
#[derive(Debug, PartialEq)]
enum Candidate {
    /// A file that can be executed.
    Program,
    Nothing,
    /// Something that cannot be executed, for this reason.
    Other(String),
}

/// Checks that a program exists and may be executed. A name without `/` is looked for in the folders of `path`, the
/// value of the variable `PATH`.
///
/// # Errors
///
/// Returns a message that says what is wrong, and what the user can do about it.
pub(super) fn check(program: &OsStr, path: Option<&OsStr>) -> Result<(), String> {
    if program.is_empty() {
        return Err("the name of the program is empty".to_owned());
    }
    if program.as_bytes().contains(&b'/') {
        return match look(Path::new(program)) {
            Candidate::Program => Ok(()),
            Candidate::Nothing => Err(format!("there is no such file; {}", what_to_check(program))),
            Candidate::Other(reason) => Err(reason),
        };
    }
    let mut unsuitable = None;
    for folder in env::split_paths(path.unwrap_or(USUAL_PATH.as_ref())) {
        let candidate = folder.join(program);
        match look(&candidate) {
            Candidate::Program => return Ok(()),
            Candidate::Nothing => {}
            // A shell goes on too, because a later folder may have the program.
            Candidate::Other(reason) => {
                unsuitable.get_or_insert_with(|| format!("{}: {reason}", candidate.display()));
            }
        }
    }
    Err(unsuitable.unwrap_or_else(|| {
        let advice = match Path::new(program).is_file() {
            true => format!(
                "for the file in the current folder, write ./{}",
                Path::new(program).display()
            ),
            false => what_to_check(program).to_owned(),
        };
        format!("no folder of PATH has such a program; {advice}")
    }))
}

fn what_to_check(program: &OsStr) -> &'static str {
    if program.as_bytes().contains(&b' ') {
        "give the program and each of its arguments as a word of its own, without quotes around all of them"
    } else if program.as_bytes().contains(&b'/') {
        "check the path"
    } else {
        "check the name, or give the path of the program"
    }
}

fn look(path: &Path) -> Candidate {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Candidate::Nothing;
        }
        Err(error) => return Candidate::Other(error.to_string()),
    };
    if metadata.is_dir() {
        return Candidate::Other("this is a folder; name a program".to_owned());
    }
    if !metadata.is_file() {
        return Candidate::Other("this is no file that can be executed; name a program".to_owned());
    }
    match rustix::fs::access(path, Access::EXEC_OK) {
        Ok(()) => Candidate::Program,
        Err(Errno::ACCESS) => Candidate::Other(
            "the file may not be executed; allow it (chmod +x), or name the interpreter before the file".to_owned(),
        ),
        Err(error) => Candidate::Other(io::Error::from(error).to_string()),
    }
}

/// Says why a program that [`check`] accepts cannot be started, and what the user can do about it.
pub(super) fn explain(error: &io::Error) -> String {
    let remedy = match Errno::from_io_error(error) {
        Some(Errno::NOENT) => {
            "; if the file is a script, its first line names an interpreter that does not exist"
        }
        Some(Errno::NOEXEC) => {
            "; if the file is a script, its first line must name the interpreter, such as #!/bin/sh"
        }
        _ => remedy(error),
    };
    format!("{error}{remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    /// A folder with a program, a file that may not be executed, and a folder.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, mode) in [("program", 0o755), ("text", 0o644)] {
            let path = folder.path().join(name);
            fs::write(&path, "").expect("space on the disk");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
        }
        fs::create_dir(folder.path().join("folder")).expect("space on the disk");
        folder
    }

    fn refusal(program: impl AsRef<OsStr>, path: Option<&OsStr>) -> String {
        check(program.as_ref(), path).expect_err("it is no program")
    }

    #[test]
    fn a_path_must_lead_to_a_program() {
        let folder = folder();
        let inside = |name: &str| folder.path().join(name);
        assert_eq!(check(inside("program").as_ref(), None), Ok(()));
        for (name, expected) in [
            ("absent", "no such file; check the path"),
            ("program/x", "no such file; check the path"),
            ("program -v", "each of its arguments as a word of its own"),
            ("folder", "this is a folder"),
            ("text", "chmod +x"),
        ] {
            let message = refusal(inside(name), None);
            assert!(message.contains(expected), "{name}: {message}");
        }
        assert!(refusal("/dev/null", None).contains("no file that can be executed"));
        assert!(refusal("", None).contains("empty"));
    }

    #[test]
    fn a_name_is_looked_for_in_the_folders_of_path() {
        let (folder, empty) = (folder(), tempfile::tempdir().expect("a folder"));
        let path = |folders: &[&Path]| env::join_paths(folders).expect("no colons");
        let both = path(&[empty.path(), folder.path()]);
        assert_eq!(check("program".as_ref(), Some(&both)), Ok(()));
        assert_eq!(check("sh".as_ref(), None), Ok(()));
        let message = refusal("absent", Some(&both));
        assert!(message.contains("no folder of PATH"), "{message}");
        let message = refusal("text", Some(&both));
        let place = folder.path().join("text").display().to_string();
        assert!(
            message.contains(&place) && message.contains("chmod +x"),
            "{message}"
        );
        let message = refusal("python3 score.py", Some(&both));
        assert!(message.contains("a word of its own"), "{message}");
    }

    #[test]
    fn an_unsuitable_file_does_not_hide_a_program_in_a_later_folder() {
        let (first, second) = (folder(), folder());
        let program = second.path().join("text");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it is ours");
        let both = env::join_paths([first.path(), second.path()]).expect("no colons");
        assert_eq!(check("text".as_ref(), Some(&both)), Ok(()));
    }

    #[test]
    fn a_file_in_the_current_folder_needs_a_path() {
        // Tests run in the folder of the crate, which has this file.
        let message = refusal("Cargo.toml", Some(OsStr::new("/bin")));
        assert!(PathBuf::from("Cargo.toml").is_file());
        assert!(message.contains("write ./Cargo.toml"), "{message}");
    }

    #[test]
    fn scripts_without_an_interpreter_are_explained() {
        for errno in [Errno::NOENT, Errno::NOEXEC] {
            let message = explain(&errno.into());
            assert!(message.contains("first line"), "{message}");
        }
        assert!(explain(&Errno::AGAIN.into()).contains("more processes"));
    }
}
