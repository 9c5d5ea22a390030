//! Values of JSON, of the types that fields should have, and what stands between them.

use jiter::{Jiter, NumberAny, NumberInt, Peek};

use crate::{Odd, Plain};

/// Largest whole number up to which each has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Number as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Written without a fraction and an exponent.
    Integer(i64),
    /// Any other, finite one.
    Float(f64),
}

/// Number that begins with what was seen.
pub(crate) fn number(json: &mut Jiter<'_>, seen: Peek) -> Plain<Number> {
    match json.known_number(seen)? {
        NumberAny::Int(NumberInt::Int(value)) => Ok(Number::Integer(value)),
        NumberAny::Float(value) if value.is_finite() => Ok(Number::Float(value)),
        _ => Err(Odd),
    }
}

/// Whole number, which may be written as 1.0.
pub(crate) fn integer(json: &mut Jiter<'_>, seen: Peek) -> Plain<i64> {
    match number(json, seen)? {
        Number::Integer(value) => Ok(value),
        Number::Float(value) if value.fract() == 0.0 && value.abs() < EXACT => Ok(value as i64),
        Number::Float(_) => Err(Odd),
    }
}

/// Finite number.
#[inline]
pub(crate) fn float(json: &mut Jiter<'_>, seen: Peek) -> Plain<f64> {
    let value = json.known_float(seen)?;
    if value.is_finite() { Ok(value) } else { Err(Odd) }
}

/// Whether a byte may stand between values.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Place in a text.
pub(crate) struct Cursor<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) at: usize,
}

impl Cursor<'_> {
    pub(crate) fn pass_space(&mut self) {
        while self.data.get(self.at).is_some_and(|&byte| is_space(byte)) {
            self.at += 1;
        }
    }

    pub(crate) fn next(&mut self) -> Plain<u8> {
        let byte = *self.data.get(self.at).ok_or(Odd)?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn pass(&mut self, byte: u8) -> Plain<()> {
        if self.next()? == byte { Ok(()) } else { Err(Odd) }
    }

    /// Passes what stands behind an item of a list; says whether the list ends there.
    pub(crate) fn pass_item_end(&mut self) -> Plain<bool> {
        self.pass_space();
        match self.next()? {
            b',' => Ok(false),
            b']' => Ok(true),
            _ => Err(Odd),
        }
    }
}
