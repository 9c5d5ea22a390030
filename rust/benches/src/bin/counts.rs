//! One case of the regression gate, run once, for a tool that counts instructions.
//!
//! `counts NAME` runs a case and says which instructions it used; `counts` lists the cases, each with `each` when it
//! depends on the instructions, else `any`. `.ci/gate.py` calls it.
#![allow(clippy::unwrap_used, reason = "what a case is given fits; where it does not, it has to stop")]

use std::hint::black_box;
use std::io::{self, Write};

use copypaste_core::resample::{Filter, place_image};
use copypaste_core::rle;
use copypaste_core::simd::Level;
use fixtures::scene::{Scene, Settings};
use fixtures::{PHOTO, Value, blank, dense, masks, photograph, placed, resized, view, view_mut};

/// A name, whether the case has code for more than one level, and what it runs.
type Case = (&'static str, &'static str, fn());

const CASES: [Case; 11] = [
    ("copy-paste-1024-20-two-taps", "each", || copy_paste(1024, 20, false, false)),
    ("copy-paste-1024-20-antialias", "each", || copy_paste(1024, 20, false, true)),
    ("copy-paste-1024-20-soft", "each", || copy_paste(1024, 20, true, false)),
    ("copy-paste-1024-60-two-taps", "each", || copy_paste(1024, 60, false, false)),
    ("copy-paste-512-7-two-taps", "each", || copy_paste(512, 7, false, false)),
    ("resize-u8x3-0.4-antialias", "each", || resize::<u8>(0.4, Filter::Antialias)),
    ("resize-u8x3-1.25-two-taps", "each", || resize::<u8>(1.25, Filter::TwoTap)),
    ("resize-f32x3-0.8-two-taps", "each", || resize::<f32>(0.8, Filter::TwoTap)),
    ("place-masks-20", "each", place_masks),
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
    // Looked up here, so that the first look is in no count.
    let level = Level::detect();
    run();
    writeln!(out, "{}", level.name())
}

/// Everything called in here is counted; the tool knows it by its name.
#[inline(never)]
fn counted_by_the_gate<R>(call: impl FnOnce() -> R) -> R {
    black_box(call())
}

fn copy_paste(canvas: usize, instances: usize, soft: bool, antialias: bool) {
    let scene = Scene::new(Settings { canvas, instances, soft, antialias });
    let mut pass = scene.pass();
    counted_by_the_gate(|| pass.run());
}

fn resize<T: Value>(scale: f64, filter: Filter) {
    let image = photograph::<T>(3);
    let placement = resized(scale, false);
    let mut out = blank::<T>(placement.canvas, 3);
    let mut out = view_mut(&mut out);
    let fill = [T::default(); 3];
    counted_by_the_gate(|| place_image(view(&image), &placement, filter, &fill, &mut out).unwrap());
}

fn place_masks() {
    let masks = masks(20, 1);
    let placements = [placed(1024, 0.35, true), placed(1024, 1.3, true)];
    counted_by_the_gate(|| placements.map(|placement| rle::place(&masks, &placement).unwrap()));
}

fn decode() {
    let masks = masks(20, 1);
    let mut out = vec![0; masks.len() * PHOTO.pixels()];
    counted_by_the_gate(|| rle::decode(&masks, &mut out));
}

fn encode() {
    let dense = dense(&masks(20, 1));
    counted_by_the_gate(|| rle::encode_c(&dense, 20, PHOTO).unwrap());
}
