//! Opening the records of a plan for outputs that copy whole records.

use super::Opened;
use crate::error::Error;
use crate::plan::Plan;

impl Plan {
    /// Like [`open`](Plan::open), but for outputs that copy
    /// [whole records](crate::dataset::OpenOptions::whole_records), such as a
    /// [file of failed records](crate::output::FailuresFile).
    ///
    /// # Errors
    ///
    /// Same as [`open`](Plan::open).
    pub fn open_whole_records(&self) -> Result<Opened, Error> {
        Opened::new(self.clone(), true)
    }
}
