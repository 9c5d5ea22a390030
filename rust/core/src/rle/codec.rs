//! COCO's compressed counts: each count as a varint of six bits a character, from the fourth on as the difference
//! to the count two before.

use super::counts::pixels_of;
use super::{Counts, Masks};
use crate::memory::{lengthen, reserve};
use crate::{Error, Result, Size};

/// The characters are 0x30 to 0x6f: six bits plus this.
const ZERO: u8 = 0x30;

/// Bit of the six that says that another character follows, of higher bits.
const MORE: u8 = 0x20;

/// Most characters that one count may have; enough for 35 bits with the sign.
const LONGEST: usize = 7;

/// `ZERO` and `MORE` in each byte of a word.
const ZEROS: u64 = 0x3030_3030_3030_3030;
const MORES: u64 = 0x2020_2020_2020_2020;

/// Reads compressed counts, one string for each mask: run lengths, as [`Masks::to_counts`] has them.
///
/// # Errors
/// When a string has characters outside the alphabet, ends inside a count, has a count that is longer than seven
/// characters, negative or over 2^32 - 1, or does not add up to the number of pixels; when the size has more than
/// 2^32 - 1 pixels; when there is not enough memory.
pub fn parse(strings: &[&[u8]], size: Size) -> Result<(Vec<u32>, Vec<i64>)> {
    let pixels = pixels_of(size)?;
    let mut counts = reserve(strings.iter().map(|string| string.len()).sum())?;
    let mut offsets = reserve(strings.len() + 1)?;
    offsets.push(0);
    let mut canonical = true;
    for (string, &bytes) in strings.iter().enumerate() {
        let from = counts.len();
        let sum = read_one(bytes, string, &mut counts)?;
        if sum != pixels {
            return Err(Error::RunsDoNotFill { mask: string, sum, size });
        }
        // Only the first run may be zero.
        let later = counts.get(from + 1..);
        canonical &=
            later.is_some_and(|runs| runs.iter().fold(0, |any, &run| any | u32::from(run == 0)) == 0);
        offsets.push(counts.len() as i64);
    }
    if !canonical {
        return Masks::from_counts(size, &counts, &offsets)?.to_counts();
    }
    counts.shrink_to_fit();
    Ok((counts, offsets))
}

/// Appends the counts of one mask, for which there is room; says what they add up to.
fn read_one(bytes: &[u8], string: usize, counts: &mut Vec<u32>) -> Result<u64> {
    check_alphabet(bytes, string)?;
    let mut reader = CountReader { count: 0, sum: 0, before: [0; 2], good: true };
    let mut position = 0;
    while let Some(block) = bytes[position..].first_chunk() {
        position += reader.read(u64::from_le_bytes(*block), counts);
    }
    // The last characters, with zeros behind them.
    let (from, mut padded) = (position, [ZERO; 16]);
    padded[..bytes.len() - from].copy_from_slice(&bytes[from..]);
    while position < bytes.len() {
        let mut block = [ZERO; 8];
        block.copy_from_slice(&padded[position - from..position - from + 8]);
        position += reader.read_one(u64::from_le_bytes(block), counts);
    }
    if reader.good { Ok(reader.sum) } else { find_bad_count(bytes, string).map(|()| reader.sum) }
}

fn check_alphabet(bytes: &[u8], string: usize) -> Result<()> {
    let outside = |byte: u8| byte.wrapping_sub(ZERO) > 0x3f;
    // All bytes without a branch first: strings are nearly always good.
    if bytes.iter().map(|&byte| u8::from(outside(byte))).fold(0, |any, one| any | one) != 0
        && let Some(position) = bytes.iter().position(|&byte| outside(byte))
    {
        return Err(Error::NotInAlphabet { string, position, byte: bytes[position] });
    }
    match bytes.last() {
        Some(last) if (last - ZERO) & MORE != 0 => Err(Error::TruncatedCount { string }),
        _ => Ok(()),
    }
}

/// Error of the first bad count of a string that has one.
#[cold]
fn find_bad_count(bytes: &[u8], string: usize) -> Result<()> {
    let mut reader = CountReader { count: 0, sum: 0, before: [0; 2], good: true };
    let (mut position, mut unused) = (0, reserve(bytes.len())?);
    for characters in bytes.split_inclusive(|byte| (byte - ZERO) & MORE == 0) {
        if characters.len() > LONGEST {
            return Err(Error::CountTooLong { string, position });
        }
        let mut block = [ZERO; 8];
        block[..characters.len()].copy_from_slice(characters);
        reader.read_one(u64::from_le_bytes(block), &mut unused);
        if !reader.good {
            break;
        }
        position += characters.len();
    }
    Err(Error::CountOutOfRange { string, count: reader.count - 1, value: reader.before[1] })
}

