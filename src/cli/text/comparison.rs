//! Formats a comparison as text that is 80 columns wide.

use anstyle::Style;
use indicatif::{HumanBytes, HumanCount};
use manyhands::measure::{Comparison, Estimate, Fit, Losses, Measurement, Prediction};

use super::cells::{counted, finish, label, labelled_table, seconds, wrapped};
use super::{ASIDE, ERROR, HEADING, baseline, heading, machine, paint, plain};

/// Largest number of predictions for each executor that are shown for more workers than were measured.
const PREDICTIONS_SHOWN: usize = 4;

/// Formats the whole report.
pub(in crate::cli) fn report(comparison: &Comparison) -> String {
    let mut text = headline(comparison);
    text += "\n";
    let style = if comparison.agrees() {
        Style::new()
    } else {
        ERROR
    };
    text += &wrapped(&plain(comparison.verdict()), style);
    if !comparison.measurements.is_empty() {
        text += &times(comparison);
        text += &speed_ups(comparison);
        text += &baseline::resolution(comparison);
        if let Some(compared) = &comparison.baseline {
            text += &baseline::table(compared);
        }
        text += &losses(&comparison.analysis.losses);
        text += &record_times(comparison);
        text += &predictions(comparison);
        text += &laws(&comparison.analysis.fits);
        text += &method(comparison);
    }
    text += &heading("machine");
    text += &machine::table(&comparison.machine);
    for warning in &comparison.warnings {
        text += &wrapped(&format!("warning: {}", plain(warning)), Style::new());
    }
    let aside = paint(ASIDE, "the same for every executor");
    match comparison.agrees() {
        true => text + &format!("\ndigest {}  {aside}\n", comparison.workload.digest),
        false => text,
    }
}

fn headline(comparison: &Comparison) -> String {
    let workload = &comparison.workload;
    let failed = match workload.failed {
        0 => String::new(),
        failed => format!(", {} of them failed", HumanCount(failed)),
    };
    let skipped = match workload.skipped {
        0 => String::new(),
        skipped => format!(", {} of them skipped", HumanCount(skipped)),
    };
    let bytes = workload
        .bytes
        .map_or(String::new(), |bytes| format!(", {}", HumanBytes(bytes)));
    let loading = workload.loading.map_or(String::new(), |loading| {
        format!(", loaded in {}", seconds(loading.as_secs_f64()))
    });
    let records = counted(workload.records, "record");
    let facts = format!("{records}{failed}{skipped}{bytes}{loading}");
    wrapped(&plain(&workload.name), HEADING) + &wrapped(&facts, ASIDE)
}

/// Formats a table of the time of each configuration.
fn times(comparison: &Comparison) -> String {
    let mut table = labelled_table([
        "times",
        "median",
        "fastest",
        "cold",
        "CPU",
        "records/s",
        "bytes/s",
    ]);
    for one in &comparison.measurements {
        table.add_row([
            label(&one.executor, one.threads),
            seconds(one.wall.median),
            seconds(one.wall.minimum),
            seconds((one.cold.start + one.cold.first_run).as_secs_f64()),
            one.cpu.map_or("-".to_owned(), |cpu| seconds(cpu.median)),
            HumanCount(one.records_per_second as u64).to_string(),
            one.bytes_per_second
                .map_or("-".to_owned(), |bytes| HumanBytes(bytes as u64).to_string()),
        ]);
    }
    let aside = "cold: start of the executor and first run; CPU: processor time of a run";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// Formats a table of the speed-up of each configuration over `sequential`.
fn speed_ups(comparison: &Comparison) -> String {
    if comparison.measurements.len() < 2 {
        return String::new();
    }
    let interval = format!("{:.0} % interval", comparison.settings.confidence * 100.0);
    let mut table = labelled_table([
        "speed-up",
        "times",
        &interval,
        "efficiency",
        "ceiling",
        "bound",
        "",
    ]);
    let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    for one in comparison.measurements.iter().skip(1) {
        let ceiling = comparison.highest_ceiling(one.threads);
        let mut bounds = comparison.analysis.bounds.iter();
        let bound = bounds.find(|bound| bound.threads == one.threads);
        table.add_row([
            label(&one.executor, one.threads),
            format!("{:.2}", one.speed_up.value),
            format!("{:.2}–{:.2}", one.speed_up.low, one.speed_up.high),
            format!("{:.0} %", one.efficiency.value * 100.0),
            or_dash(ceiling.map(|ceiling| ceiling.value)),
            or_dash(bound.map(|bound| bound.speed_up)),
            remark(one).to_owned(),
        ]);
    }
    let aside = "times: mean of the middle half of the ratios; efficiency: speed-up per thread; ceiling: \
                 the most that this machine allows; bound: the most that the times of the \
                 records allow; equal: no difference detected";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE) + &costs(comparison)
}

