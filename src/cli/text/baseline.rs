//! Formats a comparison relative to its baseline as text, and says how small a difference the comparison could
//! detect.

use indicatif::HumanCount;
use manyhands::measure::{BaselineComparison, BaselineRatio, Comparison, Estimate};

use super::cells::{counted, finish, label, labelled_table, wrapped};
use super::{ASIDE, plain};

/// Formats the smallest difference from `sequential` that this number of rounds detects.
pub(super) fn resolution(comparison: &Comparison) -> String {
    let others = comparison.measurements.iter().skip(1);
    let Some(differences) = range(others.clone().map(|one| one.detectable)) else {
        return String::new();
    };
    let needed = others.map(|one| one.rounds_needed);
    let needed = needed.reduce(|one, other| Some(one?.max(other?))).flatten();
    let needed = match needed {
        Some(rounds) if rounds > comparison.settings.rounds => {
            format!("; 3 % takes {} rounds", about(rounds))
        }
        Some(_) => String::new(),
        None => "; no number of rounds detects 3 %".to_owned(),
    };
    let rounds = comparison.settings.rounds;
    let s = if rounds == 1 { "s" } else { "" };
    let rounds = counted(rounds as u64, "round");
    let line = format!("{rounds} detect{s} a difference of {differences}{needed}");
    wrapped(&line, ASIDE)
}

/// Formats an estimated number of rounds, rounded up to two significant digits.
fn about(rounds: usize) -> String {
    if rounds > 100_000 {
        return "more than 100,000".to_owned();
    }
    let digit = 10_usize.pow(rounds.max(1).ilog10().saturating_sub(1));
    let rounds = rounds.div_ceil(digit) * digit;
    format!("about {}", HumanCount(rounds as u64))
}

/// Formats a table of the times of each configuration relative to the baseline.
pub(super) fn table(baseline: &BaselineComparison) -> String {
    let mut table = labelled_table(["now / baseline", "time", "interval", "CPU", "interval", ""]);
    for ratio in &baseline.ratios {
        let cpu = |text: fn(Estimate) -> String| ratio.cpu.map_or("-".to_owned(), text);
        table.add_row([
            label(&ratio.executor, ratio.threads),
            value(ratio.time),
            interval(ratio.time),
            cpu(value),
            cpu(interval),
            remark(ratio.time).to_owned(),
        ]);
    }
    let detectable = baseline.ratios.iter().map(|ratio| ratio.detectable);
    let line = format!(
        "time now divided by that of the baseline {} ({}); above 1 it is slower now; the smallest detectable \
         difference is {}",
        plain(&baseline.name),
        plain(&baseline.began),
        range(detectable).unwrap_or_default()
    );
    "\n".to_owned() + &finish(table) + &wrapped(&line, ASIDE)
}

fn value(estimate: Estimate) -> String {
    format!("{:.3}", estimate.value)
}

fn interval(estimate: Estimate) -> String {
    format!("{:.3}–{:.3}", estimate.low, estimate.high)
}

fn remark(time: Estimate) -> &'static str {
    match time {
        time if !time.differs_from(1.0) => "equal",
        Estimate { value, .. } if value > 1.0 => "slower",
        _ => "faster",
    }
}

/// Formats the range of some shares, such as `3.2 % to 12 %`. Returns `None` if there are no shares.
fn range(shares: impl Iterator<Item = f64> + Clone) -> Option<String> {
    let least = percent(shares.clone().reduce(f64::min)?);
    let most = percent(shares.reduce(f64::max)?);
    Some(match least == most {
        true => least,
        false => format!("{least} to {most}"),
    })
}

/// Formats a share in percent, with one digit after the point if it is below 10 %, and otherwise with none.
fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent if percent < 1000.0 => format!("{percent:.0} %"),
        _ => "more than 1,000 %".to_owned(),
    }
}

/// Returns one line for each configuration whose time has risen by more than `share`.
pub(in crate::cli) fn slower(baseline: &BaselineComparison, share: f64) -> Vec<String> {
    let line = |ratio: &BaselineRatio| {
        format!(
            "{} takes {} times as long as in {} ({}): more than {} longer",
            label(&ratio.executor, ratio.threads),
            value(ratio.time),
            plain(&baseline.name),
            interval(ratio.time),
            percent(share)
        )
    };
    baseline.slower_by(share).map(line).collect()
}

/// Returns a note that a difference of `share` may have gone undetected, or `None` if it would have been detected.
pub(in crate::cli) fn too_coarse(baseline: &BaselineComparison, share: f64) -> Option<String> {
    let detectable = baseline.ratios.iter().map(|ratio| ratio.detectable);
    let most = detectable.fold(0.0, f64::max);
    (most > share).then(|| {
        format!(
            "nothing was found to be slower by {}, but only differences of {} or more are sure to be detected",
            percent(share),
            percent(most)
        )
    })
}
