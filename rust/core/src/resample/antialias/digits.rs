//! Weights in digits: a sum of products of 22 bits is three sums of products of bytes.

use super::bytes::GROUP;

/// Digits of [`GROUP`] weights to the base of 256, from -128 to 127: the highest ones, then the middle ones, then the
/// lowest. In the place of four, so that a register has them at once.
pub(super) type WeightDigits = [[i8; GROUP]; 4];

/// Digits of up to [`GROUP`] weights; where there are fewer, the rest weighs nothing.
pub(super) fn digits(weights: impl Iterator<Item = i32>) -> WeightDigits {
    let mut digits = [[0; GROUP]; 4];
    for (k, mut weight) in weights.enumerate() {
        for digit in digits[..3].iter_mut().rev() {
            digit[k] = weight as i8;
            weight = (weight - i32::from(digit[k])) >> 8;
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::antialias::triangle::BYTE_WEIGHT_BITS;

    #[test]
    fn digits_are_the_weight() {
        let one = 1 << BYTE_WEIGHT_BITS;
        let near = [0, 127, 128, 129, 255, 256, 32_639, 32_640, 32_895, 32_896, one - 1, one, one + 3];
        for weight in near.into_iter().chain((0..one).step_by(997)) {
            let [high, middle, low, _] = digits([0, weight].into_iter()).map(|digits| i32::from(digits[1]));
            assert_eq!((high << 16) + (middle << 8) + low, weight);
        }
        assert_eq!(digits([5].into_iter()), [[0; 4], [0; 4], [5, 0, 0, 0], [0; 4]]);
    }
}
