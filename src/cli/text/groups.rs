//! Formats the groups of a run: the largest groups, and the groups that differ most from the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use indicatif::HumanCount;
use manyhands::aggregation::MomentSummary;
use manyhands::plan::{GroupName, GroupSummary, shown_group};

use super::cells::{finish, number, readable, table, wrapped};
use super::{ASIDE, heading};

/// Largest number of groups for which a single table shows all groups.
const ALL_SHOWN: usize = 12;
/// Number of groups in each table, if there are more than [`ALL_SHOWN`] groups.
const SHOWN: usize = 5;

type GroupLine<'a> = (&'a GroupName, &'a GroupSummary);

/// Formats the groups as tables. If there are few groups, all are shown, and otherwise the largest and the most
/// unusual groups.
///
/// A small group has an extreme mean by chance more often than a large one, so groups are ranked by the
/// distance of their mean from the mean of all records, in standard errors.
pub(super) fn tables(
    by: &str,
    score: &str,
    groups: &BTreeMap<GroupName, GroupSummary>,
    all: &MomentSummary,
) -> String {
    let by = &readable(by);
    let mut largest: Vec<_> = groups.iter().collect();
    // Sorting is stable, so groups of equal size stay in the order of their names.
    largest.sort_by_key(|(_, group)| Reverse(group.moments.count));
    let in_all = match groups.len() {
        1 => "1 group".to_owned(),
        several => format!("{} groups", HumanCount(several as u64)),
    };
    if groups.len() <= ALL_SHOWN {
        let text = heading(&format!("{score} by {by}, {in_all}"));
        return text + &lines(by, &largest, all) + &legend();
    }
    let mut text = heading(&format!("{score} by {by}, {in_all}: the largest"));
    text += &lines(by, &largest[..SHOWN], all);
    largest.sort_by(|one, other| errors(other, all).total_cmp(&errors(one, all)));
    text += &heading("furthest above the mean of all records");
    text += &lines(by, &largest[..SHOWN], all);
    largest.reverse();
    text += &heading("furthest below the mean of all records");
    text + &lines(by, &largest[..SHOWN], all) + &legend()
}

fn legend() -> String {
    let errors = "std errors: distance of the mean from that of all records, in standard errors";
    wrapped(errors, ASIDE)
}

/// Returns the number of standard errors by which the mean of a group lies above the mean of all records.
fn errors((_, group): &GroupLine<'_>, all: &MomentSummary) -> f64 {
    let moments = &group.moments;
    (moments.mean - all.mean) * (moments.count as f64).sqrt() / all.stddev
}

fn lines(by: &str, groups: &[GroupLine<'_>], all: &MomentSummary) -> String {
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

/// Returns the name of a group as reports show it. A name without visible characters is shown in quotes, because the
/// reader could not see it otherwise.
fn shown(name: &GroupName) -> String {
    let name = shown_group(name);
    match readable(&name) {
        invisible if invisible.is_empty() => format!("{name:?}"),
        visible => visible,
    }
}
