//! Which instructions the kernels may use, and the calls into code compiled for more than the baseline.
//!
//! A kernel exists twice: in a portable form, and for AVX2. Both give the same bytes.
// The one module that may: a call of each AVX2 kernel, behind the type that proves the feature.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use crate::composite;
use crate::finish;
use crate::resample::{antialias, two_taps};

/// The instructions kernels may use.
///
/// A value for more than the baseline can only be had where the processor has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Tier);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// What every processor of the target has.
    pub const PORTABLE: Self = Self(Tier::Portable);

    /// AVX2, where there is such a thing.
    #[must_use]
    pub fn avx2() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Some(Self(Tier::Avx2));
        }
        None
    }

    /// Every level this processor has.
    pub fn available() -> impl Iterator<Item = Self> {
        [Some(Self::PORTABLE), Self::avx2()].into_iter().flatten()
    }

    /// What `COPYPASTE_RS_SIMD` says, when it says anything else than the name of a level.
    #[must_use]
    pub fn unknown_name() -> Option<String> {
        let name = std::env::var("COPYPASTE_RS_SIMD").ok()?;
        (!matches!(name.as_str(), "" | "portable" | "avx2")).then_some(name)
    }

    /// The best level, or the one that `COPYPASTE_RS_SIMD` names (`portable` or `avx2`). Looked up once.
    #[must_use]
    pub fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| match std::env::var("COPYPASTE_RS_SIMD").as_deref() {
            Ok("portable") => Self::PORTABLE,
            _ => Self::avx2().unwrap_or(Self::PORTABLE),
        })
    }

    /// The name `COPYPASTE_RS_SIMD` knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Tier::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => "avx2",
        }
    }
}

/// Defines `fn name(level, arguments)`, which calls `module::avx2::name` or `module::portable::name`.
macro_rules! kernel {
    ($module:ident, $name:ident [$($generics:tt)*] [$($given:ident),*], $($argument:ident: $type:ty),+) => {
        pub(crate) fn $name <$($generics)*> (level: Level, $($argument: $type),+) {
            match level.0 {
                Tier::Portable => $module::portable::$name::<$($given),*>($($argument),+),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the function is safe but for its need of AVX2. `Tier::Avx2` is private to this
                // module and made in `Level::avx2` only, after the processor was seen to have it.
                Tier::Avx2 => unsafe { $module::avx2::$name::<$($given),*>($($argument),+) },
            }
        }
    };
}

/// Kernels of [`crate::resample::two_taps`].
pub(crate) mod two {
    use super::{Level, Tier, two_taps};
    use two_taps::{ByteColumns, Float, FloatColumns};

    kernel!(two_taps, columns_u8 [const N: usize] [N],
        lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [i16]; N]);
    kernel!(two_taps, columns_float [const N: usize, const C: usize, T: Float] [N, C, T],
        lines: [&[T]; N], columns: FloatColumns<'_>, out: [&mut [f32]; N]);
    kernel!(two_taps, rows_u8 [] [], rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]);
    kernel!(two_taps, rows_float [T: Float] [T], rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]);
}

/// Kernels of [`crate::resample::antialias`].
pub(crate) mod many {
    use super::{Level, Tier, antialias};
    use crate::resample::separable::Rows;
    use crate::resample::two_taps::Float;
    use antialias::{ByteColumns, FloatColumns};

    kernel!(antialias, columns_u8 [const N: usize, const C: usize] [N, C],
        lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [u8]; N]);
    kernel!(antialias, columns_f32 [const C: usize] [C],
        line: &[f32], columns: FloatColumns<'_>, out: &mut [f32]);
    kernel!(antialias, rows_u8 [] [], rows: Rows<'_, u8>, weights: &[[i16; 2]], out: &mut [u8]);
    kernel!(antialias, rows_float [T: Float] [T], rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]);
}

/// Kernels of [`crate::composite`].
pub(crate) mod soft {
    use super::{Level, Tier, composite};
    use crate::composite::kinds::Kinds;
    use crate::composite::portable::WIDTH;
    use crate::resample::separable::Rows;

    kernel!(composite, blur [] [],
        rows: Rows<'_, i16>, weights: &[i16], out: &mut [u8; WIDTH], kinds: &mut Kinds);
}

/// Kernels of [`crate::finish`].
pub(crate) mod ready {
    use super::{Level, Tier, finish};

    kernel!(finish, scale [T: Copy + Into<f32>] [T],
        values: &[T], scale: f32, shift: f32, out: &mut [f32]);
    kernel!(finish, scale_each [T: Copy + Into<f32>] [T],
        values: &[T], scale: &[f32], shift: &[f32], out: &mut [f32]);
    kernel!(finish, split [T: Copy] [T], line: &[T], channels: usize, planes: &mut [T]);
}
