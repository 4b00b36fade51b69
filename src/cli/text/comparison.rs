//! A comparison as text, for 80 columns.

use std::time::Duration;

use anstyle::Style;
use indicatif::{HumanBytes, HumanCount};
use manyhands::measure::{Cell, Comparison, Estimate, Fit, Losses, Prediction};

use super::machine;
use super::run::{duration, wrapped};
use super::told::{against, resolution};
use super::{ASIDE, ERROR, HEADING, bare_table, finish, heading, paint, plain, set_numbers};
use comfy_table::{ColumnConstraint, Table};

/// Predictions for more workers than were measured are shown for so many numbers at most.
const PREDICTED: usize = 4;

/// The whole report.
pub(in crate::cli) fn report(comparison: &Comparison) -> String {
    let mut text = headline(comparison);
    text += "\n";
    let style = if comparison.agrees() {
        Style::new()
    } else {
        ERROR
    };
    text += &wrapped(&plain(comparison.verdict()), style);
    if !comparison.cells.is_empty() {
        text += &times(comparison);
        text += &speed_ups(comparison);
        text += &resolution(comparison);
        text += &comparison.against.as_ref().map_or(String::new(), against);
        text += &losses(&comparison.why.losses);
        text += &prospects(comparison);
        text += &method(comparison);
    }
    text += &heading("machine");
    text += &machine::table(&comparison.machine);
    for warning in &comparison.warnings {
        text += &wrapped(&format!("warning: {}", plain(warning)), Style::new());
    }
    let aside = paint(ASIDE, "of the answer: everyone gave the same");
    match comparison.agrees() {
        true => text + &format!("\ndigest {}  {aside}\n", comparison.workload.digest),
        false => text,
    }
}

fn headline(comparison: &Comparison) -> String {
    let workload = &comparison.workload;
    let bytes = workload
        .bytes
        .map_or(String::new(), |bytes| format!(", {}", HumanBytes(bytes)));
    let loading = workload.loading.map_or(String::new(), |loading| {
        format!(", loaded in {}", seconds(loading))
    });
    let failed = match workload.failed {
        0 => String::new(),
        failed => format!(", {} of which fail", HumanCount(failed)),
    };
    let records = counted(workload.records, "record");
    let of = format!("{records}{failed}{bytes}{loading}");
    wrapped(&plain(&workload.name), HEADING) + &wrapped(&of, ASIDE)
}

/// So many of them.
fn counted(count: u64, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        several => format!("{} {name}s", HumanCount(several)),
    }
}

/// How long each cell took.
fn times(comparison: &Comparison) -> String {
    let mut table = table([
        "times",
        "median",
        "least",
        "cold",
        "CPU",
        "records/s",
        "bytes/s",
    ]);
    for cell in &comparison.cells {
        table.add_row([
            label(&cell.executor, cell.threads),
            seconds(cell.wall.median),
            seconds(cell.wall.minimum),
            seconds(cell.cold.start + cell.cold.first_run),
            cell.cpu.map_or("-".to_owned(), |cpu| seconds(cpu.median)),
            HumanCount(cell.records_per_second as u64).to_string(),
            cell.bytes_per_second
                .map_or("-".to_owned(), |bytes| HumanBytes(bytes as u64).to_string()),
        ]);
    }
    let aside = "cold: starting the executor, and its first run; CPU: processor time of a run";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// How many times as fast as `sequential` each cell is.
fn speed_ups(comparison: &Comparison) -> String {
    if comparison.cells.len() < 2 {
        return String::new();
    }
    let interval = format!("{:.0} % interval", comparison.settings.confidence * 100.0);
    let mut table = table([
        "speed-up", "times", &interval, "each", "machine", "records", "",
    ]);
    for cell in comparison.cells.iter().skip(1) {
        let bound = comparison.why.bounds.iter();
        let bound = bound.clone().find(|bound| bound.threads == cell.threads);
        table.add_row([
            label(&cell.executor, cell.threads),
            format!("{:.2}", cell.speed_up.value),
            interval_of(cell.speed_up),
            format!("{:.0} %", cell.efficiency.value * 100.0),
            comparison
                .best_here(cell.threads)
                .map_or("-".to_owned(), |best| format!("{:.2}", best.value)),
            bound.map_or("-".to_owned(), |bound| format!("{:.2}", bound.speed_up)),
            remark(cell).to_owned(),
        ]);
    }
    let aside = "times: the mean of the middle half of the rounds’ ratios; each: that for each thread; machine: what as many threads give here at best; records: what work \
                 and span allow";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE) + &costs(comparison)
}

fn remark(cell: &Cell) -> &'static str {
    match cell.speed_up {
        speed_up if !speed_up.differs_from(1.0) => "no difference",
        Estimate { value, .. } if value < 1.0 => "slower",
        _ => "",
    }
}

/// From how many threads on each executor is worth it.
fn costs(comparison: &Comparison) -> String {
    let cost = |(executor, threads): (&str, Option<usize>)| match threads {
        Some(1) => format!("{executor} with 1 thread"),
        Some(threads) => format!("{executor} from {threads} threads on"),
        None => format!("{executor} never"),
    };
    let costs = comparison.costs.iter();
    let costs: Vec<_> = costs
        .map(|one| cost((&one.executor, one.threads)))
        .collect();
    wrapped(
        &plain(format_args!(
            "faster than sequential (COST): {}.",
            costs.join(", ")
        )),
        Style::new(),
    )
}

