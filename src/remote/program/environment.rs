//! The environment variables that the processes of a program get.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// Tells programs that use OpenMP how many threads to start.
const OPENMP: &str = "OMP_NUM_THREADS";

/// These variables do the same for libraries that obey [`OPENMP`] if their own variable is not set.
const LIKE_OPENMP: [&str; 4] = [
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];

/// These variables do the same for libraries that know nothing of [`OPENMP`].
const OTHERS: [&str; 6] = [
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
];

/// With a narrow environment, processes get only these variables, those whose names begin with `LC_`, and those for
/// numbers of threads.
const NARROW: [&str; 8] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR",
];

/// Sets the environment of a command.
///
/// There is a worker for each core, so a library that starts a thread for each core in each worker would only make all
/// of them slower. Such libraries get one thread in each worker, unless the user has said otherwise.
pub(super) fn set(command: &mut Command, clean: bool) {
    if clean {
        command.env_clear();
        command.envs(env::vars_os().filter(|(name, _)| passes(name)));
    }
    for name in limited_to_one_thread(|name| env::var_os(name).is_some()) {
        command.env(name, "1");
    }
}

/// Returns the variables that are set to 1 if the user has set those for which `is_set` returns true.
fn limited_to_one_thread(is_set: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut names = OTHERS.to_vec();
    // If the user has set the variable of OpenMP, the libraries that obey it shall do so.
    if !is_set(OPENMP) {
        names.push(OPENMP);
        names.extend(LIKE_OPENMP);
    }
    names.retain(|name| !is_set(name));
    names
}

/// Whether a variable is part of a narrow environment.
fn passes(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    name.starts_with("LC_")
        || name == OPENMP
        || [&NARROW[..], &LIKE_OPENMP, &OTHERS]
            .concat()
            .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_the_user_has_set_stay() {
        let all = limited_to_one_thread(|_| false);
        assert_eq!(all.len(), 1 + LIKE_OPENMP.len() + OTHERS.len());
        let without = limited_to_one_thread(|name| name == "MKL_NUM_THREADS");
        assert_eq!(without.len(), all.len() - 1);
        assert!(!without.contains(&"MKL_NUM_THREADS"));
    }

    #[test]
    fn libraries_that_obey_openmp_do_what_the_user_has_told_openmp() {
        assert_eq!(limited_to_one_thread(|name| name == OPENMP), OTHERS);
    }

    #[test]
    fn a_narrow_environment_has_only_what_almost_every_program_needs() {
        for name in [
            "PATH",
            "HOME",
            "LC_ALL",
            "LC_CTYPE",
            "TMPDIR",
            "OMP_NUM_THREADS",
            "MKL_NUM_THREADS",
            "RAYON_NUM_THREADS",
        ] {
            assert!(passes(name.as_ref()), "{name}");
        }
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "PYTHONPATH",
            "LD_PRELOAD",
            "PATHS",
            "",
        ] {
            assert!(!passes(name.as_ref()), "{name}");
        }
    }
}
