//! The HTML pages must be complete, small, readable without the plots, and safe no matter what the data contains.
#![cfg(feature = "cli")]

mod browser;
mod files;
mod hostile;
mod made_up;
mod markup;

use std::path::PathBuf;
use std::time::Duration;

use manyhands::page;
use markup::check;

/// Maximum size of a page, in bytes.
const MAX_BYTES: usize = 150_000;

/// Writes a page to a file, so that a person can look at it.
fn save_page(name: &str, page: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, page).expect("a file");
    println!("{}", path.display());
    path
}

#[test]
fn a_comparison_shows_all_plots_and_facts() {
    let comparison = made_up::comparison(&[1, 2, 4, 8, 16, 32, 64], 20);
    let page = page::of_comparison(&comparison);
    let content = check(&page);
    save_page("comparison.html", &page);
    assert!(page.len() < MAX_BYTES, "{} bytes", page.len());
    for id in [
        "times",
        "speed-up",
        "efficiency",
        "losses",
        "records",
        "timeline-0",
        "timeline-2",
        "predictions",
        "against",
        "drift",
    ] {
        assert!(content.ids.contains(id), "there is no plot {id}");
    }
    let text = &content.text;
    for shown in [
        "process-pool on 64 threads",
        "no detectable difference",
        "the load was 3.20",
        "Universal Scalability Law",
        "main-2026-11-20",
        "Digest of the answer: 2e6def2c9f3b351666b9f5be48c8963c",
    ] {
        assert!(text.contains(shown), "{shown:?} is not in the page");
    }
    assert!(text.contains(&comparison.verdict()));
}

#[test]
fn a_small_comparison_has_no_empty_sections() {
    let mut comparison = made_up::comparison(&[1, 2], 3);
    comparison.analysis = Default::default();
    comparison.baseline = None;
    comparison.warnings.clear();
    let page = page::of_comparison(&comparison);
    let content = check(&page);
    save_page("small.html", &page);
    for absent in ["losses", "records", "predictions", "against", "timeline-0"] {
        assert!(!content.ids.contains(absent), "{absent}");
    }
    for absent in ["What limits", "What more cores", "baseline", "unreliable"] {
        assert!(!content.text.contains(absent), "{absent}");
    }
}

#[test]
fn a_doubtful_fit_has_a_note() {
    let mut comparison = made_up::comparison(&[1, 2, 3, 4, 6, 8], 3);
    let sound = check(&page::of_comparison(&comparison)).text;
    assert!(!sound.contains("may be misleading"));
    for fit in &mut comparison.analysis.fits {
        fit.doubtful = Some("up to 8 threads shared 2 hardware threads".to_owned());
        fit.peak = Some(8.5);
    }
    let text = check(&page::of_comparison(&comparison)).text;
    let note = "The fits may be misleading: up to 8 threads shared 2 hardware threads.";
    assert_eq!(text.matches(note).count(), 1);
    assert!(text.contains("8.5 threads, extrapolated"));
    for fit in &mut comparison.analysis.fits {
        fit.peak = Some(7.5);
    }
    let text = check(&page::of_comparison(&comparison)).text;
    assert!(text.contains("7.5 threads") && !text.contains("7.5 threads, extrapolated"));
}

#[test]
fn the_page_of_a_large_comparison_stays_small() {
    let levels: Vec<usize> = (1..=40).collect();
    let mut comparison = made_up::comparison(&levels, 400);
    for timeline in &mut comparison.analysis.timelines {
        let span = |n: u64| {
            (
                Duration::from_micros(10 * n),
                Duration::from_micros(10 * n + 4),
            )
        };
        timeline.workers = vec![(0..3000).map(span).collect(); 1024];
        timeline.wall = Duration::from_millis(30);
    }
    let page = page::of_comparison(&comparison);
    check(&page);
    save_page("large.html", &page);
    assert!(page.len() < MAX_BYTES, "{} bytes", page.len());
    assert!(page.contains("Only the first"));
}

#[test]
fn a_comparison_with_different_answers_shows_no_times() {
    let mut comparison = made_up::comparison(&[1, 2], 3);
    let mut other = manyhands::measure::Disagreement::default();
    other.executor = "task-queue".to_owned();
    other.threads = 2;
    other.digest = "0000".to_owned();
    comparison.disagreements.push(other);
    comparison.measurements.clear();
    let page = page::of_comparison(&comparison);
    let content = check(&page);
    save_page("disagreement.html", &page);
    assert!(
        content
            .text
            .contains("task-queue on 2 threads answered 0000")
    );
    assert!(content.ids.is_empty(), "{:?}", content.ids);
}

#[test]
fn infinite_and_missing_figures_draw_no_invalid_paths() {
    let mut comparison = made_up::comparison(&[1, 2, 4], 5);
    for measurement in &mut comparison.measurements {
        measurement.wall = Default::default();
        measurement.speed_up.high = f64::INFINITY;
        measurement.efficiency.low = f64::NAN;
        measurement.records_per_second = f64::INFINITY;
        for turn in &mut measurement.turns {
            turn.wall = Duration::ZERO;
        }
    }
    for ceiling in &mut comparison.analysis.ceilings {
        ceiling.speed_up.value = f64::NAN;
    }
    let page = page::of_comparison(&comparison);
    check(&page);
    for wrong in ["NaN", "inf", "panicked"] {
        let drawn = page
            .split("d=\"")
            .skip(1)
            .map(|rest| rest.split('"').next());
        assert!(!drawn.flatten().any(|path| path.contains(wrong)), "{wrong}");
    }
}
