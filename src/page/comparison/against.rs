//! The cells beside those of an earlier comparison.

use maud::{Markup, html};

use super::super::document::section;
use super::super::figure::{Figure, described, threads};
use super::super::ladder::{Ladder, MOST};
use super::super::marks::{Frame, P, Ticks, axis_x, marker, whisker_across};
use super::super::numbers::{percent, significant};
use super::super::quoted::{plain, quoted};
use super::super::scale::{Scale, tick_labels};
use super::super::table::Table;
use super::{Cast, interval};
use crate::measure::{Against, Ratio};

pub(super) fn against(against: &Against, cast: &Cast<'_>) -> Markup {
    let slower = against
        .cells
        .iter()
        .filter(|cell| cell.time.low > 1.0)
        .count();
    let faster = against
        .cells
        .iter()
        .filter(|cell| cell.time.high < 1.0)
        .count();
    let lead = html! {
        "Beside " b { (quoted(&against.name)) } " of " (quoted(&against.began)) ": of "
        (against.cells.len()) " cells " (slower) " are slower now, " (faster)
        " faster, and of the others no difference was detected."
    };
    section(
        "Against the baseline",
        &lead,
        &html! {
            @if !against.changed.is_empty() {
                ul.changed { @for change in &against.changed { li { (quoted(change)) } } }
            }
            @if !against.cells.is_empty() { (ratios(against, cast)) }
        },
    )
}

fn ratios<'a>(against: &Against, cast: &Cast<'_>) -> Figure<'a> {
    let cells = &against.cells[..against.cells.len().min(MOST)];
    let ladder = Ladder::new(
        8.0,
        cells.iter().map(|cell| (&*cell.executor, cell.threads)),
    );
    let frame = Frame {
        left: Ladder::LEFT,
        right: Ladder::right(64.0),
        top: ladder.top(),
        bottom: ladder.bottom() + 4.0,
    };
    let ends = cells
        .iter()
        .flat_map(|cell| [cell.time.low, cell.time.high]);
    let far = ends
        .map(|ratio| ratio.max(1.0 / ratio))
        .fold(1.02, f64::max)
        .min(4.0);
    let scale = Scale::even(
        (2.0 - far.min(1.9), far),
        (frame.left + 8.0, frame.right - 4.0),
    );
    let ticks = scale.ticks(5);
    let ticks: Ticks = ticks.iter().copied().zip(tick_labels(&ticks)).collect();
    let told = |cell: &Ratio| {
        format!(
            "{} on {}: {} times the time ({})",
            plain(&cell.executor),
            threads(cell.threads),
            significant(cell.time.value, 3),
            interval(cell.time)
        )
    };
    let marks = html! {
        @for (value, _) in &ticks {
            path.grid d={ "M" (P(scale.at(*value))) " " (P(frame.top)) "V" (P(frame.bottom)) } {}
        }
        path.parity d={ "M" (P(scale.at(1.0))) " " (P(frame.top)) "V" (P(frame.bottom)) } {}
        (ladder.draw())
        @for (cell, y) in cells.iter().zip(ladder.places()) {
            (whisker_across(&cast.class(&cell.executor), y, (scale.at(cell.time.low), scale.at(cell.time.high))))
            @match cast.series(&cell.executor) {
                Some(series) => (marker(series, (scale.at(cell.time.value), y), &told(cell))),
                None => circle.mark.base cx=(P(scale.at(cell.time.value))) cy=(P(y)) r="4.5" { title { (told(cell)) } },
            }
            text.value x=(P(frame.right + 8.0)) y=(P(y + 4.5)) { (significant(cell.time.value, 3)) "×" }
        }
        (axis_x(frame, scale, &ticks, "time now, as a multiple of then: left is faster"))
    };
    let mut table = Table::new(
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
    for cell in &against.cells {
        let finding = match cell.time {
            time if time.low > 1.0 => "slower",
            time if time.high < 1.0 => "faster",
            _ => "no difference",
        };
        table.line([
            quoted(&cell.executor),
            html! { (cell.threads) },
            html! { (significant(cell.time.value, 3)) },
            html! { (interval(cell.time)) },
            html! { (finding) },
            html! { @if cell.detectable > 10.0 { "> 1000 %" } @else { (percent(cell.detectable)) } },
            html! { (cell.cpu.map_or("–".to_owned(), |cpu| significant(cpu.value, 3))) },
        ]);
    }
    table.keep(48.min(cast.most(160)));
    Figure {
        id: "against",
        title: "Now and then",
        caption: html! { "Time of each cell as a multiple of that of the baseline, with its interval. An interval across 1 is no detectable difference." },
        description: described("Time now as a multiple of then.", cells.iter().map(told)),
        height: ladder.bottom() + 50.0,
        marks,
        table,
        open: true,
    }
}
