//! Time of each kernel, on one thread. `cargo bench --bench kernels -- resize` runs those with that in their name.
#![allow(clippy::unwrap_used, reason = "what a bench is given fits; where it does not, it has to stop")]

mod masks;
mod resampling;
mod soft;
mod whole;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    masks::bench(&mut criterion);
    resampling::bench(&mut criterion);
    soft::bench(&mut criterion);
    whole::bench(&mut criterion);
    criterion.final_summary();
}
