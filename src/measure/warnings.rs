//! Warnings about conditions of the machine, before and during the rounds, that make the times doubtful.

use std::time::Duration;

use super::analysis::Ceiling;
use super::comparison::Comparison;
use crate::machine::counted;

/// A quota that stops threads is reported if it takes more than this share of the hardware threads' time.
const THROTTLED: f64 = 0.01;
/// The time that the hypervisor took is reported if it is more than this share of the hardware threads' time.
const STOLEN: f64 = 0.01;
/// A machine is assumed to have fewer cores than it reports if the speed-up of arithmetic is less than this
/// share of the number of threads.
const FEW_CORES: f64 = 0.75;

/// The reasons to doubt the times of a comparison, one sentence each.
pub(super) fn warnings(comparison: &Comparison) -> Vec<String> {
    let mut warnings = Vec::new();
    if !comparison.machine.optimised {
        warnings.push("this build is not optimised: its times say little".to_owned());
    }
    warnings.extend(other_programs(comparison));
    warnings.extend(lost_time(comparison));
    warnings.extend(comparison.machine.lasting_warnings());
    warnings.extend(more_threads_than_hardware(comparison));
    warnings.extend(shared_cores(comparison));
    warnings.extend(few_cores(comparison));
    warnings
}

/// Warns about other programs, based on the processor time that they used during the rounds, or on the load
/// before the rounds if the processor time is unknown.
fn other_programs(comparison: &Comparison) -> Option<String> {
    let (machine, meanwhile) = (&comparison.machine, &comparison.meanwhile);
    let Some(others) = meanwhile.others.filter(|_| !meanwhile.wall.is_zero()) else {
        return machine.load_warning();
    };
    let threads = others.div_duration_f64(meanwhile.wall);
    let others = others.as_secs_f64();
    (threads >= machine.shows()).then(|| {
        format!(
            "other programs used {others:.1} s of processor time during the rounds, {threads:.2} of {}",
            counted(machine.hardware_threads() as f64, "hardware thread"),
        )
    })
}

/// Warns about time that a quota or the hypervisor took.
fn lost_time(comparison: &Comparison) -> Vec<String> {
    let meanwhile = &comparison.meanwhile;
    let all = meanwhile.wall.as_secs_f64() * comparison.machine.hardware_threads() as f64;
    let is_share = |time: Duration, share: f64| time.as_secs_f64() > all * share;
    let mut warnings = Vec::new();
    if let Some(throttled) = meanwhile.throttled
        && is_share(throttled.time, THROTTLED)
    {
        let times = counted(throttled.times as f64, "time");
        let seconds = throttled.time.as_secs_f64();
        warnings.push(format!(
            "the quota stopped threads {times} during the rounds, for {seconds:.1} s in all"
        ));
    }
    if let Some(stolen) = meanwhile.stolen
        && is_share(stolen, STOLEN)
    {
        let stolen = stolen.as_secs_f64();
        warnings.push(format!(
            "the hypervisor gave cores to other machines for {stolen:.1} s during the rounds"
        ));
    }
    warnings
}

/// Warns if there are more threads than hardware threads.
fn more_threads_than_hardware(comparison: &Comparison) -> Option<String> {
    let (threads, hardware) = (
        most_threads(comparison),
        comparison.machine.hardware_threads(),
    );
    (threads > hardware).then(|| {
        let hardware = counted(hardware as f64, "hardware thread");
        format!("up to {threads} threads take turns on {hardware}")
    })
}

/// Warns if hardware threads share cores.
fn shared_cores(comparison: &Comparison) -> Option<String> {
    let cores = comparison.machine.allowed_cores()?;
    let hardware = comparison.machine.hardware_threads();
    (cores < hardware && most_threads(comparison) > cores).then(|| {
        let cores = counted(cores as f64, "core");
        format!("{hardware} hardware threads share {cores}: they are not {hardware} cores")
    })
}

/// Warns if there seem to be fewer cores than the machine reports: the speed-up of arithmetic, which needs
/// nothing but cores, is too low.
fn few_cores(comparison: &Comparison) -> Option<String> {
    let hardware = comparison.machine.hardware_threads();
    let arithmetic = |ceiling: &&Ceiling| {
        ceiling.kernel == "arithmetic" && ceiling.threads > 1 && ceiling.threads <= hardware
    };
    let ceilings = comparison.analysis.ceilings.iter().filter(arithmetic);
    let ceiling = ceilings.max_by_key(|ceiling| ceiling.threads)?;
    let (threads, speed_up) = (ceiling.threads, ceiling.speed_up);
    (speed_up.high < threads as f64 * FEW_CORES).then(|| {
        format!(
            "{threads} threads of pure arithmetic run only {:.1} times as fast as one on this machine",
            speed_up.value
        )
    })
}

