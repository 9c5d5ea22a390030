//! Objects of a data set: polygons and run lengths of all images in flat arrays, made masks for one image at a time.

use std::ops::Range;

use super::counts::Counts;
use super::{Masks, rasterize};
use crate::memory::{reserve, reserve_more};
use crate::{Error, Result, Size};

/// Coordinates of points, x, y, x, y, ...
#[derive(Clone, Copy, Debug)]
pub enum Points<'a> {
    /// In pixels.
    Pixels(&'a [f64]),
    /// In hundredths of a pixel.
    Hundredths(&'a [i32]),
}

impl Points<'_> {
    /// Appends some of the coordinates, in pixels.
    fn append(&self, range: Range<usize>, pixels: &mut Vec<f64>) -> Result<()> {
        reserve_more(pixels, range.len())?;
        match self {
            Self::Pixels(values) => pixels.extend(values.get(range).ok_or(Error::OffsetsDoNotFit)?),
            // A quotient is correctly rounded: the float of the decimal number.
            Self::Hundredths(values) => {
                let some = values.get(range).ok_or(Error::OffsetsDoNotFit)?;
                pixels.extend(some.iter().map(|&hundredths| f64::from(hundredths) / 100.0));
            }
        }
        Ok(())
    }
}

/// Outlines of objects, one a row: polygon parts, or runs, or neither. Rows may share arrays in any order.
#[derive(Clone, Copy, Debug)]
pub struct DataObjects<'a> {
    /// Points of the polygon parts.
    pub coordinates: Points<'a>,
    /// Offset of the coordinates of each part, and, last, their number.
    pub part_offsets: &'a [i64],
    /// First part of each row.
    pub first_part: &'a [i64],
    /// Number of parts of each row.
    pub parts: &'a [i64],
    /// Run lengths, background first.
    pub counts: &'a [u32],
    /// First run of each row.
    pub first_run: &'a [i64],
    /// Number of runs of each row; where there are any, parts do not count.
    pub runs: &'a [i64],
}

impl DataObjects<'_> {
    /// Masks of some rows, all of an image of one size, in their order; `interrupted` as [`rasterize`] has it.
    ///
    /// # Errors
    /// When rows, parts, coordinates or runs lie outside their arrays, the runs of a row do not add up to the pixels
    /// of the image, and as [`rasterize`].
    pub fn masks(
        &self,
        rows: Range<usize>,
        size: Size,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Masks> {
        let columns = [self.first_part, self.parts, self.first_run, self.runs];
        let [first_part, parts, first_run, runs] = columns.map(|column| column.get(rows.clone()));
        let (Some(first_part), Some(parts), Some(first_run), Some(runs)) =
            (first_part, parts, first_run, runs)
        else {
            return Err(Error::OffsetsDoNotFit);
        };
        let mut outlines = Outlines::new(rows.len())?;
        for (((&part, &parts), &run), &runs) in first_part.iter().zip(parts).zip(first_run).zip(runs) {
            if runs > 0 {
                let counts = self.counts.get(range(run, runs)?).ok_or(Error::OffsetsDoNotFit)?;
                outlines.add_runs(counts)?;
            } else {
                self.add_parts(range(part, parts)?, &mut outlines)?;
            }
        }
        outlines.masks(runs, size, interrupted)
    }

    fn add_parts(&self, parts: Range<usize>, outlines: &mut Outlines) -> Result<()> {
        for part in parts {
            let &[start, end] =
                self.part_offsets.get(part..).and_then(<[i64]>::first_chunk).ok_or(Error::OffsetsDoNotFit)?;
            self.coordinates.append(range(start, end.saturating_sub(start))?, &mut outlines.coordinates)?;
            reserve_more(&mut outlines.parts, 1)?;
            outlines.parts.push(outlines.coordinates.len() as i64);
        }
        outlines.instances.push(outlines.parts.len() as i64 - 1);
        Ok(())
    }
}

/// Polygons and runs of the rows of one image, each kind by itself.
struct Outlines {
    coordinates: Vec<f64>,
    parts: Vec<i64>,
    instances: Vec<i64>,
    counts: Vec<u32>,
    offsets: Vec<i64>,
}

impl Outlines {
    fn new(rows: usize) -> Result<Self> {
        let mut made = Self {
            coordinates: Vec::new(),
            parts: reserve(rows + 1)?,
            instances: reserve(rows + 1)?,
            counts: Vec::new(),
            offsets: reserve(rows + 1)?,
        };
        for offsets in [&mut made.parts, &mut made.instances, &mut made.offsets] {
            offsets.push(0);
        }
        Ok(made)
    }

