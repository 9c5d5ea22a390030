//! Masks as spans.

use super::Counts;
use super::spans::{any_equal_neighbours, cancel_pairs, push_counts};
use crate::memory::{reserve, reserve_more};
use crate::{Result, Size};

/// Masks of one size, each a canonical list of spans.
///
/// Canonical: spans ascend, none is empty, and between two there is a clear pixel. Whatever is in here has this form.
#[derive(Debug, PartialEq, Eq)]
pub struct Masks {
    pub(super) size: Size,
    /// Toggles of all masks: start, end, start, end, ...
    pub(super) toggles: Vec<u32>,
    /// Offset of the toggles of each mask, and, last, their number.
    pub(super) offsets: Vec<usize>,
}

impl Masks {
    /// Empty list of masks of this size.
    #[must_use]
    pub fn empty(size: Size) -> Self {
        Self { size, toggles: Vec::new(), offsets: vec![0] }
    }

    /// Room for `masks` masks with `toggles` toggles in all.
    pub(crate) fn with_capacity(size: Size, masks: usize, toggles: usize) -> Result<Self> {
        let mut made = Self { size, toggles: reserve(toggles)?, offsets: reserve(masks + 1)? };
        made.offsets.push(0);
        Ok(made)
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

    /// Toggles of one mask: start, end, start, end, ...
    #[must_use]
    pub fn toggles(&self, mask: usize) -> &[u32] {
        &self.toggles[self.offsets[mask]..self.offsets[mask + 1]]
    }

    /// Spans of one mask, `[start, end]`.
    #[must_use]
    pub fn spans(&self, mask: usize) -> &[[u32; 2]] {
        self.toggles(mask).as_chunks().0
    }

    /// Spans of each mask in turn.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[[u32; 2]]> + Clone {
        self.offsets.windows(2).map(|range| self.toggles[range[0]..range[1]].as_chunks().0)
    }

    /// Masks from run lengths, background first. `offsets` says where in `counts` each mask begins, and ends with
    /// the number of counts. Runs of length zero may stand anywhere.
    ///
    /// # Errors
    /// When the offsets do not ascend from 0 to the number of counts, the runs of a mask do not add up to its
    /// pixels, the size has more than 2^32 - 1 pixels, or there is not enough memory.
    pub fn from_counts(size: Size, counts: &[u32], offsets: &[i64]) -> Result<Self> {
        Self::read(&Counts::new(size, counts, offsets)?)
    }

    /// Masks of `counts`.
    ///
    /// # Errors
    /// When the runs of a mask do not add up to its pixels, or there is not enough memory.
    pub fn read(counts: &Counts<'_>) -> Result<Self> {
        Self::read_each(counts, 0..counts.len(), counts.runs_len())
    }

    /// Masks of the numbers `rows`, in this order.
    pub(crate) fn read_rows(counts: &Counts<'_>, rows: &[usize]) -> Result<Self> {
        let runs = rows.iter().map(|&row| counts.runs(row).len()).sum();
        Self::read_each(counts, rows.iter().copied(), runs)
    }

    /// Masks of the numbers `rows`, which have `runs` runs in all.
    fn read_each(
        counts: &Counts<'_>,
        rows: impl ExactSizeIterator<Item = usize>,
        runs: usize,
    ) -> Result<Self> {
        let mut masks = Self::with_capacity(counts.size(), rows.len(), runs)?;
        for row in rows {
            counts.read(row, &mut masks.toggles)?;
            masks.offsets.push(masks.toggles.len());
        }
        Ok(masks)
    }

    /// Run lengths of all masks, background first, and where each mask begins among them.
    ///
    /// Only the first run of a mask may be zero: an empty mask is `[h * w]`, a full one `[0, h * w]`, one
    /// without pixels `[0]`.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn to_counts(&self) -> Result<(Vec<u32>, Vec<i64>)> {
        let mut counts = reserve(self.counts_len())?;
        let mut offsets = reserve(self.offsets.len())?;
        offsets.push(0);
        for mask in self.iter() {
            push_counts(mask, self.size, &mut counts);
            offsets.push(counts.len() as i64);
        }
        Ok((counts, offsets))
    }

    /// Highest number of run lengths that the masks can have.
    pub(crate) fn counts_len(&self) -> usize {
        self.toggles.len() + self.len()
    }

    /// Number of toggles of all masks.
    pub(crate) fn toggles_len(&self) -> usize {
        self.toggles.len()
    }

    /// Adds a mask, given by its canonical spans.
    pub(crate) fn push(&mut self, spans: &[[u32; 2]]) -> Result<()> {
        debug_assert!(spans.as_flattened().is_sorted_by(|a, b| a < b));
        debug_assert!(spans.last().is_none_or(|span| span[1] as usize <= self.size.pixels()));
        reserve_more(&mut self.toggles, 2 * spans.len())?;
        self.toggles.extend_from_slice(spans.as_flattened());
        self.close_canonical()
    }

    /// Makes the toggles that were appended since the last mask into one; neighbours among them may be equal.
    pub(super) fn close(&mut self) -> Result<()> {
        let from = self.offsets[self.len()];
        if any_equal_neighbours(&self.toggles[from..]) {
            let kept = cancel_pairs(&mut self.toggles[from..]);
            self.toggles.truncate(from + kept);
        }
        self.close_canonical()
    }

    /// Makes the toggles that were appended since the last mask into one.
    pub(super) fn close_canonical(&mut self) -> Result<()> {
        debug_assert!((self.toggles.len() - self.offsets[self.len()]).is_multiple_of(2));
        reserve_more(&mut self.offsets, 1)?;
        self.offsets.push(self.toggles.len());
        Ok(())
    }
}
