//! Scales, which determine where values are drawn along an axis and which values get a tick.

use super::numbers::significant;

/// The values that have a tick on an axis, each with its label.
pub(super) type Ticks = Vec<(f64, String)>;

/// Maps values to coordinates, either linearly or logarithmically.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// The coordinate at which `from` is drawn; `high` is the coordinate at which `to` is drawn.
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    /// Makes a linear scale that draws `from` at `low` and `to` at `high`.
    pub(super) fn even((from, to): (f64, f64), (low, high): (f64, f64)) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Scale {
            from,
            to,
            low,
            high,
            logarithmic: false,
        }
    }

    /// Makes a logarithmic scale that draws `from` at `low` and `to` at `high`. Values must be positive.
    pub(super) fn logarithmic((from, to): (f64, f64), (low, high): (f64, f64)) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        let to = if to > from { to } else { from * 2.0 };
        Scale {
            from,
            to,
            low,
            high,
            logarithmic: true,
        }
    }

    /// Returns the coordinate of a value. A value outside of the scale is drawn at the nearer end of the scale.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            // The halves do not overflow, even if the scale reaches from the smallest to the largest float.
            (value / 2.0 - self.from / 2.0) / (self.to / 2.0 - self.from / 2.0)
        };
        let share = if share.is_nan() { 0.0 } else { share };
        self.low + share.clamp(0.0, 1.0) * (self.high - self.low)
    }

    /// Returns whether a value is within the scale.
    pub(super) fn contains(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// Returns the value at the upper end of the scale.
    pub(super) fn to(&self) -> f64 {
        self.to
    }

    /// Returns about `count` round values within the scale.
    pub(super) fn ticks(&self, count: usize) -> Vec<f64> {
        if self.logarithmic {
            decades(self.from, self.to, count)
        } else {
            even(self.from, self.to, count)
        }
    }

    /// Returns about `count` round values with their labels.
    pub(super) fn labelled_ticks(&self, count: usize) -> Ticks {
        labelled(&self.ticks(count))
    }

    /// Makes ticks at the whole `numbers`. Numbers whose labels of this width would overlap are left out.
    pub(super) fn ticks_at(&self, numbers: &[f64], width: f64) -> Ticks {
        let apart = self.apart(numbers, width).into_iter();
        apart.map(|number| (number, number.to_string())).collect()
    }

    /// Returns those of the `values` whose coordinates are at least `width` apart. The last value is always kept.
    fn apart(&self, values: &[f64], width: f64) -> Vec<f64> {
        let mut kept: Vec<f64> = Vec::new();
        for &value in values {
            let free = |other: &f64| (self.at(value) - self.at(*other)).abs() >= width;
            if kept.last().is_none_or(free) {
                kept.push(value);
            }
        }
        if let Some(&last) = values.last()
            && kept.last() != Some(&last)
        {
            kept.pop();
            kept.push(last);
        }
        kept
    }
}

/// Returns the smallest step that is 1, 2 or 5 times a power of ten and not below `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    match wanted / power {
        part if part <= 1.0 + 1e-9 => power,
        part if part <= 2.0 + 1e-9 => 2.0 * power,
        part if part <= 5.0 + 1e-9 => 5.0 * power,
        _ => 10.0 * power,
    }
}

/// Returns about `count` multiples of a round step between `from` and `to`.
fn even(from: f64, to: f64, count: usize) -> Vec<f64> {
    let step = round_step((to - from) / count.max(1) as f64);
    if !(step.is_normal() && step > 0.0) {
        return Vec::new();
    }
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last.min(first + 100))
        // Adding zero turns -0 into 0, so that no label is -0.
        .map(|step_number| step_number as f64 * step + 0.0)
        .collect()
}

/// Returns about `count` round values between `from` and `to`, for a range over several powers of ten.
fn decades(from: f64, to: f64, count: usize) -> Vec<f64> {
    let (first, last) = (
        from.log10().floor() as i32 - 1,
        to.log10().ceil() as i32 + 1,
    );
    let within = |values: Vec<f64>| -> Vec<f64> {
        let (from, to) = (from * (1.0 - 1e-9), to * (1.0 + 1e-9));
        values
            .into_iter()
            .filter(|value| (from..=to).contains(value))
            .collect()
    };
    let of = |digits: &[f64], every: usize| {
        let powers = (first..=last).step_by(every);
        within(
            powers
                .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
                .collect(),
        )
    };
    for digits in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
        let ticks = of(digits, 1);
        if ticks.len() <= count + 1 {
            return ticks;
        }
    }
    of(&[1.0], (last - first) as usize / count.max(1) + 1)
}

