//! Annotations, one row each.

use jiter::{Jiter, Peek};

use crate::columns::{Column, Columns};
use crate::images::Images;
use crate::item::ItemText;
use crate::json::{Number, float, integer, number};
use crate::shapes::Shapes;
use crate::{Odd, Plain, Wanted, put, put_all, put_moved};

/// Annotations of images that are there, in the order of the file.
#[derive(Debug, Default)]
pub struct Rows {
    /// Number of the image of each row.
    pub image: Vec<i64>,
    /// Ids of the annotations.
    pub ids: Vec<i64>,
    /// Ids of their categories.
    pub labels: Vec<i64>,
    /// Whether each is a crowd.
    pub iscrowd: Vec<bool>,
    /// Outlines.
    pub shapes: Shapes,
    /// Rows that have a box with an area, and no outline.
    pub box_rows: Vec<i64>,
    /// Boxes of these: x0, y0, x1, y1.
    pub boxes: Vec<f64>,
    /// Fields that hold lists of numbers, by the order of `Wanted::lists`.
    pub lists: Vec<NumberLists>,
    /// Rows that have each field of `Wanted::counted`.
    pub counted: Vec<i64>,
    /// Annotations of images that are not there.
    pub unknown: i64,
    columns: Columns,
}

/// Lists of numbers of the rows that have a field: as many for each.
#[derive(Debug, Default)]
pub struct NumberLists {
    /// Rows that have numbers, ascending.
    pub rows: Vec<i64>,
    /// Numbers of these rows, one row after the other.
    pub numbers: Vec<f64>,
}

impl NumberLists {
    /// Numbers of each row; 0 where no row has any.
    fn each(&self) -> usize {
        self.numbers.len().checked_div(self.rows.len()).unwrap_or(0)
    }

    fn is_continued_by(&self, more: &Self) -> bool {
        self.rows.is_empty() || more.rows.is_empty() || self.each() == more.each()
    }
}

impl Rows {
    pub(crate) fn new(wanted: &Wanted) -> Plain<Self> {
        if wanted.counted.len() > u64::BITS as usize {
            return Err(Odd);
        }
        let mut rows = Self {
            shapes: Shapes::new(),
            lists: wanted.lists.iter().map(|_| NumberLists::default()).collect(),
            counted: vec![0; wanted.counted.len()],
            ..Self::default()
        };
        for name in wanted.columns.iter().flatten() {
            rows.columns.find(name)?;
        }
        Ok(rows)
    }

    /// Whether rows that were read into `more` would have been read into these to the same end; only if that is plain.
    pub(crate) fn is_continued_by(&self, more: &Self) -> bool {
        let pairs = self.lists.iter().zip(&more.lists);
        // What an annotation leaves behind that was left out may depend on the rows before.
        more.unknown == 0
            && pairs.into_iter().all(|(list, more)| list.is_continued_by(more))
            && self.columns.are_continued_by(&more.columns)
    }

    /// Appends rows that were read after these, and continue them.
    pub(crate) fn append(&mut self, more: Self) -> Plain<()> {
        let first = self.ids.len() as i64;
        put_all(&mut self.image, &more.image)?;
        put_all(&mut self.ids, &more.ids)?;
        put_all(&mut self.labels, &more.labels)?;
        put_all(&mut self.iscrowd, &more.iscrowd)?;
        self.shapes.append(&more.shapes)?;
        put_moved(&mut self.box_rows, &more.box_rows, first)?;
        put_all(&mut self.boxes, &more.boxes)?;
        for (list, more) in self.lists.iter_mut().zip(&more.lists) {
            put_moved(&mut list.rows, &more.rows, first)?;
            put_all(&mut list.numbers, &more.numbers)?;
        }
        for (count, more) in self.counted.iter_mut().zip(&more.counted) {
            *count += more;
        }
        self.columns.append(more.columns, first)
    }

