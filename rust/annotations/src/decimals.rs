//! Lists of decimal numbers, which fill most of a file: read some three times as fast as by a parser that takes any JSON.

use crate::{Plain, put};

/// Powers of ten that are floats.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Most digits of a number: with them each is a float, and so is the quotient of it and a power of ten, correctly rounded.
const DIGITS: usize = 15;

/// Appends the numbers of a list without white space, `12.5,3]`, the bracket before it passed; says where it ends.
///
/// `None` where something else stands there, with the numbers before it appended.
pub(crate) fn read_list(text: &[u8], mut at: usize, values: &mut Vec<f64>) -> Plain<Option<usize>> {
    loop {
        let Some((value, end)) = decimal(text, at) else { return Ok(None) };
        put(values, value)?;
        at = end + 1;
        match text.get(end) {
            Some(b',') => at += usize::from(text.get(at) == Some(&b' ')),
            Some(b']') => return Ok(Some(at)),
            _ => return Ok(None),
        }
    }
}

/// Number of at most fifteen digits that begins at a place, and the end of it.
#[inline]
fn decimal(text: &[u8], mut at: usize) -> Option<(f64, usize)> {
    let is_negative = text.get(at) == Some(&b'-');
    at += usize::from(is_negative);
    let (mut digits, mut mantissa) = (at, 0_u64);
    let next = |at: usize| text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10);
    while let Some(digit) = next(at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    let whole = at - digits;
    // JSON knows no number such as 01, and none without digits before the point.
    if whole == 0 || (whole > 1 && text[digits] == b'0') {
        return None;
    }
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        digits += 1;
        let from = at;
        while let Some(digit) = next(at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
            at += 1;
        }
        fraction = at - from;
        if fraction == 0 {
            return None;
        }
    }
    if at - digits > DIGITS || matches!(text.get(at), Some(b'e' | b'E')) {
        return None;
    }
    let value = mantissa as f64 / POWERS[fraction];
    Some((if is_negative { -value } else { value }, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (whole, places) = (state >> 33, (state >> 7) as usize % 7);
            let text = format!("{}{}", ["", "-"][state as usize >> 5 & 1], whole as f64 / POWERS[places]);
            assert_eq!(
                decimal(text.as_bytes(), 0),
                text.parse().ok().map(|value| (value, text.len())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_such_a_number() {
        for text in ["", "-", "01", ".5", "1.", "-.5", "1e3", "1.5E3", "NaN", "1234567890123456", "+1", "x"] {
            assert_eq!(decimal(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn lists() {
        let mut values = Vec::new();
        assert_eq!(read_list(b"[1.5,-2, 3],4", 1, &mut values), Ok(Some(11)));
        assert_eq!(values, [1.5, -2.0, 3.0]);
        for text in ["1,", "1,]", "1 ,2]", "1,  2]", "]", "1]"] {
            values.clear();
            assert_eq!(
                read_list(text.as_bytes(), 0, &mut values).map(|end| end.is_some()),
                Ok(text == "1]"),
                "{text}"
            );
        }
    }
}