/// Counts of one string, read one after the other.
struct CountReader {
    count: usize,
    /// Sum of the counts so far.
    sum: u64,
    /// The count before the last, and the last.
    before: [i64; 2],
    /// Whether all counts were in range, and none too long.
    good: bool,
}

impl CountReader {
    /// Reads three counts, or one, from eight characters; says how many characters these have.
    #[inline]
    fn read(&mut self, word: u64, counts: &mut Vec<u32>) -> usize {
        let bits = word.wrapping_sub(ZEROS);
        // The flags of the characters that end a count: bit 5 of their bytes.
        let first = !bits & MORES;
        let second = first & first.wrapping_sub(1);
        let third = second & second.wrapping_sub(1);
        let long = !first & !(first >> 8) & !(first >> 16) & (MORES >> 16);
        if self.count < 3 || third == 0 || long != 0 {
            return self.read_one(word, counts);
        }
        // Mostly three are there, of up to three characters: they need one load, and no branch on their lengths.
        let ends = [first, second, third].map(u64::trailing_zeros);
        let a = short_value(bits, ends[0]).wrapping_add(self.before[0]);
        let b = short_value(bits >> (ends[0] + 3), ends[1] - ends[0] - 3).wrapping_add(self.before[1]);
        let c = short_value(bits >> (ends[1] + 3), ends[2] - ends[1] - 3).wrapping_add(a);
        self.before = [b, c];
        self.count += 3;
        // Negative ones, too, have bits above the 32.
        self.good &= (a | b | c) as u64 >> 32 == 0;
        self.sum = self.sum.wrapping_add((a as u64).wrapping_add(b as u64).wrapping_add(c as u64));
        counts.extend_from_slice(&[a, b, c].map(|count| count as u32));
        ends[2] as usize / 8 + 1
    }

    /// Reads the count that starts with the first of eight characters; says how many it has.
    #[inline]
    fn read_one(&mut self, word: u64, counts: &mut Vec<u32>) -> usize {
        let bits = word.wrapping_sub(ZEROS);
        let end = (!bits & MORES).trailing_zeros();
        let length = (end as usize / 8 + 1).min(8);
        if length > LONGEST {
            self.good = false;
            return length;
        }
        let delta = if self.count >= 3 { self.before[0] } else { 0 };
        let count = value(bits, end).wrapping_add(delta);
        self.good &= count as u64 >> 32 == 0;
        self.before = [self.before[1], count];
        self.count += 1;
        self.sum = self.sum.wrapping_add(count as u64);
        counts.push(count as u32);
        length
    }
}

/// Number that starts with the first byte, and ends with the one that has bit `end`, bit 5 of it.
#[inline]
fn value(bits: u64, end: u32) -> i64 {
    // Five bits of each character, moved together: by twos, by fours, all.
    let fives = bits & 0x1f1f_1f1f_1f1f_1f1f;
    let tens = (fives & 0x001f_001f_001f_001f) | (fives & 0x1f00_1f00_1f00_1f00) >> 3;
    let twenties = (tens & 0x0000_03ff_0000_03ff) | (tens & 0x03ff_0000_03ff_0000) >> 6;
    extend((twenties & 0xf_ffff) | twenties >> 32 << 20, end)
}

/// Number of up to three bytes, as [`value`] reads it.
#[inline]
fn short_value(bits: u64, end: u32) -> i64 {
    extend((bits & 0x1f) | (bits >> 3 & 0x3e0) | (bits >> 6 & 0x7c00), end)
}

/// Drops the bits of later characters; the highest that stays is the sign.
#[inline]
fn extend(bits: u64, end: u32) -> i64 {
    let unused = 59 - 5 * (end / 8);
    (bits << unused) as i64 >> unused
}

/// Writes compressed counts, one string for each mask: all bytes, and where each string begins and the last one ends.
///
/// # Errors
/// When the runs of a mask do not add up to its pixels, or there is not enough memory.
pub fn format(masks: &Counts<'_>) -> Result<(Vec<u8>, Vec<usize>)> {
    let (mut bytes, mut offsets) = (Vec::new(), reserve(masks.len() + 1)?);
    offsets.push(0);
    let mut length = 0;
    for mask in 0..masks.len() {
        let runs = masks.runs(mask);
        masks.check(mask, runs.iter().map(|&run| run as u64).sum())?;
        // Only the first run may be zero in the one form that a mask has.
        if runs.is_empty() || runs[1..].iter().fold(0, |any, &run| any | u32::from(run == 0)) != 0 {
            let (counts, offsets) = Masks::read(masks)?.to_counts()?;
            return format(&Counts::new(masks.size(), &counts, &offsets)?);
        }
        // Room for eight bytes more than needed: a count is written as eight, of which as many stay as it has.
        lengthen(&mut bytes, length + runs.len() * LONGEST + 8)?;
        for &run in runs.iter().take(3) {
            length += write_varint(run as i64, &mut bytes[length..]);
        }
        for (&before, &run) in runs.iter().skip(1).zip(runs.iter().skip(3)) {
            length += write_varint(run as i64 - before as i64, &mut bytes[length..]);
        }
        offsets.push(length);
    }
    bytes.truncate(length);
    Ok((bytes, offsets))
}

