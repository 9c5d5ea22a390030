//! Mirrored copies for every processor.

/// Copies pixels of `B` bytes from the last to the first.
pub(super) fn mirror<const B: usize>(from: &[u8], out: &mut [u8]) {
    let pixels = from.as_chunks::<B>().0.iter().rev();
    for (out, pixel) in out.as_chunks_mut::<B>().0.iter_mut().zip(pixels) {
        *out = *pixel;
    }
}
