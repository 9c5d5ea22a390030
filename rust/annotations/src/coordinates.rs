//! Coordinates of outlines: in hundredths of a pixel while all are whole in them, as most tools write; half the room.

use crate::decimals::{Decimal, decimal};
use crate::{Odd, Plain, put, put_all};

/// Coordinates.
#[derive(Debug)]
pub enum Coordinates {
    /// Whole numbers of hundredths; divided by 100, each is the float that the file says.
    Hundredths(Vec<i32>),
    /// Numbers as they are.
    Floats(Vec<f64>),
}

impl Default for Coordinates {
    fn default() -> Self {
        Self::Hundredths(Vec::new())
    }
}

impl Coordinates {
    /// Number of coordinates.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Hundredths(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        match self {
            Self::Hundredths(values) => values.truncate(length),
            Self::Floats(values) => values.truncate(length),
        }
    }

    /// Whether one from a place on is further from 0 than `limit`, which all hundredths are within.
    pub(crate) fn any_beyond(&self, limit: f64, from: usize) -> bool {
        match self {
            Self::Hundredths(_) => false,
            Self::Floats(values) => values[from..].iter().any(|side| side.abs() > limit),
        }
    }

    /// Appends a number; a zero below zero is a zero, as it is in hundredths.
    pub(crate) fn push(&mut self, value: f64) -> Plain<()> {
        let value = value + 0.0;
        if let Self::Hundredths(values) = self {
            let nearest = (value * 100.0).round();
            if nearest.abs() <= f64::from(i32::MAX) && nearest / 100.0 == value {
                return put(values, nearest as i32);
            }
        }
        put(self.floats()?, value)
    }

    /// Appends the numbers of a list without white space, `12.5,3]`, the bracket before it passed; says where it ends.
    ///
    /// `None` where something else stands there, with the numbers before it appended.
    pub(crate) fn read_list(&mut self, text: &[u8], mut at: usize) -> Plain<Option<usize>> {
        loop {
            let Some((number, end)) = decimal(text, at) else { return Ok(None) };
            self.push_decimal(number)?;
            at = end + 1;
            match text.get(end) {
                Some(b',') => at += usize::from(text.get(at) == Some(&b' ')),
                Some(b']') => return Ok(Some(at)),
                _ => return Ok(None),
            }
        }
    }

    #[inline]
    fn push_decimal(&mut self, number: Decimal) -> Plain<()> {
        if let (Self::Hundredths(values), Some(hundredths)) = (&mut *self, number.hundredths()) {
            return put(values, hundredths);
        }
        put(self.floats()?, number.value())
    }

    /// Appends coordinates.
    pub(crate) fn append(&mut self, more: &Self) -> Plain<()> {
        match (&mut *self, more) {
            (Self::Hundredths(values), Self::Hundredths(more)) => put_all(values, more),
            (_, Self::Floats(more)) => put_all(self.floats()?, more),
            (Self::Floats(values), Self::Hundredths(more)) => {
                values.try_reserve(more.len()).map_err(|_| Odd)?;
                values.extend(more.iter().map(|&value| float(value)));
                Ok(())
            }
        }
    }

    /// Values as floats, made such where they were not.
    fn floats(&mut self) -> Plain<&mut Vec<f64>> {
        if let Self::Hundredths(values) = self {
            let mut floats = Vec::new();
            floats.try_reserve(values.len() + 1).map_err(|_| Odd)?;
            floats.extend(values.iter().map(|&value| float(value)));
            *self = Self::Floats(floats);
        }
        match self {
            Self::Floats(values) => Ok(values),
            Self::Hundredths(_) => Err(Odd),
        }
    }
}

/// Float of hundredths.
fn float(hundredths: i32) -> f64 {
    f64::from(hundredths) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(coordinates: &Coordinates) -> Vec<f64> {
        match coordinates {
            Coordinates::Hundredths(values) => values.iter().map(|&value| f64::from(value) / 100.0).collect(),
            Coordinates::Floats(values) => values.clone(),
        }
    }

    #[test]
    fn lists() {
        let mut found = Coordinates::default();
        assert_eq!(found.read_list(b"[1.5,-2, 3.07],4", 1), Ok(Some(14)));
        assert!(matches!(found, Coordinates::Hundredths(_)));
        assert_eq!(floats(&found), [1.5, -2.0, 3.07]);
        assert_eq!(found.read_list(b"0.1,0.123]", 0), Ok(Some(10)));
        assert_eq!(floats(&found), [1.5, -2.0, 3.07, 0.1, 0.123]);
        for text in ["1,", "1,]", "1 ,2]", "1,  2]", "]", "1]"] {
            let found = Coordinates::default().read_list(text.as_bytes(), 0);
            assert_eq!(found.map(|end| end.is_some()), Ok(text == "1]"), "{text}");
        }
    }

    #[test]
    fn numbers_stay_what_they_are() {
        let values = [0.29, -0.0, -7.77, 21_474_836.47, 0.0, 1e-9, 2e9, -0.125, 100.0 / 3.0];
        for last in 1..=values.len() {
            let mut found = Coordinates::default();
            for &value in &values[..last] {
                assert_eq!(found.push(value), Ok(()));
            }
            assert_eq!(floats(&found), &values[..last]);
            assert_eq!(matches!(found, Coordinates::Hundredths(_)), last <= 5);
        }
    }
}
