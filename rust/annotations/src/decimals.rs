//! Decimal numbers, which fill most of a file: read some three times as fast as by a parser that takes any JSON.

/// Powers of ten that are floats.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Most digits of a number: with them each is a float, and so is the quotient of it and a power of ten, correctly rounded.
const DIGITS: usize = 15;

/// Number of at most fifteen digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    /// Digits as a whole number, with the sign.
    digits: i64,
    /// Number of them that stand behind the point.
    places: usize,
}

impl Decimal {
    /// Number as a float, correctly rounded.
    pub(crate) fn value(self) -> f64 {
        self.digits as f64 / POWERS[self.places]
    }

    /// Number in hundredths, where it is a whole one of them.
    pub(crate) fn hundredths(self) -> Option<i32> {
        let factor = [100, 10, 1].get(self.places)?;
        i32::try_from(self.digits * factor).ok()
    }
}

/// Number that begins at a place, and the end of it; `None` for one that is written otherwise.
#[inline]
pub(crate) fn decimal(text: &[u8], mut at: usize) -> Option<(Decimal, usize)> {
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
    let digits = if is_negative { -(mantissa as i64) } else { mantissa as i64 };
    Some((Decimal { digits, places: fraction }, at))
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
            let found = decimal(text.as_bytes(), 0).map(|(number, end)| (number.value(), end));
            assert_eq!(found, text.parse().ok().map(|value| (value, text.len())), "{text}");
        }
    }

    #[test]
    fn hundredths() {
        let cases = [
            ("12.5", Some(1250)),
            ("-3", Some(-300)),
            ("0.07", Some(7)),
            ("0.070", None),
            ("21474836.47", Some(i32::MAX)),
        ];
        for (text, expected) in cases {
            assert_eq!(
                decimal(text.as_bytes(), 0).and_then(|(number, _)| number.hundredths()),
                expected,
                "{text}"
            );
        }
        assert_eq!(decimal(b"21474836.48", 0).and_then(|(number, _)| number.hundredths()), None);
    }

    #[test]
    fn what_is_not_such_a_number() {
        for text in ["", "-", "01", ".5", "1.", "-.5", "1e3", "1.5E3", "NaN", "1234567890123456", "+1", "x"] {
            assert!(decimal(text.as_bytes(), 0).is_none(), "{text}");
        }
    }
}