    fn add_runs(&mut self, counts: &[u32]) -> Result<()> {
        reserve_more(&mut self.counts, counts.len())?;
        self.counts.extend(counts);
        self.offsets.push(self.counts.len() as i64);
        Ok(())
    }

    /// Masks of both kinds, in the order of the rows, of which those with `runs` have runs.
    fn masks(&self, runs: &[i64], size: Size, interrupted: &mut dyn FnMut() -> bool) -> Result<Masks> {
        let drawn = rasterize(&self.coordinates, &self.parts, &self.instances, size, interrupted)?;
        if drawn.len() == runs.len() {
            return Ok(drawn);
        }
        let read = Masks::read(&Counts::new(size, &self.counts, &self.offsets)?)?;
        let mut masks = Masks::with_capacity(size, runs.len(), drawn.toggles_len() + read.toggles_len())?;
        let (mut drawn, mut read) = (drawn.iter(), read.iter());
        for &runs in runs {
            let next = if runs > 0 { read.next() } else { drawn.next() };
            masks.push(next.unwrap_or_default())?;
        }
        Ok(masks)
    }
}

/// Range of so many values from the first one on.
fn range(first: i64, length: i64) -> Result<Range<usize>> {
    let (first, length) = (usize::try_from(first), usize::try_from(length));
    let (Ok(first), Ok(length)) = (first, length) else {
        return Err(Error::OffsetsDoNotFit);
    };
    Ok(first..first.checked_add(length).ok_or(Error::OffsetsDoNotFit)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dense, draw};

    const SIZE: Size = Size { h: 2, w: 4 };

    /// A square by points; the whole image by runs; nothing; two columns by two parts.
    fn objects(coordinates: Points<'_>) -> DataObjects<'_> {
        DataObjects {
            coordinates,
            part_offsets: &[0, 8, 16, 24],
            first_part: &[2, 0, 3, 0],
            parts: &[1, 0, 0, 2],
            counts: &[7, 1, 0, 8],
            first_run: &[0, 2, 4, 4],
            runs: &[0, 2, 0, 0],
        }
    }

    const HUNDREDTHS: [i32; 24] = [
        0, 0, 100, 0, 100, 200, 0, 200, 300, 0, 400, 0, 400, 200, 300, 200, 100, 0, 300, 0, 300, 100, 100,
        100,
    ];

    fn drawn(objects: &DataObjects, rows: Range<usize>) -> Vec<String> {
        dense(&objects.masks(rows, SIZE, &mut || false).unwrap()).iter().map(draw).collect()
    }

    #[test]
    fn rows_are_drawn_in_their_order() {
        let expected = [".##./....", "####/####", "..../....", "#..#/#..#"];
        let pixels = HUNDREDTHS.map(|hundredths| f64::from(hundredths) / 100.0);
        for coordinates in [Points::Hundredths(&HUNDREDTHS), Points::Pixels(&pixels)] {
            let objects = objects(coordinates);
            for start in 0..=4 {
                for end in start..=4 {
                    assert_eq!(drawn(&objects, start..end), expected[start..end]);
                }
            }
        }
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let whole = objects(Points::Hundredths(&HUNDREDTHS));
        let refused = |objects: DataObjects| objects.masks(0..4, SIZE, &mut || false).unwrap_err();
        for wrong in [
            DataObjects { coordinates: Points::Hundredths(&HUNDREDTHS[1..]), ..whole },
            DataObjects { coordinates: Points::Pixels(&[]), ..whole },
            DataObjects { part_offsets: &[0, 8, 16], ..whole },
            DataObjects { part_offsets: &[0, 8, 4, 24], ..whole },
            DataObjects { part_offsets: &[-8, 8, 16, 24], ..whole },
            DataObjects { first_part: &[2, 0, 3], ..whole },
            DataObjects { first_part: &[-1, 0, 3, 0], ..whole },
            DataObjects { parts: &[1, 0, 0, i64::MAX], ..whole },
            DataObjects { counts: &[7, 1, 0], ..whole },
            DataObjects { first_run: &[0, -2, 4, 4], ..whole },
            DataObjects { runs: &[0, 3, 0, 0], ..whole },
        ] {
            assert_eq!(refused(wrong), Error::OffsetsDoNotFit);
        }
        let error = refused(DataObjects { counts: &[7, 1, 0, 7], ..whole });
        assert_eq!(error, Error::RunsDoNotFill { mask: 0, sum: 7, size: SIZE });
    }
}
