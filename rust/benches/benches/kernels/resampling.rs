//! Resizing one photograph: each type of values, one, three and four channels, all filters.

use std::hint::black_box;

use copypaste_core::resample::{Border, Filter, place_image};
use criterion::{BenchmarkId, Criterion};

use fixtures::{Value, blank, photograph, resized, view, view_mut};

const SMALLER: [f64; 2] = [0.4, 0.8];
const LARGER: [f64; 2] = [1.25, 2.0];

pub(crate) fn bench(criterion: &mut Criterion) {
    for channels in [1, 3, 4] {
        resize::<u8>(criterion, channels);
        resize::<u16>(criterion, channels);
        resize::<f32>(criterion, channels);
    }
}

fn resize<T: Value>(criterion: &mut Criterion, channels: usize) {
    let image = photograph::<T>(channels);
    let fill = vec![T::default(); channels];
    let mut group = criterion.benchmark_group(format!("resize {}x{channels}", T::NAME));
    let mut bench = |name: &str, filter: Filter, scale: f64, flip: bool| {
        let placement = resized(scale, flip);
        let mut out = blank::<T>(placement.canvas, channels);
        group.bench_function(BenchmarkId::new(name, scale), |b| {
            b.iter(|| {
                let image = view(black_box(&image));
                place_image(image, &placement, filter, Border::Fill(&fill), &mut view_mut(&mut out)).unwrap();
            });
        });
    };
    for scale in [SMALLER, LARGER].concat() {
        bench("linear", Filter::Linear, scale, false);
        bench("nearest", Filter::Nearest, scale, false);
    }
    // There is antialiasing only where an image shrinks.
    for scale in SMALLER {
        bench("antialias", Filter::Antialias, scale, false);
    }
    bench("flip, linear", Filter::Linear, SMALLER[1], true);
    bench("flip, antialias", Filter::Antialias, SMALLER[1], true);
    bench("flip", Filter::Linear, 1.0, true);
    group.finish();
}
