//! Bits and bytes of words: a canvas row as one bit for each column, and its runs; bytes that are not zero.

use crate::error::Result;
use crate::memory::reserve_more;

/// A range of columns, half-open.
pub(crate) type Span = (u32, u32);

/// Appends the runs of set bits in `words` to `runs`; the first bit is that of `column`.
///
/// A function of its own, not inlined: its state stays in registers.
#[inline(never)]
pub(crate) fn append_runs(column: u32, words: impl Iterator<Item = u64>, runs: &mut Vec<Span>) -> Result<()> {
    let mut base = column;
    let mut start = 0;
    let mut inside = false;
    for word in words {
        // Within a word, the next change is the next set bit, or, inside a run, the next clear one.
        let mut changes = word ^ (word << 1 | u64::from(inside));
        if changes != 0 {
            reserve_more(runs, 33)?;
        }
        while changes != 0 {
            let at = base + changes.trailing_zeros();
            changes &= changes - 1;
            if inside {
                runs.push((start, at));
            } else {
                start = at;
            }
            inside = !inside;
        }
        base += 64;
    }
    if inside {
        runs.push((start, base));
    }
    Ok(())
}

/// Numbers of the set bits of `words`, ascending.
pub(crate) fn set_bits(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(number, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            (rest != 0).then(|| {
                rest &= rest - 1;
                number * 64 + bit
            })
        })
    })
}

/// Highest bit of each byte of `word` that is not zero; all other bits clear.
pub(crate) fn nonzero_bytes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    (((word & LOW) + LOW) | word) & !LOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(bits: &str) -> Vec<Span> {
        let mut words = vec![0; bits.len().div_ceil(64)];
        for (i, bit) in bits.bytes().enumerate() {
            words[i / 64] |= u64::from(bit == b'#') << (i % 64);
        }
        let mut found = Vec::new();
        append_runs(0, words.into_iter(), &mut found).unwrap();
        found
    }

    #[test]
    fn runs_within_and_across_words() {
        assert_eq!(runs(""), []);
        assert_eq!(runs("..##.#"), [(2, 4), (5, 6)]);
        assert_eq!(runs(&"#".repeat(64)), [(0, 64)]);
        assert_eq!(runs(&("#".repeat(63) + ".#")), [(0, 63), (64, 65)]);
        assert_eq!(runs(&(".".repeat(60) + &"#".repeat(80) + ".#")), [(60, 140), (141, 142)]);
        assert_eq!(runs(&"#.".repeat(100)).len(), 100);
    }
}
