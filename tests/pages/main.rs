//! Reports as pages: whole, small, readable without seeing the plots, and harmless whatever the data holds.
#![cfg(feature = "cli")]

mod browser;
mod files;
mod hostile;
mod made_up;
mod markup;

use std::path::PathBuf;

use manyhands::page;
use markup::check;

/// What a page may take.
const MOST: usize = 150_000;

/// A page, checked, and kept where it can be looked at.
fn kept(name: &str, page: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, page).expect("a file");
    println!("{}", path.display());
    path
}

#[test]
fn a_comparison_is_told_whole() {
    let comparison = made_up::comparison(&[1, 2, 4, 8, 16, 32, 64], 20);
    let page = page::of_comparison(&comparison);
    let sheet = check(&page);
    kept("comparison.html", &page);
    assert!(page.len() < MOST, "{} bytes", page.len());
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
        assert!(sheet.ids.contains(id), "there is no plot {id}");
    }
    let text = &sheet.text;
    for told in [
        "process-pool on 64 threads",
        "no detectable difference",
        "the load was 3.20",
        "Universal Scalability Law",
        "main-2026-11-20",
        "Digest of the answer: 2e6def2c9f3b351666b9f5be48c8963c",
    ] {
        assert!(text.contains(told), "{told:?} is not in the page");
    }
    assert!(text.contains(&comparison.verdict()));
}

#[test]
fn a_small_comparison_has_no_empty_sections() {
    let mut comparison = made_up::comparison(&[1, 2], 3);
    comparison.why = Default::default();
    comparison.against = None;
    comparison.warnings.clear();
    let page = page::of_comparison(&comparison);
    let sheet = check(&page);
    kept("small.html", &page);
    for absent in ["losses", "records", "predictions", "against", "timeline-0"] {
        assert!(!sheet.ids.contains(absent), "{absent}");
    }
    for absent in ["Why not better", "What more cores", "baseline", "doubtful"] {
        assert!(!sheet.text.contains(absent), "{absent}");
    }
}

#[test]
fn a_law_that_may_mislead_says_so() {
    let mut comparison = made_up::comparison(&[1, 2, 3, 4, 6, 8], 3);
    let sound = check(&page::of_comparison(&comparison)).text;
    assert!(!sound.contains("may mislead"));
    for fit in &mut comparison.why.fits {
        fit.doubtful = Some("up to 8 threads shared 2 hardware threads".to_owned());
        fit.peak = Some(8.5);
    }
    let text = check(&page::of_comparison(&comparison)).text;
    let told = "These may mislead: up to 8 threads shared 2 hardware threads.";
    assert_eq!(text.matches(told).count(), 1);
    assert!(text.contains("8.5 threads, extrapolated"));
    for fit in &mut comparison.why.fits {
        fit.peak = Some(7.5);
    }
    let text = check(&page::of_comparison(&comparison)).text;
    assert!(text.contains("7.5 threads") && !text.contains("7.5 threads, extrapolated"));
}

#[test]
fn however_much_was_measured_the_page_stays_small() {
    let levels: Vec<usize> = (1..=40).collect();
    let mut comparison = made_up::comparison(&levels, 400);
    for timeline in &mut comparison.why.timelines {
        let span = |n: u32| (f64::from(n) * 1e-5, f64::from(n) * 1e-5 + 4e-6);
        timeline.workers = vec![(0..3000).map(span).collect(); 1024];
        timeline.wall = 0.03;
    }
    let page = page::of_comparison(&comparison);
    check(&page);
    kept("large.html", &page);
    assert!(page.len() < MOST, "{} bytes", page.len());
    assert!(page.contains("more are in what"));
}

#[test]
fn where_answers_differ_there_are_no_times() {
    let mut comparison = made_up::comparison(&[1, 2], 3);
    let mut other = manyhands::measure::Disagreement::default();
    other.executor = "task-queue".to_owned();
    other.threads = 2;
    other.digest = "0000".to_owned();
    comparison.disagreements.push(other);
    comparison.cells.clear();
    let page = page::of_comparison(&comparison);
    let sheet = check(&page);
    kept("disagreement.html", &page);
    assert!(sheet.text.contains("task-queue on 2 threads answered 0000"));
    assert!(sheet.ids.is_empty(), "{:?}", sheet.ids);
}

#[test]
fn figures_that_are_no_numbers_do_no_harm() {
    let mut comparison = made_up::comparison(&[1, 2, 4], 5);
    for cell in &mut comparison.cells {
        cell.wall = Default::default();
        cell.speed_up.high = f64::INFINITY;
        cell.efficiency.low = f64::NAN;
        cell.records_per_second = f64::INFINITY;
        for turn in &mut cell.turns {
            turn.wall = 0.0;
        }
    }
    for ceiling in &mut comparison.why.ceilings {
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
