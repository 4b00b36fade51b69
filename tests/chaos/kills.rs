//! Runs that are killed at random moments, and go on.

use std::cell::{Cell, RefCell};

use crate::case::Case;
use crate::chance::{chance, rounds};
use crate::end::assert_ends_calmly;
use crate::killed::killed;
use crate::paid::{Account, assert_not_asked_again, in_vain};
use crate::program::{exec, has, matches, sentiment};
use crate::scene::{Ended, Scene};

/// Kills each case in turn.
fn kill_all(test: &str, cases: &[Case], default: usize) {
    let mut random = chance(test);
    let mut kills = 0;
    let most_in_vain = Cell::new(0);
    let rounds = rounds(default);
    for round in 0..rounds {
        let case = &cases[round % cases.len()];
        let account = Account::of(case);
        let mut scene = case.scene();
        let may = RefCell::new(account.may_ask(&scene.files()));
        let account_for = |scene: &Scene, ended: &Ended| {
            let context = format!("round {round}, {}\n{ended:#?}", case.name);
            let asked = case.asked(scene, ended);
            assert_not_asked_again(&asked, &may.borrow(), &context);
            let files = scene.files();
            if case.is_paid() && ended.code.is_none() {
                account.assert_counted_is_kept(&files, &files);
            }
            let may_ask = account.may_ask(&files);
            if ended.code.is_none() && !files.contains_key(&account.output) {
                let at_work = in_vain(&asked, &may.borrow(), &may_ask);
                most_in_vain.set(most_in_vain.get().max(at_work));
            }
            may.replace(may_ask);
        };
        let most = 1 + random.usize(..4);
        let (before, number) = killed(case, &mut scene, &mut random, most, account_for);
        kills += number;
        let last = case.go_on(&mut scene);
        account_for(&scene, &last);
        assert_ends_calmly(case, &scene, &last, before.as_ref());
    }
    let most = most_in_vain.get();
    println!("{test}: {kills} kills in {rounds} rounds; a kill has cost at most {most} answers");
    assert!(kills > 0 || rounds < 10);
}

#[test]
fn scorers_that_are_killed_go_on() {
    let mut cases = Vec::new();
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        let options = format!("--executor {executor} -j 2 --field text");
        for output in [
            "-o out.jsonl --rate 5000",
            "-o out.csv.gz --failures bad.jsonl",
            "--partial part.mh --shard 1/1 -o out.jsonl --rate 5000",
        ] {
            cases.push(sentiment(1000, &format!("{options} {output}")));
        }
        cases.push(matches(
            1000,
            &format!("{options} --rate 4000 -o out.jsonl"),
        ));
        cases.push(matches(
            500,
            &format!("{options} -o out.csv.gz --best 2 --failures bad.jsonl"),
        ));
    }
    kill_all("scorers_that_are_killed_go_on", &cases, 40);
}

#[test]
fn no_answer_of_a_program_that_is_kept_is_asked_for_again() {
    if !has("perl") {
        return;
    }
    let cases = [
        exec(80, "2", "-j 1 -o out.jsonl"),
        exec(150, "3", "-j 2 -o out.jsonl --failures bad.jsonl"),
        exec(150, "3", "-j 3 -o out.jsonl --send text"),
        exec(150, "6", "-j 2 -o out.jsonl --send array:5"),
        exec(150, "3", "-j 2 -o out.csv.gz --send array:5"),
        exec(150, "1", "-j 2 --partial part.mh --shard 1/1 -o out.jsonl"),
    ];
    let test = "no_answer_of_a_program_that_is_kept_is_asked_for_again";
    kill_all(test, &cases, 24);
}

#[cfg(feature = "http")]
#[test]
fn no_answer_of_a_service_that_is_kept_is_asked_for_again() {
    use crate::service::{Service, http};

    let service = Service::start();
    let cases = [
        http(&service, 150, "-o out.jsonl --in-flight 1"),
        http(
            &service,
            150,
            "-o out.jsonl --in-flight 4 --failures bad.jsonl",
        ),
        http(&service, 150, "-o out.csv.gz --in-flight 16"),
        http(&service, 150, "--partial part.mh --shard 1/1 -o out.jsonl"),
    ];
    let test = "no_answer_of_a_service_that_is_kept_is_asked_for_again";
    kill_all(test, &cases, 24);
}
