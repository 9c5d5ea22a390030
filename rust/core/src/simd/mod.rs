//! Instruction sets: which one the kernels may use, and the calls into code compiled for it.
//!
//! A kernel exists in a portable form and for AVX2; a few exist for AVX-512 too, where a benchmark has earned it. All
//! give the same bytes. [`dispatch!`] makes the function that picks one by [`Level`]; each folder of kernels lists its
//! own in `dispatch.rs`. Tables that a kernel reads have another layout for some instruction sets, so code that fills
//! such tables asks the level too.

use std::sync::OnceLock;

/// Instruction set that kernels may use, ascending: a later one includes those before it.
///
/// A value for more than the baseline can only be had where the processor has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(Tier);

/// Instruction set behind a [`Level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Instructions that every processor of the target has.
    Portable,
    /// AVX2, POPCNT and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, VL, VBMI and VNNI, besides those of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Instructions that every processor of the target has.
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

    /// Levels that this processor has, the best one last.
    pub fn available() -> impl Iterator<Item = Self> {
        [Some(Self::PORTABLE), Self::avx2(), Self::avx512()].into_iter().flatten()
    }

    /// Value of `COPYPASTE_RS_SIMD`, when it is not the name of a level.
    #[must_use]
    pub fn unknown_name() -> Option<String> {
        let name = std::env::var("COPYPASTE_RS_SIMD").ok()?;
        (!matches!(name.as_str(), "" | "portable" | "avx2" | "avx512")).then_some(name)
    }

    /// Best level of this processor, up to the one that `COPYPASTE_RS_SIMD` names, looked up once.
    #[must_use]
    pub fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let most = std::env::var("COPYPASTE_RS_SIMD").unwrap_or_default();
            let named = Self::available().position(|level| level.name() == most);
            Self::available().take(named.map_or(usize::MAX, |tier| tier + 1)).last().unwrap_or(Self::PORTABLE)
        })
    }

    /// Whether kernels for AVX2 are used, or those for more, which take the same tables where they have none of their own.
    pub(crate) fn has_avx2(self) -> bool {
        self > Self::PORTABLE
    }

    /// Whether kernels for AVX-512 are used, which permute the bytes of a register and sum products of bytes.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn has_avx512(self) -> bool {
        self.0 >= Tier::Avx512
    }

    /// Instruction set, for [`dispatch!`].
    pub(crate) fn tier(self) -> Tier {
        self.0
    }

    /// Name of the level, as `COPYPASTE_RS_SIMD` takes it.
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

/// Definition of `fn name(level, arguments)`, or `fn name(level, arguments) -> result`, which calls `portable::name`,
/// `avx2::name` or, for AVX-512, `best::name`: functions of modules beside the one that it is used in.
///
/// Usage: `dispatch!(best_module, name [generic parameters] [generic arguments], argument: Type, ... => Result);`
macro_rules! dispatch {
    ($best:ident, $name:ident [$($generics:tt)*] [$($given:ident),*], $($argument:ident: $type:ty),+ $(=> $result:ty)?) => {
        #[allow(unsafe_code, reason = "a `Level` proves the features; the only two expressions of the workspace")]
        pub(crate) fn $name <$($generics)*> (level: $crate::simd::Level, $($argument: $type),+) $(-> $result)? {
            match level.tier() {
                $crate::simd::Tier::Portable => super::portable::$name::<$($given),*>($($argument),+),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the function is safe but for its need of AVX2, POPCNT and F16C. A `Level` with `Tier::Avx2` is
                // made in `Level::avx2` only, after the processor was seen to have them: its field is private to `simd`.
                $crate::simd::Tier::Avx2 => unsafe { super::avx2::$name::<$($given),*>($($argument),+) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: likewise, with `Level::avx512`; what needs AVX2 alone, AVX-512 includes.
                $crate::simd::Tier::Avx512 => unsafe { super::$best::$name::<$($given),*>($($argument),+) },
            }
        }
    };
}

pub(crate) use dispatch;
