//! Random numbers of the tests.

/// Linear congruential generator with Knuth's MMIX constants; the field is its seed, then its state.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}
