//! What more cores would bring: by simulation, and by the laws of scaling.

use maud::{Markup, Render as _, html};

use super::super::document::section;
use super::super::figure::{Figure, described, threads};
use super::super::marks::{Frame, Labels, Ticks, axis_x, axis_y, class, line, marker};
use super::super::numbers::{percent, significant, time};
use super::super::quoted::{plain, quoted};
use super::super::scale::{self, Scale};
use super::super::table::Table;
use super::Cast;
use crate::measure::{Comparison, Estimate, Prediction};

pub(super) fn prospects(comparison: &Comparison, cast: &Cast<'_>) -> Markup {
    let why = &comparison.why;
    if why.predictions.is_empty() && why.fits.is_empty() {
        return html! {};
    }
    section(
        "What more cores would bring",
        &html! { "The recorded times of the records, handed out in simulation as each executor does it; and the laws of scaling that the measurements follow." },
        &html! { div.plots {
            (predictions(&why.predictions, cast))
            @if !why.fits.is_empty() { (fits(comparison)) }
        } },
    )
}

fn predictions(all: &[Prediction], cast: &Cast<'_>) -> Markup {
    let of = |name: &str| -> Vec<&Prediction> {
        let mut these: Vec<_> = all
            .iter()
            .filter(|one| one.executor == name && one.ideal > 0.0)
            .collect();
        these.sort_by_key(|one| one.workers);
        let every = these.len().div_ceil(cast.most(24)).max(1);
        these.into_iter().rev().step_by(every).rev().collect()
    };
    let series: Vec<_> = cast
        .names
        .iter()
        .enumerate()
        .map(|(series, name)| (series, *name, of(name)))
        .collect();
    let shown = || series.iter().flat_map(|(_, _, these)| these);
    let times = shown()
        .flat_map(|one| [Some(one.ideal), one.here, one.measured])
        .flatten();
    let (least, most) = times.fold((f64::INFINITY, 0.0_f64), |(least, most), time| {
        (least.min(time), most.max(time))
    });
    let to = shown().map(|one| one.workers).max().unwrap_or(0);
    if most <= 0.0 {
        return html! {};
    }
    let frame = Frame::new(320.0, 52.0, 112.0);
    let x = Scale::logarithmic((1.0, to.max(2) as f64), frame.across());
    let (y, y_ticks, unit) = scale::times((least, most), frame.up(), 6);
    let name = match unit {
        "" => "time of a run".to_owned(),
        unit => format!("time of a run, {unit}"),
    };
    let powers: Vec<f64> = (0..=20)
        .map(|power| 2_f64.powi(power))
        .filter(|n| *n <= to as f64)
        .collect();
    let x_ticks: Ticks = x
        .apart(&powers, 36.0)
        .into_iter()
        .map(|n| (n, n.to_string()))
        .collect();
    let at = |workers: usize, seconds: f64| (x.at(workers as f64), y.at(seconds));
    let mut labels = Labels::default();
    let lines: Vec<_> = series
        .iter()
        .map(|(series, name, these)| {
            let ideal: Vec<_> = these.iter().map(|one| at(one.workers, one.ideal)).collect();
            let here: Vec<_> = these
                .iter()
                .filter_map(|one| Some(at(one.workers, one.here?)))
                .collect();
            if let Some(end) = ideal.last() {
                labels.add(*end, class(*series), name);
            }
            (*series, ideal, here, these)
        })
        .collect();
    let told = |one: &Prediction| {
        let measured = one
            .measured
            .map_or(String::new(), |took| format!(", measured {}", time(took)));
        let here = one.here.map_or(String::new(), |here| {
            format!(", {} on this machine", time(here))
        });
        format!(
            "{} on {}: {}{here}{measured}",
            plain(&one.executor),
            threads(one.workers),
            time(one.ideal)
        )
    };
    let marks = html! {
        (axis_y(frame, y, &y_ticks, &name))
        (axis_x(frame, x, &x_ticks, "workers"))
        @for (series, ideal, here, these) in &lines {
            (line(&class(*series), ideal))
            (line(&format!("law {}", class(*series)), here))
            @for one in these.iter() {
                @if let Some(took) = one.measured { (marker(*series, at(one.workers, took), &told(one))) }
            }
        }
        (labels.draw(frame))
    };
    let mut table = Table::new(
        1,
        [
            "executor",
            "workers",
            "on as many cores",
            "on this machine",
            "measured",
            "off by",
        ],
    );
    for one in shown() {
        let or_none = |seconds: Option<f64>| seconds.map_or("–".to_owned(), time);
        let expected = one.here.unwrap_or(one.ideal);
        let off = one
            .measured
            .map_or("–".to_owned(), |took| percent(expected / took - 1.0));
        table.line([
            quoted(&one.executor),
            html! { (one.workers) },
            html! { (time(one.ideal)) },
            html! { (or_none(one.here)) },
            html! { (or_none(one.measured)) },
            html! { (off) },
        ]);
    }
    table.keep(cast.most(64));
    let figure = Figure {
        id: "predictions",
        title: "Time with more workers",
        caption: html! { "Lines: in simulation on as many cores as workers; dashed: with what this machine loses. Marks: measured." },
        description: described(
            "The time of a run by simulation.",
            shown().map(|one| told(one)),
        ),
        height: 320.0,
        marks,
        table,
        open: false,
    };
    figure.render()
}

/// The coefficients of the laws.
fn fits(comparison: &Comparison) -> Markup {
    let estimate = |estimate: Option<Estimate>| match estimate {
        Some(Estimate { value, low, high }) => html! {
            (significant(value, 2)) br;
            span.aside { (significant(low, 2)) " to " (significant(high, 2)) }
        },
        None => html! { "–" },
    };
    let fits = &comparison.why.fits;
    let mut table = Table::new(1, ["executor", "serial share", "σ", "κ", "slower beyond"]);
    for fit in fits.iter().filter(|fit| fit.refused.is_none()) {
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
                "Amdahl’s law has a serial share that no number of threads makes shorter. The Universal
                Scalability Law adds what threads cost each other: contention σ, for waiting, and coherency κ,
                for agreeing, which makes more threads slower from some number on."
                @if measured_to > 0 { " Fitted to what was measured up to " (threads(measured_to)) "." }
            }
            @if fits.iter().any(|fit| fit.refused.is_none()) { (table) }
            @for fit in fits {
                @if let Some(why) = &fit.refused {
                    p.aside { (quoted(&fit.executor)) ": not fitted, " (quoted(why)) "." }
                }
            }
            @for why in misleading { p.aside { "These may mislead: " (quoted(why)) "." } }
        }
    }
}
