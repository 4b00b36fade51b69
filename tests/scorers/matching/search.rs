//! The search in a reference finds the best match, several matches, equal matches, or no match.

use manyhands::Task;
use manyhands::task::matching::{Found, Match, Matching, Measure};
use proptest::prelude::*;

use super::plain;

fn indices(found: &[Found]) -> Vec<usize> {
    found.iter().map(|found| found.index).collect()
}

#[test]
fn the_first_of_equal_matches_is_the_best() {
    let texts = ["lamp", "lamb", "lamb", "limb"];
    let one = Matching::by(Measure::Ratio).against(texts).score("lamb");
    assert_eq!(indices(&one), [1]);
    let three = Matching::by(Measure::Ratio).best(3).against(texts);
    assert_eq!(indices(&three.score("lamb")), [1, 2, 0]);
}

#[test]
fn without_a_cutoff_every_record_has_a_match() {
    let task = Matching::by(Measure::Ratio).against(["abc", "def"]);
    let found = task.score("xyz");
    assert_eq!((found[0].index, found[0].score), (0, 0.0));
    let task = Matching::by(Measure::Ratio).cutoff(1.0).against(["abc"]);
    assert_eq!(task.score("xyz"), []);
}

#[test]
fn an_empty_reference_has_no_matches() {
    let task: Match = Matching::by(Measure::Wratio).against([""; 0]);
    assert!(task.is_empty());
    assert_eq!(task.score("a"), []);
}

#[test]
fn a_small_reference_has_fewer_matches_than_wanted() {
    let task = Matching::by(Measure::Jaro)
        .best(usize::MAX)
        .against(["b", "a"]);
    assert_eq!(indices(&task.score("a")), [1, 0]);
}

#[test]
fn characters_outside_of_the_reference_match_nothing() {
    for measure in Measure::ALL {
        let score = Matching::by(measure).against(["ab"]).score("éü");
        assert_eq!(score[0].score, 0.0, "{measure}");
        // Two tokens of such characters are two different tokens, and not the same token twice.
        let task = Matching::by(measure).against(["xx yy"]);
        let expected = plain::score(measure, "éé üü xx", "xx yy", 0.0);
        assert_eq!(task.score("éé üü xx")[0].score, expected, "{measure}");
    }
}

#[test]
fn an_alphabet_too_large_for_a_byte_gives_the_same_scores() {
    let many: String = ('\u{4e00}'..'\u{5000}').collect();
    let texts = ["copper kettle", "kettle, copper", &many];
    for measure in Measure::ALL {
        let narrow = Matching::by(measure).best(2).against(&texts[..2]);
        let wide = Matching::by(measure).best(2).against(texts);
        for text in ["copper kettles", "ketle copper", "", "opper"] {
            assert_eq!(narrow.score(text)[..], wide.score(text)[..], "{measure}");
        }
    }
}

#[test]
fn each_pair_is_counted_with_its_bound() {
    let task = Matching::by(Measure::Ratio)
        .cutoff(90.0)
        .against(["abcdefgh", "a", "abcdefgi"]);
    assert_eq!(task.pairs().all(), 0);
    task.score("abcdefgh");
    // The first text equals the query, so no later text can be a better match.
    assert_eq!((task.pairs().compared, task.pairs().skipped.all()), (1, 2));
    // One of eight letters differs, and the counts of the symbols show that.
    task.score("abcdefg!");
    assert_eq!((task.pairs().compared, task.pairs().skipped.all()), (1, 5));
    // Both texts have the same letters in different orders, and only a comparison shows that.
    task.score("badcfehg");
    assert_eq!((task.pairs().compared, task.pairs().skipped.all()), (2, 7));
    let by_bound = task.pairs().skipped.by_bound();
    assert_eq!(by_bound.map(|(_, count)| count), [0, 7, 0, 0]);
}

#[test]
fn a_match_is_a_task() {
    let task = Matching::by(Measure::Ratio).against(["a"]);
    let Ok(found) = Task::score(&task, "a");
    assert_eq!(found[0].score, 100.0);
}

