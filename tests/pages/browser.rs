//! These tests load the pages in Chromium, if it is installed. The content security policy must block nothing in the
//! pages, and the pages must fit on a narrow screen.
//!
//! Without Chromium on the `PATH`, each test prints that it was skipped. If the variable
//! `MANYHANDS_REQUIRE_CHROMIUM` is set, each test fails instead.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{made_up, page, save_page};

/// Name of an environment variable. If it is set and Chromium is not installed, the tests fail.
const REQUIRE: &str = "MANYHANDS_REQUIRE_CHROMIUM";

/// Returns the path of Chromium. If Chromium is not installed, it prints a line on standard error and returns `None`,
/// and the test is to be skipped.
fn chromium(test: &str) -> Option<PathBuf> {
    let found = find(std::env::var_os("PATH").as_deref());
    if found.is_none() {
        let notice = skip_notice(test, std::env::var_os(REQUIRE).is_some());
        // The test harness captures the output of `eprintln!`, so the notice is written directly to standard error.
        let _ = writeln!(std::io::stderr(), "\n{notice}");
    }
    found
}

/// Returns the line that is printed when a test is skipped.
///
/// # Panics
///
/// Panics if Chromium is required.
fn skip_notice(test: &str, required: bool) -> String {
    assert!(
        !required,
        "{test}: no Chromium on the PATH, and {REQUIRE} is set; install it or unset the variable"
    );
    format!("SKIPPED {test}: no Chromium on the PATH; set {REQUIRE}=1 to make this a failure")
}

fn find(path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(path?).collect();
    let mut files = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.find(|file| file.is_file())
}

/// Loads a page, and returns its parsed document and the log of the browser.
fn load(browser: &Path, page: &Path, options: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--v=0",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(options)
        .arg(format!("file://{}", page.display()))
        .env("HOME", profile.path());
    let output = assert_cmd::Command::from_std(command)
        .timeout(Duration::from_secs(120))
        .output()
        .expect("the browser starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn pages_load_in_a_browser() {
    let Some(browser) = chromium("pages_load_in_a_browser") else {
        return;
    };
    let comparison = page::of_comparison(&made_up::comparison(&[1, 2, 4, 8, 16, 64], 5));
    let file = save_page("browser.html", &comparison);
    let (dom, log) = load(&browser, &file, &[]);
    let messages: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(messages.is_empty(), "{messages:?}");
    // These counts show that the HTML parser has not moved any element out of its drawing.
    let count = |text: &str, what: &str| text.matches(what).count();
    for what in ["<svg", "</svg>", "<path", "<details", "<tr"] {
        assert_eq!(count(&dom, what), count(&comparison, what), "{what}");
    }
    // The policy refuses an unknown style and logs it, so an empty log above means that nothing was refused.
    let spoilt = comparison.replace("</style>", "</style><style>p{color:red}</style>");
    let (_, log) = load(&browser, &save_page("spoilt.html", &spoilt), &[]);
    assert!(log.contains("Content Security Policy"), "{log}");
}

/// Each page is in a frame that is as narrow as a phone. The page itself runs no scripts, so a script outside the
/// frame measures the width of the page.
#[test]
fn pages_are_no_wider_than_a_phone() {
    let Some(browser) = chromium("pages_are_no_wider_than_a_phone") else {
        return;
    };
    let wide = "<!DOCTYPE html><body><p style='width:800px'>wide</p>";
    let pages = [
        (
            "phone.html",
            page::of_comparison(&made_up::comparison(&[1, 2, 4, 8, 16, 64], 20)),
            true,
        ),
        ("wide.html", wide.to_owned(), false),
    ];
    for (name, page, fits) in pages {
        save_page(name, &page);
        let frame = format!(
            "<!DOCTYPE html><body><iframe id=f src=\"{name}\" width=360 height=800></iframe><p id=w></p><script>
            f.onload = () => {{ w.textContent = 'wide: ' + f.contentDocument.documentElement.scrollWidth; }};
            </script>"
        );
        let frame = save_page(&format!("framed-{name}"), &frame);
        let (dom, log) = load(
            &browser,
            &frame,
            &[
                "--allow-file-access-from-files",
                "--virtual-time-budget=5000",
            ],
        );
        let width = dom
            .split("wide: ")
            .nth(1)
            .and_then(|rest| rest.split('<').next());
        let width: u32 = width
            .and_then(|width| width.parse().ok())
            .unwrap_or_else(|| panic!("{dom:.500}\n{log}"));
        assert_eq!(width <= 360, fits, "{name} is {width} wide");
    }
}

#[test]
fn a_skipped_test_says_so() {
    assert_eq!(find(None), None);
    let notice = skip_notice("a_test", false);
    assert!(notice.starts_with("SKIPPED a_test: no Chromium on the PATH"));
}

#[test]
#[should_panic(expected = "MANYHANDS_REQUIRE_CHROMIUM is set")]
fn a_required_browser_that_is_missing_is_a_failure() {
    skip_notice("a_test", true);
}
