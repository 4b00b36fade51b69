//! The checks of a plan's options.

use super::{ExecutorName, Plan};
use crate::error::Error;

impl Plan {
    /// Returns an error if options of the plan contradict each other.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_pool = self.executor == ExecutorName::ProcessPool;
        let outside = self.scorer.outside();
        self.check_timeout(is_pool || outside.is_some())?;
        self.check_shard()?;
        if let Some(outside) = outside
            && is_pool
        {
            return Err(Error::Plan(format!(
                "the scorer {} {}, so it cannot use the executor {}; name no executor",
                self.scorer,
                outside.instead_of_executor(),
                self.executor
            )));
        }
        if self.rank.is_some() && outside.is_none() {
            return Err(Error::Plan(format!(
                "the scorer {} ranks the records by a column of its own; leave out the column to rank by",
                self.scorer
            )));
        }
        if self.retries.is_some_and(|times| times > 0) && outside.is_none() {
            return Err(Error::Plan(format!(
                "the scorer {} gives the same answer each time, so a record that has failed is not tried again; leave \
                 out the retries",
                self.scorer
            )));
        }
        Ok(())
    }

    /// Returns an error if the plan scores a shard, and also only some of its records.
    fn check_shard(&self) -> Result<(), Error> {
        let other = match (self.shard, self.head, self.sample) {
            (Some(_), Some(_), _) => "the first records",
            (Some(_), None, Some(_)) => "a sample",
            _ => return Ok(()),
        };
        Err(Error::Plan(format!(
            "a shard cannot be limited to {other}, because no shard knows which of its records belong to them; score all \
             records of the shard"
        )))
    }

    /// Returns an error if the plan has a timeout that is zero, or a timeout that cannot be enforced because
    /// records are not scored in processes.
    pub(super) fn check_timeout(&self, processes: bool) -> Result<(), Error> {
        let Some(timeout) = self.timeout else {
            return Ok(());
        };
        let refuse = |remedy| {
            let what = format!("{} s for a record", timeout.as_secs_f64());
            Err(Error::Limit { what, remedy })
        };
        if timeout.is_zero() {
            return refuse("it must be more than 0");
        }
        if !processes {
            return refuse(
                "a thread cannot be stopped in the middle of a record; use the executor process-pool",
            );
        }
        Ok(())
    }
}
