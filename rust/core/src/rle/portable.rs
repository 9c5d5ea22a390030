//! Mask kernels for every processor.

use super::counts::RunSums;
use super::ops::WINDOW;

/// Adds up the runs of a mask: where each ends.
pub(crate) fn add_up(runs: &[u32], ends: &mut [u32], sums: &mut RunSums) {
    // Ends of malformed runs may wrap; their total tells.
    sums.total = runs.iter().map(|&run| run as u64).sum();
    sums.any_empty = runs.iter().skip(1).fold(0, |any, &run| any | u32::from(run == 0)) != 0;
    let mut end = 0_u32;
    let ((fours, rest), (ends_of_fours, ends_of_rest)) = (runs.as_chunks::<4>(), ends.as_chunks_mut::<4>());
    // Only one addition of four waits for those before.
    for (&[a, b, c, d], ends) in fours.iter().zip(ends_of_fours) {
        let (ab, cd) = (a.wrapping_add(b), c.wrapping_add(d));
        *ends = [a, ab, ab.wrapping_add(c), ab.wrapping_add(cd)].map(|part| end.wrapping_add(part));
        end = ends[3];
    }
    for (&run, place) in rest.iter().zip(ends_of_rest) {
        end = end.wrapping_add(run);
        *place = end;
    }
}

/// Sets the bits of spans of pixels; bit 0 of the first word is that of pixel `from`.
pub(crate) fn set_spans(spans: &[[u32; 2]], from: u32, words: &mut [u64]) {
    for &[start, end] in spans {
        let mut word = (start - from) as usize / 64;
        let mut head = u64::MAX << ((start - from) % 64);
        // Counted from the first bit of the window.
        let mut end = (end - from) as usize - 64 * word;
        while let Some(window) = words[word..].first_chunk_mut::<WINDOW>() {
            for (i, word) in window.iter_mut().enumerate() {
                // Without a branch: how many words a span has cannot be predicted.
                let behind = (64 * (i + 1)).saturating_sub(end);
                *word |= head & u64::MAX.checked_shr(behind as u32).unwrap_or(0);
                head = u64::MAX;
            }
            if end <= 64 * WINDOW {
                break;
            }
            end -= 64 * WINDOW;
            word += WINDOW;
        }
    }
}
