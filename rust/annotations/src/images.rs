//! Records of images.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use jiter::{Jiter, JsonValue, Peek};

use crate::json::integer;
use crate::{Odd, Plain, put, put_all};

/// Places in a table for each image, at most.
const SPREAD: u64 = 16;

/// Place in a table of an id that no image has.
const NONE: u32 = u32::MAX;

/// Most pixels of an image.
const MAX_PIXELS: i64 = u32::MAX as i64;

/// Images of a file, in its order.
#[derive(Debug, Default)]
pub struct Images {
    /// Ids, each once.
    pub ids: Vec<i64>,
    /// Height and width of each.
    pub sizes: Vec<i64>,
    /// JSON objects, one after the other.
    pub text: Vec<u8>,
    /// End of each object in the text, 0 first.
    pub offsets: Vec<i64>,
    /// Whether each image surely has a file name of its own.
    pub names_differ: bool,
    numbers: HashMap<i64, usize, Mixing>,
    /// Number of the image of each id from `low` on, or `NONE`; empty where there is no table.
    table: Vec<u32>,
    low: i64,
    /// Hashes of the file names so far.
    names: HashSet<u64, Mixing>,
    hash: RandomState,
}

impl Images {
    pub(crate) fn new() -> Self {
        Self { offsets: vec![0], names_differ: true, ..Self::default() }
    }

    /// Makes ready for many calls of `find`: ids that lie close together are looked up in a table.
    pub(crate) fn index(&mut self) -> Plain<()> {
        let (Some(&low), Some(&high)) = (self.ids.iter().min(), self.ids.iter().max()) else { return Ok(()) };
        let span = high.abs_diff(low);
        if span < SPREAD * self.ids.len() as u64 {
            self.table.try_reserve_exact(span as usize + 1).map_err(|_| Odd)?;
            self.table.resize(span as usize + 1, NONE);
            for (number, id) in self.ids.iter().enumerate() {
                self.table[id.abs_diff(low) as usize] = u32::try_from(number).map_err(|_| Odd)?;
            }
            self.low = low;
        }
        Ok(())
    }

    /// Number of the image with an id.
    pub(crate) fn find(&self, id: i64) -> Option<usize> {
        if self.table.is_empty() {
            return self.numbers.get(&id).copied();
        }
        let place = usize::try_from(id.checked_sub(self.low)?).ok()?;
        self.table.get(place).filter(|&&number| number != NONE).map(|&number| number as usize)
    }

    /// Height and width of an image.
    pub(crate) fn size(&self, image: usize) -> [i64; 2] {
        [self.sizes[2 * image], self.sizes[2 * image + 1]]
    }

    /// Reads one record.
    pub(crate) fn read(&mut self, json: &mut Jiter<'_>, text: &[u8]) -> Plain<()> {
        let (mut id, mut height, mut width) = (None, None, None);
        let (mut has_name, mut has_url) = (false, false);
        let from = json.current_index();
        let mut key = json.next_object_bytes()?.map(ImageKey::of);
        while let Some(known) = key {
            let seen = json.peek()?;
            let twice = match known {
                ImageKey::Id => id.replace(integer(json, seen)?).is_some(),
                ImageKey::Height => height.replace(integer(json, seen)?).is_some(),
                ImageKey::Width => width.replace(integer(json, seen)?).is_some(),
                ImageKey::FileName | ImageKey::Url if seen == Peek::Null => {
                    json.known_null()?;
                    has_name || has_url
                }
                ImageKey::FileName => {
                    let name = if seen == Peek::String { json.known_str()? } else { "" };
                    self.names_differ &= self.names.insert(self.hash.hash_one(name));
                    std::mem::replace(&mut has_name, true) || !is_inside(name)
                }
                ImageKey::Url => {
                    let plain = seen == Peek::String && has_plain_end(json.known_str()?);
                    std::mem::replace(&mut has_url, plain)
                }
                ImageKey::Other => {
                    check(json, seen)?;
                    false
                }
                ImageKey::Escaped => true,
            };
            if twice {
                return Err(Odd);
            }
            key = json.next_key_bytes()?.map(ImageKey::of);
        }
        let (Some(id), Some(height), Some(width)) = (id, height, width) else { return Err(Odd) };
        let fits = height >= 1 && width >= 1 && height.checked_mul(width).is_some_and(|n| n <= MAX_PIXELS);
        let number = self.ids.len();
        if !fits || !(has_name || has_url) || self.numbers.insert(id, number).is_some() {
            return Err(Odd);
        }
        // By their URLs alone images are told apart elsewhere.
        self.names_differ &= has_name;
        put(&mut self.ids, id)?;
        put_all(&mut self.sizes, &[height, width])?;
        put_all(&mut self.text, &text[from..json.current_index()])?;
        put(&mut self.offsets, self.text.len() as i64)
    }
}

