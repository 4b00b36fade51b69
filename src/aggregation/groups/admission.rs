//! Decides which groups a worker keeps in its own table.

/// Bytes of groups that a worker keeps: little compared with a million groups, but more than its
/// own caches hold, since looking a group up in memory is still cheaper than handing it over.
const BYTES: usize = 8 << 20;
/// Groups that a worker keeps at most, since memory that their states own elsewhere is not counted.
const MOST: usize = 1 << 17;
/// Records per group, on average, from which the groups are worth keeping.
const WORTH_KEEPING: usize = 2;
/// If they are not, keeping is tried again after this many times as many new keys.
const PAUSE: usize = 15;

/// Decides what happens to a group that a worker observes for the first time.
///
/// The first groups stay until the table is full. If they have been observed again often enough,
/// they stay for good and only new keys are handed over: the case of a few frequent keys and many
/// rare ones. If they are no longer observed, as when keys change over time, they are handed over
/// to make room. If keys hardly repeat at all, looking them up is wasted, so nothing stays for a
/// while.
#[derive(Clone)]
pub(super) struct Admission {
    most: usize,
    /// Whether new keys stay.
    open: bool,
    /// Records since the last decision.
    records: usize,
    /// New keys to forward before the next decision.
    left: usize,
}

/// What happens to a group that is observed for the first time.
#[derive(PartialEq)]
pub(super) enum Placement {
    /// It stays in the worker's table.
    Keep,
    /// It is handed over.
    Forward,
    /// It is handed over together with all groups that have stayed so far.
    ForwardAll,
}

impl Admission {
    /// For groups of this size in bytes.
    pub(super) fn of(bytes: usize) -> Self {
        // A table has a power of two of slots, and fills seven eighths of them.
        let slots = (BYTES / (bytes + 1) + 1).next_power_of_two() / 2;
        Admission::with_most((slots / 8 * 7).min(MOST))
    }

    /// For at most this many groups.
    pub(super) fn with_most(most: usize) -> Self {
        Admission {
            most: most.max(1),
            open: true,
            records: 0,
            left: 0,
        }
    }

    /// For another worker.
    pub(super) fn afresh(&self) -> Self {
        Admission::with_most(self.most)
    }

    /// Number of groups that stay at most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Counts a record.
    #[inline]
    pub(super) fn count(&mut self) {
        self.records += 1;
    }

    /// Decides about a new key when `stayed` groups are in the table.
    pub(super) fn decide(&mut self, stayed: usize) -> Placement {
        if self.open {
            if stayed < self.most {
                return Placement::Keep;
            }
            self.open = false;
            let worth = self.records >= WORTH_KEEPING * self.most;
            self.wait(if worth { 1 } else { PAUSE });
            return if worth {
                Placement::Forward
            } else {
                Placement::ForwardAll
            };
        }
        if self.left > 0 {
            self.left -= 1;
            return Placement::Forward;
        }
        let worth = stayed > 0 && self.records >= WORTH_KEEPING * self.most;
        self.open = !worth;
        self.wait(1);
        if worth {
            Placement::Forward
        } else {
            Placement::ForwardAll
        }
    }

    fn wait(&mut self, times: usize) {
        self.left = times * self.most;
        self.records = 0;
    }
}
