//! Where a permutation of a window finds the taps of sixteen values that are resampled in float32.

use std::ops::Range;

use super::{Float, Table};
use crate::error::{Error, Result};

/// Lanes of a register.
const LANES: usize = 16;

/// How many values make a window, which lies in two registers or, of 16 bits, in one.
pub(crate) const WINDOW: usize = 32;

/// Words that a window has where values lie farther apart.
pub(crate) const FAR_WINDOW: usize = 64;

/// The taps of some values and their weights.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))] // a register is loaded twice as quickly out of one line of the cache as out of two
pub(crate) struct WideFloats {
    /// Where in the window the taps are. Of 16 bits, both taps of a value in a lane; else near ones' first taps, or far
    /// ones' first taps, then the second.
    pub(crate) index: [u32; LANES],
    /// The first weights, then the second; of far values of 32 bits, all of them, in the order of `index`.
    pub(crate) weights: [[f32; LANES]; 2],
}

/// All of a window, or none where there is no kernel for them.
#[derive(Debug, Default)]
pub(crate) struct AllWide {
    starts: Vec<u32>,
    wide: Vec<WideFloats>,
    far: bool,
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 has such permutations"))]
pub(crate) struct SomeWide<'a> {
    /// Where the windows start.
    pub(crate) starts: &'a [u32],
    pub(crate) wide: &'a [WideFloats],
    /// Whether values lie so far apart that, of 32 bits, a window has the taps of eight of them, else of sixteen.
    pub(crate) far: bool,
}

impl AllWide {
    #[inline(always)]
    pub(crate) fn new<T: Float>(table: &Table<f32>) -> Result<Self> {
        match (size_of::<T>(), table.channels) {
            // Of others a register has room for whole pixels, or eight values are as quick.
            (2, 1) => Self::of::<1, true>(table),
            (2, 2) => Self::of::<2, true>(table),
            (2, 3) => Self::of::<3, true>(table),
            (4, 1) => Self::of::<1, false>(table),
            (4, 2) => Self::of::<2, false>(table),
            (4, 3) => Self::of::<3, false>(table),
            (2, 4) => Self::of::<4, true>(table),
            _ => Ok(Self::default()),
        }
    }

    /// Of `C` channels, of 16 bits or of 32.
    #[inline(always)]
    fn of<const C: usize, const WORDS: bool>(table: &Table<f32>) -> Result<Self> {
        if let Some((starts, wide)) = fill::<C, LANES, WORDS>(table, WINDOW)? {
            return Ok(Self { starts, wide, far: false });
        }
        let found = if WORDS {
            fill::<C, LANES, WORDS>(table, FAR_WINDOW)?
        } else {
            fill::<C, { LANES / 2 }, WORDS>(table, WINDOW)?
        };
        Ok(found.map_or_else(Self::default, |(starts, wide)| Self { starts, wide, far: true }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wide.is_empty()
    }

    /// Those of some of `all` values.
    pub(crate) fn part(&self, values: Range<usize>, all: usize) -> SomeWide<'_> {
        if self.is_empty() {
            return SomeWide::default();
        }
        let each = all / self.wide.len();
        let part = values.start / each..values.end / each;
        SomeWide { starts: &self.starts[part.clone()], wide: &self.wide[part], far: self.far }
    }
}

/// For `VALUES` values at a time; none where a window does not reach over their taps.
#[inline(always)]
fn fill<const C: usize, const VALUES: usize, const WORDS: bool>(
    table: &Table<f32>,
    window: usize,
) -> Result<Option<(Vec<u32>, Vec<WideFloats>)>> {
    // No window passes the end of a row.
    let Some(last_window) = table.available.checked_sub(window) else { return Ok(None) };
    let count = table.start.len() * C / VALUES;
    let (mut starts, mut wide) = (Vec::new(), Vec::new());
    let bytes = count.saturating_mul(size_of::<WideFloats>());
    starts.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
    wide.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
    // So many pixels have their values in whole blocks. Loops, not `map`, which is not inlined here.
    let (mut taps, mut weights) = ([[0; C]; VALUES], [[[0.0; C]; VALUES]; 2]);
    let pixels = table.start.as_chunks::<VALUES>().0.iter().zip(table.weights.as_chunks::<VALUES>().0);
    for (start, both) in pixels {
        for (pixel, (&start, &both)) in start.iter().zip(both).enumerate() {
            for (channel, tap) in taps[pixel].iter_mut().enumerate() {
                *tap = start + channel as u32;
            }
            weights[0][pixel] = [both[0]; C];
            weights[1][pixel] = [both[1]; C];
        }
        let blocks = taps.as_flattened().as_chunks::<VALUES>().0;
        for (number, taps) in blocks.iter().enumerate() {
            let (mut least, mut most) = (last_window as u32, 0);
            for &tap in taps {
                (least, most) = (least.min(tap), most.max(tap));
            }
            if (most - least) as usize + C >= window {
                return Ok(None);
            }
            let at = number * VALUES;
            let [first, second] = weights.each_ref().map(|weights| &weights.as_flattened()[at..at + VALUES]);
            starts.push(least);
            wide.push(block::<C, VALUES, WORDS>(taps, least, first, second));
        }
    }
    Ok(Some((starts, wide)))
}

#[inline(always)]
fn block<const C: usize, const VALUES: usize, const WORDS: bool>(
    taps: &[u32; VALUES],
    window: u32,
    first: &[f32],
    second: &[f32],
) -> WideFloats {
    let mut block = WideFloats { index: [0; LANES], weights: [[0.0; LANES]; 2] };
    for (index, tap) in block.index.iter_mut().zip(taps) {
        let tap = tap - window;
        *index = if WORDS { tap | (tap + C as u32) << 16 } else { tap };
    }
    let [weights, others] = &mut block.weights;
    weights[..VALUES].copy_from_slice(first);
    if VALUES == LANES {
        others.copy_from_slice(second);
    } else {
        weights[VALUES..].copy_from_slice(second);
        for (index, tap) in block.index[VALUES..].iter_mut().zip(taps) {
            *index = tap - window + C as u32;
        }
    }
    block
}
