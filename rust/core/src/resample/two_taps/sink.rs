//! Where the first pass over float32 puts its values.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features; closures would be called"
)]

use super::Float;

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

/// Both rows are mixed at once: no other output row needs them.
pub(super) struct Mixed<'a, T, M> {
    pub(super) mix: M,
    pub(super) out: &'a mut [T],
}

impl<T: Float, M: Fn([[f32; 8]; 2]) -> [T; 8]> Sink<2> for Mixed<'_, T, M> {
    #[inline(always)]
    fn put(&mut self, place: Place, rows: [[f32; 8]; 2]) -> bool {
        place.fill((self.mix)(rows), self.out)
    }
}
