//! A sort for numbers that are nearly ordered, or come from few places.

use crate::Result;
use crate::memory::filled;

/// Length above which a bucket is sorted on its own: one insertion sort over all would become quadratic.
const LONG_BUCKET: u32 = 16;

/// Sorts `values` into `sorted`, which has as many places. `leading` gives the leading part of the order.
///
/// A counting sort by the leading bits, with about one bucket for each value, then an insertion sort over all, which
/// moves values within their buckets only.
pub(super) fn sort_into<T: Copy + Ord>(
    values: impl ExactSizeIterator<Item = T> + Clone,
    leading: impl Fn(T) -> u32,
    sorted: &mut [T],
) -> Result<()> {
    let mut low = u32::MAX;
    let mut high = 0;
    for number in values.clone().map(&leading) {
        low = low.min(number);
        high = high.max(number);
    }
    if high < low {
        return Ok(());
    }
    let shift = ((high - low) as usize / values.len()).max(1).ilog2();
    let bucket = |value: T| ((leading(value) - low) >> shift) as usize;
    let mut ends: Vec<u32> = filled(((high - low) >> shift) as usize + 2)?;
    for value in values.clone() {
        ends[bucket(value) + 1] += 1;
    }
    let mut longest = 0;
    let mut sum = 0;
    for end in &mut ends {
        longest = longest.max(*end);
        sum += *end;
        *end = sum;
    }
    for value in values {
        let end = &mut ends[bucket(value)];
        sorted[*end as usize] = value;
        *end += 1;
    }
    if longest > LONG_BUCKET {
        let mut from = 0;
        for &to in &ends[..ends.len() - 1] {
            if to - from > LONG_BUCKET {
                sorted[from as usize..to as usize].sort_unstable();
            }
            from = to;
        }
    }
    for i in 1..sorted.len() {
        let value = sorted[i];
        let mut hole = i;
        while hole > 0 && sorted[hole - 1] > value {
            sorted[hole] = sorted[hole - 1];
            hole -= 1;
        }
        sorted[hole] = value;
    }
    Ok(())
}
