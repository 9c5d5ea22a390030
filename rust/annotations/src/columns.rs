//! Fields of annotations that no program knows beforehand, as columns.

use std::collections::HashMap;

use jiter::{Jiter, Peek};

use crate::json::{Number, number};
use crate::{Odd, Plain, put, put_all, put_moved};

/// Most names of fields; a file with more is left to another reader.
const MOST: usize = 64;

/// Column of the rows that have a field.
#[derive(Debug)]
pub struct Column {
    /// Name of the field.
    pub name: String,
    /// Rows that have a value, ascending.
    pub rows: Vec<i64>,
    /// Values of these rows.
    pub values: Values,
    /// Row of the last change of the column that cannot be undone.
    changed: i64,
}

/// Values of a column.
#[derive(Debug)]
pub enum Values {
    /// No value yet: the field was null, if anything.
    Unset,
    /// True or false.
    Flags(Vec<bool>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Numbers, not all of them whole.
    Floats(Vec<f64>),
    /// Numbers into distinct texts, and these texts one after the other, with the end of each, 0 first.
    Texts(Vec<i32>, Texts),
    /// Lists or objects in one annotation at least, which make no column.
    Compound,
}

/// Distinct texts; number 0 is the empty one.
#[derive(Debug)]
pub struct Texts {
    /// Texts as UTF-8.
    pub data: Vec<u8>,
    /// End of each text, 0 first.
    pub offsets: Vec<i64>,
    numbers: HashMap<String, i32>,
}

impl Texts {
    fn new() -> Self {
        Self { data: Vec::new(), offsets: vec![0, 0], numbers: HashMap::from([(String::new(), 0)]) }
    }

    /// Number of a text, and whether it is new.
    fn number(&mut self, text: &str) -> Plain<(i32, bool)> {
        if let Some(&number) = self.numbers.get(text) {
            return Ok((number, false));
        }
        let number = i32::try_from(self.numbers.len()).map_err(|_| Odd)?;
        put_all(&mut self.data, text.as_bytes())?;
        put(&mut self.offsets, self.data.len() as i64)?;
        self.numbers.try_reserve(1).map_err(|_| Odd)?;
        self.numbers.insert(text.to_owned(), number);
        Ok((number, true))
    }

    /// Appends texts that are not here yet; the number here of each.
    fn append(&mut self, more: &Self) -> Plain<Vec<i32>> {
        let text =
            |ends: &[i64]| str::from_utf8(&more.data[ends[0] as usize..ends[1] as usize]).map_err(|_| Odd);
        more.offsets.windows(2).map(|ends| Ok(self.number(text(ends)?)?.0)).collect()
    }
}

/// Columns of all fields that were met.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) all: Vec<Column>,
}

impl Columns {
    /// Number of the column of a name, made where it is new.
    pub(crate) fn find(&mut self, name: &str) -> Plain<usize> {
        if let Some(found) = self.all.iter().position(|column| column.name == name) {
            return Ok(found);
        }
        if self.all.len() == MOST {
            return Err(Odd);
        }
        self.all.push(Column { name: name.to_owned(), rows: Vec::new(), values: Values::Unset, changed: -1 });
        Ok(self.all.len() - 1)
    }

    /// Whether values that were read into `more` would have been read into these columns to the same end.
    pub(crate) fn are_continued_by(&self, more: &Self) -> bool {
        more.all.iter().all(|more| {
            let mut known = self.all.iter().filter(|column| column.name == more.name);
            known.all(|column| column.values.are_continued_by(&more.values))
        })
    }

    /// Appends the columns of rows that were read after these, and whose first one has the number `first`.
    pub(crate) fn append(&mut self, more: Self, first: i64) -> Plain<()> {
        for column in more.all {
            let number = self.find(&column.name)?;
            self.all[number].append(column, first)?;
        }
        Ok(())
    }

