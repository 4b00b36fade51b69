//! The parser of `--on-failure`.

use manyhands::OnFailure;
use manyhands::plan::arguments::count;

/// Parses `skip`, `skip:100`, `skip:1%` or `stop`.
pub(super) fn parse_on_failure(text: &str) -> Result<OnFailure, String> {
    let expected = || "expected skip, skip:100, skip:1% or stop".to_owned();
    match text.split_once(':') {
        None if text == "skip" => Ok(OnFailure::SKIP),
        None if text == "stop" => Ok(OnFailure::Stop),
        Some(("skip", share)) if share.ends_with('%') => {
            let percent: f64 = share[..share.len() - 1].parse().map_err(|_| expected())?;
            if !(0.0..=100.0).contains(&percent) {
                return Err("expected a share from 0% to 100%".to_owned());
            }
            let at_most = percent / 100.0;
            Ok(OnFailure::SkipShare { at_most })
        }
        Some(("skip", number)) => {
            let at_most = count(number).map_err(|_| expected())?;
            Ok(OnFailure::Skip { at_most })
        }
        _ => Err(expected()),
    }
}