/// Writes one value to the front of a buffer of at least eight bytes; says how many characters it has.
#[inline]
fn write_varint(value: i64, buffer: &mut [u8]) -> usize {
    let five = |index: u32| (value >> (5 * index)) as u8 & 0x1f;
    if (-512..512).contains(&value) {
        // Both are stored: whether it is one or two cannot be predicted.
        let two = !(-16..16).contains(&value);
        buffer[0] = ZERO + five(0) + MORE * u8::from(two);
        buffer[1] = ZERO + five(1);
        return 1 + usize::from(two);
    }
    // Bits without the sign, and the sign.
    let bits = 65 - (value ^ value >> 63).leading_zeros();
    let length = bits.div_ceil(5);
    for index in 0..length {
        buffer[index as usize] = ZERO + five(index) + MORE * u8::from(index + 1 < length);
    }
    length as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_masks;

    fn strings(size: Size, counts: &[u32], offsets: &[i64]) -> Result<Vec<Vec<u8>>> {
        let (bytes, offsets) = format(&Counts::new(size, counts, offsets)?)?;
        Ok(offsets.windows(2).map(|range| bytes[range[0]..range[1]].to_vec()).collect())
    }

    #[test]
    fn strings_round_trip() {
        for masks in random_masks(11) {
            let (counts, offsets) = masks.to_counts().unwrap();
            let written = strings(masks.size(), &counts, &offsets).unwrap();
            let borrowed: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
            assert_eq!(parse(&borrowed, masks.size()), Ok((counts, offsets)));
        }
        // From the COCO tools: columns of 9 with runs of 5, 31, 2, 600.
        assert_eq!(strings(Size { h: 11, w: 58 }, &[5, 31, 2, 600], &[0, 4]).unwrap(), [b"5o02ia0"]);
        // Runs that need all seven characters.
        let size = Size { h: 1, w: 4_294_967_295 };
        for counts in
            [&[4_294_967_295][..], &[0, 4_294_967_295], &[1, 1, 4_294_967_290, 3], &[1, 4_294_967_291, 2, 1]]
        {
            let written = strings(size, counts, &[0, counts.len() as i64]).unwrap();
            assert_eq!(parse(&[&written[0]], size).unwrap().0, counts);
        }
    }

    #[test]
    fn runs_that_are_not_canonical_are_written_as_if_they_were() {
        let write = |counts: &[u32]| strings(Size { h: 2, w: 3 }, counts, &[0, counts.len() as i64]);
        assert_eq!(write(&[1, 2, 3]).unwrap(), [b"123"]);
        assert_eq!(write(&[1, 1, 0, 1, 3]).unwrap(), [b"123"]);
        assert_eq!(write(&[6, 0]).unwrap(), [b"6"]);
        assert!(write(&[1, 2]).is_err());
    }

    #[test]
    fn malformed_strings_are_refused() {
        let size = Size { h: 2, w: 3 };
        let read = |string: &[u8]| parse(&[b"6", string], size);
        let error = |string: &[u8]| read(string).unwrap_err();
        let sums = |sum| Error::RunsDoNotFill { mask: 1, sum, size };
        assert_eq!(error(b""), sums(0));
        assert_eq!(error(b"5"), sums(5));
        assert_eq!(error(b"7"), sums(7));
        assert_eq!(error(b"P"), Error::TruncatedCount { string: 1 });
        assert_eq!(error(b"15Q"), Error::TruncatedCount { string: 1 });
        assert_eq!(error(b"1\0"), Error::NotInAlphabet { string: 1, position: 1, byte: 0 });
        assert_eq!(error(b"1234567p1"), Error::NotInAlphabet { string: 1, position: 7, byte: b'p' });
        assert_eq!(error(b"1VPPPPPPP0"), Error::CountTooLong { string: 1, position: 1 });
        assert_eq!(error(b"1V1VPPPPPPP0"), Error::CountTooLong { string: 1, position: 3 });
        assert_eq!(error(b"O"), Error::CountOutOfRange { string: 1, count: 0, value: -1 });
        assert_eq!(error(b"121K"), Error::CountOutOfRange { string: 1, count: 3, value: -3 });
        assert_eq!(error(b"PPPPPP4"), Error::CountOutOfRange { string: 1, count: 0, value: 1 << 32 });
        // Longer forms than needed, up to seven characters.
        for string in [&b"6"[..], b"V0", b"VPPPPP0"] {
            assert_eq!(read(string).unwrap().0, [6, 6]);
        }
        assert_eq!(parse(&[b"", b"0"], Size { h: 0, w: 3 }).unwrap().0, [0, 0]);
    }
}