/// Where the time of each cell went.
fn losses(losses: &[Losses]) -> String {
    if losses.is_empty() {
        return String::new();
    }
    let mut table = table([
        "where it went",
        "useful",
        "serial",
        "imbalance",
        "scheduling",
        "machine",
    ]);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    for one in losses {
        table.add_row([
            label(&one.executor, one.threads),
            percent(one.useful),
            percent(one.serial),
            percent(one.imbalance),
            percent(one.scheduling),
            percent(one.machine),
        ]);
    }
    let aside = "of threads × time; useful: what sequential takes; serial: one thread alone; imbalance: \
                 nothing left to do while others work; scheduling: handing out; machine: no core, or a \
                 slower one";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// What more workers would bring.
fn prospects(comparison: &Comparison) -> String {
    let why = &comparison.why;
    let mut text = String::new();
    let none = comparison.workload.records == 0;
    if let Some(records) = why.records.as_ref().filter(|_| !none) {
        text += &heading("what the records take");
        let line = format!(
            "work {}, the longest record {} (record {}), serial {}; the dearest hundredth of the records \
             is {:.0} % of the work",
            seconds(records.work),
            seconds(records.span),
            records.longest + 1,
            seconds(records.serial),
            records.dearest_hundredth * 100.0
        );
        text += &wrapped(&line, Style::new());
    }
    if !why.predictions.is_empty() {
        text += &predictions(comparison);
    }
    text + &laws(&why.fits)
}

fn predictions(comparison: &Comparison) -> String {
    let most = comparison.cells.iter().map(|cell| cell.threads).max();
    let most = most.unwrap_or(1);
    let mut table = table(["predicted", "here", "measured", "on as many cores"]);
    let mut beyond: (&str, usize) = ("", 0);
    let base = comparison.sequential().map(|cell| &*cell.executor);
    let predictions = comparison.why.predictions.iter();
    // The times of the records are scaled to those of the base: to predict it says nothing.
    for one in predictions.filter(|one| Some(&*one.executor) != base) {
        let Prediction {
            executor, workers, ..
        } = one;
        if beyond.0 != executor {
            beyond = (executor, 0);
        }
        if *workers > most {
            beyond.1 += 1;
            // Of those up to 1,024, every other.
            if beyond.1 > 2 * PREDICTED || beyond.1.is_multiple_of(2) {
                continue;
            }
        }
        let or_dash = |time: Option<f64>| time.map_or("-".to_owned(), seconds);
        table.add_row([
            label(executor, *workers),
            or_dash(one.here),
            or_dash(one.measured),
            seconds(one.ideal),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    let aside = "the recorded times of the records, handed out in simulation: with what this machine loses \
                 when all threads work, and on as many cores that lose nothing";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// The laws of scaling fitted to each executor; what several have in common is said once.
fn laws(fits: &[Fit]) -> String {
    let mut text = String::new();
    let mut asides: Vec<(Vec<&str>, String)> = Vec::new();
    for fit in fits {
        if fit.refused.is_none() {
            text += &wrapped(&plain(fitted(fit)), Style::new());
        }
        let aside = match (&fit.refused, &fit.doubtful) {
            (Some(why), _) => format!("no law of scaling fitted: {why}"),
            (None, Some(why)) => format!("the law may mislead: {why}"),
            (None, None) => continue,
        };
        match asides.iter_mut().find(|(_, known)| *known == aside) {
            Some((names, _)) => names.push(&fit.executor),
            None => asides.push((vec![&fit.executor], aside)),
        }
    }
    for (names, aside) in asides {
        text += &wrapped(&plain(format_args!("{}: {aside}", names.join(", "))), ASIDE);
    }
    if text.is_empty() {
        return text;
    }
    heading("laws of scaling") + &text
}

fn fitted(fit: &Fit) -> String {
    let name = &fit.executor;
    let share = |estimate: Option<Estimate>| {
        estimate.map_or("-".to_owned(), |estimate| {
            let Estimate {
                value, low, high, ..
            } = estimate;
            format!(
                "{:.2} % ({:.2} to {:.2})",
                value * 100.0,
                low * 100.0,
                high * 100.0
            )
        })
    };
    let peak = match fit.peak {
        Some(peak) => format!(
            "slower beyond {peak:.0} thread{}{}",
            if peak < 1.5 { "" } else { "s" },
            if peak > fit.measured_to as f64 {
                ", extrapolated"
            } else {
                ""
            }
        ),
        None => "no peak".to_owned(),
    };
    format!(
        "{name}: Amdahl's serial share {}; Universal Scalability Law: contention {}, coherency {}, {peak}",
        share(fit.amdahl),
        share(fit.contention),
        share(fit.coherency),
    )
}

/// How it was measured, in a line.
fn method(comparison: &Comparison) -> String {
    let settings = &comparison.settings;
    let line = format!(
        "{}, every executor with every number of threads in each, in an order drawn anew (seed {}), \
         after {} to warm up; in {}",
        counted(settings.rounds as u64, "round"),
        settings.seed,
        settings.warm_ups,
        seconds(comparison.took)
    );
    "\n".to_owned() + &wrapped(&line, ASIDE)
}

pub(super) fn interval_of(estimate: Estimate) -> String {
    format!("{:.2}–{:.2}", estimate.low, estimate.high)
}

/// A time to three digits at least, and short: several stand in a line of 80 columns.
fn seconds(seconds: f64) -> String {
    match seconds {
        short if (1e-4..1e-3).contains(&short) => format!("{:.0} µs", short * 1e6),
        short if (0.1..1.0).contains(&short) => format!("{:.0} ms", short * 1e3),
        _ => Duration::try_from_secs_f64(seconds).map_or("-".to_owned(), duration),
    }
}

/// An executor with so many threads.
pub(super) fn label(executor: &str, threads: usize) -> String {
    plain(format_args!("{executor} ×{threads}"))
}

/// A table of cells: their names in full, then numbers.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = bare_table();
    table.set_header(header);
    set_numbers(&mut table, 1..N);
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}
