//! Soft edges: alpha of all objects of a photograph, and mixing by it.

use std::hint::black_box;

use copypaste_core::blend::{alpha, blend};
use criterion::{BenchmarkId, Criterion};
use ndarray::Array3;

use fixtures::{BLUR, PHOTO, Value, blank, masks, photograph, placed, view, view_mut};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alpha");
    for n in [20, 500] {
        let masks = masks(n, 1);
        for scale in [0.35, 1.3] {
            let placement = placed(1024, scale, true);
            group.bench_function(BenchmarkId::new(format!("{n} masks"), scale), |b| {
                b.iter(|| alpha(black_box(&masks), &placement, &BLUR).unwrap());
            });
        }
    }
    group.finish();
    mix::<u8>(criterion);
    mix::<u16>(criterion);
    mix::<f32>(criterion);
}

fn mix<T: Value>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blend");
    let weights = Array3::from_shape_fn((PHOTO.h, PHOTO.w, 1), |(y, x, _)| (y + x) as u8);
    for channels in [1, 3, 4] {
        let image = photograph::<T>(channels);
        let mut out = blank::<T>(PHOTO, channels);
        group.bench_function(format!("{}x{channels}", T::NAME), |b| {
            b.iter(|| {
                let image = view(black_box(&image));
                blend(image, image, view(&weights), &mut view_mut(&mut out));
            });
        });
    }
    group.finish();
}
