//! Timelines: which worker was at work when, in one run of a cell.

use super::contest::Warm;
use super::watched::Watched;
use super::why::Timeline;
use crate::error::Error;

/// Gaps below this share of the run are not to be seen.
const VISIBLE: f64 = 1.0 / 1000.0;
/// Of one worker so many spans are enough to see how it fared, and few enough for a page.
const MOST_SPANS: usize = 200;

/// A time at work: from, until.
type Span = (f64, f64);

/// One run more of a cell, with somebody looking on.
pub(super) fn timeline(cell: &Warm<'_>) -> Result<Timeline, Error> {
    let executor = cell.workload.executor();
    let watched = Watched::new(executor);
    let answered = cell.workload.run_on(&watched)?;
    let wall = answered.timing.wall.as_secs_f64();
    let mut workers: Vec<Vec<Span>> = vec![Vec::new(); executor.workers()];
    for portion in watched.into_portions() {
        let span = (portion.from.as_secs_f64(), portion.until.as_secs_f64());
        if let Some(spans) = workers.get_mut(portion.worker) {
            spans.push(span);
        }
    }
    Ok(Timeline {
        executor: cell.executor.clone(),
        threads: cell.threads,
        wall,
        workers: workers
            .into_iter()
            .map(|spans| merge(spans, wall * VISIBLE, MOST_SPANS))
            .collect(),
    })
}

/// Makes one span of neighbours with a gap of no more than `least` between them, and if they are still
/// more than `most`, of those with the narrowest gaps.
fn merge(mut spans: Vec<Span>, least: f64, most: usize) -> Vec<Span> {
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let gaps = |spans: &[Span]| -> Vec<f64> {
        let pairs = spans.windows(2);
        pairs.map(|pair| pair[1].0 - pair[0].1).collect()
    };
    let close = |spans: &[Span], least: f64| {
        let mut merged: Vec<Span> = Vec::new();
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
    let mut widths = gaps(&merged);
    widths.sort_by(|one, other| other.total_cmp(one));
    // The widest gap that goes: there are `most - 1` before it.
    close(&merged, widths[most.max(1) - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_nobody_sees_are_closed() {
        let spans = vec![(0.0, 1.0), (1.0005, 2.0), (2.5, 3.0)];
        assert_eq!(merge(spans, 0.001, 200), [(0.0, 2.0), (2.5, 3.0)]);
        assert_eq!(merge(Vec::new(), 0.001, 200), []);
    }

    #[test]
    fn of_too_many_spans_the_widest_gaps_stay() {
        // Gaps of 1, 2, 3 … between spans of 1.
        let mut at = 0.0;
        let mut spans = Vec::new();
        for gap in 1..=1000 {
            spans.push((at, at + 1.0));
            at += 1.0 + f64::from(gap);
        }
        let merged = merge(spans.clone(), 0.001, 200);
        assert_eq!(merged.len(), 200);
        assert_eq!(merged[0].0, 0.0);
        assert_eq!(merged[199], spans[999]);
        // The narrowest gap that is left is between the first two.
        assert_eq!(merged[1].0 - merged[0].1, 801.0);
        // Equal gaps go together: fewer spans, never more.
        let even: Vec<Span> = (0..1000)
            .map(|n| (f64::from(n), f64::from(n) + 0.5))
            .collect();
        assert_eq!(merge(even, 0.001, 200), [(0.0, 999.5)]);
    }
}
