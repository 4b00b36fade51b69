//! Shows the measured time of every turn, or of as many turns as fit on the page.

use std::time::Duration;

use maud::{Markup, html};

use super::super::numbers::{counted, significant, unit_of_time};
use super::super::quoted::{plain, quoted};
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::{Comparison, Measurement, Turn};

/// Largest number of figures that are shown in both tables together.
const FIGURES: usize = 2700;

pub(super) fn turns(comparison: &Comparison, layout: &PageLayout<'_>) -> Markup {
    let figures = layout.most(FIGURES);
    let (measurements, rounds) = (comparison.measurements.len(), comparison.settings.rounds);
    let shown = rounds.min(figures / 2 / measurements.max(1)).max(1);
    let measurements = &comparison.measurements[..measurements.min(figures / 2)];
    let medians = measurements
        .iter()
        .map(|measurement| measurement.wall.median);
    let (unit, per_second) = unit_of_time(medians.fold(0.0, f64::max));
    let has_cpu = measurements
        .iter()
        .any(|measurement| measurement.cpu.is_some());
    html! {
        details.data {
            summary { "Time of a run in each turn, " (unit) }
            (table(measurements, shown, per_second, |turn| Some(turn.wall)))
        }
        @if has_cpu {
            details.data {
                summary { "Processor time of a run in each turn, " (unit) }
                (table(measurements, shown, per_second, |turn| turn.cpu))
            }
        }
        p.aside {
            "One column for each round."
            @if shown < rounds { " Only the first " (counted(shown as u64, "round")) " are shown." }
            " " code { "bench --json" } " prints all rounds, with the order of the turns in each round and the "
            "number of runs of each turn."
        }
    }
}

/// Makes a table of one time for each configuration and each round. `time` returns this time for a turn.
fn table(
    measurements: &[Measurement],
    rounds: usize,
    per_second: f64,
    time: impl Fn(&Turn) -> Option<Duration>,
) -> DataTable {
    let rounds = 0..rounds;
    let head = ["configuration".to_owned()]
        .into_iter()
        .chain(rounds.clone().map(|round| (round + 1).to_string()));
    let mut table = DataTable::new(1, head);
    for measurement in measurements {
        let name = html! { (quoted(plain(&measurement.executor))) " " (measurement.threads) };
        let figures = rounds.clone().map(|round| {
            let turn = measurement.turns.iter().find(|turn| turn.round == round);
            let seconds = turn.and_then(&time).map(|time| time.as_secs_f64());
            let figure = seconds.map(|seconds| significant(seconds * per_second, 4));
            html! { (figure.unwrap_or("–".to_owned())) }
        });
        table.line([name].into_iter().chain(figures));
    }
    table
}
