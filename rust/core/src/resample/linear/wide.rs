//! Tables of permutations that find the taps of 32 values among 64 or 128 bytes.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use super::LinearTable;
use crate::error::{Error, Result};
use crate::memory::filled;

/// Bytes that the taps are found among: one register.
pub(crate) const WINDOW: usize = 64;

/// Bytes of two registers, for values that lie farther apart.
pub(crate) const FAR_WINDOW: usize = 128;

/// Values of a block.
const VALUES: usize = 32;

/// Thirty-two values of the first pass, each from two bytes of a window of the line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))] // a register is loaded twice as quickly out of one line of the cache as out of two
pub(crate) struct Wide {
    /// For each value which byte is its first tap and which its second.
    pub(crate) taps: [[u8; 2]; VALUES],
    /// Weights are 16 times the negative of `high`, and `low`.
    pub(crate) high: [[i8; 2]; VALUES],
    pub(crate) low: [[i8; 2]; VALUES],
}

/// Blocks of a row whose values are found in windows.
#[derive(Debug)]
pub(crate) struct AllWide {
    /// Start of each window, in bytes of the line.
    pub(super) windows: Vec<u32>,
    pub(super) wide: Vec<Wide>,
    /// Whether they are far ones.
    pub(super) far: bool,
}

/// Blocks of a row; none where values lie too far apart.
#[inline(always)]
pub(super) fn wide_blocks(table: &LinearTable<i16>) -> Result<Option<AllWide>> {
    for (far, length) in [(false, WINDOW), (true, FAR_WINDOW)] {
        let found = match table.channels {
            1 => blocks_of::<1>(table, length)?,
            2 => blocks_of::<2>(table, length)?,
            3 => blocks_of::<3>(table, length)?,
            4 => blocks_of::<4>(table, length)?,
            _ => None,
        };
        if let Some((windows, wide)) = found {
            return Ok(Some(AllWide { windows, wide, far }));
        }
    }
    Ok(None)
}

#[inline(always)]
fn blocks_of<const C: usize>(
    table: &LinearTable<i16>,
    length: usize,
) -> Result<Option<(Vec<u32>, Vec<Wide>)>> {
    // No window passes the end of a row.
    let Some(last_window) = table.available.checked_sub(length) else { return Ok(None) };
    let count = (table.start.len() * C).div_ceil(VALUES);
    let mut windows = filled(count)?;
    let mut blocks = Vec::new();
    let bytes = count.saturating_mul(size_of::<Wide>());
    blocks.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
    // Loops, not `map`, which is not inlined here.
    let (mut taps, mut spread) = ([[0; C]; VALUES], [[[0; 2]; C]; VALUES]);
    for (number, (starts, weights)) in
        table.start.chunks(VALUES).zip(table.weights.chunks(VALUES)).enumerate()
    {
        // So many pixels have their values in whole blocks. Past the last, anything with no weight.
        for (taps, &start) in taps.iter_mut().zip(starts) {
            for (channel, tap) in taps.iter_mut().enumerate() {
                *tap = start + channel as u32;
            }
        }
        spread[weights.len()..].fill([[0; 2]; C]);
        for (spread, &weights) in spread.iter_mut().zip(weights) {
            *spread = [weights; C];
        }
        if let Some(&last) = taps.get(starts.len().wrapping_sub(1)) {
            taps[starts.len()..].fill(last);
        }
        let taps = taps.as_flattened().as_chunks::<VALUES>().0;
        let weights = spread.as_flattened().as_chunks::<VALUES>().0;
        for ((taps, weights), window) in taps.iter().zip(weights).zip(&mut windows[number * C..]) {
            let (mut least, mut most) = (last_window as u32, 0);
            for &tap in taps {
                (least, most) = (least.min(tap), most.max(tap));
            }
            *window = least;
            if (most - least) as usize + C >= length {
                return Ok(None);
            }
            blocks.push(block::<C>(taps, weights, least));
        }
    }
    Ok(Some((windows, blocks)))
}

#[inline(always)]
fn block<const C: usize>(taps: &[u32; VALUES], weights: &[[i16; 2]; VALUES], window: u32) -> Wide {
    let mut block = Wide { taps: [[0; 2]; VALUES], high: [[0; 2]; VALUES], low: [[0; 2]; VALUES] };
    for (found, tap) in block.taps.iter_mut().zip(taps) {
        *found = [(tap - window) as u8, (tap - window) as u8 + C as u8];
    }
    let weights = weights.as_flattened();
    let (high, low) = (block.high.as_flattened_mut(), block.low.as_flattened_mut());
    for ((high, low), weight) in high.iter_mut().zip(low).zip(weights) {
        (*high, *low) = (-(weight >> 4) as i8, (weight & 15) as i8);
    }
    block
}
