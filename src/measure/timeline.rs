//! Timelines: when each worker was busy, in one run of a contender.

use super::analysis::Timeline;
use super::round_results::ReadyContender;
use super::traced_executor::TracedExecutor;
use crate::error::Error;

/// Gaps shorter than this share of the run are closed, because they would not be visible.
const VISIBLE: f64 = 1.0 / 1000.0;
/// Largest number of spans for a worker: enough to see a pattern, and small enough for a page.
const MOST_SPANS: usize = 200;

/// A span of time in which a worker was busy: its beginning and its end, in seconds since the start of the run.
type BusySpan = (f64, f64);

/// Runs a contender once more and records when its workers are busy.
pub(super) fn timeline(contender: &ReadyContender<'_>) -> Result<Timeline, Error> {
    let executor = contender.runnable.executor();
    let traced = TracedExecutor::new(executor);
    let outcome = contender.runnable.run_on(&traced)?;
    let wall = outcome.timing.wall.as_secs_f64();
    let mut workers: Vec<Vec<BusySpan>> = vec![Vec::new(); executor.workers()];
    for call in traced.into_calls() {
        let span = (call.from.as_secs_f64(), call.until.as_secs_f64());
        if let Some(spans) = workers.get_mut(call.worker) {
            spans.push(span);
        }
    }
    Ok(Timeline {
        executor: contender.executor.clone(),
        threads: contender.threads,
        wall,
        workers: workers
            .into_iter()
            .map(|spans| close_gaps(spans, wall * VISIBLE, MOST_SPANS))
            .collect(),
    })
}

/// Merges neighbours with a gap of at most `least` between them. If more than `most` spans are left,
/// closes the narrowest of the remaining gaps too.
fn close_gaps(mut spans: Vec<BusySpan>, least: f64, most: usize) -> Vec<BusySpan> {
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let close = |spans: &[BusySpan], least: f64| {
        let mut merged: Vec<BusySpan> = Vec::new();
        for &span in spans {
            match merged.last_mut() {
                Some(last) if span.0 - last.1 <= least => last.1 = last.1.max(span.1),
                _ => merged.push(span),
            }
        }
        merged
    };
    let merged = close(&spans, least);
    if merged.len() <= most {
        return merged;
    }
    let pairs = merged.windows(2);
    let mut gaps: Vec<f64> = pairs.map(|pair| pair[1].0 - pair[0].1).collect();
    gaps.sort_by(|one, other| other.total_cmp(one));
    // `most` spans have `most - 1` gaps between them; the next widest gap is closed.
    close(&merged, gaps[most.max(1) - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_gaps_are_closed() {
        let spans = vec![(0.0, 1.0), (1.0005, 2.0), (2.5, 3.0)];
        assert_eq!(close_gaps(spans, 0.001, 200), [(0.0, 2.0), (2.5, 3.0)]);
        assert_eq!(close_gaps(Vec::new(), 0.001, 200), []);
    }

    #[test]
    fn too_many_spans_keep_the_widest_gaps() {
        // Spans of length 1 with gaps of 1, 2, 3 and so on between them.
        let mut at = 0.0;
        let mut spans = Vec::new();
        for gap in 1..=1000 {
            spans.push((at, at + 1.0));
            at += 1.0 + f64::from(gap);
        }
        let merged = close_gaps(spans.clone(), 0.001, 200);
        assert_eq!(merged.len(), 200);
        assert_eq!(merged[0].0, 0.0);
        assert_eq!(merged[199], spans[999]);
        // The narrowest gap that is left is between the first two.
        assert_eq!(merged[1].0 - merged[0].1, 801.0);
        // Gaps of equal width are closed together, so fewer spans than `most` may be left, but never more.
        let even: Vec<BusySpan> = (0..1000)
            .map(|n| (f64::from(n), f64::from(n) + 0.5))
            .collect();
        assert_eq!(close_gaps(even, 0.001, 200), [(0.0, 999.5)]);
    }
}
