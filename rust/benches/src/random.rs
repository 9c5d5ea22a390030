//! Random numbers that are the same everywhere.

use copypaste_core::philox;

/// Stream of random numbers.
pub(crate) struct Random {
    seed: u64,
    block: u64,
    words: [u64; 4],
    used: usize,
}

impl Random {
    /// Stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, block: 0, words: [0; 4], used: 4 }
    }

    /// Uniform number from 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        if self.used == self.words.len() {
            philox::fill_words([self.seed, 0], [self.block, 0, 0, 0], &mut self.words);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        (self.words[self.used - 1] >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Number whose distribution is close to normal, made without a logarithm, whose last bit differs between machines.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
