//! Which of a block of weights are all, which are some.

use super::portable::WIDTH;
use crate::bits::nonzero_bytes;

/// One bit for each weight of a block: where it is 255, and where it is anything between 0 and that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpacityBits {
    pub(crate) opaque: u16,
    pub(crate) partial: u16,
}

impl OpacityBits {
    pub(crate) fn of(weights: &[u8; WIDTH]) -> Self {
        let mut bits = Self::default();
        for (i, eight) in weights.as_chunks().0.iter().enumerate() {
            let weights = u64::from_le_bytes(*eight);
            let some = u16::from(bits_of_bytes(nonzero_bytes(weights)));
            let not_all = u16::from(bits_of_bytes(nonzero_bytes(!weights)));
            bits.opaque |= (0xff & !not_all) << (8 * i);
            bits.partial |= (some & not_all) << (8 * i);
        }
        bits
    }
}

/// The highest bits of the bytes, side by side.
fn bits_of_bytes(word: u64) -> u8 {
    ((word >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_bits() {
        let weights = [0, 255, 255, 1, 254, 0, 255, 0, 128, 0, 127, 255, 0, 0, 255, 7];
        let bits = OpacityBits::of(&weights);
        for (i, weight) in weights.into_iter().enumerate() {
            assert_eq!(bits.opaque >> i & 1 == 1, weight == 255, "{i}");
            assert_eq!(bits.partial >> i & 1 == 1, weight != 0 && weight != 255, "{i}");
        }
        assert_eq!(OpacityBits::of(&[0; WIDTH]), OpacityBits::default());
        assert_eq!(OpacityBits::of(&[255; WIDTH]), OpacityBits { opaque: u16::MAX, partial: 0 });
    }
}
