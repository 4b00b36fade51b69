//! In these tests, texts, names and files contain characters that could break a page.

use std::fmt::Write as _;
use std::fs;

use manyhands::page;
use manyhands::plan::{Plan, RunOptions};

use super::files::{folder, run};
use super::markup::check;
use super::{made_up, save_page};

const SCRIPT: &str =
    "</style></title></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;";

#[test]
fn texts_cannot_inject_markup_or_hide() {
    let folder = folder();
    let texts = [
        SCRIPT.to_owned(),
        "great \u{202e}gpj.exe\u{2066} \u{200b}\u{feff}\u{61c}\u{e0041}".to_owned(),
        "bad \0\u{7}\u{1b}[31m\u{85}".to_owned(),
        "good <".repeat(200_000),
        "awful \u{202e}".repeat(100_000),
        "<!-- --><![CDATA[ terrible".to_owned(),
        "e\u{301}\u{301}\u{301} nice 👩‍💻 שלום".to_owned(),
    ];
    let mut lines = String::new();
    for (index, text) in texts.iter().enumerate() {
        let record = serde_json::json!({ "<b>\"'": text, "by": format!("{SCRIPT}{index}") });
        writeln!(lines, "{record}").expect("a string");
    }
    lines += "{\"<b>\\\"'\":\"half \\ud800\",\"by\":\"\\u202e\"}\n";
    lines += "{\"<b>\\\"'\":\"empty group\",\"by\":\" \"}\n";
    lines += "<script>alert(1)</script>\n";
    let name = "a<script>'&.jsonl";
    fs::write(folder.path().join(name), lines).expect("a file");
    let arguments = [
        "score",
        name,
        "--with",
        "sentiment",
        "--field",
        "<b>\"'",
        "--by",
        "by",
        "--top",
        "9",
        "--html",
        "page.html",
    ];
    let (code, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 1, "{stderr}");
    let page = fs::read_to_string(folder.path().join("page.html")).expect("a page");
    let content = check(&page);
    save_page("hostile.html", &page);
    assert!(page.len() < 250_000, "{} bytes", page.len());
    assert!(
        content.text.contains("<script>alert(1)</script>"),
        "the text is not shown"
    );
    for shown in [
        "U+202E",
        "U+0000",
        "U+001B",
        "U+FEFF",
        "U+061C",
        "U+E0041",
        "characters more",
        "a<script>'&.jsonl",
    ] {
        assert!(content.text.contains(shown), "{shown} is not shown");
    }
    assert!(page.contains("👩‍💻"));
}

#[test]
fn a_page_shows_a_part_of_many_groups_and_examples() {
    let folder = folder();
    let mut lines = String::new();
    for record in 0..3000 {
        let text = if record % 2 == 0 { "good" } else { "bad bad" };
        writeln!(
            lines,
            "{{\"text\":\"{text}\",\"by\":\"group {}\"}}",
            record % 700
        )
        .expect("a string");
    }
    let file = folder.path().join("many.jsonl");
    fs::write(&file, lines).expect("a file");
    let mut plan = Plan::new([file]);
    plan.by = vec!["by".to_owned()];
    plan.top = 2000;
    let answer = plan
        .open()
        .and_then(|opened| opened.run(RunOptions::default()));
    let page = page::of_answer(&answer.expect("an answer"));
    let content = check(&page);
    save_page("many.html", &page);
    assert!(page.len() < 150_000, "{} bytes", page.len());
    assert!(
        content
            .text
            .contains("700 groups by by; the 25 largest are shown")
    );
    assert!(content.text.contains("1950 more records are not shown"));
}

#[test]
fn names_in_a_comparison_cannot_inject_markup() {
    let mut comparison = made_up::comparison(&[1, 2, 4], 3);
    comparison.workload.name = SCRIPT.to_owned();
    comparison.warnings.push(SCRIPT.to_owned());
    comparison.machine.cpu = Some(format!("{SCRIPT}\u{202e}"));
    comparison.began = SCRIPT.to_owned();
    let names: Vec<String> = comparison
        .measurements
        .iter()
        .map(|measurement| measurement.executor.clone())
        .collect();
    let bad = |name: &mut String| *name = format!("{SCRIPT}{name}");
    comparison
        .measurements
        .iter_mut()
        .for_each(|measurement| bad(&mut measurement.executor));
    comparison
        .analysis
        .losses
        .iter_mut()
        .for_each(|one| bad(&mut one.executor));
    comparison
        .analysis
        .timelines
        .iter_mut()
        .for_each(|one| bad(&mut one.executor));
    comparison
        .analysis
        .predictions
        .iter_mut()
        .for_each(|one| bad(&mut one.executor));
    comparison
        .analysis
        .ceilings
        .iter_mut()
        .for_each(|one| bad(&mut one.kernel));
    comparison
        .costs
        .iter_mut()
        .for_each(|one| bad(&mut one.executor));
    let against = comparison.baseline.as_mut().expect("a baseline");
    bad(&mut against.name);
    against
        .ratios
        .iter_mut()
        .for_each(|one| bad(&mut one.executor));
    let page = page::of_comparison(&comparison);
    let content = check(&page);
    save_page("hostile-names.html", &page);
    assert!(content.text.contains(&format!("{SCRIPT}{}", names[1])));
}
