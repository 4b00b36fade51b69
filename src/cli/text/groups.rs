//! The groups of a run: the largest, and those that differ most from the rest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use indicatif::HumanCount;
use manyhands::aggregation::MomentSummary;
use manyhands::plan::GroupSummary;

use super::{finish, heading, number, readable, table};

/// How many groups are shown in one table, all of them.
const FEW: usize = 12;
/// How many groups each table shows of more.
const SHOWN: usize = 5;

type NamedGroup<'a> = (&'a String, &'a GroupSummary);

/// The groups as tables: all if they are few, else the largest, and those that stand out.
///
/// A small group is extreme by chance more easily than a large one, so what stands out is ranked by
/// how many standard errors the mean of the group lies from the mean of all.
pub(super) fn tables(
    by: &str,
    score: &str,
    groups: &BTreeMap<String, GroupSummary>,
    all: &MomentSummary,
) -> String {
    let by = &readable(by);
    let mut largest: Vec<_> = groups.iter().collect();
    // Sorting is stable: equals stay in the order of their names.
    largest.sort_by_key(|(_, group)| Reverse(group.moments.count));
    let in_all = match groups.len() {
        1 => "1 group".to_owned(),
        several => format!("{} groups", HumanCount(several as u64)),
    };
    if groups.len() <= FEW {
        let text = heading(&format!("{score} by {by}, {in_all}"));
        return text + &lines(by, &largest, all);
    }
    let mut text = heading(&format!("{score} by {by}, {in_all}: the largest"));
    text += &lines(by, &largest[..SHOWN], all);
    largest.sort_by(|one, other| errors(other, all).total_cmp(&errors(one, all)));
    text += &heading("that stand out above the mean of all");
    text += &lines(by, &largest[..SHOWN], all);
    largest.reverse();
    text += &heading("that stand out below it");
    text + &lines(by, &largest[..SHOWN], all)
}

/// How many standard errors the mean of a group lies above the mean of all.
fn errors((_, group): &NamedGroup<'_>, all: &MomentSummary) -> f64 {
    let moments = &group.moments;
    (moments.mean - all.mean) * (moments.count as f64).sqrt() / all.stddev
}

fn lines(by: &str, groups: &[NamedGroup<'_>], all: &MomentSummary) -> String {
    let mut table = table([by, "records", "mean", "min", "max", "std errors"]);
    for entry in groups {
        let (name, group) = entry;
        let mut line = comfy_table::Row::from([
            shown(name),
            HumanCount(group.moments.count).to_string(),
            number(group.moments.mean),
            number(group.extremes.min.map(|least| least.score)),
            number(group.extremes.max.map(|most| most.score)),
            Some(errors(entry, all))
                .filter(|errors| errors.is_finite())
                .map_or("-".to_owned(), |errors| format!("{errors:+.1}")),
        ]);
        line.max_height(1);
        table.add_row(line);
    }
    finish(table)
}

/// A name as it is shown: one that nobody could see is at least known to be there.
fn shown(name: &str) -> String {
    match readable(name) {
        invisible if invisible.is_empty() => format!("{name:?}"),
        visible => visible,
    }
}
