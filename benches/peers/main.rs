//! This benchmark compares this crate with its peers, on the workloads that the peers publish.
//!
//! ```text
//! cargo bench --bench peers                     # wall clock, by criterion
//! cargo bench --bench peers -- ROUNDS [NAME]    # interleaved, wall and processor time as ratios
//! MANYHANDS_THREADS=4 cargo bench ...           # the number of threads of all contenders
//! RUSTFLAGS="--cfg fork_union" cargo bench --target-dir target/fork_union ...
//! ```
//!
//! `RESULTS.md` shows the output of the second command. In each round, all contenders take turns in a different
//! order. Before anything is timed, all contenders must return the same checksum. NAME is a part of the name of a
//! workload; a part of the name of a contender may follow after a slash.
//!
//! `contenders` shows how each peer runs a map-reduce, and each workload names its origin. Our aggregator in these
//! workloads adds as the peers do, so that only scheduling is compared. For sums that could have fractions, our exact
//! sum is a further contender. fork_union compiles C++, so only a build with `--cfg fork_union` contains it.

mod chili_tree;
mod contenders;
mod default_path;
mod fork_union_nbody;
mod fork_union_reduce;
mod orx_reduce;
mod orx_unequal;
mod paralight_sums;
mod reduced;
mod rounds;

use contenders::{OURS, Way, all};
use criterion::Criterion;

/// Calls `with` for every workload.
fn each_workload(mut with: impl FnMut(&str, Vec<Way<'_>>)) {
    with(
        "orx reduce_map, 131,072 texts",
        all(&orx_reduce::Texts::new()),
    );
    for power in [15, 20] {
        let light = orx_reduce::Light::new(power);
        with(&format!("orx reduce, light, 2^{power}"), all(&light));
    }
    for (weight, steps) in [("light", 50), ("heavy", 500)] {
        let unequal = orx_unequal::Unequal::new(steps);
        with(&format!("orx unequal, 4,096 {weight}"), all(&unequal));
    }
    with(
        "fork_union nbody, 128 bodies",
        fork_union_nbody::Simulation::new().ways(),
    );
    let few = fork_union_reduce::Few::new();
    with(
        "fork_union reduce, 1,536",
        all(&few).into_iter().chain([few.exact()]).collect(),
    );
    for layers in [10, 20] {
        let tree = chili_tree::Tree::new(layers);
        let parts = tree.parts();
        // A loop over the parts is not a contender, because no user would write it.
        let ways = tree
            .recursive()
            .into_iter()
            .chain(all(&parts).into_iter().skip(1));
        with(&format!("chili tree, {layers} layers"), ways.collect());
    }
    for records in [10_000, 100_000, 1_000_000, 10_000_000] {
        let sums = paralight_sums::Sums::new(records);
        let ways = all(&sums).into_iter().chain([sums.exact()]);
        with(&format!("paralight sum, {records}"), ways.collect());
    }
    with(
        "sentiment of 2,000 reviews",
        all(&default_path::Reviews::new()),
    );
}

fn main() {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    if let Some(rounds) = words.first().and_then(|word| word.parse().ok()) {
        let name = words.get(1).map_or("", String::as_str);
        let (workload, contender) = name.split_once('/').unwrap_or((name, ""));
        let mut all = Vec::new();
        each_workload(|what, mut ways| {
            if what.contains(workload) {
                // The first contender is the plain loop, which determines the number of calls in a turn.
                let base = ways[0].name;
                ways.retain(|way| [base, OURS].contains(&way.name) || way.name.contains(contender));
                all.push(rounds::compare(rounds, what, &ways));
            }
        });
        return rounds::summarize(&all);
    }
    let mut criterion = Criterion::default().configure_from_args();
    each_workload(|what, ways| {
        rounds::agree(&ways);
        let mut group = criterion.benchmark_group(what);
        for way in &ways {
            group.bench_function(way.name, |bencher| {
                way.measure(|call| bencher.iter(&mut *call));
            });
        }
        group.finish();
    });
    criterion.final_summary();
}
