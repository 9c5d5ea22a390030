//! Ends of rows that whole vectors leave.

/// Writes what blocks of `W` values leave at the end of `out`. `block` makes the values from one of them on, and
/// may be asked for some that reach past the end.
///
/// Where `out` is shorter than a block, its two ends are written, each from a block of its own.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn tail<T: Copy, const W: usize>(out: &mut [T], block: impl Fn(usize) -> [T; W]) {
    let length = out.len();
    if length.is_multiple_of(W) {
        return;
    }
    match length {
        1 => ends::<T, W, 1>(out, block),
        2..=3 => ends::<T, W, 2>(out, block),
        4..=7 => ends::<T, W, 4>(out, block),
        8..=15 => ends::<T, W, 8>(out, block),
        _ if length < W => ends::<T, W, 16>(out, block),
        _ => {
            if let Some(last) = out.last_chunk_mut() {
                *last = block(length - W);
            }
        }
    }
}

/// The first `H` values, and the last, which together are all.
#[inline]
#[target_feature(enable = "avx2")]
fn ends<T: Copy, const W: usize, const H: usize>(out: &mut [T], block: impl Fn(usize) -> [T; W]) {
    for at in [0, out.len() - H] {
        let block = block(at);
        if let (Some(out), Some(block)) = (out[at..].first_chunk_mut::<H>(), block.first_chunk::<H>()) {
            *out = *block;
        }
    }
}
