//! The times of the cells compared with an earlier comparison, the baseline.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::cell_axis::MAX_CELLS;
use super::super::document::section;
use super::super::figure::{Figure, described, threads};
use super::super::numbers::{counted, percent, significant};
use super::super::quoted::{plain, quoted};
use super::super::scale::Scale;
use super::super::table::DataTable;
use super::intervals::{CellInterval, intervals};
use super::layout::{Layout, interval};
use crate::measure::{BaselineComparison, BaselineRatio};

/// A ratio beyond this, or below its inverse, is drawn at the edge.
const MAX_RATIO: f64 = 4.0;

pub(super) fn against(against: &BaselineComparison, layout: &Layout<'_>) -> Markup {
    let cells = against.ratios.iter();
    let slower = cells.clone().filter(|cell| cell.time.low > 1.0).count();
    let faster = cells.filter(|cell| cell.time.high < 1.0).count();
    let lead = html! {
        "Compared with " b { (quoted(&against.name)) } " of " (quoted(&against.began)) ", "
        (counted(against.ratios.len() as u64, "cell")) ": " (slower) " slower, " (faster) " faster, "
        (against.ratios.len() - slower - faster) " without a detectable difference."
    };
    section(
        "Against the baseline",
        &lead,
        &html! {
            @if !against.changed.is_empty() {
                ul.changed { @for change in &against.changed { li { (quoted(change)) } } }
            }
            @if !against.ratios.is_empty() { (ratios(against, layout)) }
        },
    )
}

fn ratios(against: &BaselineComparison, layout: &Layout<'_>) -> Figure<'static> {
    let shown = &against.ratios[..against.ratios.len().min(MAX_CELLS)];
    let cells: Vec<CellInterval<'_>> = shown
        .iter()
        .map(|cell| CellInterval {
            executor: &cell.executor,
            threads: cell.threads,
            value: cell.time.value,
            low: cell.time.low,
            high: cell.time.high,
            least: None,
            shown: significant(cell.time.value, 3) + "×",
            tooltip: tooltip(cell),
        })
        .collect();
    let ends = shown
        .iter()
        .flat_map(|cell| [cell.time.low, cell.time.high]);
    let farthest = ends
        .map(|ratio| ratio.max(1.0 / ratio))
        .fold(1.02, f64::max)
        .min(MAX_RATIO);
    let (marks, height) = intervals(&cells, layout, 64.0, Some(1.0), |area| {
        let range = (area.left + 8.0, area.right - 4.0);
        let scale = Scale::even((2.0 - farthest.min(1.9), farthest), range);
        let name = "time now ÷ time then; further left is faster";
        Axis::with_ticks(scale, 5, name)
    });
    Figure {
        id: "against",
        title: "Time relative to the baseline",
        caption: html! { "Time of each cell divided by its time in the baseline, with the interval. If the interval includes 1, no difference is detectable." },
        description: described(
            "Time now divided by the time in the baseline.",
            shown.iter().map(tooltip),
        ),
        height,
        marks,
        table: table(against, layout),
        open: true,
    }
}

fn tooltip(cell: &BaselineRatio) -> String {
    format!(
        "{} on {}: {} times the time ({})",
        plain(&cell.executor),
        threads(cell.threads),
        significant(cell.time.value, 3),
        interval(cell.time)
    )
}

fn table(against: &BaselineComparison, layout: &Layout<'_>) -> DataTable {
    let mut table = DataTable::new(
        1,
        [
            "executor",
            "threads",
            "ratio",
            "interval",
            "finding",
            "detectable from",
            "CPU ratio",
        ],
    );
    for cell in &against.ratios {
        let finding = match cell.time {
            time if time.low > 1.0 => "slower",
            time if time.high < 1.0 => "faster",
            _ => "no difference",
        };
        let detectable = match cell.detectable {
            share if share > 10.0 => "> 1000 %".to_owned(),
            share => percent(share),
        };
        table.named_line(
            &cell.executor,
            cell.threads,
            [
                significant(cell.time.value, 3),
                interval(cell.time),
                finding.to_owned(),
                detectable,
                cell.cpu
                    .map_or("–".to_owned(), |cpu| significant(cpu.value, 3)),
            ],
        );
    }
    table.keep(48.min(layout.most(160)));
    table
}