    /// Further fields, as columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns.all
    }

    /// Takes the columns out.
    pub fn take_columns(&mut self) -> Vec<Column> {
        std::mem::take(&mut self.columns.all)
    }

    /// Reads one annotation. Where images are known, one of an image that is not there is left out.
    pub(crate) fn read(
        &mut self,
        item: &mut ItemText<'_>,
        wanted: &Wanted,
        images: Option<&Images>,
    ) -> Plain<()> {
        let row = self.ids.len() as i64;
        let (lengths, short_parts) = (self.shapes.lengths(), self.shapes.short_parts);
        let mut annotation = Annotation::default();
        let mut key = item.json.next_object_bytes()?.map(|name| self.key(name, wanted)).transpose()?;
        while let Some(known) = key {
            let seen = item.json.peek()?;
            annotation.read(item, known, seen, self, row)?;
            key = item.json.next_key_bytes()?.map(|name| self.key(name, wanted)).transpose()?;
        }
        let (Some(id), Some(image_id), Some(label)) = (annotation.id, annotation.image_id, annotation.label)
        else {
            return Err(Odd);
        };
        let has_outline = match annotation.has_outline {
            Some(has_outline) => has_outline,
            None => self.shapes.skip().map(|()| false)?,
        };
        // Ids for now, where images come later.
        let image = match images {
            None => image_id,
            Some(images) => {
                let Some(image) = images.find(image_id) else {
                    self.unknown += 1;
                    return self.undo(&annotation, row, lengths, short_parts);
                };
                image as i64
            }
        };
        if !has_outline {
            self.add_box(annotation.bbox, row)?;
        }
        put(&mut self.image, image)?;
        put(&mut self.ids, id)?;
        put(&mut self.labels, label)?;
        put(&mut self.iscrowd, annotation.iscrowd.unwrap_or(false))
    }

    fn key(&mut self, name: &[u8], wanted: &Wanted) -> Plain<Field> {
        Ok(match name {
            b"id" => Field::Id,
            b"image_id" => Field::ImageId,
            b"category_id" => Field::CategoryId,
            b"segmentation" => Field::Segmentation,
            b"iscrowd" => Field::Crowd,
            b"bbox" => Field::Bbox,
            _ if name.contains(&b'\\') => return Err(Odd),
            _ => {
                let is_name = |known: &String| known.as_bytes() == name;
                if let Some(number) = wanted.counted.iter().position(is_name) {
                    Field::Counted(number)
                } else if let Some(number) = wanted.lists.iter().position(is_name) {
                    Field::List(number)
                } else if wanted.ignored.iter().any(is_name)
                    || wanted.columns.as_ref().is_some_and(|names| !names.iter().any(is_name))
                {
                    Field::Ignored
                } else {
                    Field::Column(self.columns.find(str::from_utf8(name).map_err(|_| Odd)?)?)
                }
            }
        })
    }

    fn add_box(&mut self, bbox: Bbox, row: i64) -> Plain<()> {
        let [x, y, w, h] = match bbox {
            Bbox::None => return Ok(()),
            Bbox::Strange => return Err(Odd),
            Bbox::Sides(sides) => sides,
        };
        let corners = [x, y, x + w, y + h];
        let far = [w, h].iter().chain(&corners).any(|side| side.abs() > f64::from(f32::MAX));
        if far || w < 0.0 || h < 0.0 {
            return Err(Odd);
        }
        if w == 0.0 || h == 0.0 {
            return Ok(());
        }
        put(&mut self.box_rows, row)?;
        put_all(&mut self.boxes, &corners)
    }

    /// Forgets what was read of the last row.
    fn undo(
        &mut self,
        annotation: &Annotation,
        row: i64,
        lengths: [usize; 3],
        short_parts: i64,
    ) -> Plain<()> {
        self.shapes.undo(lengths, short_parts);
        for (number, count) in self.counted.iter_mut().enumerate() {
            *count -= i64::from(annotation.counted >> number & 1 != 0);
        }
        for list in &mut self.lists {
            // As many numbers for each row; a first row decides how many.
            if list.rows.last() == Some(&row) {
                let each = list.numbers.len() / list.rows.len();
                list.rows.pop();
                list.numbers.truncate(list.rows.len() * each);
            }
        }
        self.columns.undo(row)
    }

    /// Finds the images of annotations that came before them, and checks sizes beside runs.
    pub(crate) fn finish(&mut self, images: &Images, came_first: bool) -> Plain<()> {
        if came_first {
            for image in &mut self.image {
                *image = images.find(*image).ok_or(Odd)? as i64;
            }
        }
        let fits = |&(row, size): &(usize, [i64; 2])| images.size(self.image[row] as usize) == size;
        if self.shapes.sizes.iter().all(fits) { Ok(()) } else { Err(Odd) }
    }
}

/// Fields of an annotation.
#[derive(Clone, Copy)]
enum Field {
    Id,
    ImageId,
    CategoryId,
    Segmentation,
    Crowd,
    Bbox,
    Counted(usize),
    List(usize),
    Column(usize),
    Ignored,
}

