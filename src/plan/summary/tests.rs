//! The laws of a plan's aggregator, of its state, and of shards whose records were numbered separately.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::aggregation::{assert_laws, assert_shift_laws, canonical_bytes};
use crate::plan::group_key::GroupKey;
use crate::plan::leaderboard::ExampleCandidate;
use crate::plan::scorer::{Cell, Cells, MadeUpOptions, MainCell};
use crate::report::Digest;

/// The place of a position: a file whose name is not text, if the system allows such names.
fn place(at: Position) -> Option<Place> {
    #[cfg(unix)]
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.jsonl");
    #[cfg(not(unix))]
    let name = std::ffi::OsStr::new("coffee.jsonl");
    let path = Arc::from(Path::new(name).join(at.file.to_string()));
    let (line, column) = (at.line, None);
    Some(Place { path, line, column })
}

fn plan(by: bool, top: usize) -> Plan {
    let mut plan = Plan::new(["unused"]);
    let (rank, open) = (Some("number".to_owned()), true);
    plan.scorer = MadeUpOptions { rank, open }.into();
    plan.by = by.then(|| "group".to_owned()).into_iter().collect();
    plan.top = top;
    plan
}

fn aggregator(plan: &Plan) -> PlanAggregator<fn(Position) -> Option<Place>> {
    let place: fn(Position) -> Option<Place> = place;
    PlanAggregator::new(plan, Arc::new(Thresholds::new(plan.top)), place)
}

type PlainLeaderboard = <Leaderboard<fn(Position) -> Option<Place>> as State>::Plain;

/// A record at this line of the dataset, with a cell of each kind.
fn scored(line: u64, number: Option<f64>, label: &str) -> Scored {
    let known = vec![
        Cell::Label(label.into()),
        number.map_or(Cell::Nothing, Cell::Number),
        Cell::Line(line),
        Cell::Numbers(number.into_iter().chain([0.5]).collect()),
        Cell::Nothing,
    ];
    let found = match label {
        "a" => vec![("speed".to_owned(), Cell::Number(line as f64))],
        "b" => vec![
            ("speed".to_owned(), Cell::Label("unknown".into())),
            ("class".to_owned(), Cell::Label(label.into())),
        ],
        _ => Vec::new(),
    };
    let at = Position {
        index: line - 1,
        file: (line % 3) as usize,
        line,
        ..Position::default()
    };
    let text = format!("{label} {line}");
    let cells = Cells::from(known).with_found(found);
    let group = GroupKey::build(|key| {
        key.add((label != "c").then_some(label));
        Ok::<(), ()>(())
    });
    // A record without a main score is not a candidate.
    let matched = None;
    let candidate = number.map(|_| Arc::new(ExampleCandidate { at, text, matched }));
    Scored::new(
        cells,
        &MainCell::Known(1),
        group.ok(),
        Default::default(),
        candidate,
    )
}

fn records() -> impl Strategy<Value = Vec<Scored>> {
    let number = prop_oneof![
        6 => (-3_i32..3).prop_map(|number| Some(f64::from(number) / 4.0)),
        2 => any::<f64>().prop_map(Some),
        1 => Just(None),
    ];
    let record = (
        number,
        prop_oneof![Just("a"), Just("b"), Just("c"), Just("")],
    );
    proptest::collection::vec(record, 0..30).prop_map(|records| {
        let lines = (1..).zip(records);
        lines
            .map(|(line, (number, label))| scored(line, number, label))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_of_aggregators_states_and_shifts_hold(records in records(), by in any::<bool>(), top in 0_usize..5) {
        let plan = plan(by, top);
        assert_laws(aggregator(&plan), &records);
        assert_shift_laws(aggregator(&plan), &records);
    }
}

proptest! {
    /// Each shard is scored in another process, where its records are numbered from 0.
    #[test]
    fn shards_that_were_numbered_apart_give_the_answer_of_the_whole(
        records in records(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        top in 0_usize..5,
    ) {
        let plan = plan(true, top);
        let mut whole = aggregator(&plan);
        whole.observe_slice(0, &records);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(records.len() + 1)).collect();
        cuts.extend([0, records.len()]);
        cuts.sort_unstable();
        let mut merged = aggregator(&plan);
        for shard in cuts.windows(2) {
            let mut there = aggregator(&plan);
            there.observe_slice(0, &records[shard[0]..shard[1]]);
            let bytes = there.save();
            let here = aggregator(&plan).load(&bytes).expect("a state");
            merged.merge(here.shift(shard[0] as u64).expect("indices that fit"));
        }
        prop_assert_eq!(whole.clone().save(), merged.clone().save());
        let (whole, merged) = (whole.finish(), merged.finish());
        prop_assert_eq!(canonical_bytes(&whole), canonical_bytes(&merged));
        prop_assert_eq!(Digest::of(&whole), Digest::of(&merged));
        // This comparison includes the texts and the places, which the canonical bytes of an answer do not
        // contain.
        let told = |summary: &Summary| format!("{:?} {:?}", summary.top, summary.bottom);
        prop_assert_eq!(told(&whole), told(&merged));
    }
}

#[test]
fn a_state_of_another_plan_is_refused() {
    let state = aggregator(&plan(true, 3)).save();
    let mut others = vec![plan(false, 3), plan(true, 2)];
    let (rank, open) = (Some("tenth".to_owned()), true);
    for scorer in [
        MadeUpOptions { rank, open },
        MadeUpOptions {
            rank: Some("number".to_owned()),
            open: false,
        },
    ] {
        others.push(Plan {
            scorer: scorer.into(),
            ..plan(true, 3)
        });
    }
    others.push(Plan {
        by: vec!["other".to_owned()],
        ..plan(true, 3)
    });
    others.push(Plan {
        scorer: Default::default(),
        ..plan(true, 3)
    });
    for other in others {
        let refused = aggregator(&other).load(&state).err();
        assert!(
            matches!(refused, Some(StateError::Foreign { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_leaderboard_without_its_texts_is_refused() {
    let fresh = aggregator(&plan(false, 3));
    let mut state = fresh.clone();
    state.observe(0, &scored(1, Some(0.5), "a"));
    state.observe(1, &scored(2, Some(0.25), "a"));
    let plain = |change: fn(&mut PlainLeaderboard)| {
        let mut plain = state.clone().into_plain();
        change(&mut plain.3);
        fresh.restore(plain).err()
    };
    assert_eq!(plain(|_| ()), None);
    let other = StateError::Impossible("other entries than ranked records");
    assert_eq!(
        plain(|(.., entries)| entries.truncate(1)),
        Some(other.clone())
    );
    let sizes = StateError::Impossible("other numbers of best and worst records");
    assert_eq!(plain(|(best, ..)| best.clear()), Some(sizes));
    assert_eq!(
        plain(|(best, worst, _)| (best.clear(), worst.clear()).0),
        Some(other)
    );
    let disorder = StateError::Impossible("entries out of order");
    assert_eq!(plain(|(.., entries)| entries.reverse()), Some(disorder));
}
