//! The number of symbols in common that a score requires.

use super::Measure;
use super::blocks::SATURATED;
use super::bounds::PairBound;

/// For a record and a required score, the least number of symbols in common, for each length of a text.
pub(super) struct RequiredOverlap {
    measure: Measure,
    record_length: usize,
    /// The required score.
    score: f64,
    /// The length of the text that `count` is for; `u32::MAX` if it must be computed again.
    text_length: u32,
    /// The least number of symbols in common; more than the shorter length if no number is enough.
    count: usize,
}

impl RequiredOverlap {
    pub(super) fn new(measure: Measure, record_length: usize, score: f64) -> Self {
        RequiredOverlap {
            measure,
            record_length,
            score,
            text_length: u32::MAX,
            count: 0,
        }
    }

    /// Raises the required score.
    #[inline]
    pub(super) fn raise(&mut self, score: f64) {
        if score > self.score {
            self.score = score;
            self.text_length = u32::MAX;
        }
    }

    /// The least number of symbols in common for any of these lengths; `None` if no text of these lengths can
    /// reach the score.
    #[inline]
    pub(super) fn least(&mut self, lengths: &[u32]) -> Option<u8> {
        let counts = lengths.iter().filter_map(|length| self.count(*length));
        counts.min()
    }

    /// The least number of symbols in common for a text of this length. The search starts from the number for the
    /// previous length.
    #[inline]
    fn count(&mut self, length: u32) -> Option<u8> {
        let text_length = length as usize;
        let most = self.record_length.min(text_length);
        if self.text_length != length {
            let reaches = |count| {
                let bound = PairBound::new(self.record_length, text_length, count);
                bound.score(self.measure) >= self.score
            };
            let mut count = self.count.min(most + 1);
            while count > 0 && reaches(count - 1) {
                count -= 1;
            }
            while count <= most && !reaches(count) {
                count += 1;
            }
            self.text_length = length;
            self.count = count;
        }
        (self.count <= most).then_some(self.count.min(usize::from(SATURATED)) as u8)
    }
}
