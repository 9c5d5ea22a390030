//! Annotations of a long list read by several threads: each takes a piece and reads it into rows of its own.
//!
//! Where a piece begins is guessed: behind a comma between two braces, which may as well stand inside an annotation. A
//! guess was right when the piece before, read from a place that is known, ends just there. What was read from a wrong
//! place is thrown away, and so are rows that depend on those before them; reading goes on alone then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

use crate::annotations::Rows;
use crate::images::Images;
use crate::item::ItemText;
use crate::json::Cursor;
use crate::{Plain, Wanted};

/// Bytes of a piece, about: so many that a thread is worth its start, and so few that threads end together.
const PIECE: usize = 1 << 20;

/// Pieces of a file that may be thrown away before it is read alone: its annotations are of a kind that defies guesses.
const MISSES: u32 = 4;

/// Threads that read, and how well guesses went.
#[derive(Debug)]
pub(crate) struct Pieces {
    threads: usize,
    misses: u32,
    tape: Vec<u8>,
}

/// List of annotations, in a text.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) wanted: &'a Wanted,
    /// Images, where they came before.
    pub(crate) images: Option<&'a Images>,
}

/// Place behind a piece: behind the comma after an annotation, or behind the bracket that ends the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) at: usize,
    pub(crate) is_end: bool,
}

/// Piece that begins at a guess.
struct Guess {
    from: usize,
    until: usize,
    rows: Rows,
    /// Place behind it, once it was read.
    reached: Option<Plain<Reached>>,
}

impl Pieces {
    /// Pieces for so many threads, the calling one among them.
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, misses: 0, tape: Vec::new() }
    }

    /// Appends the annotations from a place on, until `until` is reached or the list ends; says where that is.
    pub(crate) fn read(
        &mut self,
        list: List<'_>,
        rows: &mut Rows,
        from: usize,
        until: usize,
    ) -> Plain<Reached> {
        let is_alone = self.threads < 2 || self.misses >= MISSES;
        let starts = if is_alone { Vec::new() } else { starts(list.data, from, until, PIECE) };
        self.read_from(list, rows, (from, until), &starts)
    }

    /// Reads pieces that begin at `from` and, so it is guessed, at `starts`.
    fn read_from(
        &mut self,
        list: List<'_>,
        rows: &mut Rows,
        (from, until): (usize, usize),
        starts: &[usize],
    ) -> Plain<Reached> {
        let Some(&first) = starts.first() else { return list.read(rows, from, until, &mut self.tape) };
        let mut guesses = Vec::new();
        for (&from, &until) in starts.iter().zip(starts[1..].iter().chain([&until])) {
            guesses.push(Mutex::new(Guess { from, until, rows: Rows::new(list.wanted)?, reached: None }));
        }
        let next = AtomicUsize::new(0);
        let read_next = |tape: &mut Vec<u8>| match guesses.get(next.fetch_add(1, Ordering::Relaxed)) {
            Some(guess) => {
                let mut guess = guess.lock().unwrap_or_else(PoisonError::into_inner);
                let (from, until) = (guess.from, guess.until);
                guess.reached = Some(list.read(&mut guess.rows, from, until, tape));
                true
            }
            None => false,
        };
        let mut joined = scope(|scope| {
            for _ in 1..self.threads {
                let work = || {
                    let mut tape = Vec::new();
                    while read_next(&mut tape) {}
                };
                // Where the system gives no thread, the others do its work.
                let _ = Builder::new().spawn_scoped(scope, work);
            }
            let reached = list.read(rows, from, first, &mut self.tape);
            let mut joined = reached.map(|reached| Joined { rows, reached, count: 0, is_over: false });
            while let Ok(joined) = &mut joined
                && !joined.is_over
                && read_next(&mut self.tape)
            {
                joined.join(&guesses)?;
            }
            next.store(guesses.len(), Ordering::Relaxed); // no further piece is begun
            joined
        })?;
        joined.join(&guesses)?;
        let Joined { rows, reached, count, .. } = joined;
        if reached.is_end || count == guesses.len() {
            return Ok(reached);
        }
        self.misses += 1;
        list.read(rows, reached.at, until, &mut self.tape)
    }
}

