//! This made-up comparison is for a large machine. It has several executors, many threads, scaling laws, predictions
//! and a baseline.

use std::time::Duration;

use manyhands::measure::{
    BaselineComparison, BaselineRatio, Bound, Ceiling, Comparison, Cost, Estimate, Fit, FitPoint,
    Losses, Measurement, Options, Prediction, RecordTimes, Spread, Timeline, Turn, compare,
};
use manyhands::prelude::*;

/// Time that `sequential` takes, in seconds.
const WORK: f64 = 1.91;

/// Executors, each with the contention and the coherency of its scaling law.
const EXECUTORS: [(&str, f64, f64); 3] = [
    ("work-stealing", 0.012, 0.00004),
    ("task-queue", 0.018, 0.00009),
    ("process-pool", 0.04, 0.00002),
];

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn estimate(value: f64, width: f64) -> Estimate {
    let mut estimate = Estimate::default();
    (estimate.value, estimate.low, estimate.high) =
        (value, value * (1.0 - width), value * (1.0 + width));
    estimate
}

/// Returns the speed-up that the Universal Scalability Law predicts.
fn law(threads: f64, contention: f64, coherency: f64) -> f64 {
    threads / (1.0 + contention * (threads - 1.0) + coherency * threads * (threads - 1.0))
}

fn measurement(
    executor: &str,
    threads: usize,
    gain: f64,
    rounds: usize,
    random: &mut fastrand::Rng,
) -> Measurement {
    let mut measurement = Measurement::default();
    measurement.executor = executor.to_owned();
    measurement.threads = threads;
    let median = WORK / gain;
    measurement.turns = (0..rounds)
        .map(|round| {
            let mut turn = Turn::default();
            let slow = 1.0 + 0.04 * (round as f64 / 3.0).sin() + 0.05 * random.f64() * random.f64();
            (turn.round, turn.position, turn.runs) = (round, random.usize(..20), 1);
            (turn.wall, turn.cpu) = (seconds(median * slow), Some(seconds(WORK * slow * 1.1)));
            turn
        })
        .collect();
    let mut wall = Spread::default();
    (wall.median, wall.low, wall.high) = (median, median * 0.98, median * 1.03);
    (wall.minimum, wall.maximum) = (median * 0.95, median * 1.2);
    measurement.wall = wall;
    let mut cpu = wall;
    cpu.median = WORK * 1.1;
    measurement.cpu = Some(cpu);
    (measurement.cold.start, measurement.cold.first_run) =
        (seconds(0.0004 * threads as f64), seconds(median * 1.3));
    measurement.speed_up = estimate(gain, 0.04);
    measurement.efficiency = estimate(gain / threads as f64, 0.04);
    measurement.records_per_second = 1e6 / median;
    measurement.bytes_per_second = Some(4.1e8 / median);
    measurement
}

pub fn comparison(levels: &[usize], rounds: usize) -> Comparison {
    let options = Options::default()
        .rounds(1)
        .least_turn(std::time::Duration::ZERO);
    let measured = compare(&[1_u64, 2, 3], |n: &u64| *n, &[&Sequential], &options);
    let mut whole = measured.expect("a comparison");
    let mut random = fastrand::Rng::with_seed(7);
    whole.began = "2026-11-22T17:36:08Z".to_owned();
    whole.took = seconds(512.0);
    whole.workload.name = "sentiment over reviews.jsonl".to_owned();
    whole.workload.records = 1_000_000;
    whole.workload.failed = 12;
    whole.workload.bytes = Some(412_000_000);
    whole.workload.loading = Some(seconds(0.31));
    whole.workload.digest = "2e6def2c9f3b351666b9f5be48c8963c".to_owned();
    whole.settings.rounds = rounds;
    whole.machine.cpu = Some("AMD EPYC 9554 64-Core Processor".to_owned());
    whole.warnings =
        vec!["the load was 3.20 over the last minute: others may use the cores too".to_owned()];
    whole.measurements = vec![measurement("sequential", 1, 1.0, rounds, &mut random)];
    for (executor, contention, coherency) in EXECUTORS {
        for &threads in levels {
            let gain = law(threads as f64, contention, coherency) * 0.99;
            whole
                .measurements
                .push(measurement(executor, threads, gain, rounds, &mut random));
        }
    }
    whole.costs = EXECUTORS
        .iter()
        .map(|(executor, ..)| {
            let mut cost = Cost::default();
            cost.executor = (*executor).to_owned();
            cost.threads = (*executor != "process-pool").then_some(2);
            cost
        })
        .collect();
    explain(&mut whole, levels, &mut random);
    let mut against = BaselineComparison::default();
    against.name = "main-2026-11-20".to_owned();
    against.began = "2026-11-20T09:12:40Z".to_owned();
    against.changed = vec!["the kernel was 6.1.0-18, it is 6.1.0-21 now".to_owned()];
    against.ratios = whole
        .measurements
        .iter()
        .map(|measurement| {
            let mut ratio = BaselineRatio::default();
            (ratio.executor, ratio.threads) = (measurement.executor.clone(), measurement.threads);
            ratio.time = estimate(0.97 + 0.08 * random.f64(), 0.02);
            ratio.detectable = 0.021;
            ratio
        })
        .collect();
    whole.baseline = Some(against);
    whole
}

