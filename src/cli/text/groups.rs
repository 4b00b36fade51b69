//! The groups of a run: the largest, and those that differ most from the rest.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use manyhands::aggregation::MomentSummary;
use manyhands::plan::GroupSummary;

use super::{finish, heading, number, readable, table};

/// How many groups each table shows at most.
const SHOWN: usize = 5;

type Entry<'a> = (&'a String, &'a GroupSummary);

/// The groups as tables: the largest first, then those furthest above and below the mean.
///
/// A small group is extreme by chance more easily than a large one, so groups are ranked by how
/// many standard errors their mean lies from the mean of all.
pub(super) fn tables(
    by: &str,
    score: &str,
    groups: &BTreeMap<String, GroupSummary>,
    all: &MomentSummary,
) -> String {
    let surprise = |(_, group): &Entry<'_>| {
        let moments = &group.moments;
        (moments.mean - all.mean) * (moments.count as f64).sqrt()
    };
    let mut largest: Vec<_> = groups.iter().collect();
    // Sorting is stable: equals stay in the order of their names.
    largest.sort_by_key(|(_, group)| std::cmp::Reverse(group.moments.count));
    let mut extreme = largest.clone();
    extreme.sort_by(|one, other| surprise(other).total_cmp(&surprise(one)));
    let above = extreme
        .iter()
        .filter(|entry| surprise(entry) > 0.0)
        .copied();
    let below = extreme
        .iter()
        .rev()
        .filter(|entry| surprise(entry) < 0.0)
        .copied();

    let by = &readable(by);
    let groups_in_all = match groups.len() {
        1 => "1 group".to_owned(),
        several => format!("{} groups", HumanCount(several as u64)),
    };
    let mut text = heading(&format!("{score} by {by}, {groups_in_all}: the largest"));
    text += &lines(by, largest.iter().copied());
    if groups.len() > SHOWN {
        text += &heading("furthest above the mean, for their size");
        text += &lines(by, above);
        text += &heading("furthest below the mean, for their size");
        text += &lines(by, below);
    }
    text
}

fn lines<'a>(by: &str, groups: impl Iterator<Item = Entry<'a>>) -> String {
    let mut table = table([by, "records", "mean", "std dev", "min", "max"]);
    for (name, group) in groups.take(SHOWN) {
        let mut line = comfy_table::Row::from([
            shown(name),
            HumanCount(group.moments.count).to_string(),
            number(group.moments.mean),
            number(group.moments.stddev),
            number(group.extremes.min.map(|least| least.score)),
            number(group.extremes.max.map(|most| most.score)),
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
