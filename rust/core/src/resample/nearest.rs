//! The nearest input sample, by integers only.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};

use super::Pixel;
use super::mirror::mirror;
use super::separable::Window;
use crate::error::Result;
use crate::geometry::Axis;
use crate::memory::filled;
use crate::simd::Level;
use crate::view::ImageView;

/// An image of which each pixel is copied.
#[derive(Debug)]
pub(crate) struct Nearest<'a, T> {
    image: ImageView<'a, T>,
    rows: Axis,
    columns: CopiedColumns,
    first_column: usize,
    level: Level,
}

/// Input column that each column of the window copies.
#[derive(Debug)]
enum CopiedColumns {
    /// The first copies this one, and each further one the next.
    From(usize),
    /// The first copies this one, and each further one the one before.
    DownFrom(usize),
    Table(Vec<u32>),
}

impl<'a, T: Pixel> Nearest<'a, T> {
    pub(crate) fn new(image: ImageView<'a, T>, window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let Range { start, end } = window.columns.clone();
        let columns = if axis.input == axis.resized {
            let first = axis.nearest(axis.resized_at(start));
            if axis.flip { CopiedColumns::DownFrom(first) } else { CopiedColumns::From(first) }
        } else {
            let mut table = filled(end - start)?;
            for (x, column) in (start..).zip(&mut table) {
                *column = axis.nearest(axis.resized_at(x)) as u32;
            }
            CopiedColumns::Table(table)
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
                CopiedColumns::From(first) => {
                    let from = (first + pixels.start) * channels..(first + pixels.end) * channels;
                    out.copy_from_slice(&row[from]);
                }
                CopiedColumns::DownFrom(first) => {
                    let from = (first + 1 - pixels.end) * channels..(first + 1 - pixels.start) * channels;
                    let (from, out) = (cast_slice(&row[from]), cast_slice_mut(out));
                    mirror(self.level, channels * size_of::<T>(), from, out);
                }
                CopiedColumns::Table(table) => pick(row, &table[pixels], channels, out),
            }
        }
    }
}

fn pick<T: Copy>(row: &[T], table: &[u32], channels: usize, out: &mut [T]) {
    match channels {
        1 => pick_few::<1, T>(row, table, out),
        2 => pick_few::<2, T>(row, table, out),
        3 => pick_few::<3, T>(row, table, out),
        4 => pick_few::<4, T>(row, table, out),
        _ => {
            for (out, &x) in out.chunks_exact_mut(channels).zip(table) {
                out.copy_from_slice(&row[x as usize * channels..][..channels]);
            }
        }
    }
}

fn pick_few<const C: usize, T: Copy>(row: &[T], table: &[u32], out: &mut [T]) {
    let (pixels, _) = row.as_chunks::<C>();
    let (outs, _) = out.as_chunks_mut::<C>();
    for (out, &x) in outs.iter_mut().zip(table) {
        *out = pixels[x as usize];
    }
}
