//! Checks that partial answers are those of one dataset, and that together they cover a range of it without a gap.

use std::collections::HashMap;

use serde_json::Value;

use crate::dataset::shard::{ShardEdge, ShardStart};
use crate::error::Error;
use crate::plan::partial::{PartialAnswer, PartialBody, shards_text};

/// The largest number of missing shards that a message names.
const NAMED: usize = 10;

/// Returns the partial answers in the order of their shards, each shard once.
///
/// # Errors
///
/// Returns [`Error::Merge`] if they do not fit together.
pub(super) fn in_order(mut partials: Vec<PartialAnswer>) -> Result<Vec<PartialAnswer>, Error> {
    partials.sort_by_key(|partial| (partial.body.first, partial.body.last));
    if let Some((first, others)) = partials.split_first() {
        for other in others {
            check_same_dataset(first, other)?;
        }
    }
    check_columns(&partials)?;
    let mut ordered: Vec<PartialAnswer> = Vec::with_capacity(partials.len());
    for partial in partials {
        let Some(before) = ordered.last_mut() else {
            ordered.push(partial);
            continue;
        };
        let is_same = before.body.ends() == partial.body.ends();
        if is_same {
            check_same_result(before, &partial)?;
            for (one, two) in before.body.each.iter_mut().zip(partial.body.each) {
                one.scores = one.scores.or(two.scores);
                one.failures = one.failures.take().or(two.failures);
            }
            continue;
        }
        check_neighbours(before, &partial)?;
        ordered.push(partial);
    }
    Ok(ordered)
}

fn refused<T>(message: String) -> Result<T, Error> {
    Err(Error::Merge(message))
}

/// Checks that two partial answers are of the same dataset, and were scored in the same way.
fn check_same_dataset(one: &PartialAnswer, two: &PartialAnswer) -> Result<(), Error> {
    let (first, second) = (&one.body, &two.body);
    let (name, other) = (two.name(), one.name());
    if first.of != second.of {
        return refused(format!(
            "{name} is one of {} shards, and {other} is one of {}; merge the shards of one division",
            second.of, first.of
        ));
    }
    let (inputs, others) = (first.extent.inputs, second.extent.inputs);
    if inputs != others {
        let difference = match (inputs.files == others.files, inputs.bytes == others.bytes) {
            (false, _) => format!("{} files, not {}", others.files, inputs.files),
            (true, false) => format!("{} bytes, not {}", others.bytes, inputs.bytes),
            (true, true) => "files of other names, lengths or order".to_owned(),
        };
        return refused(format!(
            "{name} is of another input than {other}: it has {difference}; score its shard again, over the same files by the \
             same names"
        ));
    }
    if first.plan != second.plan {
        return refused(format!(
            "{name} was scored in another way than {other}{}; score its shard again with the same scorer and options",
            first_difference(&first.plan, &second.plan)
        ));
    }
    let contents = first.contents.iter().zip(&second.contents);
    let mut contents = contents.filter(|(one, two)| one != two);
    let differs = contents.next().map(|(_, (path, _))| path);
    let differs = differs.filter(|_| first.contents.len() == second.contents.len());
    if first.contents != second.contents {
        let path = differs.map_or("a file".into(), |path| String::from_utf8_lossy(path));
        return refused(format!(
            "{name} was scored with another content of {path}, which the scorer reads, than {other}; score its shard again \
             with the same content"
        ));
    }
    Ok(())
}

/// Checks that the columns of the answers of a program or a service are of the same kinds in all shards. One run over the
/// whole would have refused values of another kind than the first one.
fn check_columns(partials: &[PartialAnswer]) -> Result<(), Error> {
    let mut known: HashMap<&str, (&str, &PartialAnswer)> = HashMap::new();
    for partial in partials {
        for (name, kind) in &partial.body.columns {
            let (first, other) = *known.entry(name).or_insert((kind, partial));
            if first != kind {
                return refused(format!(
                    "the first value of the column {name:?} is {kind} in {}, and {first} in {}; one run over the whole would \
                     refuse one of the two kinds, so let the answers have values of one kind, and score the shard with the \
                     other one again",
                    partial.name(),
                    other.name()
                ));
            }
        }
    }
    Ok(())
}

