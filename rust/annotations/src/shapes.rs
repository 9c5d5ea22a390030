//! Outlines of annotations: polygon parts as points, masks as runs.

use copypaste_core::{Size, rle};
use jiter::{Jiter, Peek};

use crate::coordinates::Coordinates;
use crate::item::ItemText;
use crate::json::{float, integer};
use crate::{Odd, Plain, put, put_all, put_moved};

/// Largest coordinate.
const FARTHEST: f64 = 2_147_483_648.0;

/// Most pixels of an image, and so the longest run.
const MAX_PIXELS: i64 = u32::MAX as i64;

/// Fewest numbers of a part that covers anything: three points.
const LEAST: usize = 6;

/// Outlines of rows: each has parts, or runs, or neither.
#[derive(Debug, Default)]
pub struct Shapes {
    /// Points of the parts: x, y, x, y, ...
    pub coordinates: Coordinates,
    /// End of each part among the coordinates, 0 first.
    pub part_offsets: Vec<i64>,
    /// First part of each row.
    pub first_part: Vec<i64>,
    /// Number of parts of each row.
    pub parts: Vec<i64>,
    /// Run lengths, background first.
    pub counts: Vec<u32>,
    /// First run of each row.
    pub first_run: Vec<i64>,
    /// Number of runs of each row.
    pub runs: Vec<i64>,
    /// Parts of fewer than three points, which are passed over.
    pub short_parts: i64,
    /// Rows that have runs, and the height and width that stand beside these.
    pub(crate) sizes: Vec<(usize, [i64; 2])>,
}

