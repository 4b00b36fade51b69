//! Decides when a pool stops starting worker processes that die before they are ready.

/// Number of consecutive deaths after which the pool gives up if none of its processes has ever been ready. In
/// this case the program does not work.
const MAX_DEATHS_BEFORE_FIRST_READY: u32 = 3;

/// Number of consecutive deaths after which the pool gives up if one of its processes has been ready before.
const MAX_DEATHS: u32 = 5;

/// How many processes of a pool have become ready or died so far.
///
/// Processes that start at the same time and die together count as one death, since one cause, such as a lack of
/// memory, may have killed them all. A death is counted in addition to an earlier death only if the earlier death
/// was known when the process was started.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::remote) struct StartHistory {
    /// Number of processes that have become ready.
    ready: u64,
    /// Number of consecutive deaths since a process last became ready.
    deaths: u32,
}

impl StartHistory {
    /// Records that a process has become ready.
    pub(in crate::remote) fn add_ready(&mut self) {
        self.ready += 1;
        self.deaths = 0;
    }

    /// Records that a process has died before it was ready. `before` is a copy of the history from the time when
    /// this process was started.
    pub(in crate::remote) fn add_death(&mut self, before: StartHistory) {
        let earlier = match before.ready == self.ready {
            true => before.deaths,
            false => 0,
        };
        self.deaths = self.deaths.max(earlier + 1);
    }

    /// Whether a process has ever become ready.
    pub(in crate::remote) fn has_succeeded(&self) -> bool {
        self.ready > 0
    }

    /// Returns the number of consecutive deaths since a process last became ready.
    pub(in crate::remote) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Whether another start would be pointless.
    pub(in crate::remote) fn is_hopeless(&self) -> bool {
        let allowed = match self.has_succeeded() {
            true => MAX_DEATHS,
            false => MAX_DEATHS_BEFORE_FIRST_READY,
        };
        self.deaths >= allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of consecutive deaths until the pool gives up.
    fn deaths_until_hopeless(history: &mut StartHistory) -> u32 {
        for deaths in 0.. {
            if history.is_hopeless() {
                return deaths;
            }
            history.add_death(*history);
        }
        unreachable!()
    }

    #[test]
    fn the_pool_gives_up_after_three_deaths_or_after_five_if_a_process_was_ready() {
        let mut history = StartHistory::default();
        assert_eq!(deaths_until_hopeless(&mut history), 3);
        for _ in 0..2 {
            history.add_ready();
            assert_eq!(deaths_until_hopeless(&mut history), 5);
        }
    }

    #[test]
    fn simultaneous_deaths_count_once() {
        let mut history = StartHistory::default();
        for wave in 1..3 {
            let before = history;
            for _ in 0..64 {
                history.add_death(before);
            }
            assert_eq!(history.deaths(), wave);
        }
        let before = history;
        history.add_ready();
        history.add_death(before);
        assert_eq!(history.deaths(), 1, "a process became ready meanwhile");
    }
}
