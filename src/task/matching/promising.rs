//! What of a reference may be among the best matches of a record, found text by text by all threads of
//! a pool: for measures that look at tokens in common, where each text has a bound of its own.

use super::sieve::{BELOW, Best, Desks};
use super::split::{self, Others};

/// What a thread has found.
struct Hand<D> {
    finalists: Vec<(u32, f64)>,
    compared: u64,
    desk: D,
}

/// What is known about the texts of a reference, and what is wanted of them.
pub(super) struct Promising<'a> {
    /// The most that the text at each place can score.
    pub(super) bounds: &'a [f64],
    /// The index of the text at a place.
    pub(super) index: &'a (dyn Fn(usize) -> usize + Sync),
    /// The cutoff that was asked for.
    pub(super) asked: f64,
    pub(super) wanted: usize,
}

impl Promising<'_> {
    /// The places of the texts that may be among the best, and how many of all were compared.
    ///
    /// `score` gives a score at a cutoff, or anything below it where it is less, and whether symbols were
    /// compared. No text is left out that is among the best: that reaches the cutoff that was asked for,
    /// and `cutoff`, which as many as are wanted reach.
    pub(super) fn finalists<D: Send>(
        &self,
        cutoff: f64,
        desks: Desks<'_, D>,
        score: &(dyn Fn(&mut D, usize, f64) -> (f64, bool) + Sync),
    ) -> (Vec<usize>, u64) {
        let (bounds, wanted) = (self.bounds, self.wanted);
        let best = Best::starting_at(cutoff * BELOW, wanted);
        let promising = (0..bounds.len() as u32).zip(bounds);
        let promising: Vec<u32> = promising
            .filter_map(|(place, bound)| (*bound >= best.floor()).then_some(place))
            .collect();
        let step = |hand: &mut Hand<D>, which: usize| {
            let place = promising[which];
            let floor = best.floor();
            if bounds[place as usize] < floor {
                return;
            }
            let (score, compared) = score(&mut hand.desk, place as usize, floor);
            hand.compared += u64::from(compared);
            if score >= floor {
                hand.finalists.push((place, score));
                best.offer(score);
            }
        };
        let begin = || Hand {
            finalists: Vec::new(),
            compared: 0,
            desk: (desks.take)(),
        };
        let end = |hand: Hand<D>| {
            (desks.give_back)(hand.desk);
            (hand.finalists, hand.compared)
        };
        let mut own = begin();
        let others = split::go(promising.len(), &mut own, step, Others { begin, end });
        let (mut finalists, mut compared) = end(own);
        for (more, more_compared) in others {
            finalists.extend(more);
            compared += more_compared;
        }
        finalists.retain(|(_, score)| *score >= best.floor());
        self.drop_later_equals(&mut finalists);
        let places = finalists.iter().map(|(place, _)| *place as usize);
        (places.collect(), compared)
    }

    /// Of equal scores keeps the first ones, as many as are wanted: none that comes after them is among the
    /// best. By `wratio` every text that shares a token may score the same. Close to the cutoff that was
    /// asked for all are kept, since at the cutoff itself equals may be rounded each in its own way.
    fn drop_later_equals(&self, finalists: &mut Vec<(u32, f64)>) {
        let index = |place: u32| (self.index)(place as usize);
        finalists.sort_unstable_by(|(one, higher), (other, lower)| {
            lower
                .total_cmp(higher)
                .then_with(|| index(*one).cmp(&index(*other)))
        });
        let (mut equal_to, mut equals) = (f64::NAN, 0);
        finalists.retain(|(_, score)| {
            equals = if *score == equal_to { equals + 1 } else { 1 };
            equal_to = *score;
            equals <= self.wanted || score * BELOW <= self.asked
        });
    }
}
