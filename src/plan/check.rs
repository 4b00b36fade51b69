//! The checks of a plan's options.

use super::{ExecutorName, Plan};
use crate::error::Error;

impl Plan {
    /// Returns an error if options of the plan contradict each other.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_pool = self.executor == ExecutorName::ProcessPool;
        let has_program = self.scorer.program().is_some();
        self.check_timeout(self.scores_in_processes())?;
        if is_pool && has_program {
            return Err(Error::Plan(format!(
                "the scorer {} starts worker processes of its own, so it cannot use the executor {}; name no executor, \
                 and the number of processes instead",
                self.scorer, self.executor
            )));
        }
        if self.retries > 0 && !has_program {
            return Err(Error::Plan(format!(
                "the scorer {} gives the same answer each time, so a record that has failed is not tried again; leave \
                 out the retries",
                self.scorer
            )));
        }
        Ok(())
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
