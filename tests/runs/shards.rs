//! Shards that are scored on their own, and merged, must give the bits of one run over the whole dataset.

use std::path::{Path, PathBuf};

use manyhands::Error;
use manyhands::dataset::{Shard, ShardStart};
use manyhands::plan::{Answer, PartialAnswer, Plan, RunOptions, merge};
use proptest::prelude::*;

/// Scores one shard.
fn partial(plan: &Plan, number: u64, of: u64) -> Result<PartialAnswer, Error> {
    let mut plan = plan.clone();
    plan.shard = Shard::new(number, of);
    let (_, partial) = plan.open()?.run_partial(RunOptions::default())?;
    Ok(partial)
}

fn partials(plan: &Plan, of: u64) -> Vec<PartialAnswer> {
    let all = (1..=of).map(|number| partial(plan, number, of).expect("a shard"));
    all.collect()
}

fn whole(plan: &Plan) -> Answer {
    let opened = plan.open().expect("it can be opened");
    opened.run(RunOptions::default()).expect("it can be run")
}

/// What must be equal in two answers, apart from the digest.
fn facts(answer: &Answer) -> (String, Vec<String>, Vec<String>) {
    let report = &answer.report;
    let failures = report.failures.iter().map(ToString::to_string).collect();
    let leaders = report.value.top.iter().chain(&report.value.bottom);
    let leaders = leaders.map(|one| format!("{} {:?} {}", one.index, one.place, one.text));
    let counts = (report.records, report.scored, report.failed, report.skipped);
    (
        format!("{counts:?} {}", answer.digest),
        failures,
        leaders.collect(),
    )
}

/// Merges through files, along a random tree.
fn merged_by_tree(mut left: Vec<PartialAnswer>, folder: &Path, choices: &[usize]) -> Answer {
    let through_file = |partial: PartialAnswer| {
        let path = folder.join("partial.mh");
        let mut file = std::fs::File::create(&path).expect("a file");
        partial.write(&mut file).expect("it can be written");
        let bytes = std::fs::read(&path).expect("it was written");
        let kept = folder.join(format!("{:?}", partial.shards()).replace(['/', ' '], "-"));
        std::fs::write(&kept, bytes).expect("a file");
        PartialAnswer::open(&kept).expect("it is whole")
    };
    let mut choices = choices.iter().cycle();
    while left.len() > 1 {
        let at = choices.next().expect("it is endless") % (left.len() - 1);
        let two: Vec<PartialAnswer> = left.drain(at..at + 2).map(through_file).collect();
        left.insert(at, merge(two).expect("neighbours").partial());
    }
    merge(left)
        .expect("one is left")
        .answer()
        .expect("it is whole")
}

/// Files with these contents, and a plan that scores them.
fn plan_over(folder: &Path, contents: &[(String, String)]) -> Plan {
    let files = contents.iter().map(|(name, content)| {
        let path = folder.join(name);
        std::fs::write(&path, content).expect("a file");
        path
    });
    let files: Vec<PathBuf> = files.collect();
    let mut plan = Plan::new(files);
    plan.by = vec!["kind".to_owned()];
    plan
}

fn json_line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => ("[a-z ,!\\\\\"]{0,60}", 0..4_u8).prop_map(|(text, kind)| {
            let text = serde_json::to_string(&format!("good {text}")).expect("a text");
            format!("{{\"text\":{text},\"kind\":{kind}}}\n")
        }),
        1 => Just("{\"kind\":1}\n".to_owned()),
        1 => Just("broken\r\n".to_owned()),
        1 => Just("\n".to_owned()),
    ]
}

