//! Shows when each worker was busy in a run. Each worker has a lane with its busy spans of time.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::Axis;
use super::marks::{Coord, PlotArea};
use super::numbers::{percent, unit_of_time};
use super::scale::Scale;

/// Largest number of lanes that are drawn. If there are more workers, lanes are drawn for workers at regular
/// intervals.
const MAX_LANES: usize = 64;
/// Largest number of spans that are drawn on a page with enough room. Other pages divide this number by `shrink`.
const MAX_SPANS: f64 = 900.0;
/// Largest number of lanes for which each lane has a tooltip with the share of the time in which its worker was busy.
const MAX_TOOLTIPS: usize = 32;

/// A drawing with a lane for each worker of a run.
pub(super) struct Gantt {
    /// For each lane, the number of its worker, counted from 0.
    pub(super) shown: Vec<usize>,
    /// For each lane, the start and the end of each span of time in which its worker was busy, in seconds.
    spans: Vec<Vec<(f64, f64)>>,
    /// Duration of the run, in seconds.
    wall: f64,
    /// Gaps shorter than this time, in seconds, are not drawn.
    pub(super) gap: f64,
    class: String,
}

impl Gantt {
    /// Makes the lanes. `workers` contains for each worker the start and the end of its busy spans, in seconds since
    /// the run began.
    ///
    /// The largest number of spans that are drawn is divided by `shrink`.
    pub(super) fn new(
        workers: &[Vec<(f64, f64)>],
        wall: f64,
        class: impl Into<String>,
        shrink: f64,
    ) -> Self {
        let shown: Vec<usize> = if workers.len() <= MAX_LANES {
            (0..workers.len()).collect()
        } else {
            (0..MAX_LANES)
                .map(|lane| lane * workers.len() / MAX_LANES)
                .collect()
        };
        // Gaps shorter than a thousandth of the run cannot be seen and are closed. Then longer gaps are closed too,
        // until there are few enough spans, so that a longer run does not make the page larger.
        let mut gap = wall / 1000.0;
        let mut spans: Vec<Vec<(f64, f64)>>;
        loop {
            spans = shown
                .iter()
                .map(|&worker| joined(&workers[worker], gap))
                .collect();
            let drawn: usize = spans.iter().map(Vec::len).sum();
            if drawn as f64 <= MAX_SPANS / shrink || gap >= wall || gap <= 0.0 {
                break;
            }
            gap *= 1.5;
        }
        Gantt {
            shown,
            spans,
            wall,
            gap,
            class: class.into(),
        }
    }

    /// Returns the height of a lane, in SVG units.
    fn lane(&self) -> f64 {
        (320.0 / self.shown.len().max(1) as f64).clamp(4.0, 22.0)
    }

    /// Returns the height of the drawing, in SVG units.
    pub(super) fn height(&self) -> f64 {
        30.0 + self.lane() * self.shown.len() as f64 + 44.0
    }

    /// Returns the share of the time in which the workers that are shown were busy.
    pub(super) fn busy(&self) -> f64 {
        let at_work: f64 = self
            .spans
            .iter()
            .flatten()
            .map(|(from, to)| to - from)
            .sum();
        at_work / (self.wall * self.shown.len() as f64)
    }

    pub(super) fn draw(&self) -> Markup {
        let area = PlotArea::new(self.height(), 36.0, 8.0);
        let (unit, per_second) = unit_of_time(self.wall);
        let scale = Scale::even((0.0, self.wall * per_second), (area.left, area.right));
        let x = Axis::with_ticks(scale, 5, format!("time since the run began, {unit}"));
        let lane = self.lane();
        let thickness = if lane > 8.0 { lane - 4.0 } else { lane - 1.0 };
        let numbered = (18.0 / lane).ceil() as usize;
        html! {
            text.name x="0" y="14" { "worker" }
            rect.idle x=(Coord(area.left)) y=(Coord(area.top)) width=(Coord(area.right - area.left))
                height=(Coord(lane * self.shown.len() as f64)) {}
            @for (place, worker) in self.shown.iter().enumerate().step_by(numbered) {
                @let y = area.top + (place as f64 + 0.5) * lane;
                text.tick.end x=(Coord(area.left - 8.0)) y=(Coord(y + 4.5)) { (worker) }
            }
            g.lanes.(self.class) stroke-width=(Coord(thickness)) {
                @for (place, (worker, spans)) in self.shown.iter().zip(&self.spans).enumerate() {
                    @let y = area.top + (place as f64 + 0.5) * lane;
                    @if !spans.is_empty() {
                        path d=(outline(spans, |at| scale.at(at * per_second), y)) {
                            @if self.shown.len() <= MAX_TOOLTIPS {
                                title { "worker " (worker) ": " (percent(share(spans, self.wall))) }
                            }
                        }
                    }
                }
            }
            (x.draw_below(area))
        }
    }
}

/// Returns the path of a lane. The start of each span is written relative to the end of the span before it, which
/// takes the fewest bytes.
fn outline(spans: &[(f64, f64)], at: impl Fn(f64) -> f64, y: f64) -> String {
    let tenths = |at: f64| (at * 10.0).round() as i64;
    let mut path = String::new();
    let mut last = 0;
    for (from, to) in spans {
        let (from, to) = (tenths(at(*from)), tenths(at(*to)));
        let to = to.max(from + 5);
        if path.is_empty() {
            let _ = write!(path, "M{} {}", Coord(from as f64 / 10.0), Coord(y));
        } else {
            let _ = write!(path, "m{} 0", Coord((from - last) as f64 / 10.0));
        }
        let _ = write!(path, "h{}", Coord((to - from) as f64 / 10.0));
        last = to;
    }
    path
}

/// Returns the share of a run's time that the spans cover.
fn share(spans: &[(f64, f64)], wall: f64) -> f64 {
    spans.iter().map(|(from, to)| to - from).sum::<f64>() / wall
}

/// Joins spans that are separated by gaps shorter than `gap`.
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
    fn many_spans_are_joined_into_few() {
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
        let gantt = Gantt::new(&workers, 4800.0, "c0", 1.0);
        assert_eq!(gantt.shown.len(), MAX_LANES);
        assert!(gantt.gap > 4.8, "{}", gantt.gap);
        assert!(gantt.draw().into_string().len() < 30_000);
        let small = Gantt::new(&workers[..2], 4800.0, "c0", 1.0);
        assert_eq!((small.gap, small.spans[1].len()), (4.8, 300));
    }
}
