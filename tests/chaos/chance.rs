//! How often a test tries, and what it draws by chance.

use std::env;

/// The number of rounds of a test, which has this number by default.
pub(crate) fn rounds(default: usize) -> usize {
    number("MANYHANDS_CHAOS").map_or(default, |rounds| rounds as usize)
}

/// The random numbers of a test. The test prints the seed, with which it can be run again.
pub(crate) fn chance(test: &str) -> fastrand::Rng {
    let seed = number("MANYHANDS_CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    println!("{test}: MANYHANDS_CHAOS_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
    )
}
