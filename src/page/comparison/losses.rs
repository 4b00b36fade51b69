//! Where the threads' time went, as a bar for each cell.

use maud::{Markup, html};

use super::super::figure::{Figure, described, legend, threads};
use super::super::ladder::{Ladder, MOST};
use super::super::marks::{Frame, P, Ticks, axis_x};
use super::super::numbers::percent;
use super::super::quoted::{plain, quoted};
use super::super::scale::Scale;
use super::super::table::Table;
use super::Cast;
use crate::measure::Losses;

/// A share narrower than this has no number in it.
const LABELLED: f64 = 0.075;

/// What the time went into, each with its class: what is useful first, then the losses.
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

pub(super) fn losses(losses: &[Losses], cast: &Cast<'_>) -> Markup {
    if losses.is_empty() {
        return html! {};
    }
    let shown = &losses[..losses.len().min(MOST.min(cast.most(160)))];
    let ladder = Ladder::new(8.0, shown.iter().map(|one| (&*one.executor, one.threads)));
    let frame = Frame {
        left: Ladder::LEFT,
        right: Ladder::right(12.0),
        top: ladder.top(),
        bottom: ladder.bottom() + 4.0,
    };
    let scale = Scale::even((0.0, 100.0), (frame.left, frame.right));
    let ticks: Ticks = [0.0, 25.0, 50.0, 75.0, 100.0]
        .map(|value| (value, format!("{value:.0} %")))
        .into();
    let marks = html! {
        (ladder.draw())
        g.stack stroke-width="16" {
            @for (one, y) in shown.iter().zip(ladder.places()) { (stack(one, y, scale)) }
        }
        (axis_x(frame, scale, &ticks, "share of threads × time"))
    };
    let mut table = Table::new(
        1,
        [
            "executor",
            "threads",
            "useful work",
            "what one thread does alone",
            "imbalance",
            "scheduling",
            "the machine",
        ],
    );
    for one in losses {
        let figures = parts(one).map(|(_, _, share)| html! { (percent(share)) });
        let name = [quoted(&one.executor), html! { (threads(one.threads)) }];
        table.line(name.into_iter().chain(figures));
    }
    table.keep(cast.most(48));
    let told = |one: &Losses| {
        format!(
            "{} on {}: {}",
            plain(&one.executor),
            threads(one.threads),
            told(one)
        )
    };
    let figure = Figure {
        id: "losses",
        title: "Where the time of the threads went",
        caption: html! {
            "Useful is what sequential takes; the rest is lost."
            (legend(parts(&losses[0]).map(|(class, name, _)| (class.to_owned(), name))))
        },
        description: described("Shares of threads × time.", shown.iter().map(told)),
        height: ladder.bottom() + 50.0,
        marks,
        table,
        open: false,
    };
    html! { (figure) }
}

/// The parts of one cell side by side. What is less than nothing, as a machine that does better with more
/// threads would be, takes no room.
fn stack(losses: &Losses, y: f64, scale: Scale) -> Markup {
    let parts = parts(losses);
    let all: f64 = parts.iter().map(|(_, _, share)| share.max(0.0)).sum();
    let mut from = 0.0;
    let mut placed = Vec::new();
    for (class, _, share) in parts {
        let wide = share.max(0.0) / all.max(1e-9) * 100.0;
        placed.push((class, share, scale.at(from), scale.at(from + wide)));
        from += wide;
    }
    html! {
        g {
            title { (told(losses)) }
            @for (class, share, left, right) in placed {
                @if right - left > 1.0 {
                    path.(class) d={ "M" (P(left)) " " (P(y)) "h" (P(right - left - 0.8)) } {}
                    @if share > LABELLED {
                        text.in.mid x=(P((left + right) / 2.0)) y=(P(y + 4.5)) {
                            (format!("{:.0}", share * 100.0))
                        }
                    }
                }
            }
        }
    }
}

fn told(losses: &Losses) -> String {
    let parts = parts(losses).map(|(_, name, share)| format!("{name} {}", percent(share)));
    parts.join(", ")
}
