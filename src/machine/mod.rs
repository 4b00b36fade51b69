//! What is known about the machine a run was made on, as far as it tells how fast a run can be.
//!
//! A time means little without it: two workers on the two hardware threads of one core are not two
//! cores, and a control group with a quota of half a core stops every thread for half of the time.
//!
//! On Linux all of it stands in a dozen small files under `/proc` and `/sys`. They are read here
//! rather than by a library, since none that is well kept tells apart the *physical* cores that the
//! affinity mask leaves, or the tightest quota on the way up through nested groups of both versions;
//! and read from any folder, so that machines that nobody has at hand can be made up in tests.

mod cache;
mod clocks;
mod control_group;
mod cores;
mod moment;
#[cfg(test)]
mod moment_tests;
mod pinning;
mod stack;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::num::NonZero;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use clocks::{processor_time, thread_processor_time, thread_time_without_core};
pub use control_group::{ControlGroup, Throttled};
pub use cores::Processors;
pub use moment::Meanwhile;
pub(crate) use moment::Moment;
pub(crate) use pinning::Pinning;
pub(crate) use stack::default_stack_size;

use cores::Topology;
use tree::Tree;

/// A load from which the others on the machine show: this share of the hardware threads …
const LOADED_SHARE: f64 = 0.05;
/// … and at least so many threads that want to run.
const LOADED: f64 = 0.5;

/// Number of cores this process may use: the number of the machine's hardware threads, limited by the
/// process's affinity mask and by the quota of its control group.
pub fn usable_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What is known about the machine, and about what this process may use of it. A fact that the
/// system does not tell is `None`; on systems other than Linux most are.
///
/// ```
/// use manyhands::Machine;
///
/// let machine = Machine::look();
/// println!("{machine}"); // AMD EPYC, 2 hardware threads on 1 core, no quota
/// for warning in machine.warnings() {
///     println!("times are doubtful: {warning}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Machine {
    /// The version of this library.
    pub version: String,
    /// The commit it was built from, with `-dirty` behind where files differed from it; `None` where
    /// nobody knows, and in builds that are not optimised.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether it was built with optimisation: without, times mean little.
    #[serde(default = "optimised")]
    pub optimised: bool,
    /// The operating system: the name of the distribution, or of the family.
    pub system: String,
    /// The release of the kernel.
    pub kernel: Option<String>,
    /// The architecture this program was built for, such as `x86_64`.
    pub architecture: String,
    /// The model of the processor.
    pub cpu: Option<String>,
    /// What is online.
    pub online: Option<Processors>,
    /// What the affinity mask of this process leaves of it.
    pub allowed: Option<Processors>,
    /// What the control groups of this process leave of it.
    pub control_group: Option<ControlGroup>,
    /// The governor of the clock speed of the first allowed hardware thread.
    pub governor: Option<String>,
    /// How many threads ran or wanted to, on average over the last 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Memory of the machine, in bytes.
    pub memory: Option<u64>,
    /// How much of it was available without swapping, in bytes.
    pub memory_available: Option<u64>,
    /// How many memory nodes (NUMA) there are.
    pub numa_nodes: Option<usize>,
    /// How much the last-level caches hold which the allowed hardware threads share, in bytes, all of
    /// them together where they are alike.
    #[serde(default)]
    pub cache: Option<u64>,
}

impl Machine {
    /// Looks at this machine, now.
    pub fn look() -> Self {
        let mut machine = Self::of(&Tree::of_this_machine());
        let allowed = || Processors {
            hardware_threads: usable_cores(),
            cores: None,
        };
        machine.allowed.get_or_insert_with(allowed);
        machine
    }

