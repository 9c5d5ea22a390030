//! Run-length masks of one photograph: a usual number of objects, and a crowd.

use std::hint::black_box;

use copypaste_core::rle::{self, Counts};
use criterion::{BenchmarkId, Criterion};

use fixtures::{PHOTO, placed};

pub(crate) fn bench(criterion: &mut Criterion) {
    for n in [20, 500] {
        algebra(criterion, n);
        conversion(criterion, n);
    }
}

fn algebra(criterion: &mut Criterion, n: usize) {
    let (masks, others) = (fixtures::masks(n, 1), fixtures::masks(n, 2));
    let union = rle::union(&others).unwrap();
    let (smaller, larger) = (placed(1024, 0.35, true), placed(1024, 1.3, true));
    let mut table = vec![0.0; n * n];
    let mut group = criterion.benchmark_group("masks");
    for (name, placement) in [("place, smaller", &smaller), ("place, larger", &larger)] {
        group.bench_function(BenchmarkId::new(name, n), |b| {
            b.iter(|| rle::place(black_box(&masks), placement).unwrap());
        });
    }
    group.bench_function(BenchmarkId::new("union", n), |b| b.iter(|| rle::union(black_box(&masks))));
    group.bench_function(BenchmarkId::new("difference", n), |b| {
        b.iter(|| rle::difference(black_box(&masks), &union));
    });
    group.bench_function(BenchmarkId::new("without small parts", n), |b| {
        b.iter(|| rle::without_small_parts(black_box(&masks), 16, true));
    });
    group.bench_function(BenchmarkId::new("area", n), |b| b.iter(|| rle::area(black_box(&masks))));
    group.bench_function(BenchmarkId::new("boxes", n), |b| b.iter(|| rle::boxes(black_box(&masks))));
    group.bench_function(BenchmarkId::new("iou", n), |b| {
        b.iter(|| rle::iou(black_box(&masks), &others, None, black_box(&mut table)));
    });
    group.finish();
}

fn conversion(criterion: &mut Criterion, n: usize) {
    let outlines = fixtures::outlines(n, 1);
    let masks = fixtures::rasterize(&outlines);
    let (rows, columns) = (fixtures::dense(&masks), fixtures::dense_columns(&masks));
    let (counts, offsets) = masks.to_counts().unwrap();
    let counts = Counts::new(PHOTO, &counts, &offsets).unwrap();
    let (bytes, offsets) = rle::format(&counts).unwrap();
    let strings: Vec<&[u8]> = offsets.windows(2).map(|range| &bytes[range[0]..range[1]]).collect();
    let mut out = vec![0; rows.len()];
    let mut map = vec![0; PHOTO.pixels()];
    rle::label_map(&masks, rle::DrawOrder::Rows, 1, &mut map).unwrap();
    let mut group = criterion.benchmark_group("masks");
    group.bench_function(BenchmarkId::new("polygon", n), |b| {
        b.iter(|| fixtures::rasterize(black_box(&outlines)));
    });
    group.bench_function(BenchmarkId::new("encode, rows", n), |b| {
        b.iter(|| rle::encode_c(black_box(&rows), n, PHOTO).unwrap());
    });
    group.bench_function(BenchmarkId::new("encode, columns", n), |b| {
        b.iter(|| rle::encode_f(black_box(&columns), n, PHOTO).unwrap());
    });
    group.bench_function(BenchmarkId::new("decode", n), |b| {
        b.iter(|| rle::decode(black_box(&masks), black_box(&mut out)));
    });
    group.bench_function(BenchmarkId::new("from label map", n), |b| {
        b.iter(|| rle::from_label_map_c(black_box(&map), PHOTO, Some(0)).unwrap());
    });
    group.bench_function(BenchmarkId::new("codec in", n), |b| {
        b.iter(|| rle::parse(black_box(&strings), PHOTO).unwrap());
    });
    group.bench_function(BenchmarkId::new("codec out", n), |b| b.iter(|| rle::format(black_box(&counts))));
    group.finish();
}
