//! The lengths of reviews. The quantiles are a table of integers, because the last bits of `ln` and `exp` may differ
//! between platforms.

use super::random::Random;

/// The share of all reviews, in millionths.
const ALL: u32 = 1_000_000;

/// Pairs of a share of the reviews in millionths and the maximum length of these reviews in bytes, both ascending.
///
/// The shape is a mixture of review corpora: a fifth of the reviews are as short as a remark or a tweet (under 90
/// bytes), most are product reviews of one or two paragraphs, and a long tail resembles film reviews. The mean is
/// about 510 bytes.
const QUANTILES: [(u32, u32); 15] = [
    (0, 1),
    (10_000, 8),
    (50_000, 24),
    (100_000, 45),
    (200_000, 90),
    (300_000, 145),
    (400_000, 210),
    (500_000, 290),
    (600_000, 390),
    (700_000, 520),
    (800_000, 720),
    (900_000, 1_100),
    (950_000, 1_600),
    (990_000, 3_200),
    (ALL, 8_000),
];

/// Draws a target length in bytes, with linear interpolation between the quantiles.
pub(super) fn draw(random: &mut Random) -> usize {
    let share = random.below(ALL);
    let above = QUANTILES
        .partition_point(|&(to, _)| to <= share)
        .clamp(1, QUANTILES.len() - 1);
    let (low, shortest) = QUANTILES[above - 1];
    let (high, longest) = QUANTILES[above];
    let along = u64::from(share - low) * u64::from(longest - shortest) / u64::from(high - low);
    shortest as usize + along as usize
}
