//! Which groups a worker keeps to itself.

/// Bytes of groups that a worker keeps to itself: little beside what a million groups take. More
/// than its own caches hold, since a group that is looked up in memory still costs less than one
/// that is handed over …
const BYTES: usize = 8 << 20;
/// … but so many groups at the most: what their states hold elsewhere is not known here.
const MOST: usize = 1 << 17;
/// Records a group must get, on average, to be worth keeping.
const WORTH_KEEPING: usize = 2;
/// Where they are not, so many times as many strangers go by before it is tried again.
const PAUSE: usize = 15;

/// Decides what becomes of groups that a worker sees for the first time.
///
/// The first ones stay, until there are too many. If they have been seen again often enough, they
/// go on to stay, and only strangers are handed over: that is how it is with a few frequent keys
/// and many rare ones. If they no longer are, as where keys come and go with time, they are handed
/// over to make room for others. And where keys hardly repeat at all, looking for them is wasted,
/// so for a while nothing stays.
#[derive(Clone)]
pub(super) struct Admission {
    most: usize,
    /// Whether strangers stay.
    open: bool,
    /// Records since it was last decided.
    records: usize,
    /// Strangers that will be sent on before it is decided again.
    left: usize,
}

/// What becomes of a group that is seen for the first time.
#[derive(PartialEq)]
pub(super) enum Decision {
    /// It stays.
    Keep,
    /// It is sent on.
    Forward,
    /// It is sent on, and with it all that have stayed so far.
    ForwardAll,
}

impl Admission {
    /// For groups of this size.
    pub(super) fn of(bytes: usize) -> Self {
        // A table has a power of two of slots, and fills seven eighths of them.
        let slots = (BYTES / (bytes + 1) + 1).next_power_of_two() / 2;
        Admission::with_most((slots / 8 * 7).min(MOST))
    }

    /// For so many groups.
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

    /// How many groups stay at the most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Counts a record.
    #[inline]
    pub(super) fn count(&mut self) {
        self.records += 1;
    }

    /// Decides about a stranger, where so many groups have stayed.
    pub(super) fn decide(&mut self, stayed: usize) -> Decision {
        if self.open {
            if stayed < self.most {
                return Decision::Keep;
            }
            self.open = false;
            let worth = self.records >= WORTH_KEEPING * self.most;
            self.wait(if worth { 1 } else { PAUSE });
            return if worth {
                Decision::Forward
            } else {
                Decision::ForwardAll
            };
        }
        if self.left > 0 {
            self.left -= 1;
            return Decision::Forward;
        }
        let worth = stayed > 0 && self.records >= WORTH_KEEPING * self.most;
        self.open = !worth;
        self.wait(1);
        if worth {
            Decision::Forward
        } else {
            Decision::ForwardAll
        }
    }

    fn wait(&mut self, times: usize) {
        self.left = times * self.most;
        self.records = 0;
    }
}
