//! The groups: the largest with the intervals of their means, and those that differ most from the rest.

use std::cmp::Reverse;

use maud::{Markup, Render as _, html};

use super::super::document::section;
use super::super::figure::{Figure, WIDTH, described};
use super::super::marks::{Frame, P, Ticks, axis_x, marker, shortened, whisker_across};
use super::super::numbers::{count, counted, score, significant};
use super::super::quoted::quoted;
use super::super::scale::{Scale, tick_labels};
use super::super::table::Table;
use crate::aggregation::MomentSummary;
use crate::plan::{GroupSummary, Plan, Summary};

/// So many groups are shown, the largest.
const SHOWN: usize = 25;
/// And of more so many that stand out on either side.
const STAND_OUT: usize = 8;
/// The normal distribution has 95 % within so many standard errors of its mean.
const NORMAL_95: f64 = 1.96;

type Entry<'a> = (&'a String, &'a GroupSummary);

pub(super) fn groups(plan: &Plan, summary: &Summary) -> Markup {
    let (Some(by), Some(groups)) = (&plan.by, &summary.groups) else {
        return html! {};
    };
    let main = plan.scorer.columns()[plan.scorer.main()].name;
    let Some(all) = summary.scores.get(main).map(|described| &described.moments) else {
        return html! {};
    };
    let mut entries: Vec<Entry<'_>> = groups.iter().collect();
    // Sorting is stable: equals stay in the order of their names.
    entries.sort_by_key(|(_, group)| Reverse(group.moments.count));
    let largest = &entries[..entries.len().min(SHOWN)];
    let lead = html! {
        (counted(groups.len() as u64, "group")) " by " b { (quoted(by)) }
        @if groups.len() > SHOWN { "; the " (SHOWN) " largest are shown" }
        "."
    };
    let mut standing = entries.clone();
    standing.sort_by(|one, other| errors(other, all).total_cmp(&errors(one, all)));
    section(
        "Groups",
        &lead,
        &html! {
            (plot(main, largest, all))
            @if entries.len() > SHOWN {
                h3 { "Groups that stand out" }
                p.lead {
                    "By how many standard errors their mean lies from that of all: a small group is extreme
                    by chance more easily."
                }
                div.plots {
                    div { h4 { "above" } (table(&standing[..STAND_OUT], all)) }
                    @let below: Vec<_> = standing.iter().rev().take(STAND_OUT).copied().collect();
                    div { h4 { "below" } (table(&below, all)) }
                }
            }
        },
    )
}

/// How many standard errors the mean of a group lies above the mean of all.
fn errors((_, group): &Entry<'_>, all: &MomentSummary) -> f64 {
    let moments = &group.moments;
    (moments.mean - all.mean) * (moments.count as f64).sqrt() / all.stddev
}

/// The interval of the mean of a group, taken for normal; none of a single record.
fn interval(group: &GroupSummary) -> Option<(f64, f64)> {
    let moments = &group.moments;
    let half = NORMAL_95 * moments.stddev / (moments.count as f64).sqrt();
    half.is_finite()
        .then_some((moments.mean - half, moments.mean + half))
}

fn table(groups: &[Entry<'_>], all: &MomentSummary) -> Table {
    let mut table = Table::new(
        1,
        [
            "group",
            "records",
            "mean",
            "from",
            "to",
            "least",
            "most",
            "std errors",
        ],
    );
    for entry in groups {
        let (name, group) = entry;
        let (low, high) = interval(group).unzip();
        let errors = Some(errors(entry, all)).filter(|errors| errors.is_finite());
        let figures = [
            count(group.moments.count),
            score(group.moments.mean),
            score(low),
            score(high),
            score(group.extremes.min.map(|least| least.score)),
            score(group.extremes.max.map(|most| most.score)),
            errors.map_or("–".to_owned(), |errors| significant(errors, 2)),
        ];
        let name = quoted(name);
        table.line(
            [name]
                .into_iter()
                .chain(figures.map(|figure| figure.render())),
        );
    }
    table
}

fn plot(main: &str, groups: &[Entry<'_>], all: &MomentSummary) -> Markup {
    const LINE: f64 = 20.0;
    let known: Vec<_> = groups
        .iter()
        .filter(|(_, group)| group.moments.mean.is_finite())
        .collect();
    if known.is_empty() {
        return html! {};
    }
    let height = 30.0 + LINE * known.len() as f64 + 48.0;
    let frame = Frame {
        // As much as the letters of a small screen need.
        left: 156.0,
        right: WIDTH - 70.0,
        top: 30.0,
        bottom: height - 44.0,
    };
    let ends = known.iter().flat_map(|(_, group)| {
        let (low, high) = interval(group).unwrap_or((group.moments.mean, group.moments.mean));
        [low, high]
    });
    let (least, most) = ends
        .chain([all.mean])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), end| {
            (least.min(end), most.max(end))
        });
    let aside = (most - least) * 0.04;
    let x = Scale::even((least - aside, most + aside), frame.across());
    let ticks = x.ticks(4);
    let ticks: Ticks = ticks.iter().copied().zip(tick_labels(&ticks)).collect();
    let told = |(name, group): &Entry<'_>| {
        format!(
            "{}: mean {} of {}",
            super::plain(name),
            score(group.moments.mean),
            counted(group.moments.count, "record")
        )
    };
    let mean = x.at(all.mean);
    let marks = html! {
        path.parity d={ "M" (P(mean)) " " (P(frame.top)) "V" (P(frame.bottom)) } {}
        text.note.mid x=(P(mean)) y=(P(frame.top - 8.0)) { "all" }
        text.name.end x="478" y=(P(frame.top - 8.0)) { "records" }
        @for (place, entry) in known.iter().enumerate() {
            @let (name, group) = **entry;
            @let y = frame.top + LINE * (place as f64 + 0.5);
            text.tick.end x=(P(frame.left - 6.0)) y=(P(y + 4.5)) { (shortened(name, 15)) }
            @if let Some((low, high)) = interval(group) { (whisker_across("c0", y, (x.at(low), x.at(high)))) }
            (marker(0, (x.at(group.moments.mean), y), &told(&(name, group))))
            text.value.end x="478" y=(P(y + 4.5)) { (count(group.moments.count)) }
        }
        (axis_x(frame, x, &ticks, &format!("mean {main}")))
    };
    let figure = Figure {
        id: "groups",
        title: &format!("Mean {main} of each group"),
        caption: html! { "Largest first, each with the 95 % interval of its mean; the line is the mean of all." },
        description: described("Means of groups.", known.iter().map(|entry| told(entry))),
        height,
        marks,
        table: table(groups, all),
        open: true,
    };
    figure.render()
}
