//! Shows how steady the times were, by drawing every turn relative to the median of its configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::figure::{Figure, legend};
use super::super::marks::{self, Coord, PlotArea, line};
use super::super::numbers::{percent, significant};
use super::super::plot::Plot;
use super::super::quoted::plain;
use super::super::scale::{Scale, Ticks};
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::statistics::median;
use crate::measure::{Comparison, Measurement};

/// Largest number of turns that are drawn. Rounds are drawn completely or not at all.
const TURNS: usize = 1400;
/// Largest ratio of a turn's time to the median that is drawn at its place. A larger ratio, or a ratio below the
/// inverse, is drawn at the edge of the plot.
const MAX_RATIO: f64 = 2.0;
/// Height of the drawing, in SVG units.
const HEIGHT: f64 = 300.0;

/// The times of the turns by round. Each time is divided by the median of its configuration.
type Rounds = BTreeMap<usize, Vec<f64>>;

pub(super) fn drift(comparison: &Comparison, layout: &PageLayout<'_>) -> Figure<'static> {
    let turns = comparison.settings.rounds.max(1) * comparison.measurements.len();
    let every = turns.div_ceil(layout.most(TURNS)).max(1);
    let rounds = rounds(comparison);
    let medians: Vec<f64> = rounds.values().map(|ratios| median(ratios)).collect();
    let (least, most) = (least(&medians), most(&medians));
    let base = comparison
        .sequential()
        .map(|measurement| ("base".to_owned(), &*measurement.executor));
    let names: Vec<String> = layout.executors.iter().map(plain).collect();
    let series = names
        .iter()
        .enumerate()
        .map(|(series, name)| (marks::class(series), name.as_str()));
    Figure {
        id: "drift",
        title: "Drift over the run",
        caption: html! {
            "Each dot is a turn, relative to the median of its configuration. The line is the median over all configurations of a round, "
            "between " (percent(least)) " and " (percent(most)) "."
            @if every > 1 { " One round in " (every) " is drawn." }
            (legend(base.into_iter().chain(series)))
        },
        description: format!(
            "A dot for each turn of each configuration, relative to the median of its configuration, by round. The median over all configurations of a round is between {} and {}.",
            percent(least),
            percent(most)
        ),
        height: HEIGHT,
        marks: draw(comparison, layout, &rounds, every),
        table: table(&rounds, layout),
        open: false,
    }
}

fn draw(comparison: &Comparison, layout: &PageLayout<'_>, rounds: &Rounds, every: usize) -> Markup {
    let area = PlotArea::new(HEIGHT, 48.0, 12.0);
    let number = comparison.settings.rounds.max(1);
    let plot = Plot::new(area, round_axis(number, area), ratio_axis(rounds, area));
    let medians: Vec<(f64, f64)> = rounds
        .iter()
        .map(|(round, ratios)| plot.at(*round as f64 + 1.0, median(ratios)))
        .collect();
    html! {
        (plot.axes())
        (plot.level("ideal", 1.0))
        @for (class, path) in clouds(comparison, layout, &plot, every) { path.cloud.(class) d=(path) {} }
        (line("middle", &medians))
    }
}

/// Returns for each configuration the class of its colour, and a path with a dot for each turn. Only the turns of
/// every `every`-th round are drawn.
fn clouds(
    comparison: &Comparison,
    layout: &PageLayout<'_>,
    plot: &Plot,
    every: usize,
) -> Vec<(String, String)> {
    let last = comparison.measurements.len().max(2) as f64 - 1.0;
    let cloud = |(index, measurement): (usize, &Measurement)| {
        // In each round, the dots of each configuration are shifted by a different distance, so that they do not
        // cover each other.
        let shift = (index as f64 / last - 0.5) * 0.7;
        let mut path = String::new();
        for turn in &measurement.turns {
            if turn.round.is_multiple_of(every) {
                let ratio = turn.wall.as_secs_f64() / measurement.wall.median;
                let (x, y) = plot.at(turn.round as f64 + 1.0 + shift, ratio);
                let _ = write!(path, "M{} {}h0", Coord(x), Coord(y));
            }
        }
        (layout.class(&measurement.executor), path)
    };
    comparison
        .measurements
        .iter()
        .enumerate()
        .map(cloud)
        .collect()
}

/// Makes the axis of the rounds, which are counted from 1.
fn round_axis(rounds: usize, area: PlotArea) -> Axis {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let step = steps.into_iter().find(|step| rounds / step <= 10);
    let step = step.unwrap_or(rounds);
    let numbers = (1..=rounds).filter(|round| *round == 1 || round.is_multiple_of(step));
    let numbers: Vec<f64> = numbers.map(|round| round as f64).collect();
    let scale = Scale::even((0.5, rounds as f64 + 0.5), area.across());
    Axis::new(scale, scale.ticks_at(&numbers, 26.0), "round")
}

/// Makes the axis of the ratios, which is logarithmic and symmetrical around 1.
fn ratio_axis(rounds: &Rounds, area: PlotArea) -> Axis {
    let ratios = rounds.values().flatten();
    let farthest = ratios
        .map(|ratio| ratio.max(1.0 / ratio))
        .fold(1.05, f64::max)
        .min(MAX_RATIO);
    let scale = Scale::logarithmic((1.0 / farthest, farthest), area.up());
    let steps: &[f64] = match farthest {
        ratio if ratio < 1.12 => &[0.9, 0.95, 1.0, 1.05, 1.1],
        ratio if ratio < 1.3 => &[0.8, 0.9, 1.0, 1.1, 1.2],
        _ => &[0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0],
    };
    let ticks: Ticks = steps
        .iter()
        .filter(|step| scale.contains(**step))
        .map(|step| (*step, format!("{step:.2}×")))
        .collect();
    Axis::new(scale, ticks, "time of a turn ÷ median of its configuration")
}

fn table(rounds: &Rounds, layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(0, ["round", "median of all configurations", "min", "max"]);
    for (round, ratios) in rounds {
        let figures = [median(ratios), least(ratios), most(ratios)];
        let figures = figures.map(|ratio| significant(ratio, 3) + "×");
        table.line([(round + 1).to_string()].into_iter().chain(figures));
    }
    table.keep(layout.most(32));
    table
}

fn rounds(comparison: &Comparison) -> Rounds {
    let mut rounds = Rounds::new();
    let measured = |measurement: &&Measurement| measurement.wall.median > 0.0;
    for measurement in comparison.measurements.iter().filter(measured) {
        for turn in &measurement.turns {
            let ratio = turn.wall.as_secs_f64() / measurement.wall.median;
            rounds.entry(turn.round).or_default().push(ratio);
        }
    }
    rounds
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
