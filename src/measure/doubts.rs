//! Doubts: what about the machine, before and during the rounds, makes the times of a comparison less
//! than certain, a sentence each.

use super::comparison::Comparison;
use super::why::Ceiling;
use crate::machine::counted;

/// A quota that stops threads for this share of the time of all of them shows.
const STOPPED: f64 = 0.01;
/// And so does a hypervisor that takes so much.
const STOLEN: f64 = 0.01;
/// A machine whose arithmetic gains less than this share of its threads has fewer cores than it says.
const FAR_BELOW: f64 = 0.75;

/// What makes the times doubtful.
pub(super) fn doubts(comparison: &Comparison) -> Vec<String> {
    let mut doubts = Vec::new();
    if !comparison.machine.optimised {
        doubts.push("this build is not optimised: its times say little".to_owned());
    }
    doubts.extend(others(comparison));
    doubts.extend(taken(comparison));
    doubts.extend(comparison.machine.lasting_warnings());
    doubts.extend(crowded(comparison));
    doubts.extend(shared_cores(comparison));
    doubts.extend(few_cores(comparison));
    doubts
}

/// Other load: processor time of others during the rounds says it best, the load before them where that
/// is not told.
fn others(comparison: &Comparison) -> Option<String> {
    let (machine, meanwhile) = (&comparison.machine, &comparison.meanwhile);
    let Some(others) = meanwhile.others.filter(|_| meanwhile.wall > 0.0) else {
        return machine.load_warning();
    };
    let threads = others / meanwhile.wall;
    (threads >= machine.shows()).then(|| {
        format!(
            "others used {others:.1} s of processor time during the rounds, {threads:.2} of {}",
            counted(machine.hardware_threads() as f64, "hardware thread"),
        )
    })
}

/// Time that a quota or the hypervisor took.
fn taken(comparison: &Comparison) -> Vec<String> {
    let meanwhile = &comparison.meanwhile;
    let all = meanwhile.wall * comparison.machine.hardware_threads() as f64;
    let mut taken = Vec::new();
    if let Some(throttled) = meanwhile.throttled
        && throttled.seconds > all * STOPPED
    {
        let times = counted(throttled.times as f64, "time");
        let seconds = throttled.seconds;
        taken.push(format!(
            "the quota stopped threads {times} during the rounds, for {seconds:.1} s in all"
        ));
    }
    if let Some(stolen) = meanwhile.stolen
        && stolen > all * STOLEN
    {
        taken.push(format!(
            "the hypervisor gave cores to other machines for {stolen:.1} s during the rounds"
        ));
    }
    taken
}

/// More threads than there are hardware threads.
fn crowded(comparison: &Comparison) -> Option<String> {
    let (most, there) = (most(comparison), comparison.machine.hardware_threads());
    (most > there).then(|| {
        let there = counted(there as f64, "hardware thread");
        format!("up to {most} threads take turns on {there}")
    })
}

/// Hardware threads that share cores.
fn shared_cores(comparison: &Comparison) -> Option<String> {
    let cores = comparison.machine.allowed_cores()?;
    let there = comparison.machine.hardware_threads();
    (cores < there && most(comparison) > cores).then(|| {
        let cores = counted(cores as f64, "core");
        format!("{there} hardware threads share {cores}: they are not {there} cores")
    })
}

/// Fewer cores than it looks like: arithmetic, which needs nothing but cores, gains too little.
fn few_cores(comparison: &Comparison) -> Option<String> {
    let there = comparison.machine.hardware_threads();
    let arithmetic = |ceiling: &&Ceiling| {
        ceiling.kernel == "arithmetic" && ceiling.threads > 1 && ceiling.threads <= there
    };
    let ceilings = comparison.why.ceilings.iter().filter(arithmetic);
    let most = ceilings.max_by_key(|ceiling| ceiling.threads)?;
    let (threads, gain) = (most.threads, most.speed_up);
    (gain.high < threads as f64 * FAR_BELOW).then(|| {
        format!(
            "{threads} threads of pure arithmetic run only {:.1} times as fast as one here",
            gain.value
        )
    })
}

