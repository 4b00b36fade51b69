//! The run of a shard, whose answer is merged with those of the other shards.

use std::time::Duration;

use super::Opened;
use crate::dataset::shard::{InputList, ShardCuts, ShardEdge, ShardStart};
use crate::dataset::{Dataset as _, InputFile, Shard};
use crate::error::{Error, Failure};
use crate::plan::partial::{
    OneShard, PartialBody, PlainFailure, PlainInput, PlainReference, PlainSlow, StateSource,
    common_kind, contents_of, same_for_all_shards,
};
use crate::plan::shard_notes::ShardNotes;
use crate::plan::{Answer, PartialAnswer, RunOptions};
use crate::report::{Timing, WorkerTiming};

impl Opened {
    /// Scores every record of the [shard](crate::plan::Plan::shard) that the plan names. Returns its answer, and the
    /// partial answer that is [merged](crate::plan::merge) with those of the other shards. Records, and the lines of a file
    /// inside which the shard begins, are counted from the beginning of the shard. The failure policy of the plan has no
    /// effect: it is judged when all shards are merged.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`run`](Opened::run), [`Error::Plan`] if the plan names no shard, and [`Error::Stopped`] if the
    /// run was stopped, since the answer of a part of a shard cannot be merged.
    pub fn run_partial(&self, options: RunOptions<'_>) -> Result<(Answer, PartialAnswer), Error> {
        let (Some(shard), Some(cuts)) = (self.plan.shard, self.cuts) else {
            return Err(Error::Plan(
                "only the answer of a shard is partial; set the field `shard` of the plan, to \
                 `Shard::WHOLE` if there is only one"
                    .to_owned(),
            ));
        };
        let plan = same_for_all_shards(&self.plan)?;
        let contents = contents_of(&self.plan)?;
        let notes = ShardNotes::default();
        let run = self.run(options.shard(&notes));
        let mut answer = run.map_err(|error| with_advice(error, shard, &cuts))?;
        answer.report = answer.report.finished()?;
        let extent = self.records.extent(cuts)?;
        let inputs = self.inputs_of_shard(&cuts);
        answer.files = inputs.iter().map(|(_, file)| file.clone()).collect();
        let state = notes.state.into_inner().unwrap_or_default();
        let report = &answer.report;
        let first_lines = cuts.begin.is_inside().then(|| {
            let first = self.plan.files.get(cuts.begin.file as usize);
            let name = first.map(|path| path.as_os_str().as_encoded_bytes().to_vec());
            (name.unwrap_or_default(), extent.first_records, 0)
        });
        let body = PartialBody {
            first: shard.number(),
            last: shard.number(),
            of: shard.of(),
            scorer: self.plan.scorer.name().to_owned(),
            plan,
            contents,
            extent,
            records: report.records,
            failed: report.failed,
            skipped: report.skipped,
            failures: report.failures.iter().map(PlainFailure::from).collect(),
            kind: common_kind(report.failures.iter().map(Failure::kind)),
            inputs: inputs
                .iter()
                .map(|(number, file)| PlainInput::of(*number, file))
                .collect(),
            field_names: answer.field_names.clone(),
            absent: answer.absent.clone(),
            reference: answer.reference.as_ref().map(PlainReference::of),
            pairs: answer.pairs,
            calls: answer.calls.as_ref().map(Into::into),
            began: answer.began,
            slowest: report.timing.slowest.iter().map(PlainSlow::from).collect(),
            each: vec![one_shard(&answer, notes.records.value(), first_lines)],
            columns: notes.kinds.into_inner().unwrap_or_default(),
        };
        let partial = PartialAnswer {
            body,
            state: StateSource::Memory(state),
            path: None,
        };
        Ok((answer, partial))
    }

    /// The inputs that the shard reads, with their numbers among all inputs, from 0.
    fn inputs_of_shard(&self, cuts: &ShardCuts) -> Vec<(u64, InputFile)> {
        let files = self.records.files();
        let end = cuts.end.file + u64::from(cuts.end.is_inside());
        let wanted = cuts.begin.file..end;
        // A stream has only the inputs of its shard, and the other sources have all inputs.
        let first = match self.records.is_stream() {
            true => cuts.begin.file,
            false => 0,
        };
        let numbered = (first..).zip(files);
        numbered
            .filter(|(number, _)| wanted.contains(number))
            .collect()
    }

    /// The list of all inputs, if the plan scores a shard.
    pub(in crate::plan) fn shard_inputs(&self) -> Option<InputList> {
        self.cuts.map(|cuts| cuts.inputs)
    }

    /// What the user says about the beginning of the shard, if it begins inside a file.
    pub(in crate::plan) fn shard_start(&self) -> Option<ShardStart> {
        let cuts = self.cuts.filter(|cuts| cuts.begin.is_inside());
        cuts.and(self.plan.shard_start)
    }

    /// The shard, if its records or its lines are not numbered as in the input.
    pub fn renumbered_shard(&self) -> Option<Shard> {
        let is_renumbered = self
            .cuts
            .is_some_and(|cuts| cuts.begin != ShardEdge::before_file(0));
        self.plan.shard.filter(|_| is_renumbered)
    }
}

/// Adds to the error about an unclosed quote that the shard may have made a wrong assumption about its beginning.
fn with_advice(error: Error, shard: Shard, cuts: &ShardCuts) -> Error {
    match error {
        Error::Record { place, mut reason } if reason.is_last && cuts.begin.around.is_some() => {
            let (assumed, other) = match cuts.begin.state {
                ShardStart::Unquoted => ("outside quotes", ShardStart::Quoted),
                ShardStart::Quoted => ("inside a quoted field", ShardStart::Unquoted),
            };
            let advice = format!(
                "; the shard has assumed that it begins {assumed}; if that is wrong, score shard {shard} again with --starts \
                 {other}"
            );
            reason.message += &advice;
            Error::Record { place, reason }
        }
        other => other,
    }
}

fn one_shard(
    answer: &Answer,
    records_hash: u64,
    first_lines: Option<(Vec<u8>, u64, u64)>,
) -> OneShard {
    let Timing {
        wall, cpu, workers, ..
    } = &answer.report.timing;
    let mean = |time: fn(&WorkerTiming) -> Duration| {
        let sum: Duration = workers.iter().map(time).sum();
        sum / u32::try_from(workers.len().max(1)).unwrap_or(u32::MAX)
    };
    OneShard {
        records: answer.report.records,
        records_hash,
        scores: None,
        failures: None,
        first_lines,
        wall: *wall,
        cpu: *cpu,
        worker: [
            mean(|one| one.busy),
            mean(|one| one.task),
            mean(|one| one.preempted),
            mean(|one| one.input),
            mean(|one| one.limited),
        ],
    }
}
