//! If several threads share the search for one record, they must find the same answer as one thread.

use manyhands::task::matching::{Match, Matching, Measure};
use proptest::prelude::*;
use rayon::ThreadPool;

/// Returns pools of one, two, three and eight threads.
fn pools() -> Vec<ThreadPool> {
    let built = [1, 2, 3, 8].map(|threads| {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        builder.build().expect("threads")
    });
    built.into()
}

fn bits(task: &Match, query: &str) -> Vec<(usize, u64)> {
    let found = task.score(query);
    let bits = found
        .iter()
        .map(|found| (found.index, found.score.to_bits()));
    bits.collect()
}

/// Checks that a search inside each pool finds the same matches as outside, and that each pair is counted once.
fn assert_same(task: &Match, query: &str, pools: &[ThreadPool]) {
    let alone = bits(task, query);
    for pool in pools {
        let before = task.pairs();
        let shared = pool.install(|| bits(task, query));
        let threads = pool.current_num_threads();
        assert_eq!(
            shared,
            alone,
            "{:?} {query:?} on {threads}",
            task.settings()
        );
        let pairs = task.pairs().since(before);
        assert_eq!(pairs.all(), task.len() as u64);
    }
}

/// Returns texts that consist of few different words, so that many texts are equal and many have equal scores. Some
/// texts are empty, and some are long enough for the counts of their symbols to saturate.
fn texts(number: usize, seed: usize) -> Vec<String> {
    let words = [
        "oak", "oaks", "lamp", "pal", "xl", "12", "kettle", "kettel", "é", "東京",
    ];
    let mut state = seed as u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let text = |_| {
        let length = if next(500) == 0 { 70 } else { next(7) };
        let words: Vec<&str> = (0..length).map(|_| words[next(words.len())]).collect();
        words.join(" ")
    };
    (0..number).map(text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_number_of_threads_finds_the_same_matches(
        seed in any::<u16>(),
        number in 65..4000usize,
        best in prop_oneof![Just(1usize), 2..40usize],
        measure in prop::sample::select(Measure::ALL.to_vec()),
        cutoff in prop_oneof![Just(0.0), 0.3..1.0],
    ) {
        let texts = texts(number, usize::from(seed));
        let matching = Matching::by(measure).best(best).cutoff(cutoff * measure.max_score());
        let task = matching.against(&texts);
        let pools = pools();
        for query in ["oak lamp xl", "kettle 12 oaks oaks", "東京 é", "pal", "", "zzz"] {
            assert_same(&task, query, &pools);
        }
    }
}

#[test]
fn threads_find_the_same_matches_in_a_large_reference() {
    // There are enough blocks of texts for the threads to share the counting of symbols, too.
    let texts = texts(140_000, 7);
    let pools = pools();
    for measure in [Measure::Ratio, Measure::TokenSort, Measure::Wratio] {
        let task = Matching::by(measure).best(3).against(&texts);
        for query in ["kettel oak xl 12", "lamp oaks é kettle pal"] {
            assert_same(&task, query, &pools);
        }
    }
}

#[test]
fn the_first_of_equal_matches_wins_on_any_thread() {
    // A thread may find a later text first, but the answer is the first of the equal texts.
    let mut texts = vec!["zzzz zzzz".to_owned(); 10_000];
    for index in [9_999, 8_000, 4_345, 4_344] {
        texts[index] = "copper kettle".to_owned();
    }
    for measure in Measure::ALL {
        let one = Matching::by(measure).against(&texts);
        let three = Matching::by(measure).best(3).against(&texts);
        for pool in pools() {
            let found = pool.install(|| bits(&one, "copper kettle"));
            assert_eq!(found[0].0, 4_344, "{measure}");
            let found = pool.install(|| bits(&three, "copper kettle"));
            let indices: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
            assert_eq!(indices, [4_344, 4_345, 8_000], "{measure}");
        }
    }
}
