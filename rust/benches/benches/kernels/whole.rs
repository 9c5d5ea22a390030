//! The whole operation, four pairs of scales an iteration.

use criterion::{BenchmarkId, Criterion};

use fixtures::scene::{Scene, Settings};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy-paste on 1024, four times");
    for instances in [20, 60, 500] {
        for (name, soft, antialias) in
            [("linear", false, false), ("antialias", false, true), ("antialias, soft", true, true)]
        {
            let scene = Scene::new(Settings { canvas: 1024, instances, soft, antialias });
            group.bench_function(BenchmarkId::new(name, instances), |b| {
                let mut pass = scene.pass();
                b.iter(|| pass.run());
            });
        }
    }
    group.finish();
}
