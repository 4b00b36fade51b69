//! What a comparison could tell and what not: beside an earlier one, and with so many rounds.

use indicatif::HumanCount;
use manyhands::measure::{Against, Comparison, Estimate, Ratio};

use super::comparison::{label, table};
use super::run::wrapped;
use super::{ASIDE, finish, plain};

/// How small a difference from `sequential` the rounds could tell.
pub(super) fn resolution(comparison: &Comparison) -> String {
    let others = comparison.cells.iter().skip(1);
    let Some(differences) = from_to(others.map(|cell| cell.detectable)) else {
        return String::new();
    };
    let needed = comparison
        .cells
        .iter()
        .skip(1)
        .map(|cell| cell.rounds_needed);
    let needed = needed.reduce(|one, other| Some(one?.max(other?))).flatten();
    let for_three = match needed {
        Some(rounds) if rounds > comparison.settings.rounds => {
            format!("; for 3 % it takes {}", about(rounds))
        }
        Some(_) => String::new(),
        None => "; for 3 % no number of rounds will do".to_owned(),
    };
    let rounds = match comparison.settings.rounds {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let line = format!("with {rounds} a difference of {differences} could be told{for_three}");
    wrapped(&line, ASIDE)
}

/// A number of rounds, to the two digits that it deserves.
fn about(rounds: usize) -> String {
    if rounds > 100_000 {
        return "more than 100,000".to_owned();
    }
    let digit = 10_usize.pow(rounds.max(1).ilog10().saturating_sub(1));
    let rounds = rounds.div_ceil(digit) * digit;
    format!("about {}", HumanCount(rounds as u64))
}

/// Each cell beside an earlier comparison.
pub(super) fn against(against: &Against) -> String {
    let mut table = table(["now over then", "time", "interval", "CPU", "interval", ""]);
    for ratio in &against.cells {
        let cpu = |tell: fn(Estimate) -> String| ratio.cpu.map_or("-".to_owned(), tell);
        table.add_row([
            label(&ratio.executor, ratio.threads),
            times(ratio.time),
            interval_of(ratio.time),
            cpu(times),
            cpu(interval_of),
            remark(ratio.time).to_owned(),
        ]);
    }
    let detectable = against.cells.iter().map(|ratio| ratio.detectable);
    let line = format!(
        "time now over time then ({}, of {}); above 1 it is slower now; a difference of {} could be told",
        plain(&against.name),
        plain(&against.began),
        from_to(detectable).unwrap_or_default()
    );
    "\n".to_owned() + &finish(table) + &wrapped(&line, ASIDE)
}

fn interval_of(estimate: Estimate) -> String {
    format!("{:.3}–{:.3}", estimate.low, estimate.high)
}

fn times(estimate: Estimate) -> String {
    format!("{:.3}", estimate.value)
}

fn remark(time: Estimate) -> &'static str {
    match time {
        time if !time.differs_from(1.0) => "no difference",
        Estimate { value, .. } if value > 1.0 => "slower",
        _ => "faster",
    }
}

/// The least and the largest of some shares; `None` of none.
fn from_to(shares: impl Iterator<Item = f64> + Clone) -> Option<String> {
    let least = percent(shares.clone().reduce(f64::min)?);
    let most = percent(shares.reduce(f64::max)?);
    Some(match least == most {
        true => least,
        false => format!("{least} to {most}"),
    })
}

/// A share, to as many digits as it deserves.
fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent if percent < 1000.0 => format!("{percent:.0} %"),
        _ => "more than 1,000 %".to_owned(),
    }
}

/// Which cells have failed the gate, a line each.
pub(in crate::cli) fn slower(against: &Against, share: f64) -> Vec<String> {
    let line = |ratio: &Ratio| {
        format!(
            "{} takes {} times as long as in {} ({}), more than {} longer",
            label(&ratio.executor, ratio.threads),
            times(ratio.time),
            plain(&against.name),
            interval_of(ratio.time),
            percent(share)
        )
    };
    against.slower_by(share).map(line).collect()
}

/// That the gate could not have told such a share everywhere: to pass it means less then.
pub(in crate::cli) fn too_coarse(against: &Against, share: f64) -> Option<String> {
    let all = against.cells.iter().map(|ratio| ratio.detectable);
    let most = all.fold(0.0, f64::max);
    (most > share).then(|| {
        format!(
            "not slower by {} as far as could be told, which is a difference of {}",
            percent(share),
            percent(most)
        )
    })
}
