//! Every turn as it was measured, as far as a page has room.

use maud::{Markup, html};

use super::super::numbers::{counted, significant, unit_of_time};
use super::super::quoted::{plain, quoted};
use super::super::table::Table;
use super::Cast;
use crate::measure::{Cell, Comparison, Turn};

/// So many figures there is room for.
const FIGURES: usize = 2700;

pub(super) fn turns(comparison: &Comparison, cast: &Cast<'_>) -> Markup {
    let room = cast.most(FIGURES);
    let (cells, rounds) = (comparison.cells.len(), comparison.settings.rounds);
    let told = rounds.min(room / 2 / cells.max(1)).max(1);
    let cells = &comparison.cells[..cells.min(room / 2)];
    let left_out = match rounds - told.min(rounds) {
        0 => String::new(),
        more => format!(
            " There is room for {} only; {more} more are in what `bench --json` prints.",
            counted(told as u64, "round")
        ),
    };
    let most = cells.iter().map(|cell| cell.wall.median);
    let (unit, many) = unit_of_time(most.fold(0.0, f64::max));
    let has_cpu = cells.iter().any(|cell| cell.cpu.is_some());
    html! {
        details.data {
            summary { "Time of a run in each turn, " (unit) }
            (table(cells, told, many, |turn| Some(turn.wall)))
        }
        @if has_cpu {
            details.data {
                summary { "Processor time of a run in each turn, " (unit) }
                (table(cells, told, many, |turn| turn.cpu))
            }
        }
        p.aside {
            "Rounds from left to right." (left_out) " The order of the turns within a round, and how many runs "
            "each was, are in " code { "bench --json" } " too."
        }
    }
}

fn table(cells: &[Cell], rounds: usize, many: f64, of: impl Fn(&Turn) -> Option<f64>) -> Table {
    let rounds = 0..rounds;
    let head = ["cell".to_owned()]
        .into_iter()
        .chain(rounds.clone().map(|round| (round + 1).to_string()));
    let mut table = Table::new(1, head);
    for cell in cells {
        let name = html! { (quoted(plain(&cell.executor))) " " (cell.threads) };
        let figures = rounds.clone().map(|round| {
            let turn = cell.turns.iter().find(|turn| turn.round == round);
            let seconds = turn.and_then(&of);
            html! { (seconds.map_or("–".to_owned(), |seconds| significant(seconds * many, 4))) }
        });
        table.line([name].into_iter().chain(figures));
    }
    table
}
