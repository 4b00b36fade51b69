//! The tests compare these plain implementations of the measures with the fast ones. They use matrices of distances,
//! and a loop over every part of a text.

use manyhands::task::matching::Measure;

/// Returns the score of a pair, or 0 if the score is less than `cutoff`, which has single precision.
pub fn score(measure: Measure, a: &str, b: &str, cutoff: f64) -> f64 {
    let (x, y) = (&chars(a)[..], &chars(b)[..]);
    match measure {
        Measure::Ratio => ratio(x, y, cutoff),
        Measure::Partial => partial(x, y, cutoff),
        Measure::TokenSort => ratio(&join(&tokens(a)), &join(&tokens(b)), cutoff),
        Measure::TokenSet => token_set(a, b, cutoff),
        Measure::TokenRatio => token_ratio(a, b, cutoff),
        Measure::Wratio => weighted(a, b, cutoff),
        Measure::Levenshtein => share(edits(x, y, false), x.len().max(y.len()), cutoff),
        Measure::Osa => share(edits(x, y, true), x.len().max(y.len()), cutoff),
        Measure::Indel => share(indel(x, y), x.len() + y.len(), cutoff),
        Measure::Jaro => jaro(x, y, cutoff),
        Measure::JaroWinkler => jaro_winkler(x, y, cutoff),
        _ => unreachable!("this measure has no plain implementation"),
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn share(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let share = if largest == 0 {
        0.0
    } else {
        distance as f64 / largest as f64
    };
    at_least(1.0 - share, cutoff)
}

fn at_least(score: f64, cutoff: f64) -> f64 {
    if score >= cutoff { score } else { 0.0 }
}

fn indel(x: &[char], y: &[char]) -> usize {
    let mut above = vec![0; y.len() + 1];
    for a in x {
        let mut line = vec![0];
        for (j, b) in y.iter().enumerate() {
            line.push(if a == b {
                above[j] + 1
            } else {
                above[j + 1].max(line[j])
            });
        }
        above = line;
    }
    x.len() + y.len() - 2 * above[y.len()]
}

fn edits(x: &[char], y: &[char], swaps: bool) -> usize {
    let mut table = vec![vec![0; y.len() + 1]; x.len() + 1];
    for i in 0..=x.len() {
        for j in 0..=y.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let replaced = table[i - 1][j - 1] + usize::from(x[i - 1] != y[j - 1]);
            let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if swaps && i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] {
                least = least.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = least;
        }
    }
    table[x.len()][y.len()]
}

fn ratio(x: &[char], y: &[char], cutoff: f64) -> f64 {
    share(indel(x, y), x.len() + y.len(), cutoff / 100.0) * 100.0
}

fn partial(x: &[char], y: &[char], cutoff: f64) -> f64 {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if cutoff > 100.0 {
        return 0.0;
    }
    if short.is_empty() {
        return if long.is_empty() { 100.0 } else { 0.0 };
    }
    let mut best = partial_within(short, long, cutoff);
    if short.len() == long.len() {
        best = best.max(partial_within(long, short, cutoff));
    }
    best
}

fn partial_within(short: &[char], long: &[char], cutoff: f64) -> f64 {
    let n = short.len();
    let windows = long.windows(n).take(long.len() - n);
    let whole = windows.map(|window| {
        at_least(
            (1.0 - indel(short, window) as f64 / (2 * n) as f64) * 100.0,
            cutoff,
        )
    });
    let beginnings = (1..n).map(|end| &long[..end]);
    let ends = (long.len() - n..long.len()).map(|start| &long[start..]);
    let edges = beginnings
        .chain(ends)
        .map(|part| ratio(short, part, cutoff));
    whole.chain(edges).fold(0.0, f64::max)
}

/// Returns the sorted tokens of a text. If a text has no code points above U+00FF, RapidFuzz splits it at ASCII white
/// space only.
pub fn tokens(text: &str) -> Vec<String> {
    let narrow = text.chars().all(|c| c <= '\u{ff}');
    let is_space = |c: char| {
        let non_ascii = matches!(c, '\u{85}' | '\u{a0}');
        (c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')) && !(non_ascii && narrow)
    };
    let words = text.split(is_space).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort_by_key(|word| chars(word));
    words
}

fn join(tokens: &[String]) -> Vec<char> {
    chars(&tokens.join(" "))
}

/// Returns the distinct tokens that both texts contain, that only `a` contains, and that only `b` contains.
fn decompose(a: &[String], b: &[String]) -> [Vec<String>; 3] {
    let once = |tokens: &[String]| {
        let mut tokens = tokens.to_vec();
        tokens.dedup();
        tokens
    };
    let (a, b) = (once(a), once(b));
    let both = a.iter().filter(|token| b.contains(token));
    let left = a.iter().filter(|token| !b.contains(token));
    let right = b.iter().filter(|token| !a.contains(token));
    [
        both.cloned().collect(),
        left.cloned().collect(),
        right.cloned().collect(),
    ]
}

fn per_cent(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let score = if largest == 0 {
        100.0
    } else {
        100.0 - 100.0 * distance as f64 / largest as f64
    };
    at_least(score, cutoff)
}

fn token_set(a: &str, b: &str, cutoff: f64) -> f64 {
    let (a, b) = (tokens(a), tokens(b));
    if cutoff > 100.0 || a.is_empty() || b.is_empty() {
        return 0.0;
    }
    set_score(&a, &b, cutoff)
}

fn set_score(a: &[String], b: &[String], cutoff: f64) -> f64 {
    let [both, left, right] = decompose(a, b);
    if !both.is_empty() && (left.is_empty() || right.is_empty()) {
        return 100.0;
    }
    let [both, left, right] = [both, left, right].map(|tokens| join(&tokens));
    let space = usize::from(!both.is_empty());
    let with_left = both.len() + space + left.len();
    let with_right = both.len() + space + right.len();
    let rests = per_cent(indel(&left, &right), with_left + with_right, cutoff);
    if both.is_empty() {
        return rests;
    }
    rests
        .max(per_cent(space + left.len(), both.len() + with_left, cutoff))
        .max(per_cent(
            space + right.len(),
            both.len() + with_right,
            cutoff,
        ))
}

fn token_ratio(a: &str, b: &str, cutoff: f64) -> f64 {
    let (a, b) = (tokens(a), tokens(b));
    if cutoff > 100.0 {
        return 0.0;
    }
    set_score(&a, &b, cutoff).max(ratio(&join(&a), &join(&b), cutoff))
}

fn partial_token_ratio(a: &str, b: &str, cutoff: f64) -> f64 {
    let (a, b) = (tokens(a), tokens(b));
    let [both, left, right] = decompose(&a, &b);
    if cutoff > 100.0 {
        return 0.0;
    }
    if !both.is_empty() {
        return 100.0;
    }
    partial(&join(&a), &join(&b), cutoff).max(partial(&join(&left), &join(&right), cutoff))
}

fn weighted(a: &str, b: &str, cutoff: f64) -> f64 {
    let (x, y) = (chars(a), chars(b));
    if x.is_empty() || y.is_empty() {
        return 0.0;
    }
    let uneven = x.len().max(y.len()) as f64 / x.len().min(y.len()) as f64;
    let whole = ratio(&x, &y, cutoff);
    if uneven < 1.5 {
        return whole.max(token_ratio(a, b, cutoff.max(whole) / 0.95) * 0.95);
    }
    let weight = if uneven <= 8.0 { 0.9 } else { 0.6 };
    let needed = cutoff.max(whole) / weight;
    let best = whole.max(partial(&x, &y, needed) * weight);
    let needed = needed.max(best) / 0.95;
    best.max(partial_token_ratio(a, b, needed) * 0.95 * weight)
}

fn jaro(x: &[char], y: &[char], cutoff: f64) -> f64 {
    if x.is_empty() && y.is_empty() {
        return 1.0;
    }
    if x.is_empty() || y.is_empty() {
        return 0.0;
    }
    let window = (x.len().max(y.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; x.len()];
    let mut matched = Vec::new();
    for (j, b) in y.iter().enumerate() {
        let from = j.saturating_sub(window);
        let to = (j + window + 1).min(x.len());
        if let Some(i) = (from..to).find(|i| !taken[*i] && x[*i] == *b) {
            taken[i] = true;
            matched.push(*b);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let in_x = x.iter().zip(&taken).filter(|(_, taken)| **taken);
    let differ = in_x.zip(&matched).filter(|((a, _), b)| a != b).count();
    let common = matched.len() as f64;
    let sum =
        common / x.len() as f64 + common / y.len() as f64 + (common - (differ / 2) as f64) / common;
    at_least(sum / 3.0, cutoff)
}

fn jaro_winkler(x: &[char], y: &[char], cutoff: f64) -> f64 {
    let prefix = x.iter().zip(y).take(4).take_while(|(a, b)| a == b).count();
    let mut similarity = jaro(x, y, 0.0);
    if similarity > 0.7 {
        similarity = (similarity + prefix as f64 * 0.1 * (1.0 - similarity)).min(1.0);
    }
    at_least(similarity, cutoff)
}
