//! Combines the contents of neighbouring partial answers, apart from their states.

use crate::dataset::shard::ShardExtent;
use crate::plan::partial::{OneShard, PartialAnswer, PartialBody, PlainInput};
use crate::plan::plain_place::PlainPlace;
use crate::plan::summary::PlaceInWhole;
use crate::report::Report;

/// Replaces the index and the place that a record has in its partial answer by those in the whole.
fn renumber(by: PlaceInWhole, index: &mut u64, place: &mut Option<PlainPlace>) {
    if *index < by.first_records
        && let Some(place) = place
    {
        place.line = place.line.saturating_add(by.lines);
    }
    *index += by.records;
}

/// Returns how the records of each partial answer are renumbered. They are in order.
pub(super) fn moves(partials: &[PartialAnswer]) -> Vec<PlaceInWhole> {
    let mut before: Option<ShardExtent> = None;
    let mut records = 0;
    let moves = partials.iter().map(|partial| {
        let extent = &partial.body.extent;
        let found = match before {
            Some(before) if extent.begin.is_inside() => PlaceInWhole {
                records,
                first_records: extent.first_records,
                lines: before.last_lines,
            },
            _ => PlaceInWhole {
                records,
                ..PlaceInWhole::default()
            },
        };
        records += partial.body.records;
        before = Some(match before {
            None => *extent,
            Some(before) => joined(&before, extent),
        });
        found
    });
    moves.collect()
}

/// The extent of two neighbouring shards together.
fn joined(before: &ShardExtent, after: &ShardExtent) -> ShardExtent {
    let is_in_one_file =
        |extent: &ShardExtent| extent.end.is_inside() && extent.begin.file == extent.end.file;
    let mut joined = ShardExtent {
        end: after.end,
        last_lines: after.last_lines,
        ..*before
    };
    if is_in_one_file(before) {
        joined.first_records += after.first_records;
    }
    if is_in_one_file(after) && after.begin.is_inside() {
        joined.last_lines += before.last_lines;
    }
    joined
}

/// Combines the contents of partial answers, which are in order. `moves` are their places in the whole. Returns `None` if
/// there is no partial answer.
pub(super) fn body(partials: &[PartialAnswer], moves: &[PlaceInWhole]) -> Option<PartialBody> {
    let mut bodies = partials.iter().map(|partial| &partial.body).zip(moves);
    let (first, _) = bodies.next()?;
    let mut all = first.clone();
    for (body, by) in bodies {
        add(&mut all, body, *by);
    }
    all.slowest
        .sort_by_key(|slow| (std::cmp::Reverse(slow.time), slow.index));
    all.slowest.truncate(SLOWEST);
    Some(all)
}

/// The number of slowest records that a report has.
const SLOWEST: usize = 5;

/// Adds the contents of the next partial answer.
fn add(all: &mut PartialBody, next: &PartialBody, by: PlaceInWhole) {
    all.last = next.last;
    all.extent = joined(&all.extent, &next.extent);
    let failures = next.failures.iter().map(|failure| {
        let mut failure = failure.clone();
        renumber(by, &mut failure.index, &mut failure.place);
        failure
    });
    all.failures.extend(failures);
    all.failures.truncate(Report::FAILURES_KEPT);
    if next.failed > 0 {
        let is_same = all.failed == 0 || all.kind == next.kind;
        all.kind = next.kind.filter(|_| is_same);
    }
    if next.records > 0 {
        match all.records {
            0 => all.absent.clone_from(&next.absent),
            _ => all.absent.retain(|field| next.absent.contains(field)),
        }
    }
    if all.field_names.is_empty() {
        all.field_names.clone_from(&next.field_names);
    }
    all.records += next.records;
    all.failed += next.failed;
    all.skipped += next.skipped;
    let last = all.inputs.last().map(|input| input.number);
    let is_new = |input: &&PlainInput| last.is_none_or(|last| input.number > last);
    all.inputs
        .extend(next.inputs.iter().filter(is_new).cloned());
    if let Some(pairs) = next.pairs {
        *all.pairs.get_or_insert_default() += pairs;
    }
    match (&mut all.calls, &next.calls) {
        (Some(calls), Some(more)) => calls.add(more),
        (calls @ None, Some(more)) => *calls = Some(more.clone()),
        (_, None) => {}
    }
    for (name, kind) in &next.columns {
        if let Err(place) = all.columns.binary_search_by(|(known, _)| known.cmp(name)) {
            all.columns.insert(place, (name.clone(), kind.clone()));
        }
    }
    all.began = all.began.min(next.began);
    let slowest = next.slowest.iter().map(|slow| {
        let mut slow = slow.clone();
        renumber(by, &mut slow.index, &mut slow.place);
        slow
    });
    all.slowest.extend(slowest);
    let mut before = 0;
    let each = next.each.iter().map(|one| {
        let is_moved = before < by.first_records;
        before += one.records;
        match (&one.first_lines, is_moved) {
            (Some((path, records, lines)), true) => OneShard {
                first_lines: Some((path.clone(), *records, lines + by.lines)),
                ..one.clone()
            },
            _ => one.clone(),
        }
    });
    all.each.extend(each);
}
