//! Integers wide enough for exact geometry with any finite coordinates.

/// Enough for products of two differences of five-fold coordinates: 2 * (1024 + 3 + 2) bits and the sign.
const LIMBS: usize = 34;

/// A signed integer of 2176 bits in two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide([u64; LIMBS]);

impl Wide {
    pub(super) fn from_i64(value: i64) -> Self {
        let mut limbs = [(value >> 63) as u64; LIMBS];
        limbs[0] = value as u64;
        Self(limbs)
    }

    /// The integer part of a finite number, towards zero.
    pub(super) fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        // A number from 2^52 on is its 53-bit significand times a power of two; smaller ones fit an i64.
        let exponent = (bits >> 52 & 0x7ff) as usize;
        let Some(shift) = exponent.checked_sub(1075) else { return Self::from_i64(value as i64) };
        let significand = (bits & ((1 << 52) - 1)) | 1 << 52;
        let mut limbs = [0; LIMBS];
        let shifted = (significand as u128) << (shift % 64);
        limbs[shift / 64] = shifted as u64;
        limbs[shift / 64 + 1] = (shifted >> 64) as u64;
        if value < 0.0 { Self::from_i64(0).minus(Self(limbs)) } else { Self(limbs) }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let mut sum = self;
        let mut carry = false;
        for (limb, add) in sum.0.iter_mut().zip(other.0) {
            let (partial, over) = limb.overflowing_add(add);
            let (total, over_again) = partial.overflowing_add(u64::from(carry));
            (*limb, carry) = (total, over | over_again);
        }
        sum
    }

    pub(super) fn minus(self, other: Self) -> Self {
        let complement = Self(other.0.map(|limb| !limb));
        self.plus(complement).plus(Self::from_i64(1))
    }

    pub(super) fn times(self, other: Self) -> Self {
        let mut product = [0u64; LIMBS];
        for (i, &a) in self.0.iter().enumerate().filter(|(_, a)| **a != 0) {
            let mut carry = 0u128;
            for (limb, &b) in product[i..].iter_mut().zip(&other.0) {
                carry += a as u128 * b as u128 + *limb as u128;
                *limb = carry as u64;
                carry >>= 64;
            }
        }
        Self(product)
    }

    pub(super) fn is_negative(self) -> bool {
        self.0[LIMBS - 1] >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_i128() {
        let values = [0, 1, -1, 7, -12, 1 << 40, -(1 << 40) - 3, i64::MAX, i64::MIN];
        let wide = |value: i128| {
            let high = Wide::from_i64((value >> 64) as i64).times(Wide::from_f64(2f64.powi(64)));
            let low = Wide::from_i64((value as u64 >> 1) as i64);
            high.plus(low.plus(low)).plus(Wide::from_i64(value as i64 & 1))
        };
        for a in values {
            for b in values {
                let (x, y) = (a as i128, b as i128);
                assert_eq!(Wide::from_i64(a).plus(Wide::from_i64(b)), wide(x + y));
                assert_eq!(Wide::from_i64(a).minus(Wide::from_i64(b)), wide(x - y));
                assert_eq!(Wide::from_i64(a).times(Wide::from_i64(b)), wide(x * y));
                assert_eq!(wide(x - y).is_negative(), x < y);
            }
        }
    }

    #[test]
    fn reads_numbers_of_any_size() {
        for exponent in [0, 1, 51, 52, 53, 62, 63, 64, 65, 500, 1023] {
            let mut power = Wide::from_i64(1);
            for _ in 0..exponent {
                power = power.plus(power);
            }
            assert_eq!(Wide::from_f64(2f64.powi(exponent)), power);
            assert_eq!(Wide::from_f64(-2f64.powi(exponent)), Wide::from_i64(0).minus(power));
        }
        assert_eq!(Wide::from_f64(-2.75), Wide::from_i64(-2));
    }
}
