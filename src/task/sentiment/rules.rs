//! Computes valences from tokens: the neighbours of a word change its mean valence.
//!
//! The rules and the order of every operation are those of vaderSentiment 3.3.2, oddities included, because
//! scores must agree to the last digit and floating-point addition depends on the order.

use super::lexicon::{Lexicon, Role, Token};
use super::tokenize::{AHEAD, BACK};

/// The tokens that determine a valence: [`BACK`] before the word, the word itself, and [`AHEAD`] after it.
pub(super) type TokenWindow = [Token; BACK + 1 + AHEAD];

/// Magnitude that a booster adds, in units of valence.
const BOOST: f64 = 0.293;
/// Magnitude that upper case adds in a text of mixed case, in units of valence.
const CAPITALS: f64 = 0.733;
/// Factor by which a negated valence is multiplied.
const NEGATION: f64 = -0.74;
/// Factor by which the magnitude that a booster adds is multiplied, if the booster is one, two or three tokens
/// before the word.
const DAMPING: [f64; BACK] = [1.0, 0.95, 0.9];
/// Factor by which a valence after "never so" or "never this" is multiplied.
const NEVER: f64 = 1.25;

/// Roles of neighbours that can change a valence.
const MODIFIES: Role = Role::BOOSTS
    .and(Role::DAMPENS)
    .and(Role::NEGATES)
    .and(Role::NO)
    .and(Role::SO)
    .and(Role::THIS)
    .and(Role::LEAST);

/// Every phrase contains one of these words, and few sentences do, so that a single test rules out most phrases.
const PHRASE_KEYWORDS: Role = Role::SHIT
    .and(Role::BOMB)
    .and(Role::ASS)
    .and(Role::STOP)
    .and(Role::RIGHT)
    .and(Role::DEATH)
    .and(Role::DIE)
    .and(Role::HEART)
    .and(Role::KIND)
    .and(Role::SORT)
    .and(Role::ENOUGH);

/// What a word contributes to the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Valence {
    pub(super) value: f64,
    /// Whether the reference has an integer here. Its sum adds integers in a different way.
    pub(super) is_integer: bool,
}

impl Valence {
    const fn float(value: f64) -> Valence {
        Valence {
            value,
            is_integer: false,
        }
    }

    const fn integer(value: f64) -> Valence {
        Valence {
            value,
            is_integer: true,
        }
    }
}

/// The valence of the word of a window. If `emphatic` is true, upper case counts, because the text has mixed case.
// Inlining this function into its only caller would take registers from the loop there and cost a tenth of the
// speed.
#[inline(never)]
pub(super) fn valence(lexicon: &Lexicon, window: &TokenWindow, emphatic: bool) -> Valence {
    let [third, second, first, word, next, after] = window.map(|token| lexicon.roles(token));
    let before = [first, second, third];
    let mean = lexicon.mean(window[BACK]);
    let mut value = mean;

    let near = first.and(second).and(third);
    if word.has(Role::KIND) && next.has(Role::OF) {
        return Valence::integer(0.0);
    }
    if word.has(Role::NO) && next.has(Role::LEXICON) {
        value = 0.0;
    }
    if first.has(Role::NO)
        || second.has(Role::NO)
        || third.has(Role::NO) && first.has(Role::OR.and(Role::NOR))
    {
        value = mean * NEGATION;
    }
    let is_stressed = |token: Token| emphatic && token.is_upper();
    if is_stressed(window[BACK]) {
        value += if value > 0.0 { CAPITALS } else { -CAPITALS };
    }
    if !near
        .and(word)
        .and(next)
        .and(after)
        .has(MODIFIES.and(PHRASE_KEYWORDS))
    {
        return Valence::float(value);
    }

    let mut valence = Valence::float(value);
    for distance in 0..BACK {
        let neighbour = before[distance];
        if neighbour.has(Role::LEXICON) {
            continue;
        }
        let token = window[BACK - 1 - distance];
        valence.value += boost(neighbour, valence.value, is_stressed(token)) * DAMPING[distance];
        valence.value *= negation(distance, before);
        if distance == 2 {
            valence = idiom(valence, [third, second, first, word, next, after]);
        }
    }
    // The lexicon has no mean valence for "least".
    if first.has(Role::LEAST) && !second.has(Role::AT.and(Role::VERY)) {
        valence = Valence::float(valence.value * NEGATION);
    }
    valence
}