impl Shapes {
    pub(crate) fn new() -> Self {
        Self { part_offsets: vec![0], ..Self::default() }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Appends a row; says whether it has an outline, were it of parts that are too short.
    pub(crate) fn read(&mut self, item: &mut ItemText<'_>, seen: Peek) -> Plain<bool> {
        let (first_part, first_run) = (self.part_offsets.len() as i64 - 1, self.counts.len() as i64);
        let has_outline = match seen {
            Peek::Null => item.json.known_null().map(|()| false)?,
            Peek::Array => match self.read_plain_parts(item.rest())? {
                Some(bytes) => {
                    item.pass(bytes);
                    true
                }
                None => self.read_parts(&mut item.json)?,
            },
            Peek::Object => self.read_runs(&mut item.json).map(|()| true)?,
            _ => return Err(Odd),
        };
        self.end_row(first_part, first_run)?;
        Ok(has_outline)
    }

    /// Appends a row without an outline.
    pub(crate) fn skip(&mut self) -> Plain<()> {
        self.end_row(self.part_offsets.len() as i64 - 1, self.counts.len() as i64)
    }

    fn end_row(&mut self, first_part: i64, first_run: i64) -> Plain<()> {
        put(&mut self.first_part, first_part)?;
        put(&mut self.parts, self.part_offsets.len() as i64 - 1 - first_part)?;
        put(&mut self.first_run, first_run)?;
        put(&mut self.runs, self.counts.len() as i64 - first_run)
    }

    /// Reads parts of plain decimal numbers; says how many bytes they have. `None` where they are not, and nothing is read.
    fn read_plain_parts(&mut self, text: &[u8]) -> Plain<Option<usize>> {
        let ([coordinates, parts, _], short_parts) = (self.lengths(), self.short_parts);
        let mut at = 1;
        while text.get(at) == Some(&b'[') {
            let from = self.coordinates.len();
            let Some(end) = self.coordinates.read_list(text, at + 1)? else { break };
            self.end_part(from)?;
            at = end + 1;
            match text.get(end) {
                Some(b',') => at += usize::from(text.get(at) == Some(&b' ')),
                Some(b']') => return Ok(Some(at)),
                _ => break,
            }
        }
        self.coordinates.truncate(coordinates);
        self.part_offsets.truncate(parts);
        self.short_parts = short_parts;
        Ok(None)
    }

    fn read_parts(&mut self, json: &mut Jiter<'_>) -> Plain<bool> {
        let mut item = json.known_array()?;
        let has_any = item.is_some();
        if item.is_some_and(|seen| seen != Peek::Array) {
            // One part without the list around it.
            self.read_part(json, item)?;
            return Ok(has_any);
        }
        while let Some(seen) = item {
            if seen != Peek::Array {
                return Err(Odd);
            }
            let first = json.known_array()?;
            self.read_part(json, first)?;
            item = json.array_step()?;
        }
        Ok(has_any)
    }

    /// Reads numbers up to the end of their list; the first of them was seen.
    fn read_part(&mut self, json: &mut Jiter<'_>, mut item: Option<Peek>) -> Plain<()> {
        let from = self.coordinates.len();
        while let Some(seen) = item {
            let value = float(json, seen)?;
            self.coordinates.push(value)?;
            item = json.array_step()?;
        }
        self.end_part(from)
    }

    /// Ends a part whose coordinates begin at `from`.
    fn end_part(&mut self, from: usize) -> Plain<()> {
        let length = self.coordinates.len() - from;
        if !length.is_multiple_of(2) || self.coordinates.any_beyond(FARTHEST, from) {
            return Err(Odd);
        }
        if length < LEAST {
            self.coordinates.truncate(from);
            self.short_parts += 1;
            return Ok(());
        }
        put(&mut self.part_offsets, self.coordinates.len() as i64)
    }

    fn read_runs(&mut self, json: &mut Jiter<'_>) -> Plain<()> {
        let from = self.counts.len();
        let (mut size, mut packed, mut has_counts) = (None, None, false);
        let mut key = json.known_object()?.map(RunsKey::of);
        while let Some(known) = key {
            let seen = json.peek()?;
            match (known, seen) {
                (RunsKey::Size, Peek::Array) if size.is_none() => size = Some(pair(json)?),
                (RunsKey::Counts, Peek::Array) if !has_counts => {
                    has_counts = true;
                    self.read_counts(json)?;
                }
                (RunsKey::Counts, Peek::String) if !has_counts => {
                    has_counts = true;
                    packed = Some(json.known_str()?.as_bytes().to_vec());
                }
                (RunsKey::Other, _) => json.known_skip(seen)?,
                _ => return Err(Odd),
            }
            key = json.next_key()?.map(RunsKey::of);
        }
        let (Some([h, w]), true) = (size, has_counts) else { return Err(Odd) };
        let fits = h >= 1 && w >= 1 && h.checked_mul(w).is_some_and(|n| n <= MAX_PIXELS);
        if !fits {
            return Err(Odd);
        }
        if let Some(packed) = packed {
            let (counts, _) =
                rle::parse(&[&packed], Size { h: h as usize, w: w as usize }).map_err(|_| Odd)?;
            put_all(&mut self.counts, &counts)?;
        } else if self.counts[from..].iter().map(|&run| i64::from(run)).sum::<i64>() != h * w {
            return Err(Odd);
        }
        let row = self.len();
        put(&mut self.sizes, (row, [h, w]))
    }

    fn read_counts(&mut self, json: &mut Jiter<'_>) -> Plain<()> {
        let mut item = json.known_array()?;
        while let Some(seen) = item {
            let run = u32::try_from(integer(json, seen)?).map_err(|_| Odd)?;
            put(&mut self.counts, run)?;
            item = json.array_step()?;
        }
        Ok(())
    }

    /// Forgets the last row, which began when there were so many coordinates, parts, counts and short parts.
    pub(crate) fn undo(&mut self, [coordinates, parts, counts]: [usize; 3], short_parts: i64) {
        self.coordinates.truncate(coordinates);
        self.part_offsets.truncate(parts);
        self.counts.truncate(counts);
        for lengths in [&mut self.first_part, &mut self.parts, &mut self.first_run, &mut self.runs] {
            lengths.pop();
        }
        let row = self.len();
        self.sizes.pop_if(|&mut (of, _)| of >= row);
        self.short_parts = short_parts;
    }

    /// Appends rows that were read after these.
    pub(crate) fn append(&mut self, more: &Self) -> Plain<()> {
        let [coordinates, parts, counts] = self.lengths().map(|length| length as i64);
        let rows = self.len();
        self.coordinates.append(&more.coordinates)?;
        put_moved(&mut self.part_offsets, &more.part_offsets[1..], coordinates)?;
        put_moved(&mut self.first_part, &more.first_part, parts - 1)?;
        put_all(&mut self.parts, &more.parts)?;
        put_all(&mut self.counts, &more.counts)?;
        put_moved(&mut self.first_run, &more.first_run, counts)?;
        put_all(&mut self.runs, &more.runs)?;
        self.short_parts += more.short_parts;
        self.sizes.try_reserve(more.sizes.len()).map_err(|_| Odd)?;
        self.sizes.extend(more.sizes.iter().map(|&(row, size)| (rows + row, size)));
        Ok(())
    }

    /// Numbers of coordinates, parts and counts, for [`Shapes::undo`].
    pub(crate) fn lengths(&self) -> [usize; 3] {
        [self.coordinates.len(), self.part_offsets.len(), self.counts.len()]
    }
}

/// Fields of run lengths.
#[derive(Clone, Copy)]
enum RunsKey {
    Size,
    Counts,
    Other,
}

impl RunsKey {
    fn of(name: &str) -> Self {
        match name {
            "size" => Self::Size,
            "counts" => Self::Counts,
            _ => Self::Other,
        }
    }
}

/// List of two whole numbers.
fn pair(json: &mut Jiter<'_>) -> Plain<[i64; 2]> {
    let mut values = [0; 2];
    let mut item = json.known_array()?;
    for value in &mut values {
        *value = integer(json, item.ok_or(Odd)?)?;
        item = json.array_step()?;
    }
    if item.is_none() { Ok(values) } else { Err(Odd) }
}
