//! Reading a file piece by piece: what is behind is not looked at again, so its memory can be given back.

use jiter::Jiter;

use crate::annotations::Rows;
use crate::images::Images;
use crate::json::Cursor;
use crate::pieces::{List, Pieces};
use crate::{Odd, Plain, put_all};

/// Fields of annotations by what is made of them; all but the known ones become columns.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Fields whose values are lists of numbers.
    pub lists: Vec<String>,
    /// Fields that are only counted, where they are not null.
    pub counted: Vec<String>,
    /// Fields that are passed over.
    pub ignored: Vec<String>,
    /// Further fields that become columns; `None` takes all.
    pub columns: Option<Vec<String>>,
}

/// Annotation file, read.
#[derive(Debug)]
pub struct File {
    /// Records of images.
    pub images: Images,
    /// Annotations.
    pub rows: Rows,
    /// Further values at the top, as JSON text by name.
    pub head: Vec<(String, Vec<u8>)>,
}

/// Reader of one file.
#[derive(Debug)]
pub struct Reader {
    wanted: Wanted,
    state: State,
    images: Option<Images>,
    rows: Option<Rows>,
    annotations_came_first: bool,
    head: Vec<(String, Vec<u8>)>,
    tape: Vec<u8>,
    pieces: Pieces,
}

/// Place in the file that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Key,
    Image,
    Annotation,
    End,
}

/// Values at the top that are kept, if they are there.
const KEPT: [&str; 3] = ["categories", "info", "licenses"];

impl Reader {
    /// Reader of a file in which fields are dealt with as `wanted` says, on so many threads, the calling one among them.
    #[must_use]
    pub fn new(wanted: Wanted, threads: usize) -> Self {
        Self {
            wanted,
            state: State::Start,
            images: None,
            rows: None,
            annotations_came_first: false,
            head: Vec::new(),
            tape: Vec::new(),
            pieces: Pieces::new(threads),
        }
    }

    /// Reads on from byte `start`, 0 at first, up to a place where `enough` more bytes are done, and says where that is.
    ///
    /// `data` is the whole file; of bytes before `start` nothing is read. At the end of the file that is its length.
    ///
    /// # Errors
    /// [`Odd`] when the file is not plain; there is no going on then.
    pub fn read(&mut self, data: &[u8], start: usize, enough: usize) -> Plain<usize> {
        let mut cursor = Cursor { data, at: start };
        let until = start.saturating_add(enough);
        while cursor.at < until && self.state != State::End {
            self.step(&mut cursor, until)?;
        }
        if self.state == State::End {
            cursor.pass_space();
            if cursor.at < data.len() {
                return Err(Odd);
            }
        }
        // A parser of JSON looks at the text of strings alone; the rest, keys that are passed over among it, here.
        str::from_utf8(&data[start..cursor.at]).map_err(|_| Odd)?;
        Ok(cursor.at)
    }

    fn step(&mut self, cursor: &mut Cursor<'_>, until: usize) -> Plain<()> {
        cursor.pass_space();
        match self.state {
            State::Start => {
                cursor.pass(b'{')?;
                cursor.pass_space();
                self.state = State::Key;
            }
            State::Key => self.read_value(cursor)?,
            State::Image => {
                let from = cursor.at;
                let mut json = Jiter::with_tape(&cursor.data[from..], std::mem::take(&mut self.tape));
                self.images.as_mut().ok_or(Odd)?.read(&mut json, &cursor.data[from..])?;
                cursor.at += json.current_index();
                self.tape = json.into_tape();
                if cursor.pass_item_end()? {
                    self.end_value(cursor)?;
                }
            }
            State::Annotation => {
                let list = List { data: cursor.data, wanted: &self.wanted, images: self.images.as_ref() };
                let rows = self.rows.as_mut().ok_or(Odd)?;
                let reached = self.pieces.read(list, rows, cursor.at, until)?;
                cursor.at = reached.at;
                if reached.is_end {
                    self.end_value(cursor)?;
                }
            }
            State::End => {}
        }
        Ok(())
    }

    /// Reads a name at the top, and its value, or the start of its list.
    fn read_value(&mut self, cursor: &mut Cursor<'_>) -> Plain<()> {
        let mut json = Jiter::new(&cursor.data[cursor.at..]);
        let name = json.next_str()?.to_owned();
        cursor.at += json.current_index();
        cursor.pass_space();
        cursor.pass(b':')?;
        cursor.pass_space();
        match name.as_str() {
            "images" if self.images.is_none() => {
                self.images = Some(Images::new());
                self.start_list(cursor, State::Image)
            }
            "annotations" if self.rows.is_none() => {
                self.rows = Some(Rows::new(&self.wanted)?);
                match &mut self.images {
                    Some(images) => images.index()?,
                    None => self.annotations_came_first = true,
                }
                self.start_list(cursor, State::Annotation)
            }
            "images" | "annotations" => Err(Odd),
            _ => {
                let from = cursor.at;
                let mut json = Jiter::new(&cursor.data[from..]);
                json.next_skip()?;
                cursor.at += json.current_index();
                if KEPT.contains(&name.as_str()) {
                    if self.head.iter().any(|(known, _)| *known == name) {
                        return Err(Odd);
                    }
                    let mut text = Vec::new();
                    put_all(&mut text, &cursor.data[from..cursor.at])?;
                    self.head.push((name, text));
                }
                self.end_value(cursor)
            }
        }
    }

    fn start_list(&mut self, cursor: &mut Cursor<'_>, items: State) -> Plain<()> {
        cursor.pass(b'[')?;
        cursor.pass_space();
        if cursor.data.get(cursor.at) == Some(&b']') {
            cursor.at += 1;
            return self.end_value(cursor);
        }
        self.state = items;
        Ok(())
    }

    /// Passes what stands behind a value at the top.
    fn end_value(&mut self, cursor: &mut Cursor<'_>) -> Plain<()> {
        cursor.pass_space();
        self.state = match cursor.next()? {
            b',' => State::Key,
            b'}' => State::End,
            _ => return Err(Odd),
        };
        Ok(())
    }

    /// The file, when all of it was read.
    ///
    /// # Errors
    /// [`Odd`] when it ended early, or is not plain as a whole.
    pub fn finish(self) -> Plain<File> {
        let (State::End, Some(images)) = (self.state, self.images) else { return Err(Odd) };
        let mut rows = match self.rows {
            Some(rows) => rows,
            None => Rows::new(&self.wanted)?,
        };
        rows.finish(&images, self.annotations_came_first)?;
        Ok(File { images, rows, head: self.head })
    }
}