/// The most threads of a cell.
fn most(comparison: &Comparison) -> usize {
    let threads = comparison.cells.iter().map(|cell| cell.threads);
    threads.max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::comparison::{Cell, Estimate, SCHEMA};
    use super::*;
    use crate::machine::{Machine, Processors, Throttled};

    /// A comparison on a machine where nothing is wrong.
    fn quiet() -> Comparison {
        let mut comparison = Comparison {
            schema: SCHEMA,
            machine: Machine::look(),
            began: String::new(),
            took: 0.0,
            workload: Default::default(),
            settings: Default::default(),
            meanwhile: Default::default(),
            warnings: Vec::new(),
            cells: Vec::new(),
            disagreements: Vec::new(),
            costs: Vec::new(),
            why: Default::default(),
            against: None,
        };
        let machine = &mut comparison.machine;
        machine.optimised = true;
        machine.allowed = Some(Processors {
            hardware_threads: 4,
            cores: Some(4),
        });
        machine.online = machine.allowed;
        machine.control_group = None;
        machine.governor = None;
        machine.load = Some([0.1; 3]);
        comparison.meanwhile.wall = 10.0;
        comparison.meanwhile.others = Some(1.0);
        comparison.meanwhile.stolen = Some(0.1);
        comparison.cells = [1, 4].map(cell).to_vec();
        comparison.why.ceilings = vec![ceiling("arithmetic", 4, 3.9), ceiling("memory", 4, 1.1)];
        comparison
    }

    fn cell(threads: usize) -> Cell {
        Cell {
            threads,
            ..Cell::default()
        }
    }

    fn ceiling(kernel: &str, threads: usize, gain: f64) -> Ceiling {
        Ceiling {
            kernel: kernel.to_owned(),
            threads,
            speed_up: Estimate {
                value: gain,
                low: gain - 0.1,
                high: gain + 0.1,
            },
            ..Ceiling::default()
        }
    }

    fn changed(change: impl Fn(&mut Comparison)) -> Vec<String> {
        let mut comparison = quiet();
        change(&mut comparison);
        doubts(&comparison)
    }

    #[test]
    fn a_quiet_machine_raises_no_doubts() {
        assert_eq!(changed(|_| ()), [""; 0]);
    }

    #[test]
    fn what_others_used_counts_and_the_load_only_where_that_is_not_told() {
        let load = |comparison: &mut Comparison| comparison.machine.load = Some([3.0; 3]);
        assert_eq!(changed(load), [""; 0]);
        let unknown = changed(|comparison| {
            load(comparison);
            comparison.meanwhile.others = None;
        });
        let expected = "the load was 3.00 over the last minute: others may use the cores too";
        assert_eq!(unknown, [expected]);
        let others = changed(|comparison| comparison.meanwhile.others = Some(5.0));
        let expected = "others used 5.0 s of processor time during the rounds, \
                        0.50 of 4 hardware threads";
        assert_eq!(others, [expected]);
    }

    #[test]
    fn what_was_taken_during_the_rounds_counts() {
        let doubts = changed(|comparison| {
            comparison.meanwhile.stolen = Some(2.0);
            comparison.meanwhile.throttled = Some(Throttled {
                times: 1,
                seconds: 0.5,
            });
        });
        let expected = [
            "the quota stopped threads 1 time during the rounds, for 0.5 s in all",
            "the hypervisor gave cores to other machines for 2.0 s during the rounds",
        ];
        assert_eq!(doubts, expected);
    }

    #[test]
    fn threads_are_not_cores() {
        let crowded = changed(|comparison| comparison.cells.push(cell(8)));
        assert_eq!(
            crowded,
            ["up to 8 threads take turns on 4 hardware threads"]
        );
        let shared = |comparison: &mut Comparison| {
            comparison.machine.allowed = Some(Processors {
                hardware_threads: 4,
                cores: Some(2),
            });
        };
        let expected = "4 hardware threads share 2 cores: they are not 4 cores";
        assert_eq!(changed(shared), [expected]);
        let few = changed(|comparison| {
            shared(comparison);
            comparison.cells = [1, 2].map(cell).to_vec();
        });
        assert_eq!(few, [""; 0]);
        let slow = changed(|comparison| {
            comparison.why.ceilings[0] = ceiling("arithmetic", 4, 1.24);
            // More threads than there are gain no more, of course.
            comparison
                .why
                .ceilings
                .push(ceiling("arithmetic", 64, 1.24));
        });
        let expected = "4 threads of pure arithmetic run only 1.2 times as fast as one here";
        assert_eq!(slow, [expected]);
    }

    #[test]
    fn a_slow_clock_and_a_build_for_tests_are_told() {
        let doubts = changed(|comparison| {
            comparison.machine.governor = Some("schedutil".to_owned());
            comparison.machine.optimised = false;
        });
        let expected = [
            "this build is not optimised: its times say little",
            "the governor is schedutil: the clock may be slow, and slower at first",
        ];
        assert_eq!(doubts, expected);
    }
}