fn remark(measurement: &Measurement) -> &'static str {
    match measurement.speed_up {
        speed_up if !speed_up.differs_from(1.0) => "equal",
        Estimate { value, .. } if value < 1.0 => "slower",
        _ => "",
    }
}

/// Says for each executor the smallest number of threads with which it is faster than `sequential`.
fn costs(comparison: &Comparison) -> String {
    let cost = |(executor, threads): (&str, Option<usize>)| match threads {
        Some(threads) => format!("{executor} from {}", counted(threads as u64, "thread")),
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

/// Formats a table of what each configuration spends its time on.
fn losses(losses: &[Losses]) -> String {
    if losses.is_empty() {
        return String::new();
    }
    let mut table = labelled_table([
        "use of time",
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
    let aside = "shares of threads × time; useful: what sequential needs; serial: only one thread works; \
                 imbalance: a thread has no records left while others work; scheduling: handing out \
                 records and waking threads; machine: no core, or a slower one";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// Formats statistics of the times that single records take.
fn record_times(comparison: &Comparison) -> String {
    let Some(records) = &comparison.analysis.records else {
        return String::new();
    };
    let line = format!(
        "work {}, longest record {} (record {}), serial {}; the slowest 1 % of the records take {:.0} % of \
         the work",
        seconds(records.work),
        seconds(records.span),
        records.longest + 1,
        seconds(records.serial),
        records.slowest_hundredth * 100.0
    );
    heading("times of the records") + &wrapped(&line, Style::new())
}

/// Formats a table of the times that are predicted for other numbers of workers.
fn predictions(comparison: &Comparison) -> String {
    let measured = comparison.measurements.iter();
    let most = measured.map(|one| one.threads).max().unwrap_or(1);
    let mut table = labelled_table(["predicted", "on this machine", "measured", "on ideal cores"]);
    // The executor of the last prediction, and the number of its predictions so far that are for more workers than
    // were measured.
    let mut beyond: (&str, usize) = ("", 0);
    let base = comparison.sequential().map(|one| &*one.executor);
    let predictions = comparison.analysis.predictions.iter();
    // The base is left out: the recorded times are scaled to the times of the base, so the prediction for the base is
    // always its measured time.
    for one in predictions.filter(|one| Some(&*one.executor) != base) {
        let Prediction {
            executor, workers, ..
        } = one;
        if beyond.0 != executor {
            beyond = (executor, 0);
        }
        if *workers > most {
            beyond.1 += 1;
            // Of the predictions beyond the measurements, which are for powers of two, every second one is shown.
            if beyond.1 > 2 * PREDICTIONS_SHOWN || beyond.1.is_multiple_of(2) {
                continue;
            }
        }
        let or_dash = |time: Option<f64>| time.map_or("-".to_owned(), seconds);
        table.add_row([
            label(executor, *workers),
            or_dash(one.on_this_machine),
            or_dash(one.measured),
            seconds(one.ideal),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    let aside = "simulated with the recorded times of the records; on this machine: threads slow each other \
                 down as measured; on ideal cores: they do not";
    "\n".to_owned() + &finish(table) + &wrapped(aside, ASIDE)
}

/// Formats the laws of scaling that were fitted to each executor. Executors with the same remark share a line.
fn laws(fits: &[Fit]) -> String {
    let mut text = String::new();
    let mut asides: Vec<(Vec<&str>, String)> = Vec::new();
    for fit in fits {
        if fit.refused.is_none() {
            text += &wrapped(&plain(fitted(fit)), Style::new());
        }
        let aside = match (&fit.refused, &fit.doubtful) {
            (Some(reason), _) => format!("no law of scaling fitted: {reason}"),
            (None, Some(reason)) => format!("the law may mislead: {reason}"),
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
            let percent = |share: f64| format!("{:.2}", share * 100.0);
            let Estimate {
                value, low, high, ..
            } = estimate;
            let [value, low, high] = [value, low, high].map(percent);
            format!("{value} % ({low} to {high})")
        })
    };
    let peak = match fit.peak {
        Some(peak) => format!(
            "slower beyond {}{}",
            counted(peak.round() as u64, "thread"),
            if peak > fit.measured_to as f64 {
                ", extrapolated"
            } else {
                ""
            }
        ),
        None => "no peak".to_owned(),
    };
    format!(
        "{name}: serial share in Amdahl's law {}; Universal Scalability Law: contention {}, coherency {}, \
         {peak}",
        share(fit.amdahl),
        share(fit.contention),
        share(fit.coherency),
    )
}

/// Says how the times were measured.
fn method(comparison: &Comparison) -> String {
    let settings = &comparison.settings;
    let line = format!(
        "{} after {}; each round runs every executor with every number of threads, in random order (seed \
         {}); took {}",
        counted(settings.rounds as u64, "round"),
        counted(settings.warm_ups as u64, "warm-up round"),
        settings.seed,
        seconds(comparison.took.as_secs_f64())
    );
    "\n".to_owned() + &wrapped(&line, ASIDE)
}
