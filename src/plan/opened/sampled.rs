//! Runs over a sample of the records, which is drawn first.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use super::Opened;
use crate::aggregation::Count;
use crate::dataset::{Dataset, LoadedRecords, Position, ReadOutcome, SampleDraw, TextSource};
use crate::error::{BadRecord, Error, Place};
use crate::execution::{Executor, Sequential};
use crate::pipeline::Pipeline;
use crate::plan::Answer;
use crate::plan::planned_executor::ScoredBy;
use crate::plan::scored::ScoreField;
use crate::plan::thresholds::Thresholds;
use crate::plan::{RunOptions, Sampling};
use crate::report::End;
use crate::stop::{Cancel, StopReason};

/// A dataset whose records are offered to a sample as they are read.
struct OfferedRecords<'a> {
    records: &'a TextSource,
    draw: &'a SampleDraw,
}

impl Dataset for OfferedRecords<'_> {
    type Record<'r> = ();

    fn parts(&self) -> usize {
        self.records.parts()
    }

    fn is_stream(&self) -> bool {
        self.records.is_stream()
    }

    fn may_wait_with_records(&self) -> bool {
        self.records.may_wait_with_records()
    }

    fn close(&self) {
        self.records.close();
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&(), BadRecord>) -> ControlFlow<()>,
    {
        self.records.read(parts, |position, record| match record {
            // The input cannot be read to its end, so there is no sample.
            Err(bad) if bad.is_last => visit(position, Err(bad)),
            record => {
                self.draw.offer(self.records, position, record);
                visit(position, Ok(&()))
            }
        })
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        self.records.size(parts)
    }

    fn place(&self, position: Position) -> Option<Place> {
        self.records.place(position)
    }
}

impl Opened {
    /// Draws the sample unless an earlier run has drawn it, and runs the plan over it. The deadline includes the time
    /// for drawing the sample.
    pub(super) fn run_sample(
        &self,
        sampling: Sampling,
        scored_by: ScoredBy<'_>,
        executor: &dyn Executor,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        let began = Instant::now();
        let (token, _deadline) = options.token_until(began, self.plan.deadline)?;
        let token = &token;
        let options = options.cancel(token);
        let sample = match self.sample.get() {
            Some(sample) => sample,
            None => match self.draw(sampling, executor, options, token)? {
                Ok(records) => self.sample.get_or_init(|| TextSource::Loaded(records)),
                Err(reason) => return self.stopped_before_scoring(reason, options),
            },
        };
        let drawing = began.elapsed();
        // The progress of the bytes that were read is complete.
        let options = RunOptions {
            progress: None,
            ..options
        };
        let mut answer = self.run_over(sample, scored_by, executor, None, options)?;
        answer.drawing = Some(drawing);
        Ok(answer)
    }

    /// Draws a sample from all records. Returns the reason if the run was stopped before all records were read.
    fn draw(
        &self,
        sampling: Sampling,
        executor: &dyn Executor,
        options: RunOptions<'_>,
        token: &Cancel,
    ) -> Result<Result<LoadedRecords, StopReason>, Error> {
        let draw = SampleDraw::new(sampling.records, sampling.seed);
        let offered = OfferedRecords {
            records: &self.records,
            draw: &draw,
        };
        let mut pipeline = Pipeline::new(&offered, |(): &()| ())
            .executor(executor)
            .cancel(token);
        if let Some(progress) = options.progress {
            pipeline = pipeline.progress(progress);
        }
        let report = pipeline.aggregate_so_far(Count::new())?;
        Ok(match report.end {
            End::Stopped(reason) => Err(reason),
            _ => Ok(draw.finish()),
        })
    }

    /// The answer of a run that was stopped before it has scored a record.
    fn stopped_before_scoring(
        &self,
        reason: StopReason,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        let nothing = TextSource::Loaded(LoadedRecords::default());
        let thresholds = Arc::new(Thresholds::new(self.plan.top));
        let task = ScoreField::new(
            &self.plan,
            &self.fields,
            &*self.scorer,
            None,
            Arc::clone(&thresholds),
        );
        let mut answer =
            self.run_pipeline(&Sequential, &nothing, task, thresholds, None, options)?;
        answer.report.end = End::Stopped(reason);
        Ok(answer)
    }
}
