//! The limits that the control groups of a process set, in both versions of control groups.
//!
//! A process belongs to one group of each hierarchy. Every group up to the root limits it, so the tightest
//! limit counts. See the kernel's documents [cgroup-v2] and [v1].
//!
//! [cgroup-v2]: https://docs.kernel.org/admin-guide/cgroup-v2.html
//! [v1]: https://docs.kernel.org/admin-guide/cgroup-v1/index.html

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// A value of at least this many bytes means that memory is not limited: version 1 then writes the largest
/// whole number of pages, in bytes.
const NO_LIMIT_BYTES: u64 = 1 << 62;

/// The tightest limits among the control groups of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ControlGroup {
    /// The processor time that the groups allow, in cores; `None` if it is not limited.
    pub quota: Option<f64>,
    /// How often and how long the quota has stopped threads; `None` if there is no quota, or if the system does
    /// not report it.
    pub throttled: Option<Throttled>,
    /// The memory that the groups allow, in bytes; `None` if it is not limited.
    pub memory: Option<u64>,
}

/// How often and how long the threads of a control group have been stopped since the group was created, because
/// the group had used up its quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Throttled {
    /// The number of periods in which threads were stopped.
    pub times: u64,
    /// The time for which threads were stopped. Like the kernel's own figure, it is the sum over all processors.
    #[serde(rename = "seconds", with = "super::seconds")]
    pub time: Duration,
}

impl Throttled {
    /// Returns the difference from an earlier reading.
    pub(crate) fn since(self, earlier: Throttled) -> Throttled {
        Throttled {
            times: self.times.saturating_sub(earlier.times),
            time: self.time.saturating_sub(earlier.time),
        }
    }
}

impl ControlGroup {
    /// Reads the control groups of this process.
    pub(crate) fn look() -> Option<Self> {
        Self::of(&Tree::of_this_machine())
    }

    /// Reads the control groups of a process from the files in `tree`; `None` if no group is known.
    pub(super) fn of(tree: &Tree) -> Option<Self> {
        let own = tree.read("proc/self/cgroup")?;
        let mounts = tree.read("proc/self/mountinfo")?;
        let mounts: Vec<_> = mounts.lines().filter_map(Mount::read).collect();
        let folders = |controller| {
            let mut folders = folders(&own, &mounts, controller);
            folders.retain(|folder| tree.is_folder(folder));
            folders
        };
        let (cpu, memory) = (folders("cpu"), folders("memory"));
        if cpu.is_empty() && memory.is_empty() {
            return None;
        }
        let tightest = cpu
            .iter()
            .filter_map(|folder| Some((quota(tree, folder)?, folder)))
            .min_by(|(one, _), (other, _)| one.total_cmp(other));
        Some(ControlGroup {
            quota: tightest.map(|(quota, _)| quota),
            throttled: tightest.and_then(|(_, folder)| throttled(tree, folder)),
            memory: memory
                .iter()
                .filter_map(|folder| memory_limit(tree, folder))
                .min(),
        })
    }
}

/// The folders of the groups that limit the process through a controller, relative to the root.
///
/// `own` is the text of `/proc/self/cgroup`, which names the group in each hierarchy. `mounts` says where each hierarchy
/// is mounted, and which of its groups is the root of the mount.
fn folders(own: &str, mounts: &[Mount<'_>], controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            continue;
        };
        let listed = |list: &str| list.split(',').any(|name| name == controller);
        for mount in mounts {
            let holds_it = match mount.version {
                Version::Two => controllers.is_empty(),
                Version::One => listed(controllers) && listed(mount.options),
            };
            if holds_it {
                folders.extend(mount.folders(group));
            }
        }
    }
    folders
}

/// A version of control groups.
enum Version {
    One,
    Two,
}

/// A hierarchy of control groups that is mounted: a line of `/proc/self/mountinfo`.
struct Mount<'a> {
    /// The folder of the file system that is mounted.
    root: PathBuf,
    /// The mount point.
    point: PathBuf,
    version: Version,
    options: &'a str,
}

impl<'a> Mount<'a> {
    /// Reads a line; `None` if the mounted file system has no control groups.
    fn read(line: &'a str) -> Option<Self> {
        let (place, file_system) = line.split_once(" - ")?;
        let mut file_system = file_system.split(' ');
        let version = match file_system.next()? {
            "cgroup" => Version::One,
            "cgroup2" => Version::Two,
            _ => return None,
        };
        let mut place = place.split(' ').skip(3);
        Some(Mount {
            root: unescape(place.next()?),
            point: unescape(place.next()?),
            version,
            options: file_system.nth(1)?,
        })
    }

    /// The folders from the folder of a group up to the mount point.
    fn folders(&self, group: &str) -> impl Iterator<Item = PathBuf> + use<> {
        let point = self.point.strip_prefix("/").unwrap_or(&self.point);
        let point = point.to_owned();
        // If a group is outside the mounted folder, as in containers, its folder is the mount point itself.
        let inside = Path::new(group)
            .strip_prefix(&self.root)
            .unwrap_or(Path::new(""));
        let plain = inside
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        let inside = if plain { inside } else { Path::new("") };
        let up: Vec<_> = inside.ancestors().map(|group| point.join(group)).collect();
        up.into_iter()
    }
}

/// Decodes a path as `mountinfo` writes it: blanks and some other characters are octal numbers.
fn unescape(path: &str) -> PathBuf {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let mut path = path.to_owned();
    for (escape, meant) in escapes {
        path = path.replace(escape, meant);
    }
    path.into()
}

/// The quota of a group, in cores, if it has one.
fn quota(tree: &Tree, folder: &Path) -> Option<f64> {
    let (quota, period): (f64, f64) = if let Some(max) = tree.read(folder.join("cpu.max")) {
        let (quota, period) = max.trim().split_once(' ')?;
        // If there is no quota, the first word is not a number.
        (quota.parse().ok()?, period.parse().ok()?)
    } else {
        let number = |name: &str| tree.word(folder.join(name))?.parse().ok();
        // If there is no quota, the number is negative.
        (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?)
    };
    let cores = quota / period;
    (quota > 0.0 && cores.is_finite()).then_some(cores)
}

fn throttled(tree: &Tree, folder: &Path) -> Option<Throttled> {
    let text = tree.read(folder.join("cpu.stat"))?;
    let number = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, number) = lines.find(|(other, _)| *other == name)?;
        number.trim().parse::<u64>().ok()
    };
    let time = match number("throttled_usec") {
        Some(micros) => Duration::from_micros(micros),
        None => Duration::from_nanos(number("throttled_time")?),
    };
    Some(Throttled {
        times: number("nr_throttled")?,
        time,
    })
}

fn memory_limit(tree: &Tree, folder: &Path) -> Option<u64> {
    let limit = ["memory.max", "memory.limit_in_bytes"]
        .iter()
        .find_map(|name| tree.word(folder.join(name)))?;
    limit.parse().ok().filter(|bytes| *bytes < NO_LIMIT_BYTES)
}
