//! Where the rows and columns of an input land: looked up, or computed where a table would not pay.

use super::edges::Edges;
use super::lone::{LANES, Rows};

/// Where the pixels of an input land on the canvas.
pub(super) trait Lookup: Copy {
    /// Where input row `y` begins.
    fn row(&self, y: u32) -> u32;
    /// The first canvas pixel of column `x`, counted in the order of drawing, and how many columns it becomes.
    fn column(&self, x: u32) -> [u32; 2];
    /// The same for several at a time, where that can be: all columns, and [`LANES`] more that become none.
    fn together(&self) -> Option<(Rows, &[[u32; 2]])>;
}

/// Tables of all edges: they pay when there are spans enough to look them up.
pub(super) struct Tables {
    together: Option<Rows>,
    rows: Vec<u32>,
    columns: Vec<[u32; 2]>,
}

impl Tables {
    pub(super) fn new(rows: &Edges, columns: &Edges, canvas_h: u32) -> Self {
        let mut columns = columns.table_with_counts(canvas_h);
        columns.resize(columns.len() + LANES, [0; 2]);
        Self { together: rows.in_floats(), rows: rows.table(), columns }
    }

    pub(super) fn open(&self) -> OpenTables<'_> {
        OpenTables { together: self.together, rows: &self.rows, columns: &self.columns }
    }
}

/// The same, to be read.
#[derive(Clone, Copy)]
pub(super) struct OpenTables<'a> {
    together: Option<Rows>,
    rows: &'a [u32],
    columns: &'a [[u32; 2]],
}

impl Lookup for OpenTables<'_> {
    fn row(&self, y: u32) -> u32 {
        self.rows[y as usize]
    }

    fn column(&self, x: u32) -> [u32; 2] {
        self.columns[x as usize]
    }

    fn together(&self) -> Option<(Rows, &[[u32; 2]])> {
        self.together.map(|rows| (rows, self.columns))
    }
}

/// Each edge computed when it is asked for.
pub(super) struct Computed {
    pub(super) rows: Edges,
    pub(super) columns: Edges,
    pub(super) canvas_h: u32,
    /// Width of the input.
    pub(super) width: u32,
}

impl Lookup for &Computed {
    fn row(&self, y: u32) -> u32 {
        self.rows.at(y)
    }

    fn column(&self, x: u32) -> [u32; 2] {
        let left = self.columns.at(x);
        let right = if x < self.width { self.columns.at(x + 1) } else { left };
        [left * self.canvas_h, right - left]
    }

    fn together(&self) -> Option<(Rows, &[[u32; 2]])> {
        None
    }
}
