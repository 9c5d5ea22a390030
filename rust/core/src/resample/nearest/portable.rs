//! Nearest pixels for every processor.

/// Copies the value of each column of the table, of an image with one channel.
pub(super) fn pick_values<T: Copy>(row: &[T], table: &[u32], out: &mut [T]) {
    for (out, &column) in out.iter_mut().zip(table) {
        *out = row[column as usize];
    }
}
