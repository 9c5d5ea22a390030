//! Weights in digits: a sum of products of 22 bits is three sums of products of bytes.

use super::GROUP;

/// Digits of a weight to the base of 256, from -128 to 127.
const DIGITS: usize = 3;

/// The highest digits of a few weights, then the middle ones, then the lowest.
pub(crate) type Digits = [[i8; GROUP]; DIGITS];

/// Digits of a group of weights, padded to four by zeros.
pub(crate) type PaddedDigits = [[i8; GROUP]; 4];

/// Digits of up to [`GROUP`] weights; where there are fewer, the rest weighs nothing.
pub(crate) fn digits(weights: impl Iterator<Item = i32>) -> Digits {
    let mut digits = [[0; GROUP]; DIGITS];
    for (k, mut weight) in weights.enumerate() {
        for digit in digits.iter_mut().rev() {
            digit[k] = weight as i8;
            weight = (weight - i32::from(digit[k])) >> 8;
        }
    }
    digits
}

/// Padded digits of up to [`GROUP`] weights.
pub(crate) fn padded_digits(weights: impl Iterator<Item = i32>) -> PaddedDigits {
    let [high, middle, low] = digits(weights);
    [high, middle, low, [0; GROUP]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::taps::BYTE_WEIGHT_BITS;

    #[test]
    fn digits_are_the_weight() {
        let one = 1 << BYTE_WEIGHT_BITS;
        let near = [0, 127, 128, 129, 255, 256, 32_639, 32_640, 32_895, 32_896, one - 1, one, one + 3];
        for weight in near.into_iter().chain((0..one).step_by(997)) {
            let [high, middle, low] = digits([0, weight].into_iter()).map(|digits| i32::from(digits[1]));
            assert_eq!((high << 16) + (middle << 8) + low, weight);
        }
        assert_eq!(digits([5].into_iter()), [[0; 4], [0; 4], [5, 0, 0, 0]]);
    }
}
