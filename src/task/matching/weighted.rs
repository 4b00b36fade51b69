//! `fuzz.WRatio`: the largest of several measures, each with a weight.

use super::alphabet::Symbol;
use super::bounds::{PairBound, TokenPairBound};
use super::compare::{PairScratch, partial, ratio};
use super::query::Query;
use super::reference::Tokens;
use super::token_measures::{partial_token_ratio, token_ratio};

/// Weight of the measures that compare tokens.
const TOKENS_WEIGHT: f64 = 0.95;
/// Ratio of the longer length to the shorter length from which the shorter text is searched for in the longer
/// text.
const UNEVEN: f64 = 1.5;
/// Weight of the measures that search for the shorter text.
const PARTIAL_WEIGHT: f64 = 0.9;
/// Ratio of the longer to the shorter text beyond which [`VERY_UNEVEN_WEIGHT`] is the weight.
const VERY_UNEVEN: f64 = 8.0;
/// Weight of the measures that search for a text that is much shorter.
const VERY_UNEVEN_WEIGHT: f64 = 0.6;

/// `fuzz.WRatio`; 0 if it is less than `cutoff`.
pub(super) fn weighted<S: Symbol>(
    query: &Query<S>,
    text: &[S],
    tokens: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    let (record_length, text_length) = (query.text.length(), text.len());
    if cutoff > 100.0 || record_length == 0 || text_length == 0 {
        return 0.0;
    }
    let whole = ratio(&query.text.pattern, text, cutoff, scratch);
    let Some(weight) = partial_weight(record_length, text_length) else {
        let cutoff = cutoff.max(whole) / TOKENS_WEIGHT;
        let tokens = token_ratio(query, tokens, cutoff, scratch);
        return whole.max(tokens * TOKENS_WEIGHT);
    };
    let needed = cutoff.max(whole) / weight;
    let part = partial(&query.text, text, needed, scratch);
    let best = whole.max(part * weight);
    // Like RapidFuzz, this divides the cutoff that has already been divided by `weight`.
    let needed = needed.max(best) / TOKENS_WEIGHT;
    let tokens = partial_token_ratio(query, tokens, needed, scratch);
    best.max(tokens * TOKENS_WEIGHT * weight)
}

/// Upper bound of `fuzz.WRatio`.
pub(super) fn upper_bound(text: PairBound, tokens: TokenPairBound) -> f64 {
    if text.record_length == 0 || text.text_length == 0 {
        return 0.0;
    }
    let whole = text.ratio();
    match partial_weight(text.record_length, text.text_length) {
        None => whole.max(tokens.token_ratio() * TOKENS_WEIGHT),
        Some(weight) => {
            let tokens = tokens.partial_token_ratio() * TOKENS_WEIGHT;
            whole.max(text.partial() * weight).max(tokens * weight)
        }
    }
}

/// The weight of the measures that search for the shorter text in the longer one; `None` if the lengths are
/// so similar that whole texts are compared instead.
fn partial_weight(record_length: usize, text_length: usize) -> Option<f64> {
    let uneven = record_length.max(text_length) as f64 / record_length.min(text_length) as f64;
    if uneven < UNEVEN {
        None
    } else if uneven <= VERY_UNEVEN {
        Some(PARTIAL_WEIGHT)
    } else {
        Some(VERY_UNEVEN_WEIGHT)
    }
}
