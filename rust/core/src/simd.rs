//! Which instructions the kernels may use, and the calls into code compiled for more than the baseline.
//!
//! A kernel exists twice: in a portable form, and for AVX2; a few exist for AVX-512 too, where a benchmark has earned
//! it. All give the same bytes.
// The one module that may: a call of each AVX2 kernel, behind the type that proves the feature.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use crate::composite;
use crate::finish;
use crate::resample::{antialias, mirror, two_taps};
use crate::rle;

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
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// What every processor of the target has.
    pub const PORTABLE: Self = Self(Tier::Portable);

    /// AVX2, with the counting of bits and the half floats that came before it, where there is such a thing.
    #[must_use]
    pub fn avx2() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("f16c")
        {
            return Some(Self(Tier::Avx2));
        }
        None
    }

    /// AVX-512 with its permutations of bytes and its sums of their products, where there is such a thing.
    #[must_use]
    pub fn avx512() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if Self::avx2().is_some()
            && std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512vbmi")
            && std::arch::is_x86_feature_detected!("avx512vnni")
        {
            return Some(Self(Tier::Avx512));
        }
        None
    }

    /// Every level this processor has, the best one last.
    pub fn available() -> impl Iterator<Item = Self> {
        [Some(Self::PORTABLE), Self::avx2(), Self::avx512()].into_iter().flatten()
    }

    /// What `COPYPASTE_RS_SIMD` says, when it says anything else than the name of a level.
    #[must_use]
    pub fn unknown_name() -> Option<String> {
        let name = std::env::var("COPYPASTE_RS_SIMD").ok()?;
        (!matches!(name.as_str(), "" | "portable" | "avx2" | "avx512")).then_some(name)
    }

    /// The best level there is, up to the one that `COPYPASTE_RS_SIMD` names. Looked up once.
    #[must_use]
    pub fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let most = std::env::var("COPYPASTE_RS_SIMD").unwrap_or_default();
            let named = Self::available().position(|level| level.name() == most);
            Self::available().take(named.map_or(usize::MAX, |at| at + 1)).last().unwrap_or(Self::PORTABLE)
        })
    }

    /// Whether the 64 bytes of a register can be put in any order.
    pub(crate) fn permutes_bytes(self) -> bool {
        Self::avx512() == Some(self)
    }

    /// Whether products of bytes are summed by one instruction.
    pub(crate) fn sums_bytes(self) -> bool {
        self.permutes_bytes()
    }

    /// The same, or AVX2 where it is more: for work so small that waking the widest registers costs more than they save.
    pub(crate) fn for_little(self) -> Self {
        if self.permutes_bytes() { Self::avx2().unwrap_or(self) } else { self }
    }

    /// The name `COPYPASTE_RS_SIMD` knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Tier::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => "avx512",
        }
    }
}

/// Defines `fn name(level, arguments)`, or `fn name(level, arguments) -> result`, which calls `module::portable::name`, `module::avx2::name` or, for AVX-512,
/// `module::best::name`.
macro_rules! kernel {
    ($module:ident, $best:ident, $name:ident [$($generics:tt)*] [$($given:ident),*], $($argument:ident: $type:ty),+ $(=> $result:ty)?) => {
        pub(crate) fn $name <$($generics)*> (level: Level, $($argument: $type),+) $(-> $result)? {
            match level.0 {
                Tier::Portable => $module::portable::$name::<$($given),*>($($argument),+),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the function is safe but for its need of AVX2, POPCNT and F16C. `Tier::Avx2` is private to
                // this module and made in `Level::avx2` only, after the processor was seen to have them.
                Tier::Avx2 => unsafe { $module::avx2::$name::<$($given),*>($($argument),+) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: likewise, with `Level::avx512`; what needs AVX2 alone, AVX-512 includes.
                Tier::Avx512 => unsafe { $module::$best::$name::<$($given),*>($($argument),+) },
            }
        }
    };
}

/// Kernels of [`crate::resample::two_taps`].
pub(crate) mod two {
    use super::{Level, Tier, two_taps};
    use crate::error::Result;
    use crate::resample::separable::Window;
    use two_taps::{ByteColumns, Columns, Float, FloatColumns, FloatTables, Table};

    kernel!(two_taps, avx512, tables_u8 [] [], window: &Window => Result<(Table<i16>, Columns)>);
    kernel!(two_taps, avx512, tables_float [T: Float] [T], window: &Window => Result<FloatTables>);
    kernel!(two_taps, avx512, columns_u8 [const N: usize] [N],
        lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [i16]; N]);
    kernel!(two_taps, avx512, columns_float [const N: usize, const C: usize, T: Float] [N, C, T],
        lines: [&[T]; N], columns: FloatColumns<'_>, out: [&mut [f32]; N]);
    kernel!(two_taps, avx512, chain_float
        [const N: usize, const M: usize, const STEPS: u32, const C: usize, T: Float] [N, M, STEPS, C, T],
        lines: [&[T]; N], columns: FloatColumns<'_>, weights: [[f32; 2]; M], out: [&mut [T]; M]);
    kernel!(two_taps, avx512, rows_u8 [] [], rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]);
    kernel!(two_taps, avx2, rows_float [T: Float] [T], rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]);
}

