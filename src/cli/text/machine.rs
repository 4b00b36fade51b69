//! Formats the facts about the machine as text.

use indicatif::HumanBytes;
use manyhands::Machine;
use manyhands::machine::Processors;
use manyhands::plan::Answer;

use super::cells::{bare_table, duration, finish};
use super::{ASIDE, HEADING, paint, plain};

/// Share of a run's time. If a quota stopped threads for a larger share, the report mentions it.
const THROTTLED: f64 = 0.05;

/// Formats one line for each fact, and the warnings about unreliable times.
pub(in crate::cli) fn facts(machine: &Machine) -> String {
    let mut text = format!("{}\n\n", paint(HEADING, plain(machine))) + &table(machine);
    let warnings = machine.warnings();
    if !warnings.is_empty() {
        text += "\n";
    }
    for warning in warnings {
        text += &format!("warning: {}\n", plain(warning));
    }
    text
}

/// Formats one line for each fact.
pub(super) fn table(machine: &Machine) -> String {
    let mut table = bare_table();
    let mut line = |name: &str, fact: Option<String>| {
        let fact = fact.unwrap_or_else(|| "unknown".to_owned());
        table.add_row([name.to_owned(), plain(fact)]);
    };
    let system = match &machine.kernel {
        Some(kernel) => format!("{}, kernel {kernel}", machine.system),
        None => machine.system.clone(),
    };
    let bytes = |bytes: u64| HumanBytes(bytes).to_string();
    line("processor", machine.cpu.clone());
    line("architecture", Some(machine.architecture.clone()));
    line("online", machine.online.map(processors));
    line("this process may use", machine.allowed.map(processors));
    line(
        "quota",
        machine.control_group.map(|group| match group.quota {
            Some(quota) => format!("{quota:.2} cores' worth of time"),
            None => "none".to_owned(),
        }),
    );
    if machine.quota().is_some() {
        line(
            "stopped by the quota",
            machine
                .control_group
                .and_then(|group| group.throttled)
                .map(|throttled| {
                    format!(
                        "{} times, {:.1} s in all",
                        throttled.times,
                        throttled.time.as_secs_f64()
                    )
                }),
        );
    }
    line("governor", machine.governor.clone());
    line(
        "load",
        machine.load.map(|[one, five, fifteen]| {
            format!("{one:.2}, {five:.2}, {fifteen:.2} (1, 5, 15 minutes)")
        }),
    );
    line(
        "memory",
        machine.memory.map(|all| match machine.memory_available {
            Some(available) => format!("{}, {} available", bytes(all), bytes(available)),
            None => bytes(all),
        }),
    );
    line(
        "memory limit",
        machine
            .control_group
            .map(|group| group.memory.map_or_else(|| "none".to_owned(), bytes)),
    );
    line(
        "memory nodes",
        machine.numa_nodes.map(|nodes| nodes.to_string()),
    );
    line("system", Some(system));
    line("last-level cache", machine.cache.map(bytes));
    line(
        "manyhands",
        Some(match &machine.commit {
            Some(commit) => format!("{}, commit {commit}", machine.version),
            None => machine.version.clone(),
        }),
    );
    finish(table)
}

fn processors(processors: Processors) -> String {
    let Processors {
        hardware_threads,
        cores,
        ..
    } = processors;
    let s = |count| if count == 1 { "" } else { "s" };
    let threads = format!("{hardware_threads} hardware thread{}", s(hardware_threads));
    match cores {
        Some(cores) => format!("{threads} on {cores} core{}", s(cores)),
        None => threads,
    }
}

/// Says how the machine slowed a run down: by fewer cores than workers, or by a quota. The text is empty if the
/// machine did not slow the run down.
pub(super) fn slowdown(answer: &Answer) -> String {
    let (machine, timing) = (&answer.machine, &answer.report.timing);
    let workers = timing.workers.len();
    let mut text = String::new();
    let mut aside = |line: String| text += &(paint(ASIDE, line) + "\n");
    if let Some(cores) = machine.allowed_cores()
        && cores < workers
    {
        let s = if cores == 1 { "" } else { "s" };
        aside(format!("{workers} workers shared {cores} core{s}"));
    }
    if let (Some(throttled), Some(quota)) = (answer.throttled, machine.quota())
        && throttled.time > timing.wall.mul_f64(THROTTLED)
    {
        let stopped = duration(throttled.time);
        aside(format!(
            "a quota of {quota:.2} cores stopped threads for {stopped}"
        ));
    }
    text
}