fn table_line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,40}".prop_map(|text| format!("nice {text},1\n")),
        4 => ("[a-z ,\n]{0,60}", "[a-z ]{0,9}").prop_map(|(text, quoted)| {
            format!("\"bad {text}\"\"{quoted}\"\"\n\",2\r\n")
        }),
        1 => Just("only one field\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The records of JSON lines are lines, so every cut is right.
    #[test]
    fn shards_of_json_lines_have_the_bits_of_the_whole(
        files in prop::collection::vec(prop::collection::vec(json_line(), 0..30), 1..4),
        of in 1..12_u64,
        choices in prop::collection::vec(0..100_usize, 1..8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let named = (0..).zip(&files);
        let contents: Vec<_> = named
            .map(|(number, lines)| (format!("{number}.jsonl"), lines.concat()))
            .collect();
        let plan = plan_over(folder.path(), &contents);
        let merged = merged_by_tree(partials(&plan, of), folder.path(), &choices);
        prop_assert_eq!(facts(&merged), facts(&whole(&plan)));
    }

    /// A cut may be inside a quoted field. If the guess of a shard is wrong, `merge` says which shard to score again, and
    /// how, until all guesses are right.
    #[test]
    fn shards_of_tables_have_the_bits_of_the_whole(
        lines in prop::collection::vec(table_line(), 0..30),
        of in 1..12_u64,
        choices in prop::collection::vec(0..100_usize, 1..8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let content = format!("text,kind\n{}", lines.concat());
        let second = ("b.csv".to_owned(), "text,kind\nfine,3\n".to_owned());
        let plan = plan_over(folder.path(), &[("a.csv".to_owned(), content), second]);
        let starts = right_starts(&plan, of);
        let all = (1..).zip(starts).map(|(number, start)| {
            let mut plan = plan.clone();
            plan.shard_start = start;
            partial(&plan, number, of).expect("a shard")
        });
        let merged = merged_by_tree(all.collect(), folder.path(), &choices);
        prop_assert_eq!(facts(&merged), facts(&whole(&plan)));
    }
}

/// Follows the advice of `merge` until all shards make the right assumption about their beginning.
fn right_starts(plan: &Plan, of: u64) -> Vec<Option<ShardStart>> {
    let mut starts = vec![None; of as usize];
    loop {
        let score = |(number, start): (u64, &Option<ShardStart>)| {
            let mut plan = plan.clone();
            plan.shard_start = *start;
            partial(&plan, number, of)
        };
        let all: Result<Vec<_>, _> = (1..).zip(&starts).map(score).collect();
        let advice = match all.and_then(merge) {
            Ok(_) => return starts,
            Err(error) => error.to_string(),
        };
        let (before, start) = advice.rsplit_once(" again with --starts ").expect("advice");
        let (_, shard) = before.rsplit_once(" score shard ").expect("advice");
        let shard: Shard = shard.parse().expect("a shard");
        let start = match start {
            "quoted" => ShardStart::Quoted,
            _ => ShardStart::Unquoted,
        };
        let place = &mut starts[shard.number() as usize - 1];
        assert_ne!(*place, Some(start), "the same advice twice: {advice}");
        *place = Some(start);
    }
}

fn reviews() -> Plan {
    Plan::new(["data/reviews.jsonl"])
}

#[test]
fn a_partial_answer_with_any_byte_changed_or_missing_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("part.mh");
    let text = folder.path().join("short.jsonl");
    std::fs::write(&text, "{\"text\":\"good\"}\n{\"text\":5}\n").expect("a file");
    let mut bytes = Vec::new();
    let plan = Plan::new([&text]);
    partial(&plan, 1, 1)
        .expect("a shard")
        .write(&mut bytes)
        .expect("it fits in memory");
    let merges = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("a file");
        let opened = PartialAnswer::open(&path)?;
        merge([opened])?.answer()
    };
    assert_eq!(
        merges(&bytes).expect("it is whole").digest,
        whole(&plan).digest
    );
    for place in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let refused = merges(&changed).err();
            assert!(
                refused.is_some(),
                "bit {bit} of byte {place} of {}",
                bytes.len()
            );
        }
        assert!(merges(&bytes[..place]).is_err(), "cut to {place} bytes");
    }
    let longer = [&bytes[..], b"\n"].concat();
    assert!(merges(&longer).is_err());
}

fn refused(merged: Result<manyhands::plan::MergedAnswer, Error>) -> String {
    merged.expect_err("it is refused").to_string()
}

#[test]
fn what_is_not_the_whole_is_refused_by_name() {
    let all = || partials(&reviews(), 4);
    let without = |number: usize| {
        let mut some = all();
        some.remove(number - 1);
        merge(some)
    };
    let missing = "is missing; score it, and name its partial answer too";
    assert_eq!(refused(without(2)), format!("shard 2/4 {missing}"));
    let end = without(4).expect("neighbours").answer();
    assert_eq!(
        end.expect_err("it is cut").to_string(),
        format!("shard 4/4 {missing}")
    );
    let begin = without(1).expect("neighbours").answer();
    assert_eq!(
        begin.expect_err("it is cut").to_string(),
        format!("shard 1/4 {missing}")
    );
    let first = all().into_iter().take(1);
    let answer = merge(first)
        .expect("one")
        .answer()
        .expect_err("it is not whole");
    assert_eq!(
        answer.to_string(),
        "the shards 2/4, 3/4, 4/4 are missing; score them, and name their partial answers too"
    );
    assert!(refused(merge([])).contains("name the files"));
    let mut other = all();
    other[1] = partial(&reviews(), 2, 5).expect("a shard");
    assert_eq!(
        refused(merge(other)),
        "shard 2/5 is one of 5 shards, and shard 1/4 is one of 4; merge the shards of one division"
    );
}

