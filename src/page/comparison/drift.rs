//! How steady the times were: every turn beside the median of its cell.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::html;

use super::super::figure::{Figure, legend};
use super::super::marks::{Frame, P, Ticks, axis_x, axis_y, line};
use super::super::numbers::{percent, significant};
use super::super::quoted::plain;
use super::super::scale::Scale;
use super::super::table::Table;
use super::Cast;
use crate::measure::statistics::median;
use crate::measure::{Cell, Comparison};

/// So many turns are drawn at most, in whole rounds.
const TURNS: usize = 1400;
/// A turn further from its median than so many times is drawn at the edge.
const FAR: f64 = 2.0;

pub(super) fn drift<'a>(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'a> {
    let rounds = comparison.settings.rounds.max(1);
    let every = (rounds * comparison.cells.len())
        .div_ceil(cast.most(TURNS))
        .max(1);
    let frame = Frame::new(300.0, 48.0, 12.0);
    let x = Scale::even((0.5, rounds as f64 + 0.5), frame.across());
    let by_round = by_round(comparison);
    let all = by_round.values().flatten();
    let far = all
        .map(|ratio| ratio.max(1.0 / ratio))
        .fold(1.05, f64::max)
        .min(FAR);
    let y = Scale::logarithmic((1.0 / far, far), frame.up());
    let steps: &[f64] = match far {
        far if far < 1.12 => &[0.9, 0.95, 1.0, 1.05, 1.1],
        far if far < 1.3 => &[0.8, 0.9, 1.0, 1.1, 1.2],
        _ => &[0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0],
    };
    let y_ticks: Ticks = steps
        .iter()
        .filter(|step| y.holds(**step))
        .map(|step| (*step, format!("{step:.2}×")))
        .collect();
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let step = steps.into_iter().find(|step| rounds / step <= 10);
    let step = step.unwrap_or(rounds);
    let numbers = (1..=rounds).filter(|round| *round == 1 || round.is_multiple_of(step));
    let numbers: Vec<f64> = numbers.map(|round| round as f64).collect();
    let x_ticks: Ticks = x
        .apart(&numbers, 26.0)
        .into_iter()
        .map(|n| (n, n.to_string()))
        .collect();
    let middle: Vec<(f64, f64)> = by_round
        .iter()
        .map(|(round, ratios)| (x.at(*round as f64 + 1.0), y.at(median(ratios))))
        .collect();
    let many = comparison.cells.len().max(2) as f64 - 1.0;
    let clouds = comparison.cells.iter().enumerate().map(|(place, cell)| {
        // Cells stand side by side within a round, so that their marks do not cover each other.
        let aside = (place as f64 / many - 0.5) * 0.7;
        let mut path = String::new();
        for turn in cell
            .turns
            .iter()
            .filter(|turn| turn.round.is_multiple_of(every))
        {
            let (x, y) = (
                x.at(turn.round as f64 + 1.0 + aside),
                y.at(turn.wall / cell.wall.median),
            );
            let _ = write!(path, "M{} {}h0", P(x), P(y));
        }
        (cast.class(&cell.executor), path)
    });
    let marks = html! {
        (axis_y(frame, y, &y_ticks, "time of a turn over the median of its cell"))
        (axis_x(frame, x, &x_ticks, "round"))
        (line("ideal", &[(frame.left, y.at(1.0)), (frame.right, y.at(1.0))]))
        @for (class, path) in clouds { path.cloud.(class) d=(path) {} }
        (line("middle", &middle))
    };
    let mut table = Table::new(0, ["round", "median of all cells", "least", "most"]);
    for (round, ratios) in by_round.iter() {
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let figures = [median(ratios), least, most].map(|ratio| significant(ratio, 3) + "×");
        table.line([(round + 1).to_string()].into_iter().chain(figures));
    }
    table.keep(cast.most(32));
    let medians: Vec<f64> = by_round.values().map(|ratios| median(ratios)).collect();
    let (least, most) = (
        medians.iter().copied().fold(f64::INFINITY, f64::min),
        medians.iter().copied().fold(0.0, f64::max),
    );
    let base = comparison
        .sequential()
        .map(|cell| ("base".to_owned(), &*cell.executor));
    let names: Vec<String> = cast.names.iter().map(plain).collect();
    let names = names
        .iter()
        .enumerate()
        .map(|(series, name)| (super::super::marks::class(series), name.as_str()));
    Figure {
        id: "drift",
        title: "Drift over the run",
        caption: html! {
            "Line: the median of all cells in a round, between " (percent(least)) " and " (percent(most))
            " of the usual."
            @if every > 1 { " One round in " (every) " is drawn." }
            (legend(base.into_iter().chain(names)))
        },
        description: format!(
            "A mark for each turn of each cell, by round. The median of all cells in a round lies between {} and {} of the usual.",
            percent(least),
            percent(most)
        ),
        height: 300.0,
        marks,
        table,
        open: false,
    }
}

/// In each round, the turns of all cells as multiples of the medians of their cells.
fn by_round(comparison: &Comparison) -> BTreeMap<usize, Vec<f64>> {
    let mut by_round: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let known = |cell: &&Cell| cell.wall.median > 0.0;
    for cell in comparison.cells.iter().filter(known) {
        for turn in &cell.turns {
            by_round
                .entry(turn.round)
                .or_default()
                .push(turn.wall / cell.wall.median);
        }
    }
    by_round
}