/// Kernels of [`crate::resample::mirror`].
pub(crate) mod reversed {
    use super::{Level, Tier, mirror};

    kernel!(mirror, avx2, mirror [const B: usize] [B], from: &[u8], out: &mut [u8]);
}

/// Kernels of [`crate::resample::antialias`].
pub(crate) mod many {
    use super::{Level, Tier, antialias};
    use crate::resample::separable::Rows;
    use crate::resample::two_taps::Float;
    use antialias::bytes::RowWeights;
    use antialias::{ByteColumns, FloatColumns};

    kernel!(antialias, vnni, columns_u8 [const N: usize, const C: usize] [N, C],
        lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [u8]; N]);
    kernel!(antialias, avx2, columns_f32 [const C: usize] [C],
        line: &[f32], columns: FloatColumns<'_>, out: &mut [f32]);
    kernel!(antialias, vnni, rows_u8 [] [], rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]);
    kernel!(antialias, avx2, rows_float [T: Float] [T], rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]);
}

/// Kernels of [`crate::composite`].
pub(crate) mod soft {
    use super::{Level, Tier, composite};
    use crate::composite::blend::Bytes;
    use crate::composite::kinds::Kinds;
    use crate::composite::portable::WIDTH;

    kernel!(composite, avx2, blur [] [],
        rows: &[[i16; WIDTH]], weights: &[i16], out: &mut [u8; WIDTH], kinds: &mut Kinds);
    kernel!(composite, avx2, blend [const C: usize] [C], row: &mut Bytes<'_>, done: &mut usize);
}

/// Kernels of [`crate::rle`].
pub(crate) mod masks {
    use super::{Level, Tier, rle};
    use rle::counts::Sums;
    use rle::lone::{Extent, Lone};

    kernel!(rle, avx512, draw_lone [const FLIP: bool, const COPIES: usize] [FLIP, COPIES], lone: &mut Lone<'_> => Extent);
    kernel!(rle, avx2, add_up [] [], runs: &[u32], ends: &mut [u32], sums: &mut Sums);
    kernel!(rle, avx2, set_spans [] [], spans: &[[u32; 2]], from: u32, words: &mut [u64]);
}

/// Kernels of [`crate::finish`].
pub(crate) mod ready {
    use super::{Level, Tier, finish};
    use half::f16;

    kernel!(finish, avx2, scale [T: Copy + Into<f32>] [T],
        values: &[T], scale: f32, shift: f32, out: &mut [f32]);
    kernel!(finish, avx2, scale_each [T: Copy + Into<f32>] [T],
        values: &[T], scale: &[f32], shift: &[f32], out: &mut [f32]);
    kernel!(finish, avx2, halve [] [], values: &[f32], out: &mut [f16]);
    kernel!(finish, avx2, split [T: Copy] [T], line: &[T], channels: usize, planes: &mut [T]);
}
