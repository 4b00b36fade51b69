//! Checks that an interrupted run has ended as a calm one.

use serde_json::Value;

use crate::case::Case;
use crate::scene::{Ended, Files, Scene};

/// What differs between the reports of two runs, whatever they have scored.
const DIFFERS: [&str; 9] = [
    "calls",
    "command",
    "date",
    "machine",
    "pairs",
    "resumed",
    "resumed_left",
    "shards",
    "timing",
];

/// The report that a run has printed, without what differs between two runs. `Null` if it has printed none.
pub(crate) fn report_of(ended: &Ended) -> Value {
    let mut report: Value = serde_json::from_str(&ended.out).unwrap_or_default();
    if let Some(report) = report.as_object_mut() {
        report.retain(|name, _| !DIFFERS.contains(&name.as_str()));
    }
    report
}

/// Whether the run was refused because an earlier one has ended: its outputs are there, and no journal.
fn is_refused_as_done(ended: &Ended, files: &Files) -> bool {
    let has_journal = files.keys().any(|name| name.contains(".journal"));
    ended.code == Some(5) && ended.err.contains("already exists") && !has_journal
}

/// Checks the end of a scene whose last run has gone on to its end. `before` is the end of the run before it, if that may
/// have ended by itself.
pub(crate) fn assert_ends_calmly(case: &Case, scene: &Scene, last: &Ended, before: Option<&Ended>) {
    let context = || format!("{}\n{last:#?}\n{before:#?}\n{:?}", case.name, names(scene));
    let files = scene.files();
    let has_printed = |ended: &&Ended| !ended.out.is_empty();
    let mut reports = last;
    if is_refused_as_done(last, &files) {
        // Then the run before must have done everything, and that includes its report.
        reports = before.unwrap_or_else(|| panic!("refused: {}", context()));
    } else {
        assert_eq!(last.code, case.calm.code, "{}", context());
    }
    // A shard whose files are all there and whose report is printed has no second report.
    if case.output().ends_with(".mh") && reports.out.is_empty() {
        reports = before.filter(has_printed).unwrap_or(last);
    }
    assert_eq!(report_of(reports), case.calm.report, "{}", context());
    let visible = |files: &Files| -> Files {
        let files = files.iter();
        // The journal of a run with failed records stays, and a calm run without `--resume` has none.
        let files = files.filter(|(name, _)| {
            !name.starts_with(".manyhands-") && !name.ends_with(".journal.complete")
        });
        files
            .map(|(name, bytes)| (name.clone(), comparable(name, bytes)))
            .collect()
    };
    let (found, calm) = (visible(&files), visible(&case.calm.files));
    for (name, bytes) in &calm {
        let found = found.get(name);
        let found = found.unwrap_or_else(|| panic!("{name} is missing: {}", context()));
        assert!(found == bytes, "{name} differs: {}", context());
    }
    assert_eq!(found.len(), calm.len(), "{}", context());
}

/// The bytes of a file by which it is compared: those of partial answers are the report of their merge, since they hold times,
/// as pages do.
fn comparable(name: &str, bytes: &[u8]) -> Vec<u8> {
    if name.ends_with(".html") {
        assert!(
            bytes.trim_ascii_end().ends_with(b"</html>"),
            "{name} is cut short"
        );
        return Vec::new();
    }
    if !name.ends_with(".mh") {
        return bytes.to_owned();
    }
    let mut scene = Scene::with(&[(name.to_owned(), bytes.to_owned())].into());
    let merge = ["merge", name, "--json"].map(str::to_owned);
    let merged = scene.run(&[], &merge);
    assert!(matches!(merged.code, Some(0 | 1)), "{merged:?}");
    report_of(&merged).to_string().into_bytes()
}

fn names(scene: &Scene) -> Vec<(String, usize)> {
    let files = scene.files().into_iter();
    files.map(|(name, bytes)| (name, bytes.len())).collect()
}
