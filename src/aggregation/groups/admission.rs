//! Decides which groups a worker keeps in its own table.

/// Maximum size in bytes of the groups that a worker keeps. It is small compared with a million
/// groups, but larger than the caches of a core, since looking a group up in memory still takes
/// less time than handing it over.
const BYTES: usize = 8 << 20;
/// The largest number of groups that a worker keeps. It is needed because memory that their states
/// own elsewhere is not counted in [`BYTES`].
const MOST: usize = 1 << 17;
/// Average number of records per group from which the groups are worth keeping.
const WORTH_KEEPING: usize = 2;
/// Number of new keys that a worker hands over before it tries again to keep groups, if they were
/// not worth keeping, divided by the number of groups that its table holds.
const PAUSE: usize = 15;

/// Decides what happens to a group that a worker observes for the first time.
///
/// The first groups stay until the table is full. If they have been observed again often enough,
/// they stay permanently, and only new groups are handed over: this is the case of a few frequent
/// keys and many rare ones. If the groups in the table are no longer observed, for example because
/// keys change over time, they are handed over to make room. If keys hardly ever repeat, looking
/// them up wastes time, so no new groups are kept for a while.
#[derive(Clone)]
pub(super) struct Admission {
    most: usize,
    /// Whether new keys stay.
    open: bool,
    /// Number of records since the last decision.
    records: usize,
    /// Number of new keys to forward before the next decision.
    left: usize,
}

/// What a worker does with a group that it observes for the first time.
#[derive(PartialEq)]
pub(super) enum Placement {
    /// Keep the group in the worker's table.
    Keep,
    /// Hand the group over.
    Forward,
    /// Hand the group over, together with all groups that have stayed so far.
    ForwardAll,
}

impl Admission {
    /// Creates an admission for groups of this size in bytes.
    pub(super) fn of(bytes: usize) -> Self {
        // The number of slots of a table is a power of two, and at most seven eighths of the slots
        // are filled.
        let slots = (BYTES / (bytes + 1) + 1).next_power_of_two() / 2;
        Admission::with_most((slots / 8 * 7).min(MOST))
    }

    /// Creates an admission that keeps at most this many groups.
    pub(super) fn with_most(most: usize) -> Self {
        Admission {
            most: most.max(1),
            open: true,
            records: 0,
            left: 0,
        }
    }

    /// Creates an admission for another worker.
    pub(super) fn afresh(&self) -> Self {
        Admission::with_most(self.most)
    }

    /// Returns the largest number of groups that stay.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Counts a record.
    #[inline]
    pub(super) fn count(&mut self) {
        self.records += 1;
    }

    /// Decides what happens to the group of a new key when `stayed` groups are in the table.
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
