//! Shows the times of the configurations relative to an earlier comparison, the baseline.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::configuration_axis::MAX_CONFIGURATIONS;
use super::super::document::section;
use super::super::figure::{Figure, described, threads};
use super::super::numbers::{counted, percent, significant};
use super::super::quoted::{plain, quoted};
use super::super::scale::Scale;
use super::super::table::DataTable;
use super::intervals::{ConfigurationInterval, intervals};
use super::layout::{PageLayout, interval};
use crate::measure::{BaselineComparison, BaselineRatio};

/// Largest ratio of two times that is drawn at its place. A larger ratio, or a ratio below the inverse, is drawn at
/// the edge of the plot.
const MAX_RATIO: f64 = 4.0;

pub(super) fn against(against: &BaselineComparison, layout: &PageLayout<'_>) -> Markup {
    let ratios = against.ratios.iter();
    let slower = ratios.clone().filter(|ratio| ratio.time.low > 1.0).count();
    let faster = ratios.filter(|ratio| ratio.time.high < 1.0).count();
    let lead = html! {
        "Compared with " b { (quoted(&against.name)) } " of " (quoted(&against.began)) ", "
        (counted(against.ratios.len() as u64, "configuration")) ": " (slower) " slower, " (faster) " faster, "
        (against.ratios.len() - slower - faster) " without a detectable difference."
    };
    section(
        "Against the baseline",
        &lead,
        &html! {
            @if !against.changed.is_empty() {
                ul.changed { @for change in &against.changed { li { (quoted(change)) } } }
            }
            @if !against.ratios.is_empty() { (ratio_figure(against, layout)) }
        },
    )
}

fn ratio_figure(against: &BaselineComparison, layout: &PageLayout<'_>) -> Figure<'static> {
    let shown = &against.ratios[..against.ratios.len().min(MAX_CONFIGURATIONS)];
    let configurations: Vec<ConfigurationInterval<'_>> = shown
        .iter()
        .map(|ratio| ConfigurationInterval {
            executor: &ratio.executor,
            threads: ratio.threads,
            value: ratio.time.value,
            low: ratio.time.low,
            high: ratio.time.high,
            least: None,
            shown: significant(ratio.time.value, 3) + "×",
            tooltip: tooltip(ratio),
        })
        .collect();
    let ends = shown
        .iter()
        .flat_map(|ratio| [ratio.time.low, ratio.time.high]);
    let farthest = ends
        .map(|ratio| ratio.max(1.0 / ratio))
        .fold(1.02, f64::max)
        .min(MAX_RATIO);
    let (marks, height) = intervals(&configurations, layout, 64.0, Some(1.0), |area| {
        let range = (area.left + 8.0, area.right - 4.0);
        let scale = Scale::even((2.0 - farthest.min(1.9), farthest), range);
        let name = "time now ÷ time then; further left is faster";
        Axis::with_ticks(scale, 5, name)
    });
    Figure {
        id: "against",
        title: "Time relative to the baseline",
        caption: html! { "Time of each configuration divided by its time in the baseline, with the interval. If the interval includes 1, no difference is detectable." },
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

fn tooltip(ratio: &BaselineRatio) -> String {
    format!(
        "{} on {}: {} times the time ({})",
        plain(&ratio.executor),
        threads(ratio.threads),
        significant(ratio.time.value, 3),
        interval(ratio.time)
    )
}

fn table(against: &BaselineComparison, layout: &PageLayout<'_>) -> DataTable {
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
    for ratio in &against.ratios {
        let finding = match ratio.time {
            time if time.low > 1.0 => "slower",
            time if time.high < 1.0 => "faster",
            _ => "no difference",
        };
        let detectable = match ratio.detectable {
            share if share > 10.0 => "> 1000 %".to_owned(),
            share => percent(share),
        };
        table.named_line(
            &ratio.executor,
            ratio.threads,
            [
                significant(ratio.time.value, 3),
                interval(ratio.time),
                finding.to_owned(),
                detectable,
                ratio
                    .cpu
                    .map_or("–".to_owned(), |cpu| significant(cpu.value, 3)),
            ],
        );
    }
    table.keep(48.min(layout.most(160)));
    table
}
