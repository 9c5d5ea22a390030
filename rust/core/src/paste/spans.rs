//! One canvas row as bits, and the runs of set bits in it.

/// A range of columns, half-open.
pub(super) type Span = (u32, u32);

/// Calls `found` with each run of set bits in `words`, whose first bit is column 0.
pub(super) fn for_each_run(words: &[u64], mut found: impl FnMut(Span)) {
    let mut open: Option<u32> = None;
    for (i, &word) in words.iter().enumerate() {
        let base = i as u32 * 64;
        let mut rest = word;
        // Within a word, the next change of state is the next set bit, or, inside a run, the next clear one.
        loop {
            if let Some(start) = open {
                let end = (!rest).trailing_zeros();
                if end == 64 {
                    break;
                }
                found((start, base + end));
                open = None;
                rest &= u64::MAX << end;
            } else {
                if rest == 0 {
                    break;
                }
                let start = rest.trailing_zeros();
                open = Some(base + start);
                rest |= (1 << start) - 1;
            }
        }
    }
    if let Some(start) = open {
        found((start, words.len() as u32 * 64));
    }
}

/// Sets the bits of columns `start..end`.
pub(super) fn set(words: &mut [u64], (start, end): Span) {
    if start >= end {
        return;
    }
    let (first, last) = (start as usize / 64, (end as usize - 1) / 64);
    let head = u64::MAX << (start % 64);
    let tail = u64::MAX >> (63 - (end - 1) % 64);
    if first == last {
        words[first] |= head & tail;
        return;
    }
    words[first] |= head;
    words[first + 1..last].fill(u64::MAX);
    words[last] |= tail;
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
        for_each_run(&words, |span| found.push(span));
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
    fn set_is_what_runs_finds() {
        for (start, end) in [(0, 1), (0, 64), (3, 64), (63, 65), (5, 200), (64, 128), (7, 7)] {
            let mut words = [0; 4];
            set(&mut words, (start, end));
            let mut found = Vec::new();
            for_each_run(&words, |span| found.push(span));
            assert_eq!(found, if start < end { vec![(start, end)] } else { vec![] });
        }
    }
}
