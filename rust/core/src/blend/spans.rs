//! A mask turned from spans down its columns to spans along its rows.

use crate::error::Result;
use crate::memory::filled;

/// Along each row, the columns where the mask turns on and off.
#[derive(Debug)]
pub(crate) struct RowSpans {
    toggles: Vec<u32>,
    /// Where the toggles of each row begin, and, last, where those of the last one end.
    starts: Vec<usize>,
}

impl RowSpans {
    /// From the bounds of a mask of height `h`: pixel numbers `x * h + y`.
    pub(crate) fn new(bounds: &[u32], h: u32) -> Result<Self> {
        // Between neighbouring columns the rows where they differ are toggles.
        let mut toggles = Vec::new();
        let (mut before, mut column): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut at = 0;
        for (x, y0, y1) in pieces(bounds, h) {
            if x != at {
                differences(&before, &column, |y0, y1| toggles.push((at, y0, y1)));
                (before, column) = (column, before);
                column.clear();
                if x != at + 1 {
                    differences(&before, &[], |y0, y1| toggles.push((at + 1, y0, y1)));
                    before.clear();
                }
                at = x;
            }
            column.extend([y0, y1]);
        }
        differences(&before, &column, |y0, y1| toggles.push((at, y0, y1)));
        differences(&column, &[], |y0, y1| toggles.push((at + 1, y0, y1)));
        Self::sorted(&toggles, h as usize)
    }

    /// From toggles `(x, y0, y1)` with ascending `x`.
    fn sorted(toggles: &[(u32, u32, u32)], h: usize) -> Result<Self> {
        let mut starts: Vec<usize> = filled(h + 1)?;
        for &(_, y0, y1) in toggles {
            for start in &mut starts[y0 as usize + 1..=y1 as usize] {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut columns = filled(sum)?;
        let mut next = starts.clone();
        for &(x, y0, y1) in toggles {
            for next in &mut next[y0 as usize..y1 as usize] {
                columns[*next] = x;
                *next += 1;
            }
        }
        Ok(Self { toggles: columns, starts })
    }

    /// The spans of row `y`.
    pub(crate) fn row(&self, y: usize) -> &[[u32; 2]] {
        self.toggles[self.starts[y]..self.starts[y + 1]].as_chunks().0
    }
}

/// The parts `(x, y0, y1)` of single columns that spans are made of.
fn pieces(bounds: &[u32], h: u32) -> impl Iterator<Item = (u32, u32, u32)> {
    bounds.as_chunks().0.iter().flat_map(move |&[start, end]| {
        let (first, last) = (start / h, (end - 1) / h);
        (first..=last).map(move |x| {
            let top = x * h;
            (x, start.max(top) - top, (end - top).min(h))
        })
    })
}

/// The rows that are in one of two columns but not in both. Both are sorted bounds.
fn differences(a: &[u32], b: &[u32], mut found: impl FnMut(u32, u32)) {
    let (mut i, mut j) = (0, 0);
    let mut open = None;
    while i < a.len() || j < b.len() {
        let (y, z) = (a.get(i).copied().unwrap_or(u32::MAX), b.get(j).copied().unwrap_or(u32::MAX));
        i += usize::from(y <= z);
        j += usize::from(z <= y);
        if y == z {
            continue;
        }
        let toggle = y.min(z);
        open = match open {
            None => Some(toggle),
            Some(start) => {
                found(start, toggle);
                None
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::RowSpans;

    #[test]
    fn rows_of_a_picture() {
        let picture = ["..##.", "#####", "#.#.#", ".....", "##..#"];
        let cell = |x: usize, y: usize| picture[y].as_bytes()[x] == b'#';
        let column_major: Vec<bool> = (0..25).map(|pixel| cell(pixel / 5, pixel % 5)).collect();
        let mut bounds = Vec::new();
        for pixel in 0..=25 {
            let before = pixel > 0 && column_major[pixel - 1];
            if before != (pixel < 25 && column_major[pixel]) {
                bounds.push(pixel as u32);
            }
        }
        let rows = RowSpans::new(&bounds, 5).unwrap();
        assert_eq!(rows.row(0), [[2, 4]]);
        assert_eq!(rows.row(1), [[0, 5]]);
        assert_eq!(rows.row(2), [[0, 1], [2, 3], [4, 5]]);
        assert!(rows.row(3).is_empty());
        assert_eq!(rows.row(4), [[0, 2], [4, 5]]);
    }

    #[test]
    fn full_and_empty() {
        let full = RowSpans::new(&[0, 12], 3).unwrap();
        assert_eq!([full.row(0), full.row(2)], [[[0, 4]]; 2]);
        assert!(RowSpans::new(&[], 3).unwrap().row(1).is_empty());
    }
}
