//! When each worker was at work in a run: a lane for each, and in it the spans of time.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::marks::{Frame, P, Ticks, axis_x};
use super::numbers::{percent, unit_of_time};
use super::scale::{Scale, tick_labels};

/// More workers than this are drawn as so many of them, evenly chosen.
const LANES: usize = 64;
/// About as many spans as are drawn at most, or so many times less.
const SPANS: f64 = 900.0;

/// Of so many workers each tells its share when it is pointed at.
const TOLD: usize = 32;

/// Lanes as they are drawn.
pub(super) struct Lanes {
    /// The number of the worker of each lane, from 0.
    pub(super) shown: Vec<usize>,
    spans: Vec<Vec<(f64, f64)>>,
    wall: f64,
    /// Gaps shorter than this are not drawn.
    pub(super) gap: f64,
    class: String,
}

impl Lanes {
    pub(super) fn new(
        workers: &[Vec<(f64, f64)>],
        wall: f64,
        class: impl Into<String>,
        less: f64,
    ) -> Self {
        let shown: Vec<usize> = if workers.len() <= LANES {
            (0..workers.len()).collect()
        } else {
            (0..LANES)
                .map(|lane| lane * workers.len() / LANES)
                .collect()
        };
        // A gap that is not as wide as a hair cannot be seen; nor is the page to grow with the run.
        let mut gap = wall / 1000.0;
        let mut spans: Vec<Vec<(f64, f64)>>;
        loop {
            spans = shown
                .iter()
                .map(|&worker| joined(&workers[worker], gap))
                .collect();
            let all: usize = spans.iter().map(Vec::len).sum();
            if all as f64 <= SPANS / less || gap >= wall || gap <= 0.0 {
                break;
            }
            gap *= 1.5;
        }
        let class = class.into();
        Lanes {
            shown,
            spans,
            wall,
            gap,
            class,
        }
    }

    fn lane(&self) -> f64 {
        (320.0 / self.shown.len().max(1) as f64).clamp(4.0, 22.0)
    }

    /// How high the drawing is.
    pub(super) fn height(&self) -> f64 {
        30.0 + self.lane() * self.shown.len() as f64 + 44.0
    }

    /// The share of the time of the workers that are drawn in which they were at work.
    pub(super) fn busy(&self) -> f64 {
        let all: f64 = self
            .spans
            .iter()
            .flatten()
            .map(|(from, to)| to - from)
            .sum();
        all / (self.wall * self.shown.len() as f64)
    }

    pub(super) fn draw(&self) -> Markup {
        let frame = Frame::new(self.height(), 36.0, 8.0);
        let across = (frame.left, frame.right);
        let (unit, many) = unit_of_time(self.wall);
        let scale = Scale::even((0.0, self.wall * many), across);
        let ticks = scale.ticks(5);
        let ticks: Ticks = ticks.iter().copied().zip(tick_labels(&ticks)).collect();
        let lane = self.lane();
        let thick = if lane > 8.0 { lane - 4.0 } else { lane - 1.0 };
        let every = (18.0 / lane).ceil() as usize;
        html! {
            text.name x="0" y="14" { "worker" }
            rect.idle x=(P(frame.left)) y=(P(frame.top)) width=(P(frame.right - frame.left))
                height=(P(lane * self.shown.len() as f64)) {}
            @for (place, worker) in self.shown.iter().enumerate().step_by(every) {
                @let y = frame.top + (place as f64 + 0.5) * lane;
                text.tick.end x=(P(frame.left - 8.0)) y=(P(y + 4.5)) { (worker) }
            }
            g.lanes.(self.class) stroke-width=(P(thick)) {
                @for (place, (worker, spans)) in self.shown.iter().zip(&self.spans).enumerate() {
                    @let y = frame.top + (place as f64 + 0.5) * lane;
                    @if !spans.is_empty() {
                        path d=(outline(spans, |at| scale.at(at * many), y)) {
                            @if self.shown.len() <= TOLD {
                                title { "worker " (worker) ": " (percent(share(spans, self.wall))) }
                            }
                        }
                    }
                }
            }
            (axis_x(frame, scale, &ticks, &format!("since the run began, {unit}")))
        }
    }
}

/// Spans side by side, each from where the one before ends: that is the shortest way to write them.
fn outline(spans: &[(f64, f64)], at: impl Fn(f64) -> f64, y: f64) -> String {
    let tenths = |at: f64| (at * 10.0).round() as i64;
    let mut path = String::new();
    let mut last = 0;
    for (from, to) in spans {
        let (from, to) = (tenths(at(*from)), tenths(at(*to)));
        let to = to.max(from + 5);
        if path.is_empty() {
            let _ = write!(path, "M{} {}", P(from as f64 / 10.0), P(y));
        } else {
            let _ = write!(path, "m{} 0", P((from - last) as f64 / 10.0));
        }
        let _ = write!(path, "h{}", P((to - from) as f64 / 10.0));
        last = to;
    }
    path
}

fn share(spans: &[(f64, f64)], wall: f64) -> f64 {
    spans.iter().map(|(from, to)| to - from).sum::<f64>() / wall
}

/// Spans with gaps shorter than this closed.
fn joined(spans: &[(f64, f64)], gap: f64) -> Vec<(f64, f64)> {
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for &(from, to) in spans {
        match joined.last_mut() {
            Some(last) if from - last.1 < gap => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_spans_are_drawn_as_few() {
        let spans = |worker: u32| {
            let span = |n: u32| {
                (
                    f64::from(n * 16),
                    f64::from(n * 16 + 2 + (n * 7 + worker) % 9),
                )
            };
            (0..300).map(span).collect()
        };
        let workers: Vec<Vec<(f64, f64)>> = (0..200).map(spans).collect();
        let lanes = Lanes::new(&workers, 4800.0, "c0", 1.0);
        assert_eq!(lanes.shown.len(), LANES);
        assert!(lanes.gap > 4.8, "{}", lanes.gap);
        assert!(lanes.draw().into_string().len() < 30_000);
        let few = Lanes::new(&workers[..2], 4800.0, "c0", 1.0);
        assert_eq!((few.gap, few.spans[1].len()), (4.8, 300));
    }
}
