//! The fused operation: apply one plan to a target and its sources.
//!
//! Masks first, as runs ([`arrange`]): which rows are pasted, what covers what, what is left. Then pixels, one
//! canvas row after the other ([`Brush`]): each is computed once, from the one image that shows there.

mod pixels;
mod rows;

use crate::rle::{Counts, Masks, PixelBox, Placed};
use crate::{Error, Placement, Result, Size};

pub use pixels::{Brush, Painting};

/// The objects of one image.
#[derive(Clone, Copy, Debug)]
pub struct Objects<'a> {
    /// Their masks, of the image's size.
    pub masks: Counts<'a>,
    /// For each mask whether it is a crowd.
    pub crowd: &'a [bool],
}

/// Some objects of one source, pasted together.
#[derive(Clone, Debug)]
pub struct Paste<'a> {
    /// Number of the source.
    pub source: usize,
    /// Rows of the source, each once.
    pub rows: &'a [usize],
    /// Where the source lands.
    pub placement: Placement,
    /// Weights of the soft edge; hard without.
    pub weights: Option<&'a [u16]>,
}

/// How pixels are made.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a, T> {
    /// One value for each channel, where no image lands.
    pub fill: &'a [T],
    /// Nearest instead of bilinear.
    pub nearest: bool,
    /// Whether shrinking averages.
    pub antialias: bool,
}

/// Which rows are dropped.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Rows, other than crowds, with fewer pixels.
    pub min_area: u64,
    /// Rows, other than crowds, with a smaller part left.
    pub min_visibility: f64,
    /// Keep them, marked as hidden, while they have a pixel.
    pub keep_hidden: bool,
}

/// The rows that are left, in order: those of the target, then those pasted. Columns of one length.
#[derive(Debug)]
pub struct Rows {
    /// The runs of their masks on the canvas, as [`Masks::to_counts`] has them.
    pub counts: Vec<u32>,
    /// Where those of each mask begin, and, last, where they end.
    pub offsets: Vec<i64>,
    /// The boxes of the masks.
    pub boxes: Vec<PixelBox>,
    /// The areas of these.
    pub area: Vec<i64>,
    /// Number of the source of each; -1 is the target.
    pub source: Vec<i32>,
    /// The row within its side.
    pub source_row: Vec<i32>,
    /// Area over the area before anything covered it.
    pub visibility: Vec<f32>,
    /// Kept only because of [`Rules::keep_hidden`].
    pub hidden: Vec<bool>,
}

/// Finds out what is left of every object when the pastes, in order, lie over the target.
///
/// No pixel is needed for that, nor written: what it leaves to be painted comes back as the scene.
///
/// # Errors
/// When sizes, sources and rows do not fit each other, and when there is not enough memory.
pub fn arrange<'a>(
    target: Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    pastes: &[Paste<'a>],
    rules: &Rules,
) -> Result<(Rows, Scene<'a>)> {
    check(&target, placement, sources, pastes)?;
    let mut layers = rows::place_layers(sources, pastes, rules)?;
    let crowds: Vec<_> = sources.iter().map(|source| source.crowd).collect();
    let rows = rows::cut_and_drop(target.masks, target.crowd, placement, &crowds, &mut layers, rules)?;
    Ok((rows, Scene { target: *placement, layers }))
}

/// Checks every index and size that is used below. Callers say better what is wrong; this is the lock.
fn check(
    target: &Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    pastes: &[Paste<'_>],
) -> Result<()> {
    check_placed(target, placement)?;
    for paste in pastes {
        let missing = Error::NoSuchSource { source: paste.source, sources: sources.len() };
        let source = sources.get(paste.source).ok_or(missing)?;
        check_placed(source, &paste.placement)?;
        check_size(placement.canvas, paste.placement.canvas)?;
        let rows = source.masks.len();
        if let Some(&row) = paste.rows.iter().find(|&&row| row >= rows) {
            return Err(Error::NoSuchRow { row, rows });
        }
    }
    Ok(())
}

/// Checks the objects of one image against its placement.
fn check_placed(objects: &Objects<'_>, placement: &Placement) -> Result<()> {
    check_size(placement.input, objects.masks.size())?;
    check_length(objects.masks.len(), objects.crowd.len())
}

fn check_length(expected: usize, found: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::LengthDiffers { expected, found }) }
}

fn check_size(expected: Size, found: Size) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::SizeDiffers { expected, found }) }
}

/// What is to be painted: the target, and the layers over it.
pub struct Scene<'a> {
    target: Placement,
    layers: Vec<Layer<'a>>,
}

/// A paste that has something to paste: its rows, placed.
struct Layer<'a> {
    source: usize,
    placement: Placement,
    soft: Option<Soft<'a>>,
    /// Its rows: their masks on the canvas, before anything covers them.
    placed: Placed,
    /// What the layer covers, and the box of that.
    union: Masks,
    reach: PixelBox,
}

/// What a soft edge is made of.
struct Soft<'a> {
    weights: &'a [u16],
    /// The union of the pasted masks on their own image, where the canvas cuts some of it: the blur sees that too.
    uncut: Option<Masks>,
}
