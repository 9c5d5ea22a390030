//! One canvas row as bits, and the runs of set bits in it.

/// A range of columns, half-open.
pub(crate) type Span = (u32, u32);

/// Appends the runs of set bits in `words` to `runs`; the first bit is that of `column`.
///
/// A function of its own, not inlined: its state stays in registers.
#[inline(never)]
pub(crate) fn append_runs(column: u32, words: impl Iterator<Item = u64>, runs: &mut Vec<Span>) {
    let mut base = column;
    let mut start = 0;
    let mut inside = false;
    for word in words {
        // Within a word, the next change is the next set bit, or, inside a run, the next clear one.
        let mut changes = word ^ (word << 1 | u64::from(inside));
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
}

/// One row of weights as bits, from the word that holds its first column on: where a weight is 255, and where it
/// is anything between 0 and that.
pub(crate) fn weigh(weights: &[u8], first_column: usize, opaque: &mut [u64], partial: &mut [u64]) {
    opaque.fill(0);
    partial.fill(0);
    let mut at = first_column % 64;
    for eight in weights.chunks(8) {
        // Most of a row is all or nothing.
        let same = eight.iter().all(|&weight| weight == eight[0]);
        for (i, &weight) in eight.iter().enumerate() {
            if same && weight == 0 {
                break;
            }
            let (word, bit) = ((at + i) / 64, (at + i) % 64);
            opaque[word] |= u64::from(weight == 255) << bit;
            partial[word] |= u64::from(weight != 255 && weight != 0) << bit;
        }
        at += eight.len();
    }
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
        append_runs(0, words.into_iter(), &mut found);
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

    #[test]
    fn weights_become_bits() {
        let weights = [0, 255, 255, 1, 254, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 7];
        let (mut opaque, mut partial) = ([u64::MAX; 2], [u64::MAX; 2]);
        weigh(&weights, 64 + 60, &mut opaque, &mut partial);
        let columns = |words: [u64; 2]| {
            let mut found = Vec::new();
            append_runs(64, words.into_iter(), &mut found);
            found
        };
        assert_eq!(columns(opaque), [(125, 127), (130, 131), (140, 141)]);
        assert_eq!(columns(partial), [(127, 129), (141, 142)]);
    }
}