/// Hasher of ids: one multiplication by a factor that each run draws anew, so that no file can be made to collide.
#[derive(Clone, Copy, Debug)]
struct Mixing {
    factor: u64,
    hash: u64,
}

impl Default for Mixing {
    fn default() -> Self {
        Self { factor: RandomState::new().hash_one(0_u8) | 1, hash: 0 }
    }
}

impl BuildHasher for Mixing {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Mixing {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, value: u64) {
        let wide = u128::from(self.hash ^ value) * u128::from(self.factor);
        self.hash = (wide >> 64) as u64 ^ wide as u64;
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

/// Fields of a record that are looked at.
#[derive(Clone, Copy)]
enum ImageKey {
    Id,
    Height,
    Width,
    FileName,
    Url,
    Other,
    /// A name that is written with escapes, and may be one of the others.
    Escaped,
}

impl ImageKey {
    fn of(name: &[u8]) -> Self {
        match name {
            b"id" => Self::Id,
            b"height" => Self::Height,
            b"width" => Self::Width,
            b"file_name" => Self::FileName,
            b"coco_url" => Self::Url,
            _ if name.contains(&b'\\') => Self::Escaped,
            _ => Self::Other,
        }
    }
}

/// Passes over a value that will be decoded later, when no place in the file can be named any more.
fn check(json: &mut Jiter<'_>, seen: Peek) -> Plain<()> {
    match seen {
        Peek::String => json.known_str().map(|_| ())?,
        Peek::Array | Peek::Object => {
            if !is_finite(&json.known_value(seen)?) {
                return Err(Odd);
            }
        }
        Peek::Null | Peek::True | Peek::False => json.known_skip(seen)?,
        _ => {
            crate::json::number(json, seen)?;
        }
    }
    Ok(())
}

fn is_finite(value: &JsonValue<'_>) -> bool {
    match value {
        JsonValue::Float(number) => number.is_finite(),
        JsonValue::Array(values) => values.iter().all(is_finite),
        JsonValue::Object(values) => values.iter().all(|(_, value)| is_finite(value)),
        _ => true,
    }
}

/// Whether a file name, folders included, stays in the folder it starts from, on any system.
fn is_inside(name: &str) -> bool {
    let bytes = name.as_bytes();
    let drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    let outside = matches!(bytes.first(), None | Some(b'/' | b'\\')) || drive || bytes.contains(&0);
    !outside && name.split(['/', '\\']).all(|part| part != "..")
}

/// Whether a URL ends in a file name, as it stands.
fn has_plain_end(url: &str) -> bool {
    let path = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let plain = |path: &str| {
        path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
            && path.rsplit_once('/').is_some_and(|(_, name)| is_inside(name) && name != ".")
    };
    path.is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder() {
        for name in ["a.png", "a/b.png", r"a\b.png", "..a", "a..", "a/..b", "é:x", "1:x"] {
            assert!(is_inside(name), "{name}");
        }
        for name in ["", "/a", r"\a", "c:a", "..", "../a", r"a\..\b", "a/..", "a\0b"] {
            assert!(!is_inside(name), "{name}");
        }
    }

    #[test]
    fn ends_of_urls() {
        assert!(has_plain_end("http://images.cocodataset.org/train2017/000000391895.jpg"));
        for url in [
            "",
            "a.jpg",
            "http://a",
            "http://a/",
            "http://a/..",
            "http://a/b%20.jpg",
            "http://a/b?c",
            "http://a/.",
        ] {
            assert!(!has_plain_end(url), "{url}");
        }
    }
}
