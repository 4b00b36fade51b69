//! Durations in JSON: each is written as a number of seconds.
//!
//! Fields use it as `#[serde(with = "crate::machine::seconds")]`.

use std::time::Duration;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize as _, Deserializer, Serialize, Serializer};

/// A duration, or durations in a container, that can be written in seconds.
pub(crate) trait InSeconds: Sized {
    /// The same with numbers instead of durations.
    type Numbers: Serialize + DeserializeOwned;

    fn to_numbers(&self) -> Self::Numbers;

    /// Returns `None` if a number is negative, NaN, or too large for a duration.
    fn of_numbers(numbers: Self::Numbers) -> Option<Self>;
}

impl InSeconds for Duration {
    type Numbers = f64;

    fn to_numbers(&self) -> f64 {
        self.as_secs_f64()
    }

    fn of_numbers(seconds: f64) -> Option<Self> {
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl<T: InSeconds> InSeconds for Option<T> {
    type Numbers = Option<T::Numbers>;

    fn to_numbers(&self) -> Self::Numbers {
        self.as_ref().map(T::to_numbers)
    }

    fn of_numbers(numbers: Self::Numbers) -> Option<Self> {
        match numbers {
            None => Some(None),
            Some(numbers) => T::of_numbers(numbers).map(Some),
        }
    }
}

impl<T: InSeconds> InSeconds for Vec<T> {
    type Numbers = Vec<T::Numbers>;

    fn to_numbers(&self) -> Self::Numbers {
        self.iter().map(T::to_numbers).collect()
    }

    fn of_numbers(numbers: Self::Numbers) -> Option<Self> {
        numbers.into_iter().map(T::of_numbers).collect()
    }
}

impl<T: InSeconds> InSeconds for (T, T) {
    type Numbers = (T::Numbers, T::Numbers);

    fn to_numbers(&self) -> Self::Numbers {
        (self.0.to_numbers(), self.1.to_numbers())
    }

    fn of_numbers((one, other): Self::Numbers) -> Option<Self> {
        Some((T::of_numbers(one)?, T::of_numbers(other)?))
    }
}

pub(crate) fn serialize<T: InSeconds, S: Serializer>(time: &T, to: S) -> Result<S::Ok, S::Error> {
    time.to_numbers().serialize(to)
}

pub(crate) fn deserialize<'de, T: InSeconds, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let time = T::of_numbers(T::Numbers::deserialize(from)?);
    time.ok_or_else(|| D::Error::custom("expected a number of seconds that is not negative"))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Times {
        #[serde(with = "crate::machine::seconds")]
        wall: Duration,
        #[serde(default, with = "crate::machine::seconds")]
        own: Option<Duration>,
        #[serde(with = "crate::machine::seconds")]
        spans: Vec<(Duration, Duration)>,
    }

    #[test]
    fn times_are_numbers_of_seconds() {
        let ms = Duration::from_millis;
        let times = |own| Times {
            wall: ms(2500),
            own,
            spans: vec![(ms(0), ms(1)), (ms(20), Duration::from_nanos(30_000_001))],
        };
        let spans = json!([[0.0, 0.001], [0.02, 0.030000001]]);
        for (own, written) in [(Some(ms(7)), json!(0.007)), (None, json!(null))] {
            let json = json!({ "wall": 2.5, "own": written, "spans": spans });
            assert_eq!(serde_json::to_value(times(own)).expect("JSON"), json);
            assert_eq!(
                serde_json::from_value::<Times>(json).expect("times"),
                times(own)
            );
        }
        let without = json!({ "wall": 2.5, "spans": spans });
        let read = serde_json::from_value::<Times>(without);
        assert_eq!(read.expect("a time may be missing"), times(None));
        let negative = json!({ "wall": -1.0, "spans": [] });
        let refused = serde_json::from_value::<Times>(negative);
        let refused = refused.expect_err("it is negative").to_string();
        assert!(refused.contains("not negative"), "{refused}");
    }
}
