//! The examples of Ray and Spark on two nodes of these engines, while their processes are killed.
//!
//! These tests take minutes and install the engines from an index of Python packages, so they run only if the environment
//! variable `MANYHANDS_ENGINES` is set:
//!
//! ```text
//! MANYHANDS_ENGINES=1 MANYHANDS_KILLS=60 cargo test --release --test engines real -- --nocapture --test-threads 1
//! ```

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{binary, root};

/// The folder of the virtual environment, which later runs use again.
fn environment() -> PathBuf {
    env::var_os("MANYHANDS_ENGINES_ENVIRONMENT").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("engines"),
        PathBuf::from,
    )
}

/// Runs an example until enough processes were killed. `drive.py` explains what is checked.
fn drive(engine: &str) {
    if env::var_os("MANYHANDS_ENGINES").is_none() {
        println!("{engine} is not tested, because MANYHANDS_ENGINES is not set");
        return;
    }
    let work = TempDir::new().expect("a folder");
    let mut driver = Command::new("python3");
    driver.arg(root().join("tests/engines/drive.py"));
    driver.arg(engine).arg("--manyhands").arg(binary());
    driver.arg("--work").arg(work.path());
    driver.arg("--environment").arg(environment());
    driver.args([
        "--kills",
        &env::var("MANYHANDS_KILLS").unwrap_or("10".into()),
    ]);
    assert!(driver.status().expect("python3").success());
}

#[test]
fn ray_gives_the_answer_of_a_single_run_or_names_the_shard() {
    drive("ray");
}

#[test]
fn spark_gives_the_answer_of_a_single_run_or_names_the_shard() {
    let mut java = Command::new("java");
    java.arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !java.status().is_ok_and(|status| status.success()) {
        println!("Spark is not tested, because there is no Java");
        return;
    }
    drive("spark");
}
