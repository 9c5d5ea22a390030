//! Copy-paste: one plan applied to a target and its sources.
//!
//! Masks come first, as runs ([`compose_masks`]): which rows are pasted, what covers what, what is left. Pixels follow,
//! one canvas row after the other ([`Renderer`]): each is computed once, from the one image that shows there.
//!
//! - `rows.rs`: rows placed on the canvas, cut by the pastes above them, and dropped when too little is left
//! - `fates.rs`: what becomes of each row, where nothing else is asked
//! - `coverage.rs`: canvas pixels that each paste covers, as bits or as alpha
//! - `render.rs`: pixels of canvas rows

mod coverage;
mod fates;
mod render;
mod rows;

pub use coverage::Coverage;
pub use fates::RowFates;
pub use render::Renderer;

use crate::resample::Border;
use crate::rle::{Counts, Masks, PixelBox, PlacedMasks};
use crate::{Error, Placement, Result, Size};

/// Objects of one image.
#[derive(Clone, Copy, Debug)]
pub struct Objects<'a> {
    /// Masks, of the image's size.
    pub masks: Counts<'a>,
    /// Whether each mask is a crowd.
    pub crowd: &'a [bool],
}

/// Objects of one source that are pasted together.
#[derive(Clone, Debug)]
pub struct Paste<'a> {
    /// Number of the source.
    pub source: usize,
    /// Rows of the source, each once.
    pub rows: &'a [usize],
    /// Placement of the source.
    pub placement: Placement,
    /// Weights of the blur that makes a soft edge; a hard edge without.
    pub weights: Option<&'a [u16]>,
}

/// Options of the pixels.
#[derive(Clone, Copy, Debug)]
pub struct PixelOptions<'a, T> {
    /// Pixels where the target does not reach.
    pub border: Border<'a, T>,
    /// Whether resampling takes the nearest pixel, else bilinear.
    pub nearest: bool,
    /// Whether shrinking averages.
    pub antialias: bool,
}

/// Limits below which rows are dropped.
#[derive(Clone, Copy, Debug)]
pub struct DropRules {
    /// Least number of pixels; crowds are exempt.
    pub min_area: u64,
    /// Least visible part, 0 to 1; crowds are exempt.
    pub min_visibility: f64,
    /// Whether rows below the limits stay while they have a pixel, marked as hidden.
    pub keep_hidden: bool,
}

/// Fate of a row of the target, or of one that is pasted. Numbers are those that Python has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// Row in the result.
    Kept = 0,
    /// Row in the result as a crowd, since too little is left of it: [`DropRules::keep_hidden`].
    Crowd = 1,
    /// Row without a pixel on the canvas.
    OffCanvas = 2,
    /// Row whose pixels pastes cover, all of them.
    Buried = 3,
    /// Row of which fewer than [`DropRules::min_area`] pixels are left.
    UnderArea = 4,
    /// Row of which enough pixels are left, but a smaller part than [`DropRules::min_visibility`].
    UnderVisibility = 5,
}

impl DropRules {
    /// Fate of a row with so many pixels on the canvas, of which so many are left.
    fn fate(&self, placed: u32, left: u32, crowd: bool) -> Fate {
        if left == 0 {
            return if placed == 0 { Fate::OffCanvas } else { Fate::Buried };
        }
        let fate = if u64::from(left) < self.min_area {
            Fate::UnderArea
        } else if f64::from(left) / f64::from(placed) < self.min_visibility {
            Fate::UnderVisibility
        } else {
            return Fate::Kept;
        };
        match (crowd, self.keep_hidden) {
            (true, _) => Fate::Kept,
            (false, true) => Fate::Crowd,
            (false, false) => fate,
        }
    }
}

/// Rows that are left, those of the target, then those pasted, in order: columns of one length.
#[derive(Debug)]
pub struct ResultRows {
    /// Run lengths of the masks on the canvas, as [`Masks::to_counts`] has them.
    pub counts: Vec<u32>,
    /// Offset of each mask's run lengths in `counts`, and, last, their number.
    pub offsets: Vec<i64>,
    /// Boxes of the masks.
    pub boxes: Vec<PixelBox>,
    /// Areas of the masks in pixels.
    pub area: Vec<i64>,
    /// Number of the source of each row; -1 is the target.
    pub source: Vec<i32>,
    /// Row number within the target or the source.
    pub source_row: Vec<i32>,
    /// Number of the paste of each row; -1 is none, for rows of the target.
    pub paste: Vec<i32>,
    /// Area over the area before anything covered the row.
    pub visibility: Vec<f32>,
    /// Whether the row is kept only because of [`DropRules::keep_hidden`].
    pub hidden: Vec<bool>,
}

/// Composes the masks: what is left of every object when the pastes, in order, lie over the target, and what each
/// covers.
///
/// No pixel of an image is needed for that, nor written: rendering is left to a [`Renderer`].
///
/// # Errors
/// When sizes, sources and rows do not fit each other, when a soft object is too large, and when there is not enough
/// memory.
pub fn compose_masks(
    target: Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    pastes: &[Paste<'_>],
    rules: &DropRules,
) -> Result<(ResultRows, Coverage)> {
    check(&target, placement, sources, pastes)?;
    let layers = rows::place_layers(sources, pastes, rules)?;
    let rows = rows::cut_and_drop(&target, placement, sources, &layers, rules)?;
    Ok((rows, Coverage::new(*placement, layers)?))
}

/// Finds what becomes of each row of the target and of each that is pasted, where that is all that is asked: as
/// [`compose_masks`] does, but without masks of what is left, nor what the pastes cover.
///
/// # Errors
/// When sizes, sources and rows do not fit each other, and when there is not enough memory.
pub fn row_fates(
    target: Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    pastes: &[Paste<'_>],
    rules: &DropRules,
) -> Result<RowFates> {
    check(&target, placement, sources, pastes)?;
    let layers = rows::place_layers(sources, pastes, rules)?;
    fates::judge(&target, placement, sources, &layers, rules)
}

/// Checks every index and size that is used below; callers have checked them before, with better sentences.
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

/// Paste with at least one row, its rows placed on the canvas.
struct Layer<'a> {
    /// Number of the paste, and of its source.
    paste: usize,
    source: usize,
    placement: Placement,
    soft: Option<SoftEdge<'a>>,
    /// Masks of the pasted rows on the canvas, before anything covers them.
    placed: PlacedMasks,
    /// Union of the placed masks, and its box.
    union: Masks,
    bbox: PixelBox,
}

/// Blur of a layer's edge.
struct SoftEdge<'a> {
    weights: &'a [u16],
    /// Union of the pasted masks on their own image, where the canvas cuts some of it: the blur sees that too.
    uncut: Option<Masks>,
}
