//! Plans: placements and pastes drawn from random words.
//!
//! Words lie in fixed slots, so that an option that is switched on or off changes no other draw. The target takes
//! eight, then each source eight and, for each of its rows, four more.

use std::iter;

use crate::geometry::first_resized;
use crate::memory::{collect, filled, reserve, reserve_more};
use crate::philox;
use crate::{Error, Placement, Result, Size};

const TARGET_WORDS: usize = 8;
const SOURCE_WORDS: usize = 8;
const ROW_WORDS: usize = 4;

// Slots within the words of the target, of a source, and of a row.
const PASTE: usize = 0;
const TARGET_JITTER: usize = 1;
const SOURCE_JITTER: usize = 0;
const SUBSET_SIZE: usize = 4;
const SIGMA: usize = 5;
const ORDER: usize = 0;
const PLACE_Y: usize = 1;
const PLACE_X: usize = 2;

const MAX_SIDE: usize = 0x7fff_ffff;

/// Options of a draw.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// Size of the canvas.
    pub canvas: Size,
    /// Range of the target's scale.
    pub target_scale: (f64, f64),
    /// Range of each source's scale.
    pub source_scale: (f64, f64),
    /// Probability of mirroring an image.
    pub flip: f64,
    /// Whether an image smaller than the canvas lies anywhere, not at the top left.
    pub pad_random: bool,
    /// Whether an image of scale 1 just fits the canvas, not keeps its size.
    pub fit: bool,
    /// Probability of pasting at all.
    pub p: f64,
    /// Rule for the number of objects pasted from a source.
    pub select: Select,
    /// Whether each object finds a place of its own.
    pub uniform: bool,
    /// Range of the standard deviation of soft edges, in canvas pixels; hard edges without.
    pub sigma: Option<(f64, f64)>,
}

/// Rule for the number of objects pasted, of the N candidates of a source.
#[derive(Clone, Copy, Debug)]
pub enum Select {
    /// Uniform number from 1 to N.
    Subset,
    /// Fixed number, or N where that is less.
    AtMost(usize),
    /// Fraction of N, 0 to 1, rounded, at least one object.
    Fraction(f64),
}

impl Select {
    /// Rule of a name, with the number that goes with it; none where no rule has the name.
    #[must_use]
    pub fn named(rule: &str, number: f64) -> Option<Self> {
        match rule {
            "subset" => Some(Self::Subset),
            "at_most" => Some(Self::AtMost(number as usize)),
            "fraction" => Some(Self::Fraction(number)),
            _ => None,
        }
    }

    /// Number of objects pasted, of `n` candidates.
    fn number(self, n: usize, word: u64) -> usize {
        match self {
            Self::Subset => 1 + below(word, n) as usize,
            Self::AtMost(most) => most.min(n),
            Self::Fraction(part) => ((part * n as f64 + 0.5).floor() as usize).clamp(1, n),
        }
    }
}

/// Source of a draw: size, boxes and crowds, no pixels.
#[derive(Clone, Copy, Debug)]
pub struct PlanSource<'a> {
    /// Size of its image.
    pub size: Size,
    /// Boxes of the rows: x0, y0, x1, y1, half-open, in whole pixels.
    pub boxes: &'a [[i64; 4]],
    /// Whether each row is a crowd; without, none is.
    pub crowd: Option<&'a [bool]>,
}

/// Paste of a drawn plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedPaste {
    /// Number of the source.
    pub source: usize,
    /// Rows of the source, ascending.
    pub rows: Vec<usize>,
    /// Placement of the source.
    pub placement: Placement,
    /// Standard deviation of the soft edge in canvas pixels; a hard edge without.
    pub sigma: Option<f64>,
}