/// The amount that a booster or dampener next to the word adds to a valence.
fn boost(neighbour: Role, value: f64, is_stressed: bool) -> f64 {
    let mut boost = if neighbour.has(Role::BOOSTS) {
        BOOST
    } else if neighbour.has(Role::DAMPENS) {
        -BOOST
    } else {
        return 0.0;
    };
    if value < 0.0 {
        boost = -boost;
    }
    if is_stressed {
        boost += if value > 0.0 { CAPITALS } else { -CAPITALS };
    }
    boost
}

/// The factor by which the token at a distance negates; 1 if it does not negate.
fn negation(distance: usize, [first, second, third]: [Role; BACK]) -> f64 {
    let so = Role::SO.and(Role::THIS);
    let intensifies = match distance {
        0 => false,
        1 => second.has(Role::NEVER) && first.has(so),
        // The reference has no parentheses in this condition, so "so" or "this" counts here even without "never".
        _ => third.has(Role::NEVER) && second.has(so) || first.has(so),
    };
    let is_doubtless = match distance {
        0 => false,
        1 => second.has(Role::WITHOUT) && first.has(Role::DOUBT),
        _ => third.has(Role::WITHOUT) && second.and(first).has(Role::DOUBT),
    };
    if intensifies {
        NEVER
    } else if !is_doubtless && [first, second, third][distance].has(Role::NEGATES) {
        NEGATION
    } else {
        1.0
    }
}

/// Replaces the valence if the word is in or next to an idiom, then dampens it after "kind of" and similar
/// phrases.
fn idiom(valence: Valence, roles: [Role; BACK + 1 + AHEAD]) -> Valence {
    let [third, second, first, word, next, after] = roles;
    let backward = pair(first, word)
        .or_else(|| triple(second, first, word))
        .or_else(|| pair(second, first))
        .or_else(|| triple(third, second, first))
        .or_else(|| pair(third, second));
    let forward = triple(word, next, after).or_else(|| pair(word, next));
    let mut valence = forward.or(backward).unwrap_or(valence);
    for (former, latter) in [(third, second), (second, first)] {
        if is_dampening(former, latter) {
            valence = Valence::float(valence.value - BOOST);
        }
    }
    valence
}

/// The valence of an idiom of two words.
fn pair(former: Role, latter: Role) -> Option<Valence> {
    const PAIRS: [(Role, Role, Valence); 6] = [
        (Role::THE, Role::SHIT, Valence::integer(3.0)),
        (Role::THE, Role::BOMB, Valence::integer(3.0)),
        (Role::BAD, Role::ASS, Valence::float(1.5)),
        (Role::BUS, Role::STOP, Valence::float(0.0)),
        (Role::YEAH, Role::RIGHT, Valence::integer(-2.0)),
        (Role::BEATING, Role::HEART, Valence::float(3.5)),
    ];
    let is = |(one, other, _): &&(Role, Role, Valence)| former.has(*one) && latter.has(*other);
    PAIRS.iter().find(is).map(|&(.., valence)| valence)
}

/// The valence of an idiom of three words.
fn triple(one: Role, two: Role, three: Role) -> Option<Valence> {
    if one.has(Role::KISS) && two.has(Role::OF) && three.has(Role::DEATH) {
        Some(Valence::float(-1.5))
    } else if one.has(Role::TO) && two.has(Role::DIE) && three.has(Role::FOR) {
        Some(Valence::integer(3.0))
    } else {
        None
    }
}

/// Whether two words together form a dampener.
fn is_dampening(former: Role, latter: Role) -> bool {
    former.has(Role::KIND.and(Role::SORT)) && latter.has(Role::OF)
        || former.has(Role::JUST) && latter.has(Role::ENOUGH)
}
