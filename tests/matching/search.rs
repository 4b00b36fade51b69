//! What is found in a reference: the best, the first of equals, several, none.

use manyhands::Task;
use manyhands::task::matching::{Found, Match, Matching, Measure};
use proptest::prelude::*;

use super::plain;

fn indices(found: &[Found]) -> Vec<usize> {
    found.iter().map(|found| found.index).collect()
}

#[test]
fn of_equals_the_first_is_the_best() {
    let texts = ["lamp", "lamb", "lamb", "limb"];
    let one = Matching::by(Measure::Ratio).against(texts).score("lamb");
    assert_eq!(indices(&one), [1]);
    let three = Matching::by(Measure::Ratio).best(3).against(texts);
    assert_eq!(indices(&three.score("lamb")), [1, 2, 0]);
}

#[test]
fn without_a_cutoff_there_is_a_best_match_however_bad() {
    let task = Matching::by(Measure::Ratio).against(["abc", "def"]);
    let found = task.score("xyz");
    assert_eq!((found[0].index, found[0].score), (0, 0.0));
    let task = Matching::by(Measure::Ratio).cutoff(1.0).against(["abc"]);
    assert_eq!(task.score("xyz"), []);
}

#[test]
fn nothing_is_found_in_nothing() {
    let task: Match = Matching::by(Measure::Wratio).against([""; 0]);
    assert!(task.is_empty());
    assert_eq!(task.score("a"), []);
}

#[test]
fn more_are_wanted_than_there_are() {
    let task = Matching::by(Measure::Jaro)
        .best(usize::MAX)
        .against(["b", "a"]);
    assert_eq!(indices(&task.score("a")), [1, 0]);
}

#[test]
fn characters_that_the_reference_does_not_hold_match_nothing() {
    for measure in Measure::ALL {
        let score = Matching::by(measure).against(["ab"]).score("éü");
        assert_eq!(score[0].score, 0.0, "{measure}");
        // Nor each other's tokens: these are two, not one twice.
        let task = Matching::by(measure).against(["xx yy"]);
        let expected = plain::score(measure, "éé üü xx", "xx yy", 0.0);
        assert_eq!(task.score("éé üü xx")[0].score, expected, "{measure}");
    }
}

#[test]
fn an_alphabet_of_more_than_a_byte_gives_the_same_scores() {
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
fn pairs_are_counted() {
    let task = Matching::by(Measure::Ratio)
        .cutoff(90.0)
        .against(["abcdefgh", "a", "abcdefgi"]);
    assert_eq!(task.pairs().compared + task.pairs().skipped, 0);
    task.score("abcdefgh");
    // The first is equal, so that nothing after it can be better.
    assert_eq!((task.pairs().compared, task.pairs().skipped), (1, 2));
    task.score("abcdefg!");
    assert_eq!((task.pairs().compared, task.pairs().skipped), (3, 3));
}

#[test]
fn a_match_is_a_task() {
    let task = Matching::by(Measure::Ratio).against(["a"]);
    let Ok(found) = Task::score(&task, "a");
    assert_eq!(found[0].score, 100.0);
}

proptest! {
    #[test]
    fn the_best_are_those_of_all_in_order(
        texts in prop::collection::vec("[ab ]{0,6}", 1..40),
        query in "[ab ]{0,6}",
        best in 1..9usize,
        measure in prop::sample::select(Measure::ALL.to_vec()),
    ) {
        let scores = texts.iter().map(|text| plain::score(measure, &query, text, 0.0));
        let mut all: Vec<_> = scores.enumerate().collect();
        // Sorting is stable: equals stay in order.
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let found = Matching::by(measure).best(best).against(&texts).score(&query);
        let found: Vec<_> = found.iter().map(|found| (found.index, found.score)).collect();
        prop_assert_eq!(&found[..], &all[..best.min(all.len())]);
    }
}