#[test]
fn saturated_counts_do_not_hide_a_match() {
    let texts: Vec<String> = (0..60).map(|n| "a".repeat(10 * n)).collect();
    for measure in Measure::ALL {
        let task = Matching::by(measure).against(&texts);
        let query = "a".repeat(431);
        // If the reference is a single text and there is no cutoff, the text is compared regardless of its bound.
        let alone = |text: &String| Matching::by(measure).against([text]).score(&query)[0].score;
        let expected = texts.iter().map(alone);
        let expected = expected.fold(0.0, f64::max);
        assert_eq!(task.score(&query)[0].score, expected, "{measure}");
    }
}

#[test]
fn most_pairs_are_ruled_out_without_a_comparison() {
    let texts: Vec<String> = (0..1000).map(|n| format!("number {n:>4} {n:b}")).collect();
    let task = Matching::by(Measure::Ratio).against(&texts);
    assert_eq!(indices(&task.score("number  477 111011101")), [477]);
    assert!(task.pairs().compared < 300, "{:?}", task.pairs());
}

/// Generates texts that share letters, tokens and parts. There may be more texts than the search tries first.
fn reference() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "oak", "oaks", "lamp", "lam", "xl", "12", "kettle", "kettel", "é", "āā", "a\u{a0}b", "東京",
    ]);
    let text = prop::collection::vec(word, 0..14).prop_map(|words| words.join(" "));
    prop::collection::vec(text, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_reference_of_many_blocks_loses_no_match(
        texts in prop::collection::vec("[a-d ]{0,9}|[ab]{5,70}|x{250,260}[ab]", 65..300),
        query in "[a-d ]{0,9}|[ab]{5,70}|x{250,260}[ab]",
        best in 1..4usize,
        measure in prop::sample::select(vec![
            Measure::Ratio, Measure::TokenSort, Measure::TokenSet, Measure::Indel,
            Measure::Levenshtein, Measure::Wratio,
        ]),
        cutoff in prop_oneof![Just(0.0), 0.3..1.0],
    ) {
        let cutoff = f64::from((cutoff * measure.max_score()) as f32);
        // If the reference is a single text, it is compared with the cutoff of the caller.
        let alone = |text: &String| {
            let task = Matching::by(measure).cutoff(cutoff).against([text]);
            task.score(&query).first().map(|found| found.score)
        };
        let scores = texts.iter().map(alone).enumerate();
        let mut all: Vec<_> = scores.filter_map(|(index, score)| Some((index, score?))).collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let task = Matching::by(measure).best(best).cutoff(cutoff).against(&texts);
        let found: Vec<_> = task.score(&query).iter().map(|found| (found.index, found.score)).collect();
        prop_assert_eq!(&found[..], &all[..best.min(all.len())]);
    }
}

proptest! {
    #[test]
    fn texts_that_bounds_rule_out_are_not_among_the_best(
        texts in reference(),
        query in reference(),
        best in 1..4usize,
        measure in prop::sample::select(Measure::ALL.to_vec()),
        cutoff in prop_oneof![Just(0.0), 0.0..1.0],
    ) {
        // Cutoffs have single precision.
        let cutoff = f64::from((cutoff * measure.max_score()) as f32);
        let query = &query[0];
        let scores = texts.iter().map(|text| plain::score(measure, query, text, cutoff));
        let mut all: Vec<_> = scores.enumerate().filter(|(_, score)| *score >= cutoff).collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let task = Matching::by(measure).best(best).cutoff(cutoff).against(&texts);
        let found: Vec<_> = task.score(query).iter().map(|found| (found.index, found.score)).collect();
        prop_assert_eq!(&found[..], &all[..best.min(all.len())]);
    }

    #[test]
    fn the_best_matches_are_in_the_order_of_all_scores(
        texts in prop::collection::vec("[ab ]{0,6}", 1..40),
        query in "[ab ]{0,6}",
        best in 1..9usize,
        measure in prop::sample::select(Measure::ALL.to_vec()),
    ) {
        let scores = texts.iter().map(|text| plain::score(measure, &query, text, 0.0));
        let mut all: Vec<_> = scores.enumerate().collect();
        // The sort is stable, so equal scores stay in order.
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let found = Matching::by(measure).best(best).against(&texts).score(&query);
        let found: Vec<_> = found.iter().map(|found| (found.index, found.score)).collect();
        prop_assert_eq!(&found[..], &all[..best.min(all.len())]);
    }
}
