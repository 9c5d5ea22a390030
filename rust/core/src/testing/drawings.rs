//! Masks drawn, decoded and made up, pixel by pixel.

use super::Random;
use crate::Size;
use crate::rle::Masks;

/// Drawing of a mask: whether each pixel is set, row by row.
pub(crate) type Drawing = Vec<Vec<bool>>;

/// A mask from rows of `#` and `.`, parted by `/`.
pub(crate) fn mask(drawing: &str) -> Masks {
    let rows: Drawing = drawing.split('/').map(|row| row.bytes().map(|c| c == b'#').collect()).collect();
    from_drawings(Size { h: rows.len(), w: rows[0].len() }, &[rows])
}

/// Rows of a mask, as [`mask`] reads them.
pub(crate) fn draw(rows: &Drawing) -> String {
    let row = |row: &Vec<bool>| row.iter().map(|&set| if set { '#' } else { '.' }).collect::<String>();
    rows.iter().map(row).collect::<Vec<_>>().join("/")
}

/// Masks of drawings, read as counts.
pub(crate) fn from_drawings(size: Size, drawings: &[Drawing]) -> Masks {
    let (mut counts, mut offsets) = (Vec::new(), vec![0]);
    for rows in drawings {
        let mut state = false;
        let mut run = 0;
        for pixel in 0..size.pixels() {
            let set = rows[pixel % size.h][pixel / size.h];
            if set != state {
                counts.push(run);
                (run, state) = (0, set);
            }
            run += 1;
        }
        counts.push(run);
        offsets.push(counts.len() as i64);
    }
    Masks::from_counts(size, &counts, &offsets).unwrap()
}

/// Drawings of masks, made from their counts.
pub(crate) fn dense(masks: &Masks) -> Vec<Drawing> {
    let Size { h, w } = masks.size();
    let (counts, offsets) = masks.to_counts().unwrap();
    let one = |range: &[i64]| {
        let mut rows = vec![vec![false; w]; h];
        let mut pixel = 0;
        for (i, &run) in counts[range[0] as usize..range[1] as usize].iter().enumerate() {
            for _ in 0..run {
                rows[pixel % h][pixel / h] = i % 2 == 1;
                pixel += 1;
            }
        }
        assert_eq!(pixel, h * w);
        rows
    };
    offsets.windows(2).map(one).collect()
}

impl Random {
    /// Noise of some density, or a few rectangles, or nothing, or everything.
    pub(crate) fn drawing(&mut self, size: Size) -> Drawing {
        let Size { h, w } = size;
        let density = [0, 10, 30, 50, 90, 100][self.below(6)];
        let mut rows: Drawing = (0..h).map(|_| (0..w).map(|_| self.below(100) < density).collect()).collect();
        if density == 30 && h * w > 0 {
            rows = vec![vec![false; w]; h];
            for _ in 0..self.below(4) {
                let (y, x) = (self.below(h), self.below(w));
                let (height, width) = (self.below(h) + 1, self.below(w) + 1);
                let set = self.below(4) > 0;
                for row in rows.iter_mut().skip(y).take(height) {
                    for pixel in row.iter_mut().skip(x).take(width) {
                        *pixel = set;
                    }
                }
            }
        }
        rows
    }

    /// An object: columns of one span, its ends never far from those of the column before; and, seldom, a gap, a
    /// hole, a full column.
    pub(crate) fn object(&mut self, size: Size) -> Drawing {
        let Size { h, w } = size;
        let mut rows: Drawing = vec![vec![false; w]; h];
        let (left, right) = (self.below(w / 2), w - self.below(w / 2));
        let (mut top, mut bottom) = (self.below(h), self.below(h));
        for x in left..right {
            let mut walk = |y: usize| (y + self.below(5)).saturating_sub(2).min(h - 1);
            (top, bottom) = (walk(top), walk(bottom));
            let special = self.below(40);
            for (y, row) in rows.iter_mut().enumerate() {
                let inside = (top.min(bottom)..=top.max(bottom)).contains(&y);
                let hole = y == top.midpoint(bottom);
                row[x] = match special {
                    0 => false,
                    1 => true,
                    2 | 3 => inside && !hole,
                    _ => inside,
                };
            }
        }
        rows
    }

    /// A few masks of one size.
    pub(crate) fn masks(&mut self, size: Size) -> Masks {
        let n = self.below(5);
        let drawings: Vec<Drawing> = (0..n).map(|_| self.drawing(size)).collect();
        from_drawings(size, &drawings)
    }
}

/// Masks of many sizes, from zero, none square but by chance.
pub(crate) fn random_masks(seed: u64) -> impl Iterator<Item = Masks> {
    let mut random = Random(seed * 2_654_435_761 + 88_172_645_463_325_252);
    let fixed = [(0, 0), (0, 3), (4, 0), (1, 1), (1, 9), (9, 1), (3, 70), (70, 3), (5, 130)];
    (0..400).map(move |i| {
        let (h, w) = fixed.get(i).copied().unwrap_or_else(|| (random.below(13), random.below(17)));
        random.masks(Size { h, w })
    })
}

/// A mask made pixel by pixel from others.
pub(crate) fn map_pixels(
    masks: &[Drawing],
    size: Size,
    f: impl Fn(&[Drawing], usize, usize) -> bool,
) -> Drawing {
    (0..size.h).map(|y| (0..size.w).map(|x| f(masks, y, x)).collect()).collect()
}