    /// Forgets values of a row, the last one.
    pub(crate) fn undo(&mut self, row: i64) -> Plain<()> {
        for column in &mut self.all {
            if column.rows.pop_if(|&mut last| last == row).is_some() {
                if column.changed == row {
                    return Err(Odd);
                }
                match &mut column.values {
                    Values::Flags(values) => values.pop().map(|_| ()),
                    Values::Integers(values) => values.pop().map(|_| ()),
                    Values::Floats(values) => values.pop().map(|_| ()),
                    Values::Texts(values, _) => values.pop().map(|_| ()),
                    Values::Unset | Values::Compound => None,
                };
            }
        }
        Ok(())
    }
}

impl Values {
    /// Whether values of one type stay such when `more` were read after them; any type follows upon none.
    fn are_continued_by(&self, more: &Self) -> bool {
        matches!(self, Self::Unset | Self::Compound)
            || matches!(more, Self::Unset)
            || std::mem::discriminant(self) == std::mem::discriminant(more)
    }

    fn append(&mut self, more: Self) -> Plain<()> {
        match (self, more) {
            (Self::Compound, _) | (_, Self::Unset) => Ok(()),
            (values @ Self::Unset, more) => {
                *values = more;
                Ok(())
            }
            (Self::Flags(values), Self::Flags(more)) => put_all(values, &more),
            (Self::Integers(values), Self::Integers(more)) => put_all(values, &more),
            (Self::Floats(values), Self::Floats(more)) => put_all(values, &more),
            (Self::Texts(values, texts), Self::Texts(more, new)) => {
                let numbers = texts.append(&new)?;
                values.try_reserve(more.len()).map_err(|_| Odd)?;
                values.extend(more.iter().map(|&number| numbers[number as usize]));
                Ok(())
            }
            _ => Err(Odd),
        }
    }
}

impl Column {
    /// Appends values of rows that were read after these, and whose first one has the number `first`.
    fn append(&mut self, more: Self, first: i64) -> Plain<()> {
        put_moved(&mut self.rows, &more.rows, first)?;
        self.values.append(more.values)
    }

    /// Takes the value of a row; null is as good as none.
    pub(crate) fn read(&mut self, json: &mut Jiter<'_>, seen: Peek, row: i64) -> Plain<()> {
        if self.rows.last() == Some(&row) {
            return Err(Odd);
        }
        if seen == Peek::Null {
            return Ok(json.known_null()?);
        }
        put(&mut self.rows, row)?;
        if matches!(seen, Peek::Array | Peek::Object) {
            json.known_skip(seen)?;
            self.changed = row;
            self.values = Values::Compound;
            return Ok(());
        }
        if matches!(self.values, Values::Unset) {
            self.changed = row;
            self.values = match seen {
                Peek::True | Peek::False => Values::Flags(Vec::new()),
                Peek::String => Values::Texts(Vec::new(), Texts::new()),
                _ => Values::Integers(Vec::new()),
            };
        }
        match &mut self.values {
            Values::Flags(values) => put(values, json.known_bool(seen)?),
            Values::Texts(values, texts) => {
                if seen != Peek::String {
                    return Err(Odd);
                }
                let (number, is_new) = texts.number(json.known_str()?)?;
                if is_new {
                    self.changed = row;
                }
                put(values, number)
            }
            Values::Compound => Ok(json.known_skip(seen)?),
            Values::Integers(_) | Values::Floats(_) | Values::Unset => {
                let value = number(json, seen)?;
                self.add(value, row)
            }
        }
    }

    fn add(&mut self, value: Number, row: i64) -> Plain<()> {
        match (&mut self.values, value) {
            (Values::Integers(values), Number::Integer(value)) => put(values, value),
            (Values::Floats(values), Number::Integer(value)) => put(values, exact(value)?),
            (Values::Floats(values), Number::Float(value)) => put(values, value),
            (Values::Integers(values), Number::Float(value)) => {
                let mut floats = Vec::new();
                floats.try_reserve(values.len() + 1).map_err(|_| Odd)?;
                for &whole in values.iter() {
                    floats.push(exact(whole)?);
                }
                floats.push(value);
                self.changed = row;
                self.values = Values::Floats(floats);
                Ok(())
            }
            _ => Err(Odd),
        }
    }
}

/// Float of a whole number, which has one of its own.
fn exact(value: i64) -> Plain<f64> {
    let float = value as f64;
    if float as i128 == i128::from(value) { Ok(float) } else { Err(Odd) }
}
