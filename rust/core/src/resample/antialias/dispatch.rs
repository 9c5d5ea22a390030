//! Kernels of the antialiased filter, by instruction set.

use std::ops::Range;

use super::bytes::{AntialiasByteTables, ByteRowWeights};
use super::floats::AntialiasFloatTables;
use crate::resample::float::FloatPixel;
use crate::resample::separable::IntermediateRows;
use crate::simd::dispatch;

dispatch!(vnni, horizontal_u8 [const N: usize, const C: usize] [N, C],
    lines: [&[u8]; N], tables: &AntialiasByteTables, pixels: Range<usize>, out: [&mut [u8]; N]);
dispatch!(avx2, horizontal_float [const N: usize, const C: usize] [N, C],
    lines: [&[f32]; N], tables: &AntialiasFloatTables, pixels: Range<usize>, out: [&mut [f32]; N]);
dispatch!(vnni, vertical_u8 [] [], rows: IntermediateRows<'_, u8>, weights: &ByteRowWeights, out: &mut [u8]);
dispatch!(avx2, vertical_float [T: FloatPixel] [T],
    rows: IntermediateRows<'_, f32>, weights: &[f32], out: &mut [T]);
