//! Shows what the threads spent their time on, as a bar for each configuration.

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::configuration_axis::{ConfigurationAxis, MAX_CONFIGURATIONS};
use super::super::figure::{Figure, described, legend, threads};
use super::super::marks::Coord;
use super::super::numbers::percent;
use super::super::quoted::plain;
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::Losses;

/// Smallest share of the time for which a part of a bar has a label.
const LABELLED: f64 = 0.075;

/// Returns the parts of a bar, each with its class, its name, and its share of the time. Useful work comes first, and
/// the losses follow.
fn parts(losses: &Losses) -> [(&'static str, &'static str, f64); 5] {
    let [serial, imbalance, scheduling, machine] = losses.named();
    [
        ("p0", "useful work", losses.useful),
        ("p1", serial.0, serial.1),
        ("p2", imbalance.0, imbalance.1),
        ("p3", scheduling.0, scheduling.1),
        ("p4", machine.0, machine.1),
    ]
}

pub(super) fn losses(losses: &[Losses], layout: &PageLayout<'_>) -> Markup {
    if losses.is_empty() {
        return html! {};
    }
    let shown = &losses[..losses.len().min(MAX_CONFIGURATIONS.min(layout.most(160)))];
    let configuration_axis =
        ConfigurationAxis::new(shown.iter().map(|bar| (&*bar.executor, bar.threads)));
    let area = configuration_axis.area(12.0);
    let x = Axis::shares((area.left, area.right), "share of thread time");
    let marks = html! {
        (configuration_axis.draw())
        g.stack stroke-width="16" {
            @for (bar, y) in shown.iter().zip(configuration_axis.places()) { (stack(bar, y, &x)) }
        }
        (x.draw_below(area))
    };
    let sentence = |bar: &Losses| {
        format!(
            "{} on {}: {}",
            plain(&bar.executor),
            threads(bar.threads),
            tooltip(bar)
        )
    };
    let figure = Figure {
        id: "losses",
        title: "Where the time of the threads went",
        caption: html! {
            "Useful work is the time that sequential takes; the rest is lost."
            (legend(parts(&losses[0]).map(|(class, name, _)| (class.to_owned(), name))))
        },
        description: described("Shares of thread time.", shown.iter().map(sentence)),
        height: configuration_axis.height(),
        marks,
        table: table(losses, layout),
        open: false,
    };
    figure.render()
}

fn table(losses: &[Losses], layout: &PageLayout<'_>) -> DataTable {
    let names = parts(&losses[0]).map(|(_, name, _)| name);
    let head = ["executor", "threads"].into_iter().chain(names);
    let mut table = DataTable::new(1, head);
    for bar in losses {
        let figures = parts(bar).map(|(_, _, share)| percent(share));
        table.named_line(&bar.executor, threads(bar.threads), figures);
    }
    table.keep(layout.most(48));
    table
}

/// Draws the bar of a configuration. A share may be negative, for example if the machine does better with more
/// threads. Such a share has no width.
fn stack(losses: &Losses, y: f64, x: &Axis) -> Markup {
    let parts = parts(losses);
    let all: f64 = parts.iter().map(|(_, _, share)| share.max(0.0)).sum();
    let mut from = 0.0;
    let mut placed = Vec::new();
    for (class, _, share) in parts {
        let width = share.max(0.0) / all.max(1e-9) * 100.0;
        placed.push((class, share, x.at(from), x.at(from + width)));
        from += width;
    }
    html! {
        g {
            title { (tooltip(losses)) }
            @for (class, share, left, right) in placed {
                @if right - left > 1.0 {
                    path.(class) d={ "M" (Coord(left)) " " (Coord(y)) "h" (Coord(right - left - 0.8)) } {}
                    @if share > LABELLED {
                        text.in.mid x=(Coord((left + right) / 2.0)) y=(Coord(y + 4.5)) {
                            (format!("{:.0}", share * 100.0))
                        }
                    }
                }
            }
        }
    }
}

fn tooltip(losses: &Losses) -> String {
    let parts = parts(losses).map(|(_, name, share)| format!("{name} {}", percent(share)));
    parts.join(", ")
}