/// Rounds a value up to a round value, for the upper end of an axis with about `count` ticks.
pub(super) fn round_up(value: f64, count: usize) -> f64 {
    let step = round_step(value / count.max(1) as f64);
    if step.is_normal() {
        (value / step - 1e-9).ceil() * step
    } else {
        value
    }
}

/// Makes ticks at these values, each with its label.
pub(super) fn labelled(values: &[f64]) -> Ticks {
    values.iter().copied().zip(tick_labels(values)).collect()
}

/// Returns the labels of ticks. The labels of evenly spaced ticks all have the same number of decimals, which is the
/// largest number that any of them needs. If this takes too many digits, the labels have powers of ten.
pub(super) fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let greatest = ticks
        .iter()
        .fold(0.0_f64, |most, tick| most.max(tick.abs()));
    if greatest > 0.0 && !(1e-5..1e15).contains(&greatest) {
        return ticks.iter().map(|tick| significant(*tick, 2)).collect();
    }
    let digits = |tick: &f64| {
        let text = format!("{tick:.6}");
        let text = text.trim_end_matches('0');
        text.split_once('.').map_or(0, |(_, behind)| behind.len())
    };
    let even = ticks.windows(3).all(|three| {
        let (one, other) = (three[1] - three[0], three[2] - three[1]);
        (one - other).abs() < one.abs() * 1e-6
    });
    let most = ticks.iter().map(digits).max().unwrap_or(0);
    let label = |tick: &f64| {
        let digits = if even { most } else { digits(tick) };
        let text = format!("{:.digits$}", tick.abs());
        let (before, behind) = match text.split_once('.') {
            Some((before, behind)) => (before, format!(".{behind}")),
            None => (text.as_str(), String::new()),
        };
        let before = before
            .parse()
            .map_or_else(|_| before.to_owned(), super::numbers::count);
        let sign = if *tick < 0.0 { "−" } else { "" };
        format!("{sign}{before}{behind}")
    };
    ticks.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::even((0.0, 0.97), (0.0, 100.0));
        let labels = tick_labels(&scale.ticks(5));
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        let scale = Scale::even((-1.0, 1.0), (0.0, 100.0));
        assert_eq!(
            tick_labels(&scale.ticks(4)),
            ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
        );
        let scale = Scale::logarithmic((0.002, 30.0), (0.0, 100.0));
        assert_eq!(tick_labels(&scale.ticks(5)), ["0.01", "0.1", "1", "10"]);
        let scale = Scale::logarithmic((1.0, 6.0), (0.0, 100.0));
        assert_eq!(tick_labels(&scale.ticks(5)), ["1", "2", "5"]);
        assert_eq!(round_up(5.3, 5), 6.0);
    }

    #[test]
    fn ticks_of_extreme_values_have_powers_of_ten() {
        assert_eq!(tick_labels(&[0.0, 2e300]), ["0", "2.0e300"]);
        assert_eq!(tick_labels(&[-1e-300, 0.0]), ["−1.0e−300", "0"]);
        let scale = Scale::even((f64::MIN, f64::MAX), (0.0, 100.0));
        assert_eq!(scale.at(0.0), 50.0);
    }

    #[test]
    fn coordinates_stay_in_the_plot() {
        for scale in [
            Scale::even((1.0, 1.0), (10.0, 90.0)),
            Scale::logarithmic((0.0, 0.0), (10.0, 90.0)),
            Scale::logarithmic((1.0, 64.0), (90.0, 10.0)),
        ] {
            for value in [f64::NEG_INFINITY, -1.0, 0.0, 1.0, 8.0, 1e300, f64::NAN] {
                assert!(
                    (10.0..=90.0).contains(&scale.at(value)),
                    "{scale:?} {value}"
                );
            }
        }
        let scale = Scale::logarithmic((1.0, 64.0), (0.0, 60.0));
        assert_eq!(scale.at(8.0), 30.0);
        let threads = [1.0, 2.0, 3.0, 4.0, 64.0];
        assert_eq!(scale.apart(&threads, 10.0), [1.0, 2.0, 4.0, 64.0]);
    }
}
