//! Shows the facts about the machine, and warnings about the times.

use maud::{Markup, html};

use super::numbers::{bytes, counted, significant, time};
use super::quoted::{quoted, sentence};
use super::table::facts;
use crate::machine::{Machine, Meanwhile, Processors};

/// Shows the facts about a machine, and what other programs did during the run if that was measured.
pub(super) fn machine(machine: &Machine, meanwhile: Option<&Meanwhile>) -> Markup {
    let mut all = processor_facts(machine);
    all.extend(memory_facts(machine));
    all.extend(software_facts(machine));
    if let Some(meanwhile) = meanwhile.filter(|time| !time.wall.is_zero()) {
        all.extend(meanwhile_facts(meanwhile));
    }
    let all: Vec<(&str, Markup)> = all
        .into_iter()
        .map(|(name, fact)| match fact {
            Some(fact) => (name, quoted(fact)),
            None => (name, html! { span.none { "unknown" } }),
        })
        .collect();
    facts(&all)
}

/// The name of a fact, and its value if the value is known.
type Fact = (&'static str, Option<String>);

fn processor_facts(machine: &Machine) -> Vec<Fact> {
    let group = machine.control_group;
    let quota = group.map(|group| match group.quota {
        Some(quota) => format!("{} cores", significant(quota, 3)),
        None => "none".to_owned(),
    });
    let load = |load: [f64; 3]| load.map(|load| format!("{load:.2}")).join(", ");
    let mut facts = vec![
        ("processor", machine.cpu.clone()),
        ("architecture", Some(machine.architecture.clone())),
        ("online", machine.online.map(processors)),
        ("usable by this process", machine.allowed.map(processors)),
        ("CPU quota", quota),
    ];
    if let Some(throttled) = group.and_then(|group| group.throttled)
        && throttled.times > 0
    {
        let (times, seconds) = (
            counted(throttled.times, "time"),
            throttled.time.as_secs_f64(),
        );
        let throttling = format!("{times}, {} s in all", significant(seconds, 3));
        facts.push(("throttled by the quota", Some(throttling)));
    }
    facts.extend([
        ("governor", machine.governor.clone()),
        ("load over 1, 5, 15 minutes", machine.load.map(load)),
    ]);
    facts
}

fn memory_facts(machine: &Machine) -> [Fact; 3] {
    let memory = machine.memory.map(|all| match machine.memory_available {
        Some(free) => format!("{}, {} available", bytes(all as f64), bytes(free as f64)),
        None => bytes(all as f64),
    });
    [
        ("memory", memory),
        (
            "last-level cache",
            machine.cache.map(|cache| bytes(cache as f64)),
        ),
        (
            "memory nodes",
            machine.numa_nodes.map(|nodes| nodes.to_string()),
        ),
    ]
}

fn software_facts(machine: &Machine) -> [Fact; 2] {
    let system = match &machine.kernel {
        Some(kernel) => format!("{}, kernel {kernel}", machine.system),
        None => machine.system.clone(),
    };
    let version = match &machine.commit {
        Some(commit) => format!("{}, commit {commit}", machine.version),
        None => machine.version.clone(),
    };
    [("system", Some(system)), ("manyhands", Some(version))]
}

fn meanwhile_facts(meanwhile: &Meanwhile) -> [Fact; 2] {
    let others = meanwhile.others.map(|others| {
        let threads = significant(others.div_duration_f64(meanwhile.wall), 2);
        format!("{threads} hardware threads on average")
    });
    let stolen = meanwhile.stolen.map(|stolen| time(stolen.as_secs_f64()));
    [
        ("used by other programs", others),
        ("stolen by the hypervisor", stolen),
    ]
}

fn processors(processors: Processors) -> String {
    let threads = counted(processors.hardware_threads as u64, "hardware thread");
    match processors.cores {
        Some(cores) => format!("{threads} on {}", counted(cores as u64, "core")),
        None => threads,
    }
}

/// Shows the reasons why the times may be unreliable. The result is empty if there are no warnings.
pub(super) fn warnings(warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            aside.warnings {
                h2 { "Why these times may be unreliable" }
                ul { @for warning in warnings { li { (sentence(warning)) } } }
            }
        }
    }
}