/// Says in which option two plans differ.
fn first_difference(one: &str, two: &str) -> String {
    let plans = [one, two].map(|plan| serde_json::from_str::<Value>(plan).unwrap_or_default());
    let [Some(one), Some(two)] = [&plans[0], &plans[1]].map(Value::as_object) else {
        return String::new();
    };
    let mut keys = one.keys().chain(two.keys());
    let Some(key) = keys.find(|key| one.get(*key) != two.get(*key)) else {
        return String::new();
    };
    let [one, two] = [one, two].map(|plan| plan.get(key).unwrap_or(&Value::Null));
    format!(": its {key} is {two}, not {one}")
}

/// Checks that two partial answers of the same shards have the same result.
fn check_same_result(one: &PartialAnswer, two: &PartialAnswer) -> Result<(), Error> {
    if one.body.has_same_result(&two.body) && one.state.read()? == two.state.read()? {
        return Ok(());
    }
    refused(format!(
        "{} and {} are two different results of one shard; keep the one that belongs to the other shards, or score the shard \
         again",
        two.name(),
        one.name()
    ))
}

/// Checks that one partial answer begins where the one before it ends.
fn check_neighbours(before: &PartialAnswer, after: &PartialAnswer) -> Result<(), Error> {
    let (left, right) = (&before.body, &after.body);
    let (name, other) = (after.name(), before.name());
    if right.first <= left.last {
        return refused(format!(
            "{name} covers shards that {other} covers too; leave out one of them"
        ));
    }
    if right.first > left.last + 1 {
        return refused(missing(left.last + 1, right.first - 1, left.of));
    }
    let (end, begin) = (&left.extent.end, &right.extent.begin);
    let place = |edge: &ShardEdge| (edge.file, edge.offset);
    if place(end) != place(begin) || end.around != begin.around {
        return refused(format!(
            "{name} does not begin where {other} ends, so they have read different contents; score both shards again once \
             no program changes the input"
        ));
    }
    if end.state != begin.state {
        let (found, assumed) = match end.state {
            ShardStart::Quoted => ("inside a quoted field", "outside"),
            ShardStart::Unquoted => ("outside quotes", "inside a quoted field"),
        };
        return refused(format!(
            "{name} has assumed that it begins {assumed}, but {other} ends {found}; score {} again with --starts {}",
            shards_text(right.first, right.first, right.of),
            end.state
        ));
    }
    Ok(())
}

/// Checks that a partial answer covers the whole dataset.
pub(super) fn check_whole(body: &PartialBody) -> Result<(), Error> {
    if body.first > 1 {
        return refused(missing(1, body.first - 1, body.of));
    }
    if body.last < body.of {
        return refused(missing(body.last + 1, body.of, body.of));
    }
    let (begin, end) = (&body.extent.begin, &body.extent.end);
    let is_whole = (begin.file, begin.offset) == (0, 0)
        && (end.file, end.offset) == (body.extent.inputs.files, 0);
    match is_whole {
        true => Ok(()),
        false => refused(format!(
            "{} do not cover the whole input; score all shards again with the same version of the program",
            body.shards_text()
        )),
    }
}

/// The message about missing shards.
fn missing(first: u64, last: u64, of: u64) -> String {
    let count = last - first + 1;
    if count == 1 {
        return format!("shard {first}/{of} is missing; score it, and name its partial answer too");
    }
    let named: Vec<String> = (first..=last)
        .take(NAMED)
        .map(|number| format!("{number}/{of}"))
        .collect();
    let more = match count as usize > NAMED {
        true => format!(" and {} more", count as usize - NAMED),
        false => String::new(),
    };
    format!(
        "the shards {}{more} are missing; score them, and name their partial answers too",
        named.join(", ")
    )
}
