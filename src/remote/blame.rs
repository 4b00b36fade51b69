//! How often a process has to end on one record until the record fails.

/// Number of processes that have to end on a record alone until the record fails.
const DEATHS: u32 = 2;

/// The same for processes that were killed by the signal KILL. The number is larger, since the system may have killed
/// an innocent process for lack of memory.
const KILLS: u32 = 5;

/// The number of the signal KILL.
pub(super) const SIGKILL: i32 = 9;

/// How many processes have ended while they had only one record, which is the same for all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EndsAlone {
    deaths: u32,
    kills: u32,
}

impl EndsAlone {
    /// Counts the end of a process. `was_killed` says whether the signal KILL ended it. Returns whether the record is
    /// guilty.
    pub(super) fn add(&mut self, was_killed: bool) -> bool {
        match was_killed {
            true => self.kills += 1,
            false => self.deaths += 1,
        }
        self.deaths >= DEATHS || self.kills >= KILLS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_guilty_after_two_deaths_or_five_kills() {
        let ends_until_guilty = |kills: &[bool]| {
            let mut ends = EndsAlone::default();
            kills.iter().position(|was_killed| ends.add(*was_killed))
        };
        assert_eq!(ends_until_guilty(&[false; 9]), Some(1));
        assert_eq!(ends_until_guilty(&[true; 9]), Some(4));
        assert_eq!(
            ends_until_guilty(&[true, true, false, true, false]),
            Some(4)
        );
    }
}
