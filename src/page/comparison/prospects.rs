//! Shows the speed-up that more cores would bring, predicted by simulation and by the laws of scaling.

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::document::section;
use super::super::figure::{Figure, described, threads};
use super::super::marks::{PlotArea, class, line, marker};
use super::super::numbers::{percent, significant, time};
use super::super::plot::Plot;
use super::super::quoted::{plain, quoted};
use super::super::scale::Scale;
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::{Comparison, Estimate, Prediction};

/// Height of the drawing, in SVG units.
const HEIGHT: f64 = 320.0;

pub(super) fn prospects(comparison: &Comparison, layout: &PageLayout<'_>) -> Markup {
    let analysis = &comparison.analysis;
    if analysis.predictions.is_empty() && analysis.fits.is_empty() {
        return html! {};
    }
    section(
        "What more cores would bring",
        &html! { "A simulation that hands out the recorded times of the records as each executor does, and laws of scaling that are fitted to the measurements." },
        &html! { div.plots {
            (predictions(&analysis.predictions, layout))
            @if !analysis.fits.is_empty() { (fits(comparison)) }
        } },
    )
}

/// The predictions that are shown for an executor, in ascending order of the number of workers.
struct Forecast<'a> {
    series: usize,
    executor: &'a str,
    predictions: Vec<&'a Prediction>,
}

fn predictions(all: &[Prediction], layout: &PageLayout<'_>) -> Markup {
    let forecasts = forecasts(all, layout);
    let shown = || forecasts.iter().flat_map(|forecast| &forecast.predictions);
    let times = shown()
        .flat_map(|prediction| {
            [
                Some(prediction.ideal),
                prediction.on_this_machine,
                prediction.measured,
            ]
        })
        .flatten();
    let (least, most) = times.fold((f64::INFINITY, 0.0_f64), |(least, most), time| {
        (least.min(time), most.max(time))
    });
    if most <= 0.0 {
        return html! {};
    }
    let workers = shown()
        .map(|prediction| prediction.workers)
        .max()
        .unwrap_or(0);
    let area = PlotArea::new(HEIGHT, 52.0, 112.0);
    let y = Axis::times((least, most), area.up(), 6, "time of a run");
    let plot = Plot::new(area, worker_axis(workers, area), y);
    let figure = Figure {
        id: "predictions",
        title: "Time with more workers",
        caption: html! { "Solid lines: simulation with one core for each worker. Dashed lines: with the losses of this machine. Marks: measured." },
        description: described(
            "Simulated time of a run.",
            shown().map(|prediction| tooltip(prediction)),
        ),
        height: HEIGHT,
        marks: draw(&forecasts, plot),
        table: table(shown(), layout),
        open: false,
    };
    figure.render()
}

fn forecasts<'a>(all: &'a [Prediction], layout: &PageLayout<'a>) -> Vec<Forecast<'a>> {
    let executors = layout.executors.iter().enumerate();
    let forecast = |(series, executor): (usize, &&'a str)| {
        let mut predictions: Vec<_> = all
            .iter()
            .filter(|prediction| prediction.executor == *executor && prediction.ideal > 0.0)
            .collect();
        predictions.sort_by_key(|prediction| prediction.workers);
        // If there are too many predictions, only every n-th one is shown, counted from the end, so that the
        // prediction for the largest number of workers is always shown.
        let every = predictions.len().div_ceil(layout.most(24)).max(1);
        Forecast {
            series,
            executor,
            predictions: predictions.into_iter().rev().step_by(every).rev().collect(),
        }
    };
    executors.map(forecast).collect()
}

/// Makes the logarithmic axis of the numbers of workers, with ticks at powers of two.
fn worker_axis(most: usize, area: PlotArea) -> Axis {
    let powers = (0..=20).map(|power| 2_f64.powi(power));
    let powers: Vec<f64> = powers.filter(|workers| *workers <= most as f64).collect();
    let scale = Scale::logarithmic((1.0, most.max(2) as f64), area.across());
    Axis::new(scale, scale.ticks_at(&powers, 36.0), "workers")
}

