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
pub(crate) fn decimal(text: &[u8], at: usize) -> Option<(Decimal, usize)> {
    if let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk())
        && let Some((number, length)) = short_decimal(u64::from_le_bytes(*word))
    {
        return Some((number, at + length));
    }
    any_decimal(text, at)
}

/// Number in the first bytes of a word, with at most two places and a comma or a bracket behind it, and its length.
///
/// All digits are read at once, a byte each, the first one lowest.
#[inline]
fn short_decimal(word: u64) -> Option<(Decimal, usize)> {
    let digits = word ^ DIGIT_ZEROS;
    // The highest bit of each byte that is no digit: 0x76 more carries it there from 10 up.
    let others = (((digits & LOW_BITS) + TO_HIGHEST) | digits) & HIGH_BITS;
    let first = (others.trailing_zeros() / 8) as usize;
    let second = ((others & others.wrapping_sub(1)).trailing_zeros() / 8) as usize;
    if first == 0 || first > 7 || (first > 1 && word as u8 == b'0') {
        return None;
    }
    let byte = |at: usize| (word >> (8 * at)) as u8;
    let before = digits & ((1 << (8 * first)) - 1);
    let (together, length, places) = match byte(first) {
        b',' | b']' => (before, first, 0),
        b'.' if second < 8
            && (second == first + 2 || second == first + 3)
            && matches!(byte(second), b',' | b']') =>
        {
            let places = second - first - 1;
            let behind = digits >> (8 * (first + 1)) & ((1 << (8 * places)) - 1);
            (before | behind << (8 * first), second, places)
        }
        _ => return None,
    };
    // Digits move to the top of the word, zeros before them; then pairs, fours and all eight are added up.
    let tens = together << (8 * (8 - (length - usize::from(places > 0))));
    let pairs = (tens.wrapping_mul(10)).wrapping_add(tens >> 8);
    let (even, odd) = (pairs & PAIRS, pairs >> 16 & PAIRS);
    let value =
        even.wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(odd.wrapping_mul(1 + (10_000 << 32))) >> 32;
    Some((Decimal { digits: value as i64, places }, length))
}

/// Byte `b'0'`, everywhere in a word.
const DIGIT_ZEROS: u64 = 0x3030_3030_3030_3030;
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const TO_HIGHEST: u64 = 0x7676_7676_7676_7676;
/// Bytes of every other pair of digits.
const PAIRS: u64 = 0x0000_00ff_0000_00ff;

fn any_decimal(text: &[u8], mut at: usize) -> Option<(Decimal, usize)> {
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
    fn short_numbers_are_as_long_ones() {
        let mut both = 0;
        for whole in
            [0_u32, 1, 7, 9, 10, 12, 99, 100, 480, 999, 1000, 6400, 12_345, 99_999, 123_456, 1_234_567]
        {
            for fraction in ["", ".0", ".5", ".9", ".00", ".05", ".50", ".99", ".125", "."] {
                for end in [",", "]", " ", "e", "x", ".", "}"] {
                    let text = format!("{whole}{fraction}{end}   ,]");
                    let long = any_decimal(text.as_bytes(), 0)
                        .map(|(number, end)| (number.digits, number.places, end));
                    let word = u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap_or(&[0; 8]));
                    let short = short_decimal(word).map(|(number, end)| (number.digits, number.places, end));
                    both += usize::from(short.is_some());
                    assert!(short.is_none() || short == long, "{text} {short:?} {long:?}");
                }
            }
        }
        assert!(both > 150, "{both}");
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