/// Value of the field `bbox`, which matters where there is no outline.
#[derive(Clone, Copy, Default)]
enum Bbox {
    #[default]
    None,
    Sides([f64; 4]),
    Strange,
}

/// Fields of one annotation.
#[derive(Default)]
struct Annotation {
    id: Option<i64>,
    image_id: Option<i64>,
    label: Option<i64>,
    iscrowd: Option<bool>,
    has_outline: Option<bool>,
    has_bbox: bool,
    bbox: Bbox,
    /// Bits of the counted fields that are there.
    counted: u64,
}

impl Annotation {
    fn read(
        &mut self,
        item: &mut ItemText<'_>,
        key: Field,
        seen: Peek,
        rows: &mut Rows,
        row: i64,
    ) -> Plain<()> {
        let json = &mut item.json;
        let twice = match key {
            Field::Id => self.id.replace(integer(json, seen)?).is_some(),
            Field::ImageId => self.image_id.replace(integer(json, seen)?).is_some(),
            Field::CategoryId => self.label.replace(integer(json, seen)?).is_some(),
            Field::Crowd => self.iscrowd.replace(flag(json, seen)?).is_some(),
            Field::Segmentation => {
                self.has_outline.is_some() || {
                    self.has_outline = Some(rows.shapes.read(item, seen)?);
                    false
                }
            }
            Field::Bbox => {
                self.bbox = bbox(json, seen)?;
                std::mem::replace(&mut self.has_bbox, true)
            }
            Field::Counted(number) => {
                let (bit, before) = (1 << number, self.counted);
                json.known_skip(seen)?;
                if seen != Peek::Null {
                    rows.counted[number] += 1;
                    self.counted |= bit;
                }
                before & bit != 0
            }
            Field::List(number) => {
                read_numbers(&mut rows.lists[number], json, seen, row)?;
                false
            }
            Field::Column(number) => {
                rows.columns.all[number].read(json, seen, row)?;
                false
            }
            Field::Ignored => {
                json.known_skip(seen)?;
                false
            }
        };
        if twice { Err(Odd) } else { Ok(()) }
    }
}

fn flag(json: &mut Jiter<'_>, seen: Peek) -> Plain<bool> {
    match seen {
        Peek::Null => Ok(json.known_null().map(|()| false)?),
        Peek::True | Peek::False => Ok(json.known_bool(seen)?),
        _ => match number(json, seen)? {
            Number::Integer(0) => Ok(false),
            Number::Integer(1) => Ok(true),
            _ => Err(Odd),
        },
    }
}

/// Whatever stands in the field `bbox`.
fn bbox(json: &mut Jiter<'_>, seen: Peek) -> Plain<Bbox> {
    if seen == Peek::Null {
        return Ok(json.known_null().map(|()| Bbox::None)?);
    }
    if seen != Peek::Array {
        return Ok(json.known_skip(seen).map(|()| Bbox::Strange)?);
    }
    let mut sides = [f64::NAN; 4];
    let (mut found, mut all_numbers) = (0, true);
    let mut item = json.known_array()?;
    while let Some(seen) = item {
        if matches!(seen, Peek::Null | Peek::True | Peek::False | Peek::String | Peek::Array | Peek::Object) {
            json.known_skip(seen)?;
            all_numbers = false;
        } else {
            let side = json.known_float(seen)?;
            if let Some(place) = sides.get_mut(found) {
                *place = side;
            }
        }
        found += 1;
        item = json.array_step()?;
    }
    let is_plain = all_numbers && found == 4 && sides.iter().all(|side| side.is_finite());
    Ok(if is_plain { Bbox::Sides(sides) } else { Bbox::Strange })
}

/// Appends a list of numbers; as many as the rows before have.
fn read_numbers(list: &mut NumberLists, json: &mut Jiter<'_>, seen: Peek, row: i64) -> Plain<()> {
    if list.rows.last() == Some(&row) {
        return Err(Odd);
    }
    match seen {
        Peek::Null => return Ok(json.known_null()?),
        Peek::Array => {}
        _ => return Err(Odd),
    }
    let from = list.numbers.len();
    let mut item = json.known_array()?;
    while let Some(seen) = item {
        let value = float(json, seen)?;
        put(&mut list.numbers, value)?;
        item = json.array_step()?;
    }
    let found = list.numbers.len() - from;
    if found == 0 {
        return Ok(());
    }
    if !list.rows.is_empty() && found * list.rows.len() != from {
        return Err(Odd);
    }
    put(&mut list.rows, row)
}
