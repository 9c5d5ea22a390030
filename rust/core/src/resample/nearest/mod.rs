//! Nearest filter, by integers only, and images that keep their size.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dispatch;
mod portable;

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};

use super::mirror::mirror;
use super::resampler::Pixel;
use super::separable::CanvasWindow;
use crate::error::Result;
use crate::geometry::Axis;
use crate::memory::filled;
use crate::simd::Level;
use crate::view::ImageView;

/// Image of which pixels are copied.
#[derive(Debug)]
pub(crate) struct NearestResampler<'a, T> {
    image: ImageView<'a, T>,
    rows: Axis,
    columns: ColumnMap,
    first_column: usize,
    level: Level,
}

/// Input column that each column of the window copies.
#[derive(Debug)]
enum ColumnMap {
    /// From this one on to the right.
    From(usize),
    /// From this one on to the left.
    DownFrom(usize),
    /// For each its own, ascending, or descending where the image is mirrored.
    Table(Vec<u32>),
}

impl<'a, T: Pixel> NearestResampler<'a, T> {
    pub(crate) fn new(image: ImageView<'a, T>, window: &CanvasWindow) -> Result<Self> {
        let axis = window.placement.columns();
        let Range { start, end } = window.columns.clone();
        let columns = if axis.input == axis.resized {
            let first = axis.nearest(axis.resized_at(start));
            if axis.flip { ColumnMap::DownFrom(first) } else { ColumnMap::From(first) }
        } else {
            let mut table = filled(end - start)?;
            for (x, column) in (start..).zip(&mut table) {
                *column = axis.nearest(axis.resized_at(x)) as u32;
            }
            ColumnMap::Table(table)
        };
        Ok(Self { image, rows: window.placement.rows(), columns, first_column: start, level: window.level })
    }

    pub(crate) fn row(&self, y: usize, spans: &[(u32, u32)], out: &mut [T]) {
        let row = self.image.row(self.rows.nearest(self.rows.resized_at(y)));
        let channels = self.image.channels();
        for &(start, end) in spans {
            let (start, end) = (start as usize, end as usize);
            let out = &mut out[start * channels..end * channels];
            let pixels = start - self.first_column..end - self.first_column;
            match &self.columns {
                ColumnMap::From(first) => {
                    let from = (first + pixels.start) * channels..(first + pixels.end) * channels;
                    out.copy_from_slice(&row[from]);
                }
                ColumnMap::DownFrom(first) => {
                    let from = (first + 1 - pixels.end) * channels..(first + 1 - pixels.start) * channels;
                    let (from, out) = (cast_slice(&row[from]), cast_slice_mut(out));
                    mirror(self.level, channels * size_of::<T>(), from, out);
                }
                ColumnMap::Table(table) if channels == 1 => {
                    dispatch::pick_values(self.level, row, &table[pixels], out);
                }
                ColumnMap::Table(table) => {
                    for_channels!(self, channels, pick[][T](row, &table[pixels], channels, out));
                }
            }
        }
    }
}

/// Copies pixels; `C` is the channel count, or 0 for any.
fn pick<const C: usize, T: Copy>(row: &[T], table: &[u32], channels: usize, out: &mut [T]) {
    let channels = if C == 0 { channels } else { C };
    for (out, &x) in out.chunks_exact_mut(channels).zip(table) {
        out.copy_from_slice(&row[x as usize * channels..][..channels]);
    }
}
