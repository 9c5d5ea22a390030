//! Spans of a mask along its rows, from its spans down the columns.

use crate::error::Result;
use crate::memory::filled;

/// Spans along each row: the columns where the mask turns on and off, row after row.
#[derive(Debug)]
pub(crate) struct RowSpans {
    toggles: Vec<u32>,
    /// Offset of the toggles of each row, and, last, their number.
    starts: Vec<usize>,
}

impl RowSpans {
    /// Spans along the rows, from those of a mask of height `h` down its columns: pixel numbers `x * h + y`.
    pub(crate) fn new(spans: &[[u32; 2]], h: u32) -> Result<Self> {
        // Between neighbouring columns the rows where they differ are toggles.
        let mut toggles = Vec::new();
        let (mut before, mut column): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut current = 0;
        for (x, y0, y1) in pieces(spans, h) {
            if x != current {
                differences(&before, &column, |y0, y1| toggles.push((current, y0, y1)));
                (before, column) = (column, before);
                column.clear();
                if x != current + 1 {
                    differences(&before, &[], |y0, y1| toggles.push((current + 1, y0, y1)));
                    before.clear();
                }
                current = x;
            }
            column.extend([y0, y1]);
        }
        differences(&before, &column, |y0, y1| toggles.push((current, y0, y1)));
        differences(&column, &[], |y0, y1| toggles.push((current + 1, y0, y1)));
        Self::sorted(&toggles, h as usize)
    }

    /// Spans from toggles `(x, y0, y1)` of rows y0 to y1 - 1, with ascending `x`.
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

    /// Spans of row `y`, as half-open ranges of columns.
    pub(crate) fn row(&self, y: usize) -> &[[u32; 2]] {
        self.toggles[self.starts[y]..self.starts[y + 1]].as_chunks().0
    }
}

/// Pieces `(x, y0, y1)` of single columns that the spans of a mask consist of.
fn pieces(spans: &[[u32; 2]], h: u32) -> impl Iterator<Item = (u32, u32, u32)> {
    spans.iter().flat_map(move |&[start, end]| {
        let (first, last) = (start / h, (end - 1) / h);
        (first..=last).map(move |x| {
            let top = x * h;
            (x, start.max(top) - top, (end - top).min(h))
        })
    })
}

/// Calls `toggle` with each range of rows that are in one of two columns but not in both; both are sorted toggles.
fn differences(before: &[u32], after: &[u32], mut toggle: impl FnMut(u32, u32)) {
    let (mut next_before, mut next_after) = (0, 0);
    let mut open = None;
    while next_before < before.len() || next_after < after.len() {
        let row_before = before.get(next_before).copied().unwrap_or(u32::MAX);
        let row_after = after.get(next_after).copied().unwrap_or(u32::MAX);
        next_before += usize::from(row_before <= row_after);
        next_after += usize::from(row_after <= row_before);
        if row_before == row_after {
            continue;
        }
        let row = row_before.min(row_after);
        open = match open {
            None => Some(row),
            Some(start) => {
                toggle(start, row);
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
        let mut toggles = Vec::new();
        for pixel in 0..=25 {
            let before = pixel > 0 && column_major[pixel - 1];
            if before != (pixel < 25 && column_major[pixel]) {
                toggles.push(pixel as u32);
            }
        }
        let rows = RowSpans::new(toggles.as_chunks().0, 5).unwrap();
        assert_eq!(rows.row(0), [[2, 4]]);
        assert_eq!(rows.row(1), [[0, 5]]);
        assert_eq!(rows.row(2), [[0, 1], [2, 3], [4, 5]]);
        assert!(rows.row(3).is_empty());
        assert_eq!(rows.row(4), [[0, 2], [4, 5]]);
    }

    #[test]
    fn full_and_empty() {
        let full = RowSpans::new(&[[0, 12]], 3).unwrap();
        assert_eq!([full.row(0), full.row(2)], [[[0, 4]]; 2]);
        assert!(RowSpans::new(&[], 3).unwrap().row(1).is_empty());
    }
}
