//! The facts about a machine that explain how fast a run on it can be.
//!
//! A time means little without these facts: two workers on the two hardware threads of one core are slower than
//! two workers on two cores, and a control group with a quota of half a core stops every thread for half of the
//! time.
//!
//! On Linux the facts are in a dozen small files under `/proc` and `/sys`. They are read here, because no
//! well-maintained library counts the *physical* cores in the affinity mask, or finds the tightest quota among
//! nested control groups of both versions. The files can be read from any folder, so tests can make up
//! machines.

mod cache;
mod clocks;
mod control_group;
mod cores;
mod moment;
#[cfg(test)]
mod moment_tests;
#[cfg(feature = "http")]
mod open_files;
mod pinning;
pub(crate) mod seconds;
mod stack;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::num::NonZero;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use clocks::{
    processor_time, processor_time_of_children, thread_processor_time, thread_time_without_core,
};
pub use control_group::{ControlGroup, Throttled};
pub use cores::Processors;
pub use moment::Meanwhile;
pub(crate) use moment::Moment;
#[cfg(feature = "http")]
pub(crate) use open_files::allow_connections;
pub(crate) use pinning::Pinning;
pub(crate) use stack::default_stack_size;

use cores::Topology;
use tree::Tree;

/// Smallest load average of other programs for which a warning is printed, as a share of the number of hardware
/// threads.
const LOADED_SHARE: f64 = 0.05;
/// Load average below which no warning is printed, in threads.
const LOADED: f64 = 0.5;

/// Returns the number of cores that this process may use: the number of hardware threads of the machine,
/// limited by the affinity mask of the process and by the quota of its control group.
pub fn usable_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The machine, and what this process may use of it. A fact that the system does not report is `None`. On
/// systems other than Linux, most facts are `None`.
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
    /// The commit from which this library was built, followed by `-dirty` if files differed from that commit.
    /// It is `None` if the commit is unknown, and in builds without optimisation.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether this library was built with optimisation. Times of other builds mean little.
    #[serde(default = "optimised")]
    pub optimised: bool,
    /// The operating system: the name of the distribution if it is known, else `linux`, `macos`, ….
    pub system: String,
    /// The release of the kernel.
    pub kernel: Option<String>,
    /// The architecture for which this program was built, such as `x86_64`.
    pub architecture: String,
    /// The model of the processor.
    pub cpu: Option<String>,
    /// The processors that are online.
    pub online: Option<Processors>,
    /// The processors in the affinity mask of this process.
    pub allowed: Option<Processors>,
    /// The limits set by the control groups of this process.
    pub control_group: Option<ControlGroup>,
    /// The frequency governor of the first allowed hardware thread.
    pub governor: Option<String>,
    /// The load averages: how many threads were running or ready to run, on average over the last 1, 5 and
    /// 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Memory of the machine, in bytes.
    pub memory: Option<u64>,
    /// Memory that was available without swapping when the facts were read, in bytes.
    pub memory_available: Option<u64>,
    /// Number of memory nodes (NUMA).
    pub numa_nodes: Option<usize>,
    /// Total size of all last-level caches that the allowed hardware threads use, in bytes.
    #[serde(default)]
    pub cache: Option<u64>,
}

impl Machine {
    /// Reads the facts about this machine.
    pub fn look() -> Self {
        let mut machine = Self::of(&Tree::of_this_machine());
        let allowed = || Processors {
            hardware_threads: usable_cores(),
            cores: None,
        };
        machine.allowed.get_or_insert_with(allowed);
        machine
    }

    /// Reads the facts about a machine from the files in `proc` and `sys` below a folder.
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

    /// Number of physical cores that this process may use, if it is known.
    pub fn allowed_cores(&self) -> Option<usize> {
        self.allowed.and_then(|allowed| allowed.cores)
    }

    /// The processor time that the control groups allow this process, in cores; `None` if it is not
    /// limited.
    pub fn quota(&self) -> Option<f64> {
        self.control_group.and_then(|group| group.quota)
    }

    /// Number of hardware threads that this process may use; 1 if it is unknown.
    pub(crate) fn hardware_threads(&self) -> usize {
        let threads = self.allowed.or(self.online);
        threads.map_or(1, |processors| processors.hardware_threads)
    }

    /// Smallest load average of other programs that is noticeable in measured times, in threads.
    pub(crate) fn shows(&self) -> f64 {
        self.hardware_threads() as f64 * LOADED_SHARE
    }

    /// The reasons to doubt times measured on this machine, one sentence each: load from other programs, a
    /// quota below the number of hardware threads, threads stopped by a quota, a variable clock speed.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.load_warning().into_iter().collect();
        warnings.extend(self.lasting_warnings());
        if let Some(throttled) = self.control_group.and_then(|group| group.throttled)
            && throttled.times > 0
        {
            warnings.push(format!(
                "the quota has stopped threads {} so far, for {:.1} s in all",
                counted(throttled.times as f64, "time"),
                throttled.time.as_secs_f64(),
            ));
        }
        warnings
    }

    /// The warning about load, if there is one. The load may come from an earlier run of this program.
    pub(crate) fn load_warning(&self) -> Option<String> {
        let load = self.load?[0];
        (load >= LOADED.max(self.shows())).then(|| {
            format!("the load was {load:.2} over the last minute: others may use the cores too")
        })
    }

    /// The warnings that hold for as long as the machine is not reconfigured.
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

/// Displays as one line: the processor, its usable part, and the quota.
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

/// Returns text such as `2 of 8`, or just `8` if `some` is all of them.
fn of(some: usize, all: usize) -> String {
    if some == all {
        all.to_string()
    } else {
        format!("{some} of {all}")
    }
}

/// Returns the word, with an s unless the count is `1`: `1 core`, but `1 of 2 cores`.
fn plural(count: &str, word: &str) -> String {
    let s = if count == "1" { "" } else { "s" };
    format!("{word}{s}")
}

/// Whether this library was built with optimisation.
fn optimised() -> bool {
    !cfg!(debug_assertions)
}

/// Returns a number with at most two decimals, and the word for what it counts.
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

/// The model of the processor, or the model of the board if no processor is named.
fn cpu_model(tree: &Tree) -> Option<String> {
    // The model is the same for each hardware thread, so the file is read only up to the first one. When the
    // file is read, the kernel asks each hardware thread for its clock speed, which takes long on machines with
    // hundreds of them.
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

/// The value in a line of `/proc/meminfo`, in bytes.
fn memory(tree: &Tree, name: &str) -> Option<u64> {
    tree.first_line_with("proc/meminfo", |line| {
        let kibibytes = line.strip_prefix(name)?.trim().strip_suffix("kB")?;
        kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
    })
}
