//! Timelines: when each worker was busy, in one run of a contender.

use std::time::Duration;

use super::analysis::Timeline;
use super::round_results::ReadyContender;
use super::traced_executor::TracedExecutor;
use crate::error::Error;

/// Gaps shorter than this share of the run are closed, because they would not be visible.
const VISIBLE: f64 = 1.0 / 1000.0;
/// Largest number of spans for a worker: enough to see a pattern, and small enough for a page.
const MOST_SPANS: usize = 200;

/// A span of time in which a worker was busy: its beginning and its end, since the start of the run.
type BusySpan = (Duration, Duration);

/// Runs a contender once more and records when its workers are busy.
pub(super) fn timeline(contender: &ReadyContender<'_>) -> Result<Timeline, Error> {
    let executor = contender.runnable.executor();
    let traced = TracedExecutor::new(executor);
    let outcome = contender.runnable.run_on(&traced)?;
    let wall = outcome.timing.wall;
    let mut workers: Vec<Vec<BusySpan>> = vec![Vec::new(); executor.workers()];
    for call in traced.into_calls() {
        let span = (call.from, call.until);
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
            .map(|spans| close_gaps(spans, wall.mul_f64(VISIBLE), MOST_SPANS))
            .collect(),
    })
}

/// Merges neighbours with a gap of at most `least` between them. If more than `most` spans are left,
/// closes the narrowest of the remaining gaps too.
fn close_gaps(mut spans: Vec<BusySpan>, least: Duration, most: usize) -> Vec<BusySpan> {
    spans.sort_by_key(|span| span.0);
    let close = |spans: &[BusySpan], least: Duration| {
        let mut merged: Vec<BusySpan> = Vec::new();
        for &span in spans {
            match merged.last_mut() {
                Some(last) if span.0.saturating_sub(last.1) <= least => last.1 = last.1.max(span.1),
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
    let mut gaps: Vec<Duration> = pairs.map(|pair| pair[1].0 - pair[0].1).collect();
    gaps.sort_by(|one, other| other.cmp(one));
    // `most` spans have `most - 1` gaps between them; the next widest gap is closed.
    close(&merged, gaps[most.max(1) - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A span between these times, in microseconds.
    fn span(from: u64, to: u64) -> BusySpan {
        (Duration::from_micros(from), Duration::from_micros(to))
    }

    const LEAST: Duration = Duration::from_micros(10);

    #[test]
    fn invisible_gaps_are_closed() {
        let spans = vec![span(0, 1000), span(1005, 2000), span(2500, 3000)];
        let closed = [span(0, 2000), span(2500, 3000)];
        assert_eq!(close_gaps(spans, LEAST, 200), closed);
        assert_eq!(close_gaps(Vec::new(), LEAST, 200), []);
    }

    #[test]
    fn too_many_spans_keep_the_widest_gaps() {
        // Spans of 100 µs with gaps of 100, 200, 300 µs and so on between them.
        let mut at = 0;
        let mut spans = Vec::new();
        for gap in 1..=1000 {
            spans.push(span(at, at + 100));
            at += 100 + 100 * gap;
        }
        let merged = close_gaps(spans.clone(), LEAST, 200);
        assert_eq!(merged.len(), 200);
        assert_eq!(merged[0].0, Duration::ZERO);
        assert_eq!(merged[199], spans[999]);
        // The narrowest gap that is left is between the first two.
        assert_eq!(merged[1].0 - merged[0].1, Duration::from_micros(80_100));
        // Gaps of equal width are closed together, so fewer spans than `most` may be left, but never more.
        let even: Vec<BusySpan> = (0..1000).map(|n| span(100 * n, 100 * n + 50)).collect();
        assert_eq!(close_gaps(even, LEAST, 200), [span(0, 99_950)]);
    }
}
