//! The laws of states that workers share, and of clones, which share nothing.

use std::fmt::Debug;

use serde::Serialize;

use super::Laws;
use super::shape::{Shape, SplitMix64};
use crate::aggregation::{Aggregator, State};

const FORKED: &str = "whole after its forks were merged";
const CLONED: &str = "independent of its clones";

impl<S, A> Laws<'_, S, A>
where
    A: Aggregator<S> + State,
    A::Output: Serialize + Debug,
{
    /// Checks that parts in any order, each observed by one of a few forks or by their root, give
    /// the same result after the forks are merged into the root.
    pub(super) fn forked(&self, seed: u64) {
        let mut random = SplitMix64(seed);
        let root = self.fresh.clone();
        let forks = (0..random.below(6)).map(|_| root.fork()).collect();
        self.work(root, forks, FORKED, seed, &mut random);
    }

    /// Checks that clones of a root and of a fork can observe all records without affecting the
    /// root and its forks.
    pub(super) fn cloned(&self, seed: u64) {
        let root = self.fresh.clone();
        let forks = vec![root.fork(), root.fork()];
        let clones = [root.clone(), forks[0].clone()];
        for mut clone in clones {
            self.observe(&mut clone, 0..self.scores.len());
            self.compare(
                clone,
                CLONED,
                &"a clone of a state with forks, or of a fork",
            );
        }
        self.work(root, forks, CLONED, seed, &mut SplitMix64(seed));
    }

    fn work(&self, root: A, mut states: Vec<A>, law: &str, seed: u64, random: &mut SplitMix64) {
        let mut shape = Shape::cut(self.scores.len(), seed, random).unmerged();
        random.shuffle(&mut shape.parts);
        states.insert(0, root);
        for part in &shape.parts {
            let taker = random.below(states.len());
            if random.below(2) == 0 {
                self.observe_slice(&mut states[taker], part);
            } else {
                self.observe(&mut states[taker], part.iter().copied());
            }
        }
        let mut root = states.remove(0);
        random.shuffle(&mut states);
        for fork in states {
            root.merge(fork);
        }
        self.compare(root, law, &shape);
    }
}
