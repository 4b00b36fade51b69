//! The pages in Chromium, where there is one: nothing is refused by their own policy, and nothing is
//! wider than a small screen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{kept, made_up, page};

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|file| file.is_file())
}

/// What a page becomes in the browser, and what the browser said about it.
fn loaded(browser: &Path, page: &Path, options: &[&str]) -> (String, String) {
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
        // A page may not find anything out about the network, nor may its browser.
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
    let Some(browser) = chromium() else {
        println!("not run: there is no Chromium on the PATH");
        return;
    };
    let comparison = page::of_comparison(&made_up::comparison(&[1, 2, 4, 8, 16, 64], 5));
    let file = kept("browser.html", &comparison);
    let (dom, told) = loaded(&browser, &file, &[]);
    let complaints: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    // Each drawing is still there as it was written: the parser has moved nothing out of it.
    let count = |text: &str, what: &str| text.matches(what).count();
    for what in ["<svg", "</svg>", "<path", "<details", "<tr"] {
        assert_eq!(count(&dom, what), count(&comparison, what), "{what}");
    }
    // A style that the policy does not know is refused, aloud: the silence above tells something.
    let spoilt = comparison.replace("</style>", "</style><style>p{color:red}</style>");
    let (_, told) = loaded(&browser, &kept("spoilt.html", &spoilt), &[]);
    assert!(told.contains("Content Security Policy"), "{told}");
}

/// A page in a frame as narrow as a telephone; a script beside the frame measures how wide it would like to
/// be, which the page itself cannot.
#[test]
fn pages_are_no_wider_than_a_telephone() {
    let Some(browser) = chromium() else {
        println!("not run: there is no Chromium on the PATH");
        return;
    };
    let wide = "<!DOCTYPE html><body><p style='width:800px'>wide</p>";
    let pages = [
        (
            "telephone.html",
            page::of_comparison(&made_up::comparison(&[1, 2, 4, 8, 16, 64], 20)),
            true,
        ),
        ("wide.html", wide.to_owned(), false),
    ];
    for (name, page, fits) in pages {
        kept(name, &page);
        let frame = format!(
            "<!DOCTYPE html><body><iframe id=f src=\"{name}\" width=360 height=800></iframe><p id=w></p><script>
            f.onload = () => {{ w.textContent = 'wide: ' + f.contentDocument.documentElement.scrollWidth; }};
            </script>"
        );
        let frame = kept(&format!("framed-{name}"), &frame);
        let (dom, told) = loaded(
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
            .unwrap_or_else(|| panic!("{dom:.500}\n{told}"));
        assert_eq!(width <= 360, fits, "{name} is {width} wide");
    }
}