/// The largest number of threads among the measurements.
fn most_threads(comparison: &Comparison) -> usize {
    let measurements = comparison.measurements.iter();
    measurements.map(|one| one.threads).max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Machine, Processors, Throttled};
    use crate::measure::comparison::Measurement;
    use crate::measure::figures::Estimate;

    /// A comparison on a machine where nothing is wrong.
    fn quiet() -> Comparison {
        let mut comparison = Comparison::new(
            String::new(),
            Default::default(),
            Default::default(),
            Machine::look(),
        );
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
        comparison.meanwhile.wall = Duration::from_secs(10);
        comparison.meanwhile.others = Some(Duration::from_secs(1));
        comparison.meanwhile.stolen = Some(Duration::from_millis(100));
        comparison.measurements = [1, 4].map(measurement).to_vec();
        comparison.analysis.ceilings =
            vec![ceiling("arithmetic", 4, 3.9), ceiling("memory", 4, 1.1)];
        comparison
    }

    fn measurement(threads: usize) -> Measurement {
        Measurement {
            threads,
            ..Measurement::default()
        }
    }

    fn ceiling(kernel: &str, threads: usize, speed_up: f64) -> Ceiling {
        Ceiling {
            kernel: kernel.to_owned(),
            threads,
            speed_up: Estimate {
                value: speed_up,
                low: speed_up - 0.1,
                high: speed_up + 0.1,
            },
            ..Ceiling::default()
        }
    }

    fn changed(change: impl Fn(&mut Comparison)) -> Vec<String> {
        let mut comparison = quiet();
        change(&mut comparison);
        warnings(&comparison)
    }

    #[test]
    fn a_quiet_machine_has_no_warnings() {
        assert_eq!(changed(|_| ()), [""; 0]);
    }

    #[test]
    fn the_load_counts_only_if_the_time_of_other_programs_is_unknown() {
        let load = |comparison: &mut Comparison| comparison.machine.load = Some([3.0; 3]);
        assert_eq!(changed(load), [""; 0]);
        let unknown = changed(|comparison| {
            load(comparison);
            comparison.meanwhile.others = None;
        });
        let [warning] = &unknown[..] else {
            panic!("{unknown:?}")
        };
        assert!(warning.starts_with("the load was 3.00"), "{warning}");
        let others =
            changed(|comparison| comparison.meanwhile.others = Some(Duration::from_secs(5)));
        let expected = "other programs used 5.0 s of processor time during the rounds, \
                        0.50 of 4 hardware threads";
        assert_eq!(others, [expected]);
    }

    #[test]
    fn time_that_a_quota_or_the_hypervisor_takes_is_reported() {
        let warnings = changed(|comparison| {
            comparison.meanwhile.stolen = Some(Duration::from_secs(2));
            comparison.meanwhile.throttled = Some(Throttled {
                times: 1,
                time: Duration::from_millis(500),
            });
        });
        let expected = [
            "the quota stopped threads 1 time during the rounds, for 0.5 s in all",
            "the hypervisor gave cores to other machines for 2.0 s during the rounds",
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn threads_that_share_cores_are_reported() {
        let crowded = changed(|comparison| comparison.measurements.push(measurement(8)));
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
            comparison.measurements = [1, 2].map(measurement).to_vec();
        });
        assert_eq!(few, [""; 0]);
        let slow = changed(|comparison| {
            comparison.analysis.ceilings[0] = ceiling("arithmetic", 4, 1.24);
            // Threads beyond the hardware threads cannot add to the speed-up.
            let beyond = ceiling("arithmetic", 64, 1.24);
            comparison.analysis.ceilings.push(beyond);
        });
        let expected =
            "4 threads of pure arithmetic run only 1.2 times as fast as one on this machine";
        assert_eq!(slow, [expected]);
    }

    #[test]
    fn the_governor_and_an_unoptimised_build_are_reported() {
        let warnings = changed(|comparison| {
            comparison.machine.governor = Some("schedutil".to_owned());
            comparison.machine.optimised = false;
        });
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(
            warnings[0],
            "this build is not optimised: its times say little"
        );
        let governor = "the governor is schedutil: ";
        assert!(warnings[1].starts_with(governor), "{warnings:?}");
    }
}
