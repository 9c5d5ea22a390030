//! Masks as they come from outside: run lengths, not checked yet.

use super::dispatch::add_up;
use super::spans::cancel_pairs;
use crate::memory::reserve_more;
use crate::simd::Level;
use crate::{Error, Result, Size};

/// Run lengths of masks of one size, background first, read one mask at a time.
///
/// Runs of length zero may stand anywhere. Whether those of a mask fill it is seen when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    size: Size,
    pixels: u64,
    level: Level,
    runs: &'a [u32],
    offsets: &'a [i64],
}

impl<'a> Counts<'a> {
    /// Run lengths in `counts`; `offsets` says where each mask begins among them, and ends with their number.
    ///
    /// # Errors
    /// When the offsets do not ascend from 0 to the number of counts, or the size has more than 2^32 - 1 pixels.
    pub fn new(size: Size, counts: &'a [u32], offsets: &'a [i64]) -> Result<Self> {
        let pixels = pixels_of(size)?;
        check_offsets(offsets, counts.len())?;
        Ok(Self { size, pixels, level: Level::detect(), runs: counts, offsets })
    }

    /// Height and width of each mask.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of masks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no mask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of runs of all masks: they have no more toggles.
    pub(crate) fn runs_len(&self) -> usize {
        self.runs.len()
    }

    /// Run lengths of one mask.
    pub(super) fn runs(&self, mask: usize) -> &'a [u32] {
        &self.runs[self.offsets[mask] as usize..self.offsets[mask + 1] as usize]
    }

    /// Refuses runs of a mask that add up to another number of pixels.
    pub(super) fn check(&self, mask: usize, sum: u64) -> Result<()> {
        let size = self.size;
        if sum == self.pixels { Ok(()) } else { Err(Error::RunsDoNotFill { mask, sum, size }) }
    }

    /// Appends the toggles of the canonical spans of one mask.
    pub(crate) fn read(&self, mask: usize, toggles: &mut Vec<u32>) -> Result<()> {
        let runs = self.runs(mask);
        // The end of the last background run is no toggle: nothing follows it.
        let (runs, last) = runs.split_at(runs.len() & !1);
        let from = toggles.len();
        reserve_more(toggles, runs.len())?;
        toggles.resize(from + runs.len(), 0);
        let mut sums = RunSums { total: 0, any_empty: false };
        add_up(self.level, runs, &mut toggles[from..], &mut sums);
        self.check(mask, sums.total + last.iter().map(|&run| run as u64).sum::<u64>())?;
        // Toggles are equal where a run between two of them is empty: that is seldom.
        if sums.any_empty {
            let kept = cancel_pairs(&mut toggles[from..]);
            toggles.truncate(from + kept);
        }
        Ok(())
    }
}

/// Number of pixels of a mask.
pub(super) fn pixels_of(size: Size) -> Result<u64> {
    match size.h.checked_mul(size.w) {
        Some(pixels) if u32::try_from(pixels).is_ok() => Ok(pixels as u64),
        _ => Err(Error::TooManyPixels { size }),
    }
}

/// Refuses offsets into `length` values that do not ascend from 0 to that number.
pub(super) fn check_offsets(offsets: &[i64], length: usize) -> Result<()> {
    let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    let ends = (offsets.first(), offsets.last());
    let fit = ascending && ends == (Some(&0), Some(&(length as i64)));
    if fit { Ok(()) } else { Err(Error::OffsetsDoNotFit) }
}

/// Sum of run lengths, made on the way from these to toggles.
pub(crate) struct RunSums {
    /// Sum of all runs.
    pub(crate) total: u64,
    /// Whether one of them, other than the first, is zero.
    pub(crate) any_empty: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn runs_are_added_up() {
        let mut random = Random(21);
        for length in (0..40).chain([1000]) {
            for zeros in [0, 1, 9] {
                let mut run =
                    |i| if random.below(20) < zeros && i > 0 { 0 } else { 1 + random.below(9) as u32 };
                let mut runs: Vec<u32> = (0..length).map(&mut run).collect();
                if let Some(first) = runs.first_mut() {
                    *first = 0;
                }
                let expected: Vec<u32> = (0..length).map(|i| runs[..=i].iter().sum()).collect();
                for level in Level::available() {
                    let mut ends = vec![7; length];
                    let mut sums = RunSums { total: 1, any_empty: false };
                    add_up(level, &runs, &mut ends, &mut sums);
                    assert_eq!(ends, expected);
                    assert_eq!(sums.total, expected.last().copied().unwrap_or(0).into());
                    assert_eq!(
                        sums.any_empty,
                        runs.iter().skip(1).any(|&run| run == 0),
                        "{level:?} {runs:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn totals_do_not_wrap() {
        for level in Level::available() {
            let (runs, mut ends) = ([u32::MAX; 19], [0; 19]);
            let mut sums = RunSums { total: 0, any_empty: true };
            add_up(level, &runs, &mut ends, &mut sums);
            assert_eq!((sums.total, sums.any_empty), (19 * u64::from(u32::MAX), false));
        }
    }
}
