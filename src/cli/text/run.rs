//! Formats the section `run` of the report: the time, its explanation, the workers, and the slowest records.

use std::time::Duration;

use anstyle::Style;
use indicatif::HumanCount;
use manyhands::plan::Answer;
use manyhands::report::{SlowRecord, Timing, WorkerTiming};

use super::cells::{bare_table, duration, finish, set_numbers, table, wrapped};
use super::{ASIDE, calls, heading, machine, matches, plain};

/// Share of the busy time. If the processor time is below this share, other programs used the cores.
const OTHER_LOAD: f64 = 0.8;
/// Largest number of workers for which each worker has a line. For more workers, the table shows minimum, median and
/// maximum.
const WORKERS_SHOWN: usize = 16;
/// Smallest share of the workers' time that is shown. Smaller shares are left out.
const SHOWN: f64 = 0.005;

/// Formats the section.
pub(super) fn section(answer: &Answer) -> String {
    let report = &answer.report;
    let timing = &report.timing;
    let mut text = heading("run") + &first_line(answer);
    match &answer.calls {
        _ if !answer.shards.is_empty() => text += &shards_of(answer),
        Some(calls) => text += &calls::lines(calls),
        None => text += &workers_of(answer),
    }
    text += &slowest(&timing.slowest);
    text
}

/// Explains the run by what its workers did.
fn workers_of(answer: &Answer) -> String {
    let timing = &answer.report.timing;
    let mut text = wrapped(&format!("{}.", answer.explanation()), Style::new());
    if let Some(pairs) = answer.pairs {
        text += &matches::pairs(pairs, timing.wall);
    }
    text += &wrapped(&shares(timing), ASIDE);
    text += &wrapped(other_load(timing), ASIDE);
    if timing.wall > Duration::from_millis(100) {
        text += &machine::slowdown(answer);
    }
    if timing.workers.len() > 1 {
        text += &workers(&timing.workers, timing.wall);
    }
    text
}

/// Says what is known of the runs of all shards together.
fn shards_of(answer: &Answer) -> String {
    let mut text = wrapped(&format!("{}.", answer.explanation()), Style::new());
    if let Some(pairs) = answer.pairs {
        text += &matches::pairs(pairs, answer.report.timing.wall);
    }
    if let Some(calls) = &answer.calls {
        text += &calls::counts(calls);
    }
    text
}

fn first_line(answer: &Answer) -> String {
    let (report, wall) = (&answer.report, answer.report.timing.wall);
    let workers = match report.timing.workers.len() {
        _ if !answer.shards.is_empty() => " for all shards together".to_owned(),
        _ if answer.calls.is_some() => String::new(),
        1 => " on 1 worker".to_owned(),
        several => format!(" on {several} workers"),
    };
    let rate = if report.scored > 0 && wall > Duration::from_millis(1) {
        let rate = report.records as f64 / wall.as_secs_f64();
        format!("; {} records a second", HumanCount(rate as u64))
    } else {
        String::new()
    };
    let cpu = report.timing.cpu.map_or(String::new(), |cpu| {
        format!("; {} of processor time", duration(cpu))
    });
    let drawing = answer.drawing.map_or(String::new(), |drawing| {
        format!("; {} to draw the sample before", duration(drawing))
    });
    format!("{}{workers}{rate}{cpu}{drawing}\n", duration(wall))
}

/// Says what the workers spent their time on.
fn shares(timing: &Timing) -> String {
    let shares = timing.shares();
    let shown: Vec<String> = [
        (shares.scoring, "scoring"),
        (shares.input, "input"),
        (shares.limited, "waiting for the limit"),
        (shares.handling, "handling scores"),
        (shares.preempted, "waiting for a core"),
        (shares.paused, "waiting for other workers"),
        (shares.beginning, "not started yet"),
        (shares.imbalance, "finished early"),
        (shares.ending, "computing the answer"),
    ]
    .into_iter()
    .filter(|(share, _)| *share >= SHOWN)
    .map(|(share, name)| format!("{:.0} % {name}", share * 100.0))
    .collect();
    if shown.is_empty() {
        return String::new();
    }
    format!("the workers' time: {}", shown.join(", "))
}

/// Returns a remark that other programs used the cores, if the processor time of the workers indicates this. The
/// remark is empty on systems that report how long each thread waits for a core.
fn other_load(timing: &Timing) -> &'static str {
    let is_reported = timing.workers.iter().any(|one| !one.preempted.is_zero());
    let worked = timing.workers.iter();
    let worked: Duration = worked
        .map(|worker| worker.busy.saturating_sub(worker.input + worker.limited))
        .sum();
    let long = timing.wall > Duration::from_millis(100);
    match timing.cpu {
        Some(cpu) if !is_reported && long && cpu < worked.mul_f64(OTHER_LOAD) => {
            "the workers waited for cores that other programs used"
        }
        _ => "",
    }
}

/// Formats the figures of each worker, or, if there are many workers, the minimum, median and maximum of each figure.
fn workers(workers: &[WorkerTiming], wall: Duration) -> String {
    let header = ["worker", "records", "at work", "waiting", "share"];
    let figures = |one: &WorkerTiming| {
        let count = one.records as f64;
        let waiting = one.waiting(wall).as_secs_f64();
        let at_work = one.at_work().as_secs_f64();
        [count, at_work, waiting, one.share_at_work(wall)]
    };
    let mut table = table(header);
    let mut line = |name: String, [records, at_work, waiting, share]: [f64; 4]| {
        table.add_row([
            name,
            HumanCount(records as u64).to_string(),
            duration(Duration::from_secs_f64(at_work)),
            duration(Duration::from_secs_f64(waiting)),
            format!("{:.0} %", share * 100.0),
        ]);
    };
    if workers.len() <= WORKERS_SHOWN {
        for (number, worker) in workers.iter().enumerate() {
            line(number.to_string(), figures(worker));
        }
    } else {
        let mut sorted: [Vec<f64>; 4] = Default::default();
        for worker in workers {
            for (all, figure) in sorted.iter_mut().zip(figures(worker)) {
                all.push(figure);
            }
        }
        for all in &mut sorted {
            all.sort_by(f64::total_cmp);
        }
        let last = workers.len() - 1;
        for (name, index) in [("minimum", 0), ("median", last / 2), ("maximum", last)] {
            line(name.to_owned(), sorted.each_ref().map(|all| all[index]));
        }
    }
    format!("\n{}", finish(table))
}

fn slowest(slowest: &[SlowRecord]) -> String {
    if slowest.is_empty() {
        return String::new();
    }
    let mut table = bare_table();
    for slow in slowest {
        let place = match &slow.place {
            Some(place) => plain(place),
            None => format!("record {}", slow.index + 1),
        };
        let group = match slow.records {
            0 | 1 => String::new(),
            2 => "or the next".to_owned(),
            several => format!("or one of the next {}", several - 1),
        };
        table.add_row([duration(slow.time), place, group]);
    }
    set_numbers(&mut table, 0..1);
    heading("slowest") + &finish(table)
}
