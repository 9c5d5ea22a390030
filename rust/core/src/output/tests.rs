//! Converted rows against the rule written out, value by value.

use half::f16;
use ndarray::{Array3, ArrayViewMut3};

use super::{OutputFormat, OutputPixel, convert, dispatch, portable};
use crate::ImageView;
use crate::simd::Level;

fn image(h: usize, w: usize, channels: usize) -> Array3<u8> {
    Array3::from_shape_fn((h, w, channels), |(y, x, c)| (y * 31 + x * 7 + c * 101) as u8)
}

#[test]
fn planes_are_the_channels() {
    for channels in 1..7 {
        for w in [1, 2, 5, 16, 33, 70] {
            let line: Vec<u16> = (0..(w * channels) as u16).collect();
            for level in Level::available() {
                let mut planes = vec![999; line.len()];
                dispatch::split(level, &line, channels, &mut planes);
                for (i, &value) in planes.iter().enumerate() {
                    assert_eq!(usize::from(value), i % w * channels + i / w, "{level:?} {w} {channels}");
                }
            }
        }
    }
}

#[test]
fn values_are_scaled_and_shifted() {
    let values: Vec<u8> = (0..=255).collect();
    let mut expected = vec![0.0; 256];
    portable::scale(&values, 0.017, -2.1, &mut expected);
    assert_eq!(expected[200], 200.0 * 0.017 - 2.1);
    for level in Level::available() {
        let mut found = vec![0.0; 256];
        dispatch::scale(level, &values, 0.017, -2.1, &mut found);
        assert_eq!(found, expected);
        dispatch::scale_each(level, &values, &[0.017; 256], &[-2.1; 256], &mut found);
        assert_eq!(found, expected);
    }
}

#[test]
fn halves_are_rounded_to_even() {
    // Every float16, what lies between it and the next, just beside that, and what is none.
    let mut values =
        vec![f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 65520.0, 65519.9, 1e-9, -1e-9, f32::MAX];
    for bits in 0..0x7c00 {
        let [low, high] = [bits, bits + 1].map(|bits| f16::from_bits(bits).to_f32());
        let middle = if high.is_finite() { f32::midpoint(low, high) } else { 65520.0 };
        values.extend([low, -low, middle, -middle, middle.next_up(), middle.next_down()]);
    }
    for level in Level::available() {
        for length in [values.len(), values.len() - 3, 5, 0] {
            let values = &values[..length];
            let mut found = vec![f16::ONE; length];
            dispatch::halve(level, values, &mut found);
            for (&value, found) in values.iter().zip(found) {
                assert_eq!(found.to_bits(), f16::from_f32_const(value).to_bits(), "{level:?} {value}");
            }
        }
    }
}

/// Values of an image in another format, in the order of memory.
fn converted<O: OutputPixel<u8>>(pixels: &Array3<u8>, format: &OutputFormat) -> crate::Result<Vec<O>> {
    let (h, w, c) = pixels.dim();
    let mut out = vec![O::default(); h * w * c];
    let shape = if format.channels_first { (c, h, w) } else { (h, w, c) };
    let view = format.view(ArrayViewMut3::from_shape(shape, &mut out).unwrap());
    convert(ImageView::new(pixels.view()).unwrap(), format, view)?;
    Ok(out)
}

#[test]
fn images_in_every_format() {
    let pixels = image(3, 5, 3);
    let linear = vec![(0.5, 1.0), (2.0, 0.0), (0.25, -8.0)];
    for channels_first in [false, true] {
        let at = |y: usize, x: usize, c: usize| {
            if channels_first { (c * 3 + y) * 5 + x } else { (y * 5 + x) * 3 + c }
        };
        let bytes = converted::<u8>(&pixels, &OutputFormat { channels_first, linear: None }).unwrap();
        let unscaled = converted::<f32>(&pixels, &OutputFormat { channels_first, linear: None }).unwrap();
        let format = OutputFormat { channels_first, linear: Some(linear.clone()) };
        let floats = converted::<f32>(&pixels, &format).unwrap();
        let halves = converted::<f16>(&pixels, &format).unwrap();
        for ((y, x, c), &value) in pixels.indexed_iter() {
            assert_eq!(bytes[at(y, x, c)], value);
            assert_eq!(unscaled[at(y, x, c)], f32::from(value));
            let (scale, shift) = linear[c];
            assert_eq!(floats[at(y, x, c)], f32::from(value) * scale + shift);
            assert_eq!(halves[at(y, x, c)], f16::from_f32(f32::from(value) * scale + shift));
        }
    }
}

#[test]
fn formats_and_outputs_that_do_not_fit_are_refused() {
    let pixels = image(3, 5, 3);
    let linear = Some(vec![(1.0, 0.0); 2]);
    assert!(converted::<f32>(&pixels, &OutputFormat { channels_first: true, linear }).is_err());
    let mut out = [0_u8; 44];
    let view = ArrayViewMut3::from_shape((1, 4, 11), &mut out).unwrap();
    assert!(convert(ImageView::new(pixels.view()).unwrap(), &OutputFormat::default(), view).is_err());
}
