//! The commands that the examples of Slurm, Kubernetes and AWS Batch give to their engine are run here without it, with
//! the variables that it would set.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{assert_same_as_single_run, example, shared, succeed};

/// A program that stands in for `sbatch` of Slurm. It runs the script that it is given at once: one time for each task of an
/// array, or one time if there is no array.
const SBATCH: &str = r#"#!/bin/bash
set -eu
echo "$*" >>submitted
tasks= output=/dev/null
while [[ $1 == --* ]]; do
  case $1 in
  --array=1-*) tasks=${1#--array=1-} ;;
  --output=*) output=${1#--output=} ;;
  --parsable | --requeue | --open-mode=append | --cpus-per-task=2 | --dependency=afterok:41 | --kill-on-invalid-dep=yes) ;;
  *) echo "unknown option $1" >&2 && exit 1 ;;
  esac
  shift
done
if [ -n "$tasks" ]; then
  echo "41;cluster"
  export SLURM_ARRAY_TASK_MIN=1 SLURM_CPUS_PER_TASK=2
  for SLURM_ARRAY_TASK_ID in $(seq "$tasks"); do
    export SLURM_ARRAY_TASK_ID
    bash "$@" >"${output//%a/$SLURM_ARRAY_TASK_ID}" 2>&1
  done
else
  bash "$@" >"$output"
fi
"#;

/// Replaces the shared folder of an example by the one of this test.
fn in_folder(text: &str, folder: &TempDir) -> String {
    let shared = folder.path().join("shared");
    text.replace("/shared", shared.to_str().expect("UTF-8"))
}

fn write_program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn the_script_for_slurm_scores_and_merges() {
    let folder = shared();
    let script = folder.path().join("slurm_array.sh");
    write_program(&script, &in_folder(&example("slurm_array.sh"), &folder));
    write_program(&folder.path().join("bin/sbatch"), SBATCH);
    succeed(
        folder.path(),
        &["bash", script.to_str().expect("UTF-8")],
        &[],
    );
    let submitted = fs::read_to_string(folder.path().join("submitted")).expect("submissions");
    assert_eq!(submitted.lines().count(), 2, "{submitted}");
    let report = folder.path().join("shared/run1/report.txt");
    assert_same_as_single_run(&folder, &fs::read_to_string(report).expect("a report"));
}

/// Returns the scripts of the containers of `kubernetes_job.yaml`: the lines that follow `- |` and are indented more.
fn kubernetes_scripts(text: &str) -> Vec<String> {
    let blocks = text.split("- |\n").skip(1);
    let script = |block: &str| {
        let indent = block.len() - block.trim_start().len();
        let lines = block.lines();
        let lines = lines.take_while(|line| line.len() - line.trim_start().len() >= indent);
        lines.map(|line| format!("{line}\n")).collect()
    };
    blocks.map(script).collect()
}

#[test]
fn the_containers_for_kubernetes_score_and_merge() {
    let folder = shared();
    let text = example("kubernetes_job.yaml");
    assert!(text.contains("\n  completions: 16 "));
    let scripts = kubernetes_scripts(&in_folder(&text, &folder));
    let [score, merge] = &scripts[..] else {
        panic!("{scripts:?}");
    };
    for index in 0..16 {
        let variables = [("JOB_COMPLETION_INDEX", index.to_string())];
        succeed(folder.path(), &["sh", "-c", score], &variables);
    }
    let report = succeed(folder.path(), &["sh", "-c", merge], &[]);
    assert_same_as_single_run(&folder, &report);
}

#[test]
fn the_containers_for_aws_score_and_merge() {
    let folder = shared();
    let text = in_folder(&example("aws_batch_array.md"), &folder);
    assert!(text.contains("--array-properties size=16 "));
    let blocks = text.split("```json\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().expect("a block"));
    let commands: Vec<Vec<String>> = blocks
        .map(|block| {
            let definition: Value = serde_json::from_str(block).expect("JSON");
            let command = definition["containerProperties"]["command"].clone();
            serde_json::from_value(command).expect("a command")
        })
        .collect();
    let [score, merge] = &commands[..] else {
        panic!("{commands:?}");
    };
    let words = |command: &'_ [String]| command.to_vec();
    for index in 0..16 {
        let variables = [("AWS_BATCH_JOB_ARRAY_INDEX", index.to_string())];
        let words = words(score);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        succeed(folder.path(), &words, &variables);
    }
    let words: Vec<&str> = merge.iter().map(String::as_str).collect();
    let report = succeed(folder.path(), &words, &[]);
    assert_same_as_single_run(&folder, &report);
}