/// Draws the placement of the target and the pastes, from the stream of words that starts at `counter`.
///
/// # Errors
/// When a resized side is too large, a source's columns differ in length, and when there is not enough memory.
pub fn draw(
    key: [u64; 2],
    counter: [u64; 4],
    options: &PlanOptions,
    target: Size,
    sources: &[PlanSource<'_>],
) -> Result<(Placement, Vec<PlannedPaste>)> {
    let mut total = TARGET_WORDS;
    for source in sources {
        let (expected, found) = (source.boxes.len(), source.crowd.map_or(source.boxes.len(), <[bool]>::len));
        if found != expected {
            return Err(Error::LengthDiffers { expected, found });
        }
        total += SOURCE_WORDS + ROW_WORDS * expected;
    }
    let mut words = filled(total)?;
    philox::fill_words(key, counter, &mut words);
    let (first, mut rest) = words.split_at(TARGET_WORDS);
    let placement = options.place(&first[TARGET_JITTER..], options.target_scale, target, None)?;
    let mut pastes = Vec::new();
    if uniform(first[PASTE]) < options.p {
        for (number, source) in sources.iter().enumerate() {
            let (words, others) = rest.split_at(SOURCE_WORDS + ROW_WORDS * source.boxes.len());
            options.paste(number, source, words, &mut pastes)?;
            rest = others;
        }
    }
    Ok((placement, pastes))
}

impl PlanOptions {
    /// Draws the placement of the target, or of source number `source`.
    fn place(
        &self,
        words: &[u64],
        (lo, hi): (f64, f64),
        input: Size,
        source: Option<usize>,
    ) -> Result<Placement> {
        let scale = lo + (hi - lo) * uniform(words[0]);
        let (h, w) = (input.h as f64, input.w as f64);
        let fit = (self.canvas.h as f64 / h).min(self.canvas.w as f64 / w);
        let fit = if self.fit { fit } else { 1.0 };
        let resized = Size { h: resized(h * fit * scale, source)?, w: resized(w * fit * scale, source)? };
        Ok(Placement {
            input,
            resized,
            offset_y: self.offset(words[2], resized.h, self.canvas.h),
            offset_x: self.offset(words[3], resized.w, self.canvas.w),
            canvas: self.canvas,
            hflip: uniform(words[1]) < self.flip,
        })
    }

    fn offset(&self, word: u64, resized: usize, canvas: usize) -> i64 {
        if resized > canvas {
            -below(word, resized - canvas + 1)
        } else if self.pad_random {
            below(word, canvas - resized + 1)
        } else {
            0
        }
    }

    /// Adds the pastes of one source: none, one for all objects, or one for each.
    fn paste(
        &self,
        number: usize,
        source: &PlanSource<'_>,
        words: &[u64],
        pastes: &mut Vec<PlannedPaste>,
    ) -> Result<()> {
        let placement = self.place(&words[SOURCE_JITTER..], self.source_scale, source.size, Some(number))?;
        let row_words = |row: usize| &words[SOURCE_WORDS + ROW_WORDS * row..][..ROW_WORDS];
        let mut candidates: Vec<(u64, usize)> = reserve(source.boxes.len())?;
        for (row, &bbox) in source.boxes.iter().enumerate() {
            if source.crowd.is_none_or(|crowd| !crowd[row]) && self.lands(bbox, &placement) {
                candidates.push((row_words(row)[ORDER], row));
            }
        }
        let n = candidates.len();
        if n == 0 {
            return Ok(());
        }
        let m = self.select.number(n, words[SUBSET_SIZE]);
        if m < n {
            candidates.select_nth_unstable(m);
            candidates.truncate(m);
        }
        let mut rows = collect(candidates.into_iter().map(|(_, row)| row))?;
        rows.sort_unstable();
        let sigma = self.sigma.map(|(lo, hi)| lo + (hi - lo) * uniform(words[SIGMA]));
        reserve_more(pastes, if self.uniform { rows.len() } else { 1 })?;
        if !self.uniform {
            pastes.push(PlannedPaste { source: number, rows, placement, sigma });
            return Ok(());
        }
        for row in rows {
            let (y, x) = placed_box(source.boxes[row], &placement);
            let words = row_words(row);
            let placement = Placement {
                offset_y: uniform_place(words[PLACE_Y], y, placement.canvas.h),
                offset_x: uniform_place(words[PLACE_X], x, placement.canvas.w),
                ..placement
            };
            pastes.push(PlannedPaste { source: number, rows: collect(iter::once(row))?, placement, sigma });
        }
        Ok(())
    }

    /// Whether the box has a pixel on the canvas, or, where each object finds a place, on the resized image.
    fn lands(&self, bbox: [i64; 4], placement: &Placement) -> bool {
        let (y, x) = placed_box(bbox, placement);
        if self.uniform {
            return y.0 < y.1 && x.0 < x.1;
        }
        let on_canvas = |(low, high): (i64, i64), offset: i64, canvas: usize| {
            (low + offset).max(0) < (high + offset).min(canvas as i64)
        };
        on_canvas(y, placement.offset_y, placement.canvas.h)
            && on_canvas(x, placement.offset_x, placement.canvas.w)
    }
}

/// Side in pixels, rounded, at least 1.
fn resized(side: f64, source: Option<usize>) -> Result<usize> {
    let resized = ((side + 0.5).floor() as usize).max(1);
    if resized > MAX_SIDE {
        return Err(Error::SideTooLarge { source, side: resized as u64 });
    }
    Ok(resized)
}

/// Box on the resized, mirrored image, by box arithmetic: rows and columns, half-open.
fn placed_box([left, top, right, bottom]: [i64; 4], placement: &Placement) -> ((i64, i64), (i64, i64)) {
    let (h, w) = (placement.input.h as i64, placement.input.w as i64);
    let (left, right) = if placement.hflip { (w - right, w - left) } else { (left, right) };
    let first = |edge: i64, input: i64, resized: usize| {
        first_resized(input as usize, resized, edge.clamp(0, input) as usize).0 as i64
    };
    let rows = |edge| first(edge, h, placement.resized.h);
    let columns = |edge| first(edge, w, placement.resized.w);
    ((rows(top), rows(bottom)), (columns(left), columns(right)))
}

/// Offset that puts low..high at a uniform position inside the canvas, or, if longer, around it.
fn uniform_place(word: u64, (low, high): (i64, i64), canvas: usize) -> i64 {
    let room = canvas as i64 - (high - low);
    let start = if room >= 0 { below(word, room as usize + 1) } else { -below(word, (1 - room) as usize) };
    start - low
}

/// Number in [0, 1), on a grid of 2^-53, that a word stands for.
fn uniform(word: u64) -> f64 {
    (word >> 11) as f64 / (1u64 << 53) as f64
}

/// Integer below n that a word stands for.
fn below(word: u64, n: usize) -> i64 {
    ((word as u128 * n as u128) >> 64) as i64
}