    /// What a machine tells about itself in the files of `/proc` and `/sys` below a folder.
    fn of(tree: &Tree) -> Self {
        let topology = Topology::of(tree);
        let first_allowed = topology.as_ref().and_then(Topology::first_allowed);
        Machine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("MANYHANDS_COMMIT").map(str::to_owned),
            optimised: optimised(),
            system: distribution(tree).unwrap_or_else(|| std::env::consts::OS.to_owned()),
            kernel: tree.word("proc/sys/kernel/osrelease"),
            architecture: std::env::consts::ARCH.to_owned(),
            cpu: cpu_model(tree),
            online: topology.as_ref().map(Topology::online),
            allowed: topology.as_ref().and_then(Topology::allowed),
            control_group: ControlGroup::of(tree),
            governor: first_allowed.and_then(|thread| {
                let cpu = Path::new("sys/devices/system/cpu").join(format!("cpu{thread}"));
                tree.word(cpu.join("cpufreq/scaling_governor"))
            }),
            load: load(tree),
            memory: memory(tree, "MemTotal:"),
            memory_available: memory(tree, "MemAvailable:"),
            numa_nodes: tree
                .word("sys/devices/system/node/online")
                .and_then(|nodes| Some(cores::list(&nodes)?.len())),
            cache: topology
                .as_ref()
                .and_then(|topology| cache::last_level(tree, topology)),
        }
    }

    /// Physical cores that this process may use, where that is known.
    pub fn allowed_cores(&self) -> Option<usize> {
        self.allowed.and_then(|allowed| allowed.cores)
    }

    /// How many cores' worth of time the control groups leave this process, where they leave less
    /// than all.
    pub fn quota(&self) -> Option<f64> {
        self.control_group.and_then(|group| group.quota)
    }

    /// Hardware threads that this process may use; 1 where nobody knows.
    pub(crate) fn hardware_threads(&self) -> usize {
        let threads = self.allowed.or(self.online);
        threads.map_or(1, |processors| processors.hardware_threads)
    }

    /// From so many threads on that others have, on average, they show.
    pub(crate) fn shows(&self) -> f64 {
        self.hardware_threads() as f64 * LOADED_SHARE
    }

    /// What makes times measured here doubtful, a sentence each: others at work, a quota below the
    /// hardware threads, time spent stopped by it, a clock that waits for load.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.load_warning().into_iter().collect();
        warnings.extend(self.lasting_warnings());
        if let Some(throttled) = self.control_group.and_then(|group| group.throttled)
            && throttled.times > 0
        {
            let Throttled { times, seconds } = throttled;
            warnings.push(format!(
                "the quota has stopped threads {} so far, for {seconds:.1} s in all",
                counted(times as f64, "time"),
            ));
        }
        warnings
    }

    /// The warning of a load; it may be that of what ran here itself a moment ago.
    pub(crate) fn load_warning(&self) -> Option<String> {
        let load = self.load?[0];
        (load >= LOADED.max(self.shows())).then(|| {
            format!("the load was {load:.2} over the last minute: others may use the cores too")
        })
    }

    /// The warnings that do not come and go.
    pub(crate) fn lasting_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let threads = self.hardware_threads();
        if let Some(quota) = self.quota()
            && quota < threads as f64
        {
            warnings.push(format!(
                "a quota of {} is less than the {} allowed: threads are stopped in between",
                counted(quota, "core"),
                counted(threads as f64, "hardware thread"),
            ));
        }
        if let Some(governor) = &self.governor
            && governor != "performance"
        {
            warnings.push(format!(
                "the governor is {governor}: the clock may be slow, and slower at first"
            ));
        }
        warnings
    }
}

/// One line: the processor, what of it may be used, and the quota.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = self.cpu.as_deref();
        f.write_str(cpu.unwrap_or(&self.architecture))?;
        if let Some(allowed) = self.allowed {
            let online = self.online.unwrap_or(allowed);
            let threads = of(allowed.hardware_threads, online.hardware_threads);
            write!(f, ", {threads} hardware {}", plural(&threads, "thread"))?;
            if let Some(cores) = allowed.cores {
                let cores = of(cores, online.cores.unwrap_or(cores));
                write!(f, " on {cores} {}", plural(&cores, "core"))?;
            }
        }
        match self.control_group {
            Some(ControlGroup {
                quota: Some(quota), ..
            }) => write!(f, ", a quota of {}", counted(quota, "core")),
            Some(_) => write!(f, ", no quota"),
            None => Ok(()),
        }
    }
}

/// `2 of 8`, or only `8` where it is all of them.
fn of(some: usize, all: usize) -> String {
    if some == all {
        all.to_string()
    } else {
        format!("{some} of {all}")
    }
}

/// The word, with an s unless there is one of it: `1 core`, but `1 of 2 cores`.
fn plural(count: &str, word: &str) -> String {
    let s = if count == "1" { "" } else { "s" };
    format!("{word}{s}")
}

/// Whether this library was.
fn optimised() -> bool {
    !cfg!(debug_assertions)
}

/// A number to two digits behind the point, as few as it needs, and what it counts.
pub(crate) fn counted(number: f64, word: &str) -> String {
    let number = format!("{number:.2}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {}", plural(number, word))
}

fn distribution(tree: &Tree) -> Option<String> {
    let release = tree.read("etc/os-release")?;
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = name.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The model of the processor; of boards that do not name one, the model of the board.
fn cpu_model(tree: &Tree) -> Option<String> {
    // The same for each hardware thread, and read only up to the first: asking all of them for
    // their clock speed, as this file does, takes long where there are hundreds.
    tree.first_line_with("proc/cpuinfo", |line| {
        let (name, value) = line.split_once(':')?;
        let names = ["model name", "cpu model", "Model"];
        let value = value.trim();
        (names.contains(&name.trim()) && !value.is_empty()).then(|| value.to_owned())
    })
}

fn load(tree: &Tree) -> Option<[f64; 3]> {
    let text = tree.read("proc/loadavg")?;
    let mut loads = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || loads.next()?.ok().filter(|load| load.is_finite());
    Some([next()?, next()?, next()?])
}

/// A line of `/proc/meminfo`, in bytes.
fn memory(tree: &Tree, name: &str) -> Option<u64> {
    tree.first_line_with("proc/meminfo", |line| {
        let kibibytes = line.strip_prefix(name)?.trim().strip_suffix("kB")?;
        kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
    })
}
