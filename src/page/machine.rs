//! The facts about the machine, and what makes times doubtful.

use maud::{Markup, html};

use super::numbers::{bytes, counted, significant, time};
use super::quoted::{quoted, sentence};
use super::table::facts;
use crate::machine::{Machine, Meanwhile, Processors};

/// Every fact, and what happened meanwhile.
pub(super) fn machine(machine: &Machine, meanwhile: Option<&Meanwhile>) -> Markup {
    let system = match &machine.kernel {
        Some(kernel) => format!("{}, kernel {kernel}", machine.system),
        None => machine.system.clone(),
    };
    let told = |fact: Option<String>| match fact {
        Some(fact) => quoted(fact),
        None => html! { span.none { "not told" } },
    };
    let group = machine.control_group;
    let mut all = vec![
        ("processor", told(machine.cpu.clone())),
        ("architecture", told(Some(machine.architecture.clone()))),
        ("online", told(machine.online.map(processors))),
        (
            "allowed to this process",
            told(machine.allowed.map(processors)),
        ),
        (
            "quota",
            told(group.map(|group| match group.quota {
                Some(quota) => format!("{} cores’ worth of time", significant(quota, 3)),
                None => "none".to_owned(),
            })),
        ),
    ];
    if let Some(throttled) = group.and_then(|group| group.throttled)
        && throttled.times > 0
    {
        let (times, seconds) = (counted(throttled.times, "time"), throttled.seconds);
        let stopped = format!("{times}, {} s in all", significant(seconds, 3));
        all.push(("stopped by the quota", told(Some(stopped))));
    }
    all.extend([
        ("governor", told(machine.governor.clone())),
        (
            "load over 1, 5, 15 minutes",
            told(
                machine
                    .load
                    .map(|load| load.map(|load| format!("{load:.2}")).join(", ")),
            ),
        ),
        (
            "memory",
            told(machine.memory.map(|all| match machine.memory_available {
                Some(free) => format!("{}, {} available", bytes(all as f64), bytes(free as f64)),
                None => bytes(all as f64),
            })),
        ),
        (
            "last-level cache",
            told(machine.cache.map(|cache| bytes(cache as f64))),
        ),
        (
            "memory nodes",
            told(machine.numa_nodes.map(|nodes| nodes.to_string())),
        ),
        ("system", told(Some(system))),
        (
            "manyhands",
            told(Some(match &machine.commit {
                Some(commit) => format!("{}, commit {commit}", machine.version),
                None => machine.version.clone(),
            })),
        ),
    ]);
    if let Some(Meanwhile {
        wall,
        others,
        stolen,
        ..
    }) = meanwhile.filter(|time| time.wall > 0.0)
    {
        let others = others.map(|others| {
            format!(
                "{} hardware threads on average",
                significant(others / wall, 2)
            )
        });
        all.push(("others had meanwhile", told(others)));
        all.push(("taken by the hypervisor", told(stolen.map(time))));
    }
    facts(&all)
}

fn processors(processors: Processors) -> String {
    let threads = counted(processors.hardware_threads as u64, "hardware thread");
    match processors.cores {
        Some(cores) => format!("{threads} on {}", counted(cores as u64, "core")),
        None => threads,
    }
}

/// What makes the times doubtful; nothing where nothing does.
pub(super) fn warnings(warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            aside.warnings {
                h2 { "What makes the times doubtful" }
                ul { @for warning in warnings { li { (sentence(warning)) } } }
            }
        }
    }
}