fn draw(forecasts: &[Forecast<'_>], mut plot: Plot) -> Markup {
    html! {
        (plot.axes())
        @for Forecast { series, executor, predictions } in forecasts {
            @let class = class(*series);
            @let at = |prediction: &Prediction, seconds: f64| plot.at(prediction.workers as f64, seconds);
            @let ideal: Vec<_> = predictions.iter().map(|prediction| at(prediction, prediction.ideal)).collect();
            @let here: Vec<_> = predictions.iter().filter_map(|prediction| Some(at(prediction, prediction.on_this_machine?))).collect();
            (plot.line(&class, executor, &ideal))
            (line(&format!("law {class}"), &here))
            @for prediction in predictions {
                @if let Some(seconds) = prediction.measured {
                    (marker(*series, plot.at(prediction.workers as f64, seconds), &tooltip(prediction)))
                }
            }
        }
        (plot.labels())
    }
}

fn tooltip(prediction: &Prediction) -> String {
    let measured = prediction.measured.map(time);
    let measured = measured.map_or(String::new(), |time| format!(", measured {time}"));
    let here = prediction.on_this_machine.map(time);
    let here = here.map_or(String::new(), |time| format!(", {time} on this machine"));
    format!(
        "{} on {}: {}{here}{measured}",
        plain(&prediction.executor),
        threads(prediction.workers),
        time(prediction.ideal)
    )
}

fn table<'a>(
    predictions: impl Iterator<Item = &'a &'a Prediction>,
    layout: &PageLayout<'_>,
) -> DataTable {
    let mut table = DataTable::new(
        1,
        [
            "executor",
            "workers",
            "with one core each",
            "on this machine",
            "measured",
            "error",
        ],
    );
    let or_none = |seconds: Option<f64>| seconds.map_or("–".to_owned(), time);
    for prediction in predictions {
        let expected = prediction.on_this_machine.unwrap_or(prediction.ideal);
        let off = prediction
            .measured
            .map_or("–".to_owned(), |took| percent(expected / took - 1.0));
        table.named_line(
            &prediction.executor,
            prediction.workers,
            [
                time(prediction.ideal),
                or_none(prediction.on_this_machine),
                or_none(prediction.measured),
                off,
            ],
        );
    }
    table.keep(layout.most(64));
    table
}

/// Shows the coefficients of the laws of scaling that were fitted to each executor.
fn fits(comparison: &Comparison) -> Markup {
    let fits = &comparison.analysis.fits;
    let mut misleading: Vec<&String> = fits
        .iter()
        .filter_map(|fit| fit.doubtful.as_ref())
        .collect();
    misleading.dedup();
    let measured_to = fits.iter().map(|fit| fit.measured_to).max().unwrap_or(0);
    html! {
        div.panel {
            h3 { "Laws of scaling" }
            p {
                "Amdahl’s law assumes a serial share that more threads cannot shorten. The Universal Scalability Law adds "
                "contention σ, for threads that wait for each other, and coherency κ, for threads that keep shared data "
                "consistent. Because of coherency, more threads are slower beyond some number."
                @if measured_to > 0 { " The laws are fitted to measurements with up to " (threads(measured_to)) "." }
            }
            @if fits.iter().any(|fit| fit.refused.is_none()) { (coefficients(comparison)) }
            @for fit in fits {
                @if let Some(why) = &fit.refused {
                    p.aside { (quoted(&fit.executor)) ": not fitted, " (quoted(why)) "." }
                }
            }
            @for why in misleading { p.aside { "The fits may be misleading: " (quoted(why)) "." } }
        }
    }
}

fn coefficients(comparison: &Comparison) -> DataTable {
    let estimate = |estimate: Option<Estimate>| match estimate {
        Some(Estimate { value, low, high }) => html! {
            (significant(value, 2)) br;
            span.aside { (significant(low, 2)) " to " (significant(high, 2)) }
        },
        None => html! { "–" },
    };
    let mut table = DataTable::new(1, ["executor", "serial share", "σ", "κ", "slower beyond"]);
    let fits = comparison.analysis.fits.iter();
    for fit in fits.filter(|fit| fit.refused.is_none()) {
        let peak = fit.peak.map_or("–".to_owned(), |peak| {
            let beyond = if peak > fit.measured_to as f64 {
                ", extrapolated"
            } else {
                ""
            };
            format!("{} threads{beyond}", significant(peak, 2))
        });
        table.line([
            quoted(&fit.executor),
            estimate(fit.amdahl),
            estimate(fit.contention),
            estimate(fit.coherency),
            html! { (peak) },
        ]);
    }
    table
}
