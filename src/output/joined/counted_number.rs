//! A number that is counted up in its decimal form.

/// The number of digits of the largest number.
pub(super) const MOST_DIGITS: usize = 20;

/// A whole number as decimal digits. Counting up usually changes only the last digit, which is faster than writing every
/// number anew.
#[derive(Clone, Debug)]
pub(super) struct CountedNumber {
    /// The digits are at the end.
    digits: [u8; MOST_DIGITS],
    begin: usize,
}

impl CountedNumber {
    pub(super) fn new(number: u64) -> Self {
        let mut own = CountedNumber {
            digits: [b'0'; MOST_DIGITS],
            begin: MOST_DIGITS,
        };
        let mut rest = number;
        while rest > 0 || own.begin == MOST_DIGITS {
            own.begin -= 1;
            own.digits[own.begin] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        own
    }

    /// The digits.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[self.begin..]
    }

    /// Adds one. A number that has no more room for a digit begins again at 0, which no count of records reaches.
    pub(super) fn count_up(&mut self) {
        for place in (0..MOST_DIGITS).rev() {
            self.begin = self.begin.min(place);
            match self.digits[place] {
                b'9' => self.digits[place] = b'0',
                _ => {
                    self.digits[place] += 1;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_up() {
        for first in [0, 1, 8, 95, 999_990, u64::MAX - 20] {
            let mut own = CountedNumber::new(first);
            for number in first..first + 20 {
                assert_eq!(own.digits(), number.to_string().as_bytes());
                own.count_up();
            }
        }
    }
}
