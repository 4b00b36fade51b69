//! Finds the texts that may be among the best matches of a record, text by text. This is for measures that compare
//! tokens in common, because with these measures each text has its own bound.

use super::parallel::{self, Helpers, ScratchPool};
use super::top_scores::{JUST_BELOW, TopScores};

/// The texts that one thread has found.
struct TextThread<D> {
    /// Positions of texts that may be among the best, each with its score.
    finalists: Vec<(u32, f64)>,
    compared: u64,
    scratch: D,
}

/// The bounds of the texts of a reference, and the matches that are wanted.
pub(super) struct TextFilter<'a> {
    /// For each position, an upper bound of the score of its text.
    pub(super) bounds: &'a [f64],
    /// The index of the text at a position.
    pub(super) index: &'a (dyn Fn(usize) -> usize + Sync),
    /// The cutoff of the caller.
    pub(super) cutoff: f64,
    pub(super) wanted: usize,
}

impl TextFilter<'_> {
    /// The positions of the texts that may be among the best, and the number of texts that were compared.
    ///
    /// `score` returns the score at a cutoff, or any number below the cutoff if the score is less, and whether
    /// it compared symbols. A text that is among the best, reaches the cutoff of the caller and reaches
    /// `needed` is never left out; at least `wanted` texts reach `needed`.
    pub(super) fn finalists<D: Send>(
        &self,
        needed: f64,
        pool: ScratchPool<'_, D>,
        score: &(dyn Fn(&mut D, usize, f64) -> (f64, bool) + Sync),
    ) -> (Vec<usize>, u64) {
        let (bounds, wanted) = (self.bounds, self.wanted);
        let top = TopScores::new(needed * JUST_BELOW, wanted);
        let promising = (0..bounds.len() as u32).zip(bounds);
        let promising: Vec<u32> = promising
            .filter_map(|(position, bound)| (*bound >= top.needed()).then_some(position))
            .collect();
        let step = |thread: &mut TextThread<D>, index: usize| {
            let position = promising[index];
            let needed = top.needed();
            if bounds[position as usize] < needed {
                return;
            }
            let (score, compared) = score(&mut thread.scratch, position as usize, needed);
            thread.compared += u64::from(compared);
            if score >= needed {
                thread.finalists.push((position, score));
                top.offer(score);
            }
        };
        let begin = || TextThread {
            finalists: Vec::new(),
            compared: 0,
            scratch: (pool.take)(),
        };
        let end = |thread: TextThread<D>| {
            (pool.put_back)(thread.scratch);
            (thread.finalists, thread.compared)
        };
        let mut own = begin();
        let others = parallel::run_steps(promising.len(), &mut own, step, Helpers { begin, end });
        let (mut finalists, mut compared) = end(own);
        for (more, more_compared) in others {
            finalists.extend(more);
            compared += more_compared;
        }
        finalists.retain(|(_, score)| *score >= top.needed());
        self.drop_later_equals(&mut finalists);
        let positions = finalists.iter().map(|(position, _)| *position as usize);
        (positions.collect(), compared)
    }

    /// Keeps the first `wanted` texts of each score; later texts with the same score cannot be among the best.
    ///
    /// With `wratio`, every text that shares a token may have the same score. Close to the cutoff of the
    /// caller all texts are kept, since equal scores at the cutoff may be rounded differently.
    fn drop_later_equals(&self, finalists: &mut Vec<(u32, f64)>) {
        let index = |position: u32| (self.index)(position as usize);
        finalists.sort_unstable_by(|(one, higher), (other, lower)| {
            lower
                .total_cmp(higher)
                .then_with(|| index(*one).cmp(&index(*other)))
        });
        let (mut equal_to, mut equals) = (f64::NAN, 0);
        finalists.retain(|(_, score)| {
            equals = if *score == equal_to { equals + 1 } else { 1 };
            equal_to = *score;
            equals <= self.wanted || score * JUST_BELOW <= self.cutoff
        });
    }
}
