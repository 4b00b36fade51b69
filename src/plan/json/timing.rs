//! The time of a run as JSON, in seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::super::Answer;
use crate::report::{SlowRecord, WorkerTiming};

#[derive(Serialize)]
pub(super) struct TimingJson<'a> {
    wall: f64,
    cpu: Option<f64>,
    read: f64,
    finish: f64,
    work: f64,
    span: f64,
    bound: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawing: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttled: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<bool>,
    shares: BTreeMap<&'static str, f64>,
    helps_until: usize,
    explanation: String,
    workers: Vec<WorkerJson>,
    slowest: Vec<SlowRecordJson<'a>>,
}

#[derive(Serialize)]
struct WorkerJson {
    records: u64,
    busy: f64,
    waiting: f64,
    share: f64,
    task: f64,
    input: f64,
    preempted: f64,
    from: f64,
    until: f64,
}

#[derive(Serialize)]
struct SlowRecordJson<'a> {
    record: u64,
    records: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    time: f64,
}

impl<'a> TimingJson<'a> {
    pub(super) fn of(answer: &'a Answer) -> Self {
        let report = &answer.report;
        let timing = &report.timing;
        let workers = timing.workers.iter();
        TimingJson {
            wall: timing.wall.as_secs_f64(),
            cpu: timing.cpu.map(|cpu| cpu.as_secs_f64()),
            read: timing.input().as_secs_f64(),
            finish: timing.finish.as_secs_f64(),
            work: timing.work().as_secs_f64(),
            span: timing.span().as_secs_f64(),
            bound: timing.lower_bound(timing.workers.len()).as_secs_f64(),
            drawing: answer.drawing.map(|drawing| drawing.as_secs_f64()),
            throttled: answer
                .throttled
                .map(|throttled| throttled.time.as_secs_f64()),
            pinned: answer.pinned,
            shares: timing.shares().named().into_iter().collect(),
            helps_until: timing.scaling_limit().workers,
            explanation: answer.explanation(),
            workers: workers
                .map(|one| WorkerJson::of(one, timing.wall))
                .collect(),
            slowest: timing.slowest.iter().map(SlowRecordJson::of).collect(),
        }
    }
}

impl WorkerJson {
    fn of(worker: &WorkerTiming, wall: Duration) -> Self {
        WorkerJson {
            records: worker.records,
            busy: worker.at_work().as_secs_f64(),
            waiting: worker.waiting(wall).as_secs_f64(),
            share: worker.share_at_work(wall),
            task: worker.task.as_secs_f64(),
            input: worker.input.as_secs_f64(),
            preempted: worker.preempted.as_secs_f64(),
            from: worker.from.as_secs_f64(),
            until: worker.until.as_secs_f64(),
        }
    }
}

impl<'a> SlowRecordJson<'a> {
    fn of(slow: &'a SlowRecord) -> Self {
        let place = slow.place.as_ref();
        SlowRecordJson {
            record: slow.index + 1,
            records: slow.records,
            file: place.map(|place| place.path.to_string_lossy()),
            line: place.map(|place| place.line),
            time: slow.time.as_secs_f64(),
        }
    }
}
