//! Runs whose records are scored by a simulated service. They show that the plan depends only on the trait
//! `Elsewhere`.

use super::*;
use crate::dataset::TextRecord;
use crate::error::{Cause, Died};
use crate::execution::{Sequential, TaskQueue, WorkStealing};
use crate::plan::MadeUpOptions;
use crate::plan::wire::WireOutcome;
use crate::remote::in_process::InProcess;
use crate::report::Digest;
use crate::report::End;
use crate::stop::{Cancel, StopReason};
use crate::task::Task as _;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl");

/// Runs the plan with records that are scored by a service. Of every `failing_every` consecutive records, the last
/// one fails.
fn run_at_a_service(plan: &Plan, executor: &dyn Executor, failing_every: u64) -> Answer {
    let opened = plan.open().expect("the sample");
    let thresholds = Arc::new(Thresholds::new(plan.top));
    let task = ScoreField::new(
        plan,
        &opened.fields,
        &*opened.scorer,
        None,
        Arc::clone(&thresholds),
    );
    let main = plan.columns().main_cell();
    let score = |at: crate::dataset::Position, text: &str| {
        if at.index % failing_every == failing_every - 1 {
            let how = "the service is tired".to_owned();
            return Ok(Err(Died { how }.into()));
        }
        let scored = task.score(&TextRecord::json(text)).map_err(Cause::from);
        Ok(scored
            .and_then(|scored| WireOutcome::from(scored).into_scored(at, &main, &*opened.scorer)))
    };
    let token = Cancel::new();
    let TextSource::Files(files) = &opened.records else {
        panic!("the sample is a file");
    };
    let thresholds = Arc::clone(&thresholds);
    let answer = InProcess::serve(3, 4, &token, score, |service| {
        let options = RunOptions::default();
        opened.run_elsewhere(
            service,
            executor,
            files,
            None,
            thresholds,
            options.cancel(&token),
        )
    });
    answer.expect("a run")
}

#[test]
fn a_service_gives_the_answer_of_this_process_on_every_executor() {
    let mut plan = Plan::new([SAMPLE]);
    plan.by = vec!["category".to_owned()];
    let here = plan.open().expect("the sample");
    let here = here.run(RunOptions::default()).expect("a run");
    let mut limited = plan.clone();
    limited.limit = limited.limit.per_second(1e6);
    let mut digests = Vec::new();
    for executor in [
        &Sequential as &dyn Executor,
        &TaskQueue::new(3),
        &WorkStealing::new(2),
    ] {
        for plan in [&plan, &limited] {
            let answer = run_at_a_service(plan, executor, u64::MAX);
            assert_eq!(answer.digest, here.digest);
            assert_eq!(answer.report.value.top, here.report.value.top);

            let report = &run_at_a_service(plan, executor, 50).report;
            assert_eq!(
                (report.records, report.scored, report.failed),
                (2000, 1960, 40)
            );
            let failures = report.failures.iter().map(|failure| failure.index);
            assert!(failures.eq((0..40).map(|failure| failure * 50 + 49)));
            digests.push(Digest::of(&report.value));
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn skipped_records_are_in_the_json_and_in_the_digest() {
    let texts = ["a 1", "skip no number", "b", "c 2", "skip no number"];
    let run = |texts: &[&str]| {
        let opened = MadeUpOptions::default().open_over(texts);
        opened.run(RunOptions::default()).expect("a run")
    };
    let answer = run(&texts);
    let report = &answer.report;
    assert_eq!(
        (report.records, report.scored, report.failed, report.skipped),
        (5, 2, 1, 2)
    );
    let failures: Vec<u64> = report
        .failures
        .iter()
        .map(|failure| failure.index)
        .collect();
    assert_eq!(failures, [2]);
    let json = answer.to_json();
    assert!(json.contains("\"failed\":1,\"skipped\":2,"), "{json}");
    // A failed record in the place of a skipped one gives another answer.
    let one_more_failed = run(&["a 1", "skip no number", "b", "c 2", "d"]);
    assert_ne!(answer.digest, one_more_failed.digest);
}

#[test]
fn an_executor_for_another_scorer_is_refused() {
    let mut plan = Plan::new([SAMPLE]);
    plan.executor = ExecutorName::ProcessPool;
    plan.program = Some("no/such/program".into());
    let run = |plan: &Plan, executor: &PlannedExecutor| {
        let opened = plan.open().expect("the sample");
        opened.run_with(executor, RunOptions::default())
    };
    let executor = PlannedExecutor::without_processes(&plan).expect("threads");
    let mut other = plan.clone();
    other.threads = Some(crate::execution::Threads::ONE);
    let error = run(&other, &executor).expect_err("no program");
    assert!(matches!(error, Error::Process { .. }), "{error}");
    other.keep = vec!["product".to_owned()];
    let error = run(&other, &executor).expect_err("another plan");
    assert!(matches!(error, Error::Plan(_)), "{error}");
}

/// A sample is known only when the whole input has been read, so a run that is stopped before has scored nothing.
#[test]
fn a_run_that_is_stopped_while_it_draws_its_sample_has_no_records() {
    let mut plan = Plan::new([SAMPLE]);
    plan.sample = Some(Sampling::new(10));
    let opened = plan.open().expect("the sample");
    let token = Cancel::new();
    token.cancel_with(StopReason::Signal(2));
    let stopped = opened.run(RunOptions::default().cancel(&token));
    let report = stopped.expect("an answer").report;
    assert_eq!((report.records, report.scored), (0, 0));
    assert!(
        matches!(report.end, End::Stopped(StopReason::Signal(2))),
        "{:?}",
        report.end
    );
    // The same plan can be run again, and then uses the sample that it has drawn.
    let answers = [(); 2].map(|()| opened.run(RunOptions::default()).expect("a run"));
    assert!(answers.iter().all(|answer| answer.report.records == 10));
    assert_eq!(answers[0].digest, answers[1].digest);
    let loaded = opened.load().expect("memory");
    assert!(!loaded.is_stream());
    let loaded = loaded.run(RunOptions::default()).expect("a run");
    assert_eq!(loaded.digest, answers[0].digest);
    assert_eq!(loaded.report.value.top, answers[0].report.value.top);
    assert_eq!(loaded.drawing, None);

    plan.deadline = Some(Duration::ZERO);
    let late = plan.open().expect("the sample").run(RunOptions::default());
    let late = late.expect("an answer").report.end;
    assert!(
        matches!(late, End::Stopped(StopReason::Deadline)),
        "{late:?}"
    );
}

#[test]
fn a_stream_in_place_of_the_files_has_a_head_too() {
    let mut plan = Plan::new::<&str>([]);
    plan.head = Some(2);
    let lines = &b"{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n"[..];
    let opened = plan.open_over(TextStream::new("lines", lines));
    let answer = opened.expect("a plan").run(RunOptions::default());
    assert_eq!(answer.expect("a run").report.records, 2);
}
