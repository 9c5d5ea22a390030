//! Blocks of sixteen values of a resized row, and where AVX2 shuffles find their taps: for bytes.

use super::table::LinearTable;
use crate::error::Result;
use crate::memory::filled;

/// Bytes that the taps of a lane are found among.
const LANE: usize = 16;

/// Sixteen values in four lanes of four, each found among sixteen bytes of the source row.
///
/// The halves of `shuffle` and `weights` belong to lanes 0 and 2, and to lanes 1 and 3: packing, which takes turns,
/// leaves the values in order.
/// ```text
/// shuffle[0]   first, zero, second, zero of value 0 | 1 | 2 | 3   ||   of value  8 |  9 | 10 | 11
/// shuffle[1]   first, zero, second, zero of value 4 | 5 | 6 | 7   ||   of value 12 | 13 | 14 | 15
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShuffleBlock {
    /// First byte of each lane.
    pub(super) start: [u32; 4],
    /// Positions of both taps of each value in its lane, each followed by a zero byte.
    pub(super) shuffle: [[[i8; 4]; 8]; 2],
    /// Weights of both taps of each value.
    pub(super) weights: [[[i16; 2]; 8]; 2],
}

/// Blocks of all values of a window.
#[derive(Debug)]
pub(super) struct ShuffleBlocks {
    pub(super) blocks: Vec<ShuffleBlock>,
    /// Whether lanes 0 and 1 of each block have one start, and so lanes 2 and 3.
    pub(super) in_pairs: bool,
}

impl ShuffleBlocks {
    /// Blocks of a window, or none where the taps of a lane lie too far apart.
    pub(super) fn new(table: &LinearTable<i16>) -> Result<Option<Self>> {
        if table.available < LANE || table.channels >= LANE {
            return Ok(None);
        }
        let mut blocks = filled(table.start.len() * table.channels / 16)?;
        let in_pairs = fill::<2>(&mut blocks, table);
        Ok((in_pairs || fill::<1>(&mut blocks, table)).then_some(Self { blocks, in_pairs }))
    }
}

/// Fills all blocks; says whether the taps of every lane are found among sixteen bytes, the same sixteen for `TOGETHER`
/// lanes.
fn fill<const TOGETHER: usize>(blocks: &mut [ShuffleBlock], table: &LinearTable<i16>) -> bool {
    let channels = table.channels;
    // No lane passes the end of a row.
    let last_lane = (table.available - LANE) as u32;
    let mut values = table.values();
    for block in blocks {
        for lanes in (0..4).step_by(TOGETHER) {
            let mut bytes = [[0; 4]; TOGETHER];
            for (lane, bytes) in (lanes..).zip(&mut bytes) {
                let weights = &mut block.weights[lane % 2][lane / 2 * 4..];
                for ((byte, weights), value) in bytes.iter_mut().zip(weights).zip(&mut values) {
                    (*byte, *weights) = value;
                }
            }
            let all = bytes.as_flattened();
            let first = all.iter().fold(last_lane, |first, &byte| first.min(byte));
            let last = all.iter().fold(0, |last, &byte| last.max(byte));
            if last - first + channels as u32 >= LANE as u32 {
                return false;
            }
            for (lane, bytes) in (lanes..).zip(bytes) {
                block.start[lane] = first;
                for (shuffle, byte) in block.shuffle[lane % 2][lane / 2 * 4..].iter_mut().zip(bytes) {
                    let tap = (byte - first) as i8;
                    *shuffle = [tap, -1, tap + channels as i8, -1];
                }
            }
        }
    }
    true
}