fn explain(whole: &mut Comparison, levels: &[usize], random: &mut fastrand::Rng) {
    let why = &mut whole.analysis;
    *why = Default::default();
    for (kernel, reach) in [("arithmetic", 0.0005), ("memory", 0.03), ("copies", 0.004)] {
        for &threads in levels {
            let mut ceiling = Ceiling::default();
            (ceiling.kernel, ceiling.threads) = (kernel.to_owned(), threads);
            ceiling.speed_up = estimate(law(threads as f64, reach, 0.0), 0.02);
            why.ceilings.push(ceiling);
        }
    }
    let mut records = RecordTimes::default();
    (records.work, records.span, records.serial) = (WORK, 0.0004, 0.002);
    (records.longest, records.measured) = (733_201, 31_000);
    records.slowest_hundredth = 0.062;
    records.histogram = (0..26)
        .map(|bin| {
            let bin = f64::from(bin);
            let count = 2.2e5 * (-(bin - 9.0).powi(2) / 18.0).exp();
            (1e-7 * 2_f64.powf(bin / 2.0), count.ceil() as u64)
        })
        .collect();
    why.records = Some(records);
    for &threads in levels {
        let mut bound = Bound::default();
        (bound.threads, bound.speed_up) = (threads, (threads as f64).min(900.0) * 0.995);
        (bound.least, bound.greedy) = (WORK / bound.speed_up, WORK / threads as f64 + 0.0004);
        why.bounds.push(bound);
    }
    for (executor, contention, coherency) in EXECUTORS {
        for &threads in levels {
            let useful = law(threads as f64, contention, coherency) / threads as f64;
            let mut losses = Losses::default();
            (losses.executor, losses.threads) = (executor.to_owned(), threads);
            (losses.useful, losses.serial) = (useful, (1.0 - useful) * 0.1);
            (losses.imbalance, losses.scheduling) = ((1.0 - useful) * 0.2, (1.0 - useful) * 0.3);
            losses.machine = 1.0 - useful - losses.serial - losses.imbalance - losses.scheduling;
            why.losses.push(losses);
            why.timelines.push(timeline(executor, threads, random));
        }
        let beyond = [128, 256, 512, 1024].into_iter();
        for workers in levels.iter().copied().chain(beyond) {
            let gain = law(workers as f64, contention, coherency);
            let measured = levels.contains(&workers);
            let mut prediction = Prediction::default();
            (prediction.executor, prediction.workers) = (executor.to_owned(), workers);
            prediction.ideal = WORK / workers as f64 + WORK * contention / 30.0;
            prediction.on_this_machine = measured.then_some(WORK / gain * 1.02);
            prediction.measured = measured.then_some(WORK / gain);
            why.predictions.push(prediction);
        }
        let mut fit = Fit::default();
        fit.executor = executor.to_owned();
        if levels.len() < 6 {
            fit.refused = Some("fewer than six numbers of threads".to_owned());
        } else {
            fit.measured_to = levels[levels.len() - 1];
            fit.amdahl = Some(estimate(contention * 1.1, 0.2));
            fit.contention = Some(estimate(contention, 0.2));
            fit.coherency = Some(estimate(coherency, 0.4));
            fit.peak = Some(((1.0 - contention) / coherency).sqrt());
            let top = fit.measured_to * 4;
            let steps = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n <= top);
            fit.curve = steps
                .map(|threads| {
                    let mut point = FitPoint::default();
                    point.threads = threads;
                    point.extrapolated = threads > fit.measured_to;
                    let width = if point.extrapolated { 0.12 } else { 0.04 };
                    point.speed_up = estimate(law(threads as f64, contention, coherency), width);
                    point
                })
                .collect();
        }
        why.fits.push(fit);
    }
}

fn timeline(executor: &str, threads: usize, random: &mut fastrand::Rng) -> Timeline {
    let mut timeline = Timeline::default();
    (timeline.executor, timeline.threads) = (executor.to_owned(), threads);
    timeline.wall = seconds(0.04);
    timeline.workers = (0..threads)
        .map(|worker| {
            let mut at = 0.0002 * (worker as f64).sqrt();
            let mut spans = Vec::new();
            while at < 0.037 {
                let until = at + 0.003 + 0.004 * random.f64();
                spans.push((seconds(at), seconds(until.min(0.0395))));
                at = until + 0.0004 * random.f64();
            }
            spans
        })
        .collect();
    timeline
}