#[test]
fn a_shard_that_was_scored_in_another_way_is_refused() {
    let changed = |change: fn(&mut Plan)| {
        let mut other = reviews();
        change(&mut other);
        let mut all = partials(&reviews(), 3);
        all[2] = partial(&other, 3, 3).expect("a shard");
        merge(all)
    };
    let told = refused(changed(|plan| plan.top = 5));
    assert_eq!(
        told,
        "shard 3/3 was scored in another way than shard 1/3: its top is 5, not 3; score its shard again with the same scorer \
         and options"
    );
    assert!(refused(changed(|plan| plan.by = vec!["category".to_owned()])).contains("its by is"));
    // What does not change the answer may differ between machines.
    let same = changed(|plan| {
        plan.threads = Some("1".parse().expect("a number"));
        plan.executor = manyhands::plan::ExecutorName::Sequential;
    });
    let merged = same.expect("it fits").answer().expect("it is whole");
    assert_eq!(merged.digest, whole(&reviews()).digest);
}

#[test]
fn the_same_result_counts_once_and_different_results_are_refused() {
    let mut all = partials(&reviews(), 3);
    all.extend(partials(&reviews(), 3));
    let merged = merge(all)
        .expect("they are equal")
        .answer()
        .expect("it is whole");
    assert_eq!(merged.digest, whole(&reviews()).digest);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let plan = Plan::new([&path]);
    let content = |word: &str| format!("{{\"text\":\"{word}\"}}\n").repeat(1_000);
    std::fs::write(&path, content("good")).expect("a file");
    let mut all = partials(&plan, 3);
    std::fs::write(&path, content("evil")).expect("a file");
    let other = partial(&plan, 2, 3).expect("a shard");
    let neighbours = refused(merge([
        all.remove(0),
        partial(&plan, 2, 3).expect("a shard"),
    ]));
    assert!(
        neighbours.contains("shard 2/3 does not begin where shard 1/3 ends"),
        "{neighbours}"
    );
    all.push(other);
    let told = refused(merge(all));
    assert!(
        told.contains("are two different results of one shard"),
        "{told}"
    );
}

#[test]
fn the_policy_is_judged_over_all_shards() {
    use manyhands::OnFailure;
    use manyhands::report::End;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let lines = "{\"text\":\"good\"}\n{\"text\":5}\n".repeat(50);
    std::fs::write(&path, lines).expect("a file");
    let end = |policy: OnFailure| {
        let mut plan = Plan::new([&path]);
        plan.on_failure = policy;
        let merged = merge(partials(&plan, 4)).expect("it fits");
        merged.answer().expect("it is whole").report.end
    };
    assert!(end(OnFailure::SKIP).is_finished());
    assert!(end(OnFailure::SkipUnlessAllFail).is_finished());
    assert!(end(OnFailure::Skip { at_most: 50 }).is_finished());
    assert!(
        matches!(end(OnFailure::Skip { at_most: 49 }), End::Halted(failure) if failure.index == 99)
    );
    assert!(matches!(end(OnFailure::Stop), End::Halted(failure) if failure.index == 1));
    assert!(end(OnFailure::SkipShare { at_most: 0.5 }).is_finished());
    assert!(matches!(
        end(OnFailure::SkipShare { at_most: 0.4 }),
        End::Halted(_)
    ));
    std::fs::write(&path, "{\"text\":5}\n".repeat(50)).expect("a file");
    assert!(
        matches!(end(OnFailure::SkipUnlessAllFail), End::AllFailed(failure) if failure.index == 0)
    );
}

#[test]
fn a_shard_is_all_or_nothing() {
    let mut plan = reviews();
    let opened = plan.open().expect("it can be opened");
    assert!(matches!(
        opened.run_partial(RunOptions::default()),
        Err(Error::Plan(_))
    ));
    plan.shard = Shard::new(1, 2);
    let token = manyhands::Cancel::new();
    token.cancel();
    let options = RunOptions::default().cancel(&token);
    let stopped = plan.open().expect("it can be opened").run_partial(options);
    assert!(matches!(stopped, Err(Error::Stopped { .. })));
    plan.head = Some(5);
    let told = plan
        .open()
        .expect_err("no shard knows the first records")
        .to_string();
    assert!(
        told.contains("cannot be limited to the first records"),
        "{told}"
    );
}