/// Rows of the pieces so far that were begun in the right places.
struct Joined<'a> {
    rows: &'a mut Rows,
    reached: Reached,
    /// Number of guesses that were right.
    count: usize,
    /// Whether the list has ended, or a guess was wrong.
    is_over: bool,
}

impl Joined<'_> {
    /// Appends the rows of pieces that have been read, up to the first one that has not, or does not fit.
    fn join(&mut self, guesses: &[Mutex<Guess>]) -> Plain<()> {
        while !self.is_over
            && let Some(Ok(mut guess)) = guesses.get(self.count).map(Mutex::try_lock)
            && let Some(reached) = guess.reached
        {
            match reached {
                // None begins right behind the bracket that ends the list: there is no comma before it.
                Ok(end) if guess.from == self.reached.at && self.rows.is_continued_by(&guess.rows) => {
                    self.rows.append(std::mem::take(&mut guess.rows))?;
                    self.reached = end;
                    self.count += 1;
                }
                _ => self.is_over = true,
            }
        }
        Ok(())
    }
}

impl List<'_> {
    /// Appends annotations, by one thread.
    fn read(self, rows: &mut Rows, from: usize, until: usize, tape: &mut Vec<u8>) -> Plain<Reached> {
        let mut cursor = Cursor { data: self.data, at: from };
        while cursor.at < until {
            cursor.pass_space();
            let mut item = ItemText::new(&self.data[cursor.at..], std::mem::take(tape));
            rows.read(&mut item, self.wanted, self.images)?;
            let (bytes, given_back) = item.end();
            *tape = given_back;
            cursor.at += bytes;
            if cursor.pass_item_end()? {
                return Ok(Reached { at: cursor.at, is_end: true });
            }
        }
        Ok(Reached { at: cursor.at, is_end: false })
    }
}

/// Places where pieces of a text may begin, each about so many bytes after the one before, the first one after `from`.
fn starts(data: &[u8], mut from: usize, until: usize, length: usize) -> Vec<usize> {
    let data = &data[..until.min(data.len())];
    let mut found = Vec::new();
    while data.len().saturating_sub(from) >= 2 * length
        && let Some(next) = between_objects(data, from + length)
    {
        found.push(next);
        from = next;
    }
    found
}

