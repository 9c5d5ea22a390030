//! Blocks of 32 values of a resized row, and where AVX-512 permutations of 64 or 128 bytes find their taps.

use super::table::LinearTable;
use crate::error::Result;
use crate::memory::{filled, reserve};

/// Bytes that the taps are found among: one register.
pub(super) const WINDOW: usize = 64;

/// Bytes that the taps are found among where values lie farther apart: two registers.
pub(super) const FAR_WINDOW: usize = 128;

/// Values of a block.
pub(super) const VALUES: usize = 32;

/// Thirty-two values, each found among the bytes of a window of the source row.
/// ```text
/// taps        first, second of value 0 | 1 | 2 | ... | 31
/// high, low   weight of the first tap, of the second | ... (16 times the negative of `high`, and `low`)
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))] // a register is loaded twice as quickly out of one line of the cache as out of two
pub(super) struct PermutationBlock {
    pub(super) taps: [[u8; 2]; VALUES],
    pub(super) high: [[i8; 2]; VALUES],
    pub(super) low: [[i8; 2]; VALUES],
}

/// Blocks of all values of a window.
#[derive(Debug)]
pub(super) struct PermutationBlocks {
    /// First byte of the window of each block.
    pub(super) windows: Vec<u32>,
    pub(super) blocks: Vec<PermutationBlock>,
    /// Whether windows are the longer ones.
    pub(super) far: bool,
}

impl PermutationBlocks {
    /// Blocks of a window of the canvas, or none where values lie too far apart.
    #[inline(always)]
    pub(super) fn new(table: &LinearTable<i16>) -> Result<Option<Self>> {
        for (far, length) in [(false, WINDOW), (true, FAR_WINDOW)] {
            let found = match table.channels {
                1 => blocks_of::<1>(table, length)?,
                2 => blocks_of::<2>(table, length)?,
                3 => blocks_of::<3>(table, length)?,
                4 => blocks_of::<4>(table, length)?,
                _ => None,
            };
            if let Some((windows, blocks)) = found {
                return Ok(Some(Self { windows, blocks, far }));
            }
        }
        Ok(None)
    }
}

type WindowsAndBlocks = (Vec<u32>, Vec<PermutationBlock>);

#[inline(always)]
fn blocks_of<const C: usize>(table: &LinearTable<i16>, length: usize) -> Result<Option<WindowsAndBlocks>> {
    // No window passes the end of a row.
    let Some(last_window) = table.available.checked_sub(length) else { return Ok(None) };
    let count = (table.start.len() * C).div_ceil(VALUES);
    let mut windows = filled(count)?;
    let mut blocks = reserve(count)?;
    // Loops, not `map`, which is not inlined here.
    let (mut taps, mut spread) = ([[0; C]; VALUES], [[[0; 2]; C]; VALUES]);
    for (number, (starts, weights)) in
        table.start.chunks(VALUES).zip(table.weights.chunks(VALUES)).enumerate()
    {
        // This many pixels have their values in whole blocks. Past the last, anything with no weight.
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
fn block<const C: usize>(
    taps: &[u32; VALUES],
    weights: &[[i16; 2]; VALUES],
    window: u32,
) -> PermutationBlock {
    let mut block =
        PermutationBlock { taps: [[0; 2]; VALUES], high: [[0; 2]; VALUES], low: [[0; 2]; VALUES] };
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
