//! What happens on the machine during a measurement: how much other programs use, and how much the
//! hypervisor and quotas take away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use super::{ControlGroup, Throttled, load};

/// The unit of processor time in `/proc`, which is 10 ms on every architecture: the kernel's `USER_HZ`, see
/// proc_stat(5).
const MILLISECONDS_PER_TICK: u64 = 10;

/// What happened on the machine during a measurement. A figure that the system does not report is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Meanwhile {
    /// The duration of the measurement.
    #[serde(with = "crate::machine::seconds")]
    pub wall: Duration,
    /// Processor time of this process and of the processes it has started.
    #[serde(default, with = "crate::machine::seconds")]
    pub own: Option<Duration>,
    /// Processor time of all other programs on the machine and of the kernel. Divided by `wall` it is the
    /// average number of hardware threads that they used.
    #[serde(default, with = "crate::machine::seconds")]
    pub others: Option<Duration>,
    /// *Steal time*: how long hardware threads were ready to run while the hypervisor gave their core to
    /// another machine, summed over the hardware threads.
    #[serde(default, with = "crate::machine::seconds")]
    pub stolen: Option<Duration>,
    /// How often and how long a quota stopped threads, if there is one.
    pub throttled: Option<Throttled>,
    /// The load averages over the last 1, 5 and 15 minutes, at the end of the measurement.
    pub load: Option<[f64; 3]>,
}

/// The values of the counters of this machine at one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    clock: Instant,
    used: Option<Used>,
    own: Option<u64>,
    throttled: Option<Throttled>,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self::of(&Tree::of_this_machine())
    }

    pub(super) fn of(tree: &Tree) -> Self {
        Moment {
            clock: Instant::now(),
            used: used(tree),
            own: own(tree),
            throttled: ControlGroup::of(tree).and_then(|group| group.throttled),
        }
    }

    /// Returns what has happened since this moment.
    pub(crate) fn until_now(&self) -> Meanwhile {
        self.until(&Tree::of_this_machine())
    }

    pub(super) fn until(&self, tree: &Tree) -> Meanwhile {
        let now = Moment::of(tree);
        let time = |ticks: u64| Duration::from_millis(ticks.saturating_mul(MILLISECONDS_PER_TICK));
        let own = now.own.zip(self.own);
        let own = own.map(|(now, then)| now.saturating_sub(then));
        let used = now.used.zip(self.used);
        let busy = used.map(|(now, then)| now.busy.saturating_sub(then.busy));
        let stolen = used.and_then(|(now, then)| now.stolen?.checked_sub(then.stolen?));
        // Both times are counted in ticks and were read at slightly different moments, so `own` may exceed
        // `busy`.
        let others = busy.zip(own).map(|(busy, own)| busy.saturating_sub(own));
        let throttled = now.throttled.zip(self.throttled);
        Meanwhile {
            wall: now.clock - self.clock,
            own: own.map(time),
            others: others.map(time),
            stolen: stolen.map(time),
            throttled: throttled.map(|(now, then)| now.since(then)),
            load: load(tree),
        }
    }
}

/// The time that all hardware threads together have used since the machine was started, in ticks.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// Time in which the hardware threads ran something.
    busy: u64,
    /// Steal time; `None` if the kernel does not report it.
    stolen: Option<u64>,
}

fn used(tree: &Tree) -> Option<Used> {
    let ticks: Vec<u64> = tree.first_line_with("proc/stat", |line| {
        let ticks = line.strip_prefix("cpu ")?.split_ascii_whitespace();
        ticks.map(|ticks| ticks.parse().ok()).collect()
    })?;
    // The numbers are the times for user, nice, system, idle, waiting for input, interrupts, soft interrupts
    // and steal. The time of guests is part of the time for user.
    let [user, nice, system, _, _, interrupts, soft_interrupts] = *ticks.first_chunk()?;
    let all = [user, nice, system, interrupts, soft_interrupts];
    Some(Used {
        busy: all.iter().sum(),
        stolen: ticks.get(7).copied(),
    })
}

/// Processor time of this process and of all its descendants, in ticks. Processes that have ended are
/// counted if their parents have waited for them.
fn own(tree: &Tree) -> Option<u64> {
    let (this, _, spent) = process(&tree.read("proc/self/stat")?)?;
    let mut children: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
    for name in tree.names("proc") {
        if !name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let stat = tree.read(format!("proc/{name}/stat"));
        if let Some((number, parent, spent)) = stat.and_then(|stat| process(&stat)) {
            children.entry(parent).or_default().push((number, spent));
        }
    }
    let mut all = spent;
    let mut seen = BTreeSet::from([this]);
    let mut parents = vec![this];
    while let Some(parent) = parents.pop() {
        for &(number, spent) in children.get(&parent).into_iter().flatten() {
            if seen.insert(number) {
                all += spent;
                parents.push(number);
            }
        }
    }
    Some(all)
}

/// The number of a process, the number of its parent, and its processor time in ticks, from the text of its
/// `stat` file.
fn process(stat: &str) -> Option<(u32, u32, u64)> {
    let number = stat.split(' ').next()?.parse().ok()?;
    // The name of the process is in brackets, and may contain brackets.
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    // Fields are numbered in proc_pid_stat(5): field 4 is the parent, fields 14 and 15 are the time of the
    // process itself in user and system mode, and fields 16 and 17 are the time of the children for which it
    // has waited.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let spent = field(14)? + field(15)? + field(16)? + field(17)?;
    Some((number, u32::try_from(field(4)?).ok()?, spent))
}
