//! Copy-paste on a schedule of scales.

use std::hint::black_box;
use std::slice;

use copypaste_core::copy_paste::{
    DropRules, Objects, Paste, PixelOptions, Renderer, ResultRows, compose_masks,
};
use copypaste_core::resample::Border;
use copypaste_core::rle::Counts;
use copypaste_core::{ImageView, Placement, Size};
use ndarray::Array3;

use crate::{BLUR, PHOTO, blank, masks, photograph, placed, view};

/// Scales of target and source: small and large in turn, none of them alike.
const SCALES: [(f64, f64); 4] = [(0.35, 1.5), (0.7, 0.9), (1.3, 0.5), (1.75, 1.8)];

/// Settings of a scene.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Side of the canvas.
    pub canvas: usize,
    /// Objects of the target, and as many of the source, all of them pasted.
    pub instances: usize,
    /// Whether edges are soft.
    pub soft: bool,
    /// Whether shrinking averages.
    pub antialias: bool,
}

/// One photograph, pasted on itself with other objects.
pub struct Scene {
    settings: Settings,
    image: Array3<u8>,
    sides: [(Vec<u32>, Vec<i64>); 2],
    crowd: Vec<bool>,
    rows: Vec<usize>,
    placements: Vec<(Placement, Placement)>,
}

/// Inputs and output of one pass over the schedule.
pub struct Pass<'a> {
    image: ImageView<'a, u8>,
    steps: Vec<(Objects<'a>, Placement, Objects<'a>, Paste<'a>)>,
    canvas: Array3<u8>,
    settings: Settings,
}

impl Scene {
    /// Makes a scene, alike each time.
    pub fn new(settings: Settings) -> Self {
        let Settings { canvas, instances, .. } = settings;
        let placements =
            SCALES.map(|(target, source)| (placed(canvas, target, false), placed(canvas, source, true)));
        Self {
            settings,
            image: photograph(3),
            sides: [1, 2].map(|seed| masks(instances, seed).to_counts().unwrap()),
            crowd: vec![false; instances],
            rows: (0..instances).collect(),
            placements: placements.to_vec(),
        }
    }

    fn objects(&self, side: usize) -> Objects<'_> {
        let (counts, offsets) = &self.sides[side];
        let masks = Counts::new(PHOTO, counts, offsets).unwrap();
        Objects { masks, crowd: &self.crowd }
    }

    /// Inputs and output of one pass.
    pub fn pass(&self) -> Pass<'_> {
        let Settings { canvas, soft, .. } = self.settings;
        let step = |&(target, source): &(Placement, Placement)| {
            let paste =
                Paste { source: 0, rows: &self.rows, placement: source, weights: soft.then_some(&BLUR[..]) };
            (self.objects(0), target, self.objects(1), paste)
        };
        let steps = self.placements.iter().map(step).collect();
        Pass {
            image: view(&self.image),
            steps,
            canvas: blank(Size { h: canvas, w: canvas }, 3),
            settings: self.settings,
        }
    }
}

impl Pass<'_> {
    /// Runs copy-paste once for each pair of scales.
    pub fn run(&mut self) -> Vec<ResultRows> {
        let options = PixelOptions {
            border: Border::Fill(&[114; 3]),
            nearest: false,
            antialias: self.settings.antialias,
        };
        let rules = DropRules { min_area: 1, min_visibility: 0.0, keep_hidden: false };
        let mut made = Vec::with_capacity(SCALES.len());
        for (target, placement, source, paste) in &self.steps {
            let canvas = black_box(&mut self.canvas).view_mut();
            let (rows, coverage) =
                compose_masks(*target, placement, &[*source], slice::from_ref(paste), &rules).unwrap();
            let mut renderer = Renderer::new(&coverage, &[self.image; 2], &options).unwrap();
            renderer.render(0..self.settings.canvas, canvas).unwrap();
            made.push(rows);
        }
        made
    }
}
