//! Plans: placements and pastes drawn from random words.
//!
//! Words lie in fixed slots, so that an option that is switched on or off changes no other draw. The target takes
//! eight, then each source eight and, for each of its rows, four more. Rows that are drawn by weight take words of
//! another stream: each source as many as it has rows.

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
            Self::Subset => 1 + below(word, n as u64) as usize,
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

/// Weights of the rows of all sources, and the words by which rows are drawn then.
#[derive(Clone, Copy, Debug)]
pub struct RowWeights<'a> {
    /// Counter at which their words start: for each source in turn one for each of its rows.
    pub counter: [u64; 4],
    /// For each source the weights of its rows, at most 2^20 each; without one, a row is no candidate.
    pub sources: &'a [&'a [i64]],
}

/// Weights of the rows of one source, and a word for each.
#[derive(Clone, Copy)]
struct Weighed<'a> {
    weights: &'a [i64],
    words: &'a [u64],
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

/// Draws the placement of the target and the pastes, from the stream of words that starts at `counter`; rows by their
/// weights, where there are any.
///
/// # Errors
/// When a resized side is too large, a source's columns or weights differ in length, and when there is not enough
/// memory.
pub fn draw(
    key: [u64; 2],
    counter: [u64; 4],
    options: &PlanOptions,
    target: Size,
    sources: &[PlanSource<'_>],
    weights: Option<&RowWeights<'_>>,
) -> Result<(Placement, Vec<PlannedPaste>)> {
    let mut total = TARGET_WORDS;
    for source in sources {
        let (expected, found) = (source.boxes.len(), source.crowd.map_or(source.boxes.len(), <[bool]>::len));
        if found != expected {
            return Err(Error::LengthDiffers { expected, found });
        }
        total += SOURCE_WORDS + ROW_WORDS * expected;
    }
    let weight_words = weights.map_or(Ok(Vec::new()), |weights| weights.words(key, sources))?;
    let mut words = filled(total)?;
    philox::fill_words(key, counter, &mut words);
    let (first, mut rest) = words.split_at(TARGET_WORDS);
    let placement = options.place(&first[TARGET_JITTER..], options.target_scale, target, None)?;
    let mut pastes = Vec::new();
    if uniform(first[PASTE]) < options.p {
        let mut first_row = 0;
        for (number, source) in sources.iter().enumerate() {
            let rows = source.boxes.len();
            let (words, others) = rest.split_at(SOURCE_WORDS + ROW_WORDS * rows);
            let weighed = weights.map(|weights| Weighed {
                weights: weights.sources[number],
                words: &weight_words[first_row..][..rows],
            });
            options.paste(number, source, words, weighed, &mut pastes)?;
            (rest, first_row) = (others, first_row + rows);
        }
    }
    Ok((placement, pastes))
}

impl RowWeights<'_> {
    /// A word for each row of each source; the weights are found to be as many.
    fn words(&self, key: [u64; 2], sources: &[PlanSource<'_>]) -> Result<Vec<u64>> {
        let lengths = || sources.iter().map(|source| source.boxes.len());
        let pairs = iter::once((sources.len(), self.sources.len()))
            .chain(lengths().zip(self.sources.iter().map(|weights| weights.len())));
        for (expected, found) in pairs {
            if found != expected {
                return Err(Error::LengthDiffers { expected, found });
            }
        }
        let mut words = filled(lengths().sum())?;
        philox::fill_words(key, self.counter, &mut words);
        Ok(words)
    }
}

impl Weighed<'_> {
    /// Draws m of the candidates one after the other, each by its weight among those not yet taken.
    fn draw(self, m: usize, candidates: &[(u64, usize)]) -> Result<Vec<usize>> {
        // A Fenwick tree, counted from 1: entry k sums as many weights as the lowest set bit of k says, the last of
        // them that of candidate k. So a running sum is found, and a weight taken out, in log n steps.
        let n = candidates.len();
        let mut sums: Vec<u64> = filled(n + 1)?;
        let mut left = 0;
        for (k, &(_, row)) in (1..).zip(candidates) {
            let weight = self.weights[row] as u64;
            left += weight;
            sums[k] += weight;
            let (sum, above) = (sums[k], k + lowest_bit(k));
            if above <= n {
                sums[above] += sum;
            }
        }
        let mut rows = reserve(m)?;
        for &word in &self.words[..m] {
            let mut rest = below(word, left) as u64;
            let (mut before, mut step) = (0, n.next_power_of_two());
            while step > 0 {
                if before + step <= n && sums[before + step] <= rest {
                    before += step;
                    rest -= sums[before];
                }
                step /= 2;
            }
            let row = candidates[before].1;
            let weight = self.weights[row] as u64;
            left -= weight;
            let mut k = before + 1;
            while k <= n {
                sums[k] -= weight;
                k += lowest_bit(k);
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

fn lowest_bit(k: usize) -> usize {
    k & k.wrapping_neg()
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
            -below(word, (resized - canvas + 1) as u64)
        } else if self.pad_random {
            below(word, (canvas - resized + 1) as u64)
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
        weighed: Option<Weighed<'_>>,
        pastes: &mut Vec<PlannedPaste>,
    ) -> Result<()> {
        let placement = self.place(&words[SOURCE_JITTER..], self.source_scale, source.size, Some(number))?;
        let row_words = |row: usize| &words[SOURCE_WORDS + ROW_WORDS * row..][..ROW_WORDS];
        let mut candidates: Vec<(u64, usize)> = reserve(source.boxes.len())?;
        for (row, &bbox) in source.boxes.iter().enumerate() {
            if source.crowd.is_none_or(|crowd| !crowd[row])
                && weighed.is_none_or(|weighed| weighed.weights[row] > 0)
                && self.lands(bbox, &placement)
            {
                candidates.push((row_words(row)[ORDER], row));
            }
        }
        let n = candidates.len();
        if n == 0 {
            return Ok(());
        }
        let m = self.select.number(n, words[SUBSET_SIZE]);
        let mut rows = match weighed {
            Some(weighed) if m < n => weighed.draw(m, &candidates)?,
            _ => {
                if m < n {
                    candidates.select_nth_unstable(m);
                    candidates.truncate(m);
                }
                collect(candidates.into_iter().map(|(_, row)| row))?
            }
        };
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
    let start = if room >= 0 { below(word, room as u64 + 1) } else { -below(word, (1 - room) as u64) };
    start - low
}

/// Number in [0, 1), on a grid of 2^-53, that a word stands for.
fn uniform(word: u64) -> f64 {
    (word >> 11) as f64 / (1u64 << 53) as f64
}

/// Integer below n that a word stands for.
fn below(word: u64, n: u64) -> i64 {
    ((u128::from(word) * u128::from(n)) >> 64) as i64
}
