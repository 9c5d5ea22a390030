//! Opacity of a block of pixels as bits: which weights are 255, which lie between 0 and that.

use super::portable::WIDTH;
use crate::bits::nonzero_bytes;

/// Opacity of the 16 pixels of a block, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpacityBits {
    /// Pixels whose weight is 255.
    pub(crate) opaque: u16,
    /// Pixels whose weight lies between 0 and 255.
    pub(crate) partial: u16,
}

impl OpacityBits {
    pub(crate) fn of(weights: &[u8; WIDTH]) -> Self {
        let mut bits = Self::default();
        for (i, eight) in weights.as_chunks().0.iter().enumerate() {
            let weights = u64::from_le_bytes(*eight);
            let above_0 = u16::from(bits_of_bytes(nonzero_bytes(weights)));
            let below_255 = u16::from(bits_of_bytes(nonzero_bytes(!weights)));
            bits.opaque |= (0xff & !below_255) << (8 * i);
            bits.partial |= (above_0 & below_255) << (8 * i);
        }
        bits
    }
}

/// Highest bits of the eight bytes of `word`, side by side.
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
