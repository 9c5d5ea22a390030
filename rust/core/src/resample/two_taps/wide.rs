//! Where a permutation of 64 bytes finds the taps of 32 values.

use super::Table;
use crate::error::{Error, Result};
use crate::resample::separable::filled;

/// Bytes that the taps are found among.
pub(crate) const WINDOW: usize = 64;

/// Thirty-two values of the first pass, each from two bytes of a window of the line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))] // a register is loaded twice as quickly out of one line of the cache as out of two
pub(crate) struct Wide {
    /// For each value which byte is its first tap and which its second.
    pub(crate) taps: [[u8; 2]; 32],
    /// Weights are 16 times the negative of `high`, and `low`.
    pub(crate) high: [[i8; 2]; 32],
    pub(crate) low: [[i8; 2]; 32],
}

/// Where each window starts, and what is found in it; nothing where values lie too far apart.
pub(super) fn wide_blocks(table: &Table<i16>) -> Result<Option<(Vec<u32>, Vec<Wide>)>> {
    let channels = table.channels;
    let values = table.start.len() * channels;
    if table.available < WINDOW || channels > WINDOW / 2 {
        return Ok(None);
    }
    // No window passes the end of a row.
    let last_window = (table.available - WINDOW) as u32;
    let mut windows = filled(values.div_ceil(32))?;
    let mut blocks = Vec::new();
    let bytes = windows.len().saturating_mul(size_of::<Wide>());
    blocks.try_reserve_exact(windows.len()).map_err(|_| Error::OutOfMemory { bytes })?;
    let (mut pixel, mut channel) = (0, 0);
    for (window, first) in windows.iter_mut().zip((0..values).step_by(32)) {
        // Half a block may be left: the rest finds the window's first bytes, with no weight.
        let count = (values - first).min(32);
        let mut taps = [0; 32];
        let mut block = Wide { taps: [[0; 2]; 32], high: [[0; 2]; 32], low: [[0; 2]; 32] };
        for (value, tap) in taps[..count].iter_mut().enumerate() {
            *tap = table.start[pixel] + channel;
            block.high[value] = table.weights[pixel].map(|weight| -(weight >> 4) as i8);
            block.low[value] = table.weights[pixel].map(|weight| (weight & 15) as i8);
            channel += 1;
            if channel == channels as u32 {
                (pixel, channel) = (pixel + 1, 0);
            }
        }
        let taps = &taps[..count];
        let start = taps.iter().fold(last_window, |start, &tap| start.min(tap));
        let last = taps.iter().fold(0, |last, &tap| last.max(tap));
        if last - start + channels as u32 >= WINDOW as u32 {
            return Ok(None);
        }
        for (found, tap) in block.taps.iter_mut().zip(taps) {
            *found = [(tap - start) as u8, (tap - start) as u8 + channels as u8];
        }
        *window = start;
        blocks.push(block);
    }
    Ok(Some((windows, blocks)))
}