/// Place behind the first comma from a place on that has a brace on either side.
fn between_objects(data: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += data.get(at..)?.iter().position(|&byte| byte == b'}')? + 1;
        let mut cursor = Cursor { data, at };
        cursor.pass_space();
        if cursor.next() == Ok(b',') {
            let behind = cursor.at;
            cursor.pass_space();
            if cursor.next() == Ok(b'{') {
                return Some(behind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use jiter::Jiter;

    use super::*;
    use crate::Values;

    /// Rows of a list that is read from its first annotation on, in words, and where reading ends; none of an odd one.
    fn read(text: &str, images: Option<&Images>, threads: usize, starts: &[usize]) -> Option<String> {
        let wanted = Wanted { lists: vec!["k".into()], counted: vec!["c".into()], ..Wanted::default() };
        let list = List { data: text.as_bytes(), wanted: &wanted, images };
        let mut rows = Rows::new(&wanted).ok()?;
        let (mut pieces, until) = (Pieces::new(threads), text.len() * 3 / 4);
        let reached = pieces.read_from(list, &mut rows, (0, until), starts).ok()?;
        let mut said = format!("{reached:?} {} {:?} {:?}", rows.unknown, rows.counted, rows.lists);
        let shapes = &rows.shapes;
        write!(said, "{:?} {:?} {:?}", rows.image, rows.ids, rows.labels).ok()?;
        write!(said, "{:?} {:?} {:?} {shapes:?}", rows.iscrowd, rows.box_rows, rows.boxes).ok()?;
        for column in rows.columns() {
            write!(said, "{} {:?}", column.name, column.rows).ok()?;
            match &column.values {
                Values::Texts(numbers, texts) => {
                    write!(said, "{numbers:?} {:?} {:?}", texts.data, texts.offsets)
                }
                values => write!(said, "{values:?}"),
            }
            .ok()?;
        }
        Some(said)
    }

    fn images() -> Images {
        let mut images = Images::new();
        for id in [3, 5] {
            let text = format!(r#"{{"id": {id}, "file_name": "{id}.png", "height": 4, "width": 4}}"#);
            let mut json = Jiter::new(text.as_bytes());
            assert_eq!(images.read(&mut json, text.as_bytes()), Ok(()));
        }
        assert_eq!(images.index(), Ok(()));
        images
    }

    /// Annotations with all that rows may have, of which some meet others that they do not go with.
    fn list(draw: &mut impl FnMut(usize) -> usize) -> String {
        const FURTHER: [&str; 22] = [
            r#""a": 1"#,
            r#""a": 2.5"#,
            r#""a": null"#,
            r#""b": "x},{y""#,
            r#""b": "\"z\"""#,
            r#""b": """#,
            r#""d": true"#,
            r#""d": [{"p": 1}, {"q": 2}]"#,
            r#""e": {"f": {}}"#,
            r#""e": "n""#,
            r#""k": [1, 2, 3]"#,
            r#""k": []"#,
            r#""k": [4, 5]"#,
            r#""c": 7"#,
            r#""c": [{}, {"a": 1}]"#,
            r#""iscrowd": 1"#,
            r#""segmentation": [[0.5, 0.25, 3, 0, 3, 3], [1,1,2,2]]"#,
            r#""segmentation": [[0.125, 0, 3, 0, 3, 3]]"#,
            r#""segmentation": [[ -0.0, 0, 3, 0, 3, 3]]"#,
            r#""segmentation": {"size": [4, 4], "counts": [2, 14]}"#,
            r#""bbox": [1, 1, 2, 2]"#,
            r#""g": 9007199254740993"#,
        ];
        let usual = draw(3);
        let mut text = String::new();
        for id in 0..3 + draw(8) {
            let image = if draw(20) == 0 { 4 } else { 3 + 2 * draw(2) };
            let mut one = format!(r#"{{"id": {id}, "image_id": {image}, "category_id": 1"#);
            for field in FURTHER {
                let often = if field.len() % 3 == usual { 3 } else { 60 };
                let is_there = one.contains(&field[..4]) && draw(60) > 0;
                if !is_there && draw(often) == 0 {
                    one += ["", " "][draw(2)];
                    one += ",";
                    one += field;
                }
            }
            one += "}";
            text += &one;
            text += [",", ", ", " ,\n "][draw(3)];
        }
        let end = text.trim_end().len() - 1;
        text.truncate(end);
        text +=
            [r#"], "categories": [{"id": 1}, {"id": 2}], "more": []}"#, "", "]", "], [{}, {}, {}]"][draw(4)];
        text
    }

    #[test]
    fn pieces_are_as_a_whole() {
        let images = images();
        let mut state = 7_u64;
        let mut draw = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let (mut plain, mut odd) = (0, 0);
        for round in 0..400 {
            let (text, images) = (list(&mut draw), if round % 4 == 0 { None } else { Some(&images) });
            let whole = read(&text, images, 1, &[]);
            *if whole.is_some() { &mut plain } else { &mut odd } += 1;
            let until = text.len() * 3 / 4;
            // At every byte, right or wrong; at every place that looks right; and at several at once.
            for at in 1..until {
                assert_eq!(read(&text, images, 1, &[at]), whole, "{at} {text}");
            }
            for length in [1, 10, 100] {
                let guessed = starts(text.as_bytes(), 0, until, length);
                for threads in 1..4 {
                    assert_eq!(read(&text, images, threads, &guessed), whole, "{guessed:?} {text}");
                }
            }
            let some: Vec<usize> = (1..until).filter(|_| draw(9) == 0).collect();
            assert_eq!(read(&text, images, 2, &some), whole, "{some:?} {text}");
        }
        assert!(plain > 100 && odd > 50, "{plain} {odd}");
    }

    #[test]
    fn guesses_stand_behind_commas_between_objects() {
        let text = br#"{"a": {}, "b": [{} , {}]},{"c": "},{"} ,{"d": }"#;
        let found = starts(text, 0, text.len(), 1);
        let behind: Vec<&[u8]> = found.iter().map(|&at| &text[at - 1..at + 2]).collect();
        assert_eq!(behind, [&b", {"[..], b",{\"", b",{\"", b",{\""]);
        assert_eq!(starts(text, 0, usize::MAX, 20).len(), 1);
        assert_eq!(starts(text, 0, text.len(), 30), []);
    }
}
