//! Where the first pass over float32 puts its values.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features; closures would be called"
)]

use super::Float;
use crate::resample::chains::first_of;

/// Where eight values of a row go: four from `at` on, and four `second` behind that, over what lies there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) second: usize,
}

impl Place {
    /// Says whether there was room.
    #[inline(always)]
    fn fill<V: Copy>(self, values: [V; 8], row: &mut [V]) -> bool {
        let Some(place) = row.get_mut(self.at..self.at + self.second + 4) else { return false };
        place[..4].copy_from_slice(&values[..4]);
        place[self.second..].copy_from_slice(&values[4..]);
        true
    }
}

/// Takes values of `N` source rows.
pub(super) trait Sink<const N: usize> {
    /// Takes eight of each row; says whether there was room.
    fn put(&mut self, place: Place, values: [[f32; 8]; N]) -> bool;
}

/// Each row is kept, for output rows to share.
pub(super) struct Apart<'a, const N: usize>(pub(super) [&'a mut [f32]; N]);

impl<const N: usize> Sink<N> for Apart<'_, N> {
    #[inline(always)]
    fn put(&mut self, place: Place, values: [[f32; 8]; N]) -> bool {
        for (row, values) in self.0.iter_mut().zip(values) {
            if !place.fill(values, row) {
                return false;
            }
        }
        true
    }
}

/// Rows are mixed at once, as the `STEPS` of a chain say: nothing is kept.
pub(super) struct Mixed<'a, const M: usize, const STEPS: u32, T, F> {
    /// Mixes two rows for the output row of this number.
    pub(super) mix: F,
    pub(super) out: [&'a mut [T]; M],
}

impl<const N: usize, const M: usize, const STEPS: u32, T, F> Sink<N> for Mixed<'_, M, STEPS, T, F>
where
    T: Float,
    F: Fn(usize, [[f32; 8]; 2]) -> [T; 8],
{
    #[inline(always)]
    fn put(&mut self, place: Place, rows: [[f32; 8]; N]) -> bool {
        for (number, out) in self.out.iter_mut().enumerate() {
            let first = first_of(STEPS, number);
            if !place.fill((self.mix)(number, [rows[first], rows[first + 1]]), out) {
                return false;
            }
        }
        true
    }
}

/// Takes whole blocks of values of `N` source rows.
pub(super) trait Blocks<const N: usize> {
    /// Takes the block of this number of each row; says whether there was room.
    fn put_block<const V: usize>(&mut self, number: usize, blocks: [[f32; V]; N]) -> bool;
}

impl<const N: usize> Blocks<N> for Apart<'_, N> {
    #[inline(always)]
    fn put_block<const V: usize>(&mut self, number: usize, blocks: [[f32; V]; N]) -> bool {
        for (row, block) in self.0.iter_mut().zip(blocks) {
            let Some(place) = row.as_chunks_mut().0.get_mut(number) else { return false };
            *place = block;
        }
        true
    }
}

/// The same as [`Mixed`], for blocks.
pub(super) struct Chained<'a, const M: usize, const STEPS: u32, T> {
    pub(super) weights: [[f32; 2]; M],
    pub(super) out: [&'a mut [T]; M],
}

impl<const N: usize, const M: usize, const STEPS: u32, T: Float> Blocks<N> for Chained<'_, M, STEPS, T> {
    #[inline(always)]
    fn put_block<const V: usize>(&mut self, number: usize, blocks: [[f32; V]; N]) -> bool {
        for (k, out) in self.out.iter_mut().enumerate() {
            let Some(place) = out.as_chunks_mut::<V>().0.get_mut(number) else { return false };
            let [w0, w1] = self.weights[k];
            let first = first_of(STEPS, k);
            for i in 0..V {
                place[i] = T::from_sum(0.0 + w0 * blocks[first][i] + w1 * blocks[first + 1][i]);
            }
        }
        true
    }
}
