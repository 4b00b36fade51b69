//! Makes scores from the answers of a program or a service.

#[cfg(feature = "http")]
use crate::calls::AwaitedRecord;
#[cfg(feature = "http")]
use crate::dataset::OwnedRecord;
use crate::error::Cause;
use crate::plan::Scored;
use crate::plan::scored::ScoredAssembly;
use crate::plan::scorer::Cells;
use crate::remote::ProgramAnswer;
#[cfg(unix)]
use crate::remote::RecordReply;
use crate::task::Task;

/// A task that makes scores from the answer for a record and from the record.
pub(super) struct AssembleScore<'a>(pub(super) &'a ScoredAssembly);

#[cfg(unix)]
impl Task<RecordReply<ProgramAnswer>> for AssembleScore<'_> {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, reply: &RecordReply<ProgramAnswer>) -> Result<Scored, Cause> {
        let cells = Cells::from(reply.take()?);
        let record = reply.record().ok_or("the record was not kept")?;
        Ok(self.0.with_cells(&record, cells)?)
    }
}

#[cfg(feature = "http")]
impl Task<AwaitedRecord<OwnedRecord, ProgramAnswer>> for AssembleScore<'_> {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, answered: &AwaitedRecord<OwnedRecord, ProgramAnswer>) -> Result<Scored, Cause> {
        let cells = Cells::from(answered.take()?);
        Ok(self.0.with_cells(&answered.record().record(), cells)?)
    }
}
