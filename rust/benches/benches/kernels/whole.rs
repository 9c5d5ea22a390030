//! The whole operation, four pairs of scales an iteration.

use criterion::{BatchSize, BenchmarkId, Criterion};

use fixtures::scene::{Pass, Scene, Settings};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy-paste on 1024, four times");
    for instances in [20, 60, 500] {
        for (name, soft, antialias) in
            [("two taps", false, false), ("antialias", false, true), ("antialias, soft", true, true)]
        {
            let scene = Scene::new(Settings { canvas: 1024, instances, soft, antialias });
            group.bench_function(BenchmarkId::new(name, instances), |b| {
                b.iter_batched_ref(|| scene.pass(), Pass::run, BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}
