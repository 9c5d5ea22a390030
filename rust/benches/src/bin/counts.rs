//! Cases of the regression gate: calls of the entry points that the Python binding calls.
//!
//! `counts` lists the cases, each with `each` when it depends on the instruction set, else `any`. `counts NAME RUNS`
//! runs a case so often, and prints the instruction set that was used and the nanoseconds of the fastest run; a tool
//! that counts instructions runs it once. `.ci/gate.py` calls it.
#![allow(clippy::unwrap_used, reason = "what a case is given fits; where it does not, it has to stop")]

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use copypaste_core::resample::{Border, Filter, place_image};
use copypaste_core::rle;
use copypaste_core::simd::Level;
use fixtures::scene::{Scene, Settings};
use fixtures::{PHOTO, Value, blank, dense, masks, photograph, placed, resized, view, view_mut};

/// Name, `each` or `any` instruction set, and what is run; the argument is the number of runs.
type Case = (&'static str, &'static str, fn(usize) -> Duration);

const CASES: [Case; 11] = [
    ("copy-paste-1024-20-linear", "each", |runs| copy_paste(runs, 1024, 20, false, false)),
    ("copy-paste-1024-20-antialias", "each", |runs| copy_paste(runs, 1024, 20, false, true)),
    ("copy-paste-1024-20-soft", "each", |runs| copy_paste(runs, 1024, 20, true, false)),
    ("copy-paste-1024-60-linear", "each", |runs| copy_paste(runs, 1024, 60, false, false)),
    ("copy-paste-512-7-linear", "each", |runs| copy_paste(runs, 512, 7, false, false)),
    ("resize-u8x3-0.4-antialias", "each", |runs| resize::<u8>(runs, 0.4, Filter::Antialias)),
    ("resize-u8x3-1.25-linear", "each", |runs| resize::<u8>(runs, 1.25, Filter::Linear)),
    ("resize-f32x3-0.8-linear", "each", |runs| resize::<f32>(runs, 0.8, Filter::Linear)),
    ("place-masks-20", "any", place_masks),
    ("decode-20", "any", decode),
    ("encode-20", "any", encode),
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Some(wanted) = std::env::args().nth(1) else {
        return CASES.iter().try_for_each(|(name, levels, _)| writeln!(out, "{name} {levels}"));
    };
    let case = CASES.iter().find(|case| case.0 == wanted);
    let (_, _, run) = case.ok_or_else(|| io::Error::other(format!("no case has the name {wanted:?}")))?;
    let runs = std::env::args().nth(2).map_or(Ok(1), |runs| runs.parse()).map_err(io::Error::other)?;
    // Looked up here, so that the first look is in no count.
    let level = Level::detect();
    let fastest = run(runs);
    writeln!(out, "{} {}", level.name(), fastest.as_nanos())
}

/// Time of the fastest of some runs.
fn fastest<R>(runs: usize, mut call: impl FnMut() -> R) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        counted_by_the_gate(&mut call);
        least = least.min(start.elapsed());
    }
    least
}

/// A call whose instructions are counted; the tool knows this function by its name.
#[inline(never)]
fn counted_by_the_gate<R>(call: &mut impl FnMut() -> R) -> R {
    black_box(call())
}

fn copy_paste(runs: usize, canvas: usize, instances: usize, soft: bool, antialias: bool) -> Duration {
    let scene = Scene::new(Settings { canvas, instances, soft, antialias });
    let mut pass = scene.pass();
    fastest(runs, || pass.run())
}

fn resize<T: Value>(runs: usize, scale: f64, filter: Filter) -> Duration {
    let image = photograph::<T>(3);
    let placement = resized(scale, false);
    let mut out = blank::<T>(placement.canvas, 3);
    let mut out = view_mut(&mut out);
    let fill = [T::default(); 3];
    fastest(runs, || place_image(view(&image), &placement, filter, Border::Fill(&fill), &mut out).unwrap())
}

fn place_masks(runs: usize) -> Duration {
    let masks = masks(20, 1);
    let placements = [placed(1024, 0.35, true), placed(1024, 1.3, true)];
    fastest(runs, || placements.map(|placement| rle::place(&masks, &placement).unwrap()))
}

fn decode(runs: usize) -> Duration {
    let masks = masks(20, 1);
    let mut out = vec![0; masks.len() * PHOTO.pixels()];
    fastest(runs, || rle::decode(&masks, &mut out))
}

fn encode(runs: usize) -> Duration {
    let dense = dense(&masks(20, 1));
    fastest(runs, || rle::encode_c(&dense, 20, PHOTO).unwrap())
}
