//! Shows the largest groups with the intervals of their means, and the groups that differ most from the others.

use std::cmp::Reverse;

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::document::section;
use super::super::figure::{Figure, WIDTH, described};
use super::super::marks::{Coord, PlotArea, marker, shortened, whisker_across};
use super::super::numbers::{count, counted, score, significant};
use super::super::quoted::quoted;
use super::super::scale::Scale;
use super::super::table::DataTable;
use crate::aggregation::MomentSummary;
use crate::plan::{GroupSummary, Plan, Summary, shown_group};

/// Largest number of groups that are shown. If there are more, the largest groups are shown.
const SHOWN: usize = 25;
/// Largest number of groups that are shown in addition on either side of the mean of all records, if not all groups
/// are shown.
const OUTLIERS: usize = 8;
/// Number of standard errors around the mean between which 95 % of a normal distribution lie.
const NORMAL_95: f64 = 1.96;
/// Height of the line of a group in the plot, in SVG units.
const LINE: f64 = 20.0;

type PageGroup<'a> = (String, &'a GroupSummary);

pub(super) fn groups(plan: &Plan, summary: &Summary) -> Markup {
    let Some(groups) = &summary.groups else {
        return html! {};
    };
    let Some((main, all)) = summary.main() else {
        return html! {};
    };
    let all = &all.moments;
    let groups = groups.iter();
    let groups = groups.map(|(name, group)| (shown_group(name), group));
    let mut by_size: Vec<PageGroup<'_>> = groups.collect();
    // Sorting is stable, so groups of the same size stay in the order of their names.
    by_size.sort_by_key(|(_, group)| Reverse(group.moments.count));
    let largest = &by_size[..by_size.len().min(SHOWN)];
    let lead = html! {
        (counted(by_size.len() as u64, "group")) " by " b { (quoted(plan.by.join(", "))) }
        @if by_size.len() > SHOWN { "; the " (SHOWN) " largest are shown" }
        "."
    };
    section(
        "Groups",
        &lead,
        &html! {
            (plot(main, largest, all))
            @if by_size.len() > SHOWN { (outliers(by_size, all)) }
        },
    )
}

/// Shows the groups whose means lie farthest above and below the mean of all records.
fn outliers(mut groups: Vec<PageGroup<'_>>, all: &MomentSummary) -> Markup {
    groups.sort_by(|a, b| standard_errors(b, all).total_cmp(&standard_errors(a, all)));
    let below: Vec<_> = groups.iter().rev().take(OUTLIERS).cloned().collect();
    html! {
        h3 { "Groups that stand out" }
        p.lead {
            "Ranked by how far their mean is from the mean of all, in standard errors, because small groups "
            "are more often extreme by chance."
        }
        div.plots {
            div { h4 { "above" } (table(&groups[..OUTLIERS], all)) }
            div { h4 { "below" } (table(&below, all)) }
        }
    }
}

/// Returns the number of standard errors by which the mean of a group lies above the mean of all records.
fn standard_errors((_, group): &PageGroup<'_>, all: &MomentSummary) -> f64 {
    let moments = &group.moments;
    (moments.mean - all.mean) * (moments.count as f64).sqrt() / all.stddev
}

/// Returns the 95 % interval of the mean of a group, calculated with the normal distribution. Returns `None` for a
/// group of a single record.
fn interval(group: &GroupSummary) -> Option<(f64, f64)> {
    let moments = &group.moments;
    let half = NORMAL_95 * moments.stddev / (moments.count as f64).sqrt();
    half.is_finite()
        .then_some((moments.mean - half, moments.mean + half))
}

fn table(groups: &[PageGroup<'_>], all: &MomentSummary) -> DataTable {
    let mut table = DataTable::new(
        1,
        [
            "group",
            "records",
            "mean",
            "from",
            "to",
            "min",
            "max",
            "std errors",
        ],
    );
    for named in groups {
        let (name, group) = named;
        let (low, high) = interval(group).unzip();
        let errors = Some(standard_errors(named, all)).filter(|errors| errors.is_finite());
        table.named_line(
            name,
            count(group.moments.count),
            [
                score(group.moments.mean),
                score(low),
                score(high),
                score(group.extremes.min.map(|least| least.score)),
                score(group.extremes.max.map(|most| most.score)),
                errors.map_or("–".to_owned(), |errors| significant(errors, 2)),
            ],
        );
    }
    table
}

fn plot(main: &str, groups: &[PageGroup<'_>], all: &MomentSummary) -> Markup {
    let known: Vec<PageGroup<'_>> = groups
        .iter()
        .filter(|(_, group)| group.moments.mean.is_finite())
        .cloned()
        .collect();
    if known.is_empty() {
        return html! {};
    }
    let height = 30.0 + LINE * known.len() as f64 + 48.0;
    let area = PlotArea {
        // This margin is wide enough for the names in the larger letters of a small screen.
        left: 156.0,
        right: WIDTH - 70.0,
        top: 30.0,
        bottom: height - 44.0,
    };
    let x = mean_axis(main, &known, all, area);
    let mean = x.at(all.mean);
    let marks = html! {
        (area.upright("parity", mean))
        text.note.mid x=(Coord(mean)) y=(Coord(area.top - 8.0)) { "all" }
        text.name.end x="478" y=(Coord(area.top - 8.0)) { "records" }
        @for (place, named) in known.iter().enumerate() {
            @let (name, group) = named;
            @let y = area.top + LINE * (place as f64 + 0.5);
            text.tick.end x=(Coord(area.left - 6.0)) y=(Coord(y + 4.5)) { (shortened(name, 15)) }
            @if let Some((low, high)) = interval(group) { (whisker_across("c0", y, (x.at(low), x.at(high)))) }
            (marker(0, (x.at(group.moments.mean), y), &tooltip(named)))
            text.value.end x="478" y=(Coord(y + 4.5)) { (count(group.moments.count)) }
        }
        (x.draw_below(area))
    };
    let figure = Figure {
        id: "groups",
        title: &format!("Mean {main} of each group"),
        caption: html! { "The largest groups, each with its mean and a 95 % interval; the vertical line is the mean of all records." },
        description: described("Mean score of each group.", known.iter().map(tooltip)),
        height,
        marks,
        table: table(groups, all),
        open: true,
    };
    figure.render()
}

/// Makes the axis of the means, whose range contains all intervals.
fn mean_axis(main: &str, groups: &[PageGroup<'_>], all: &MomentSummary, area: PlotArea) -> Axis {
    let ends = groups.iter().flat_map(|(_, group)| {
        let (low, high) = interval(group).unwrap_or((group.moments.mean, group.moments.mean));
        [low, high]
    });
    let (least, most) = ends
        .chain([all.mean])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), end| {
            (least.min(end), most.max(end))
        });
    let margin = (most - least) * 0.04;
    let scale = Scale::even((least - margin, most + margin), area.across());
    Axis::with_ticks(scale, 4, format!("mean {main}"))
}

fn tooltip((name, group): &PageGroup<'_>) -> String {
    format!(
        "{}: mean {} of {}",
        super::plain(name),
        score(group.moments.mean),
        counted(group.moments.count, "record")
    )
}
