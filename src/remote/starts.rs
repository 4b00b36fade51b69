//! When a pool gives up starting worker processes that die before they are ready.

/// Deaths, one after another, after which a pool gives up none of whose processes has ever been ready:
/// the program cannot work.
const BEFORE_THE_FIRST: u32 = 3;
/// Deaths, one after another, after which a pool gives up whose processes have been ready before.
const AFTER_THE_FIRST: u32 = 5;

/// How the starts of a pool's processes have gone.
///
/// Processes that start side by side and die together count as one death: it takes one cause to kill
/// them, such as a lack of memory. A death counts on top of another only if that one had been seen when
/// the process was started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Starts {
    /// Processes that have got ready.
    ready: u64,
    /// Deaths, one after another, since the last of those.
    deaths: u32,
}

impl Starts {
    /// A process has got ready.
    pub(super) fn ready(&mut self) {
        self.ready += 1;
        self.deaths = 0;
    }

    /// A process has died before it was ready; `before` is a copy from when it was started.
    pub(super) fn died(&mut self, before: Starts) {
        let earlier = match before.ready == self.ready {
            true => before.deaths,
            false => 0,
        };
        self.deaths = self.deaths.max(earlier + 1);
    }

    /// Whether any process has ever got ready.
    pub(super) fn have_succeeded(&self) -> bool {
        self.ready > 0
    }

    /// Deaths, one after another, since a process got ready.
    pub(super) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Whether it is of no use to start another.
    pub(super) fn are_hopeless(&self) -> bool {
        let most = match self.have_succeeded() {
            true => AFTER_THE_FIRST,
            false => BEFORE_THE_FIRST,
        };
        self.deaths >= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One process after another dies, until the pool gives up.
    fn deaths_until_hopeless(starts: &mut Starts) -> u32 {
        for deaths in 0.. {
            if starts.are_hopeless() {
                return deaths;
            }
            starts.died(*starts);
        }
        unreachable!()
    }

    #[test]
    fn three_deaths_before_any_is_ready_and_five_afterwards() {
        let mut starts = Starts::default();
        assert_eq!(deaths_until_hopeless(&mut starts), 3);
        for _ in 0..2 {
            starts.ready();
            assert_eq!(deaths_until_hopeless(&mut starts), 5);
        }
    }

    #[test]
    fn deaths_side_by_side_count_once() {
        let mut starts = Starts::default();
        for wave in 1..3 {
            let before = starts;
            for _ in 0..64 {
                starts.died(before);
            }
            assert_eq!(starts.deaths(), wave);
        }
        let before = starts;
        starts.ready();
        starts.died(before);
        assert_eq!(starts.deaths(), 1, "one got ready meanwhile");
    }
}
