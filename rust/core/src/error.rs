//! Errors of the core: what can be wrong with an input, in one small typed enum.

use std::fmt;

use crate::Size;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Reason why an input was refused, in terms of the function's own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The runs of a mask do not add up to its number of pixels.
    RunsDoNotFill {
        /// Number of the mask.
        mask: usize,
        /// Sum of its runs.
        sum: u64,
        /// Size of the mask.
        size: Size,
    },
    /// A mask has more pixels than can be numbered.
    TooManyPixels {
        /// Size of the mask.
        size: Size,
    },
    /// Offsets into the runs do not ascend from 0 to the number of runs.
    OffsetsDoNotFit,
    /// A byte of an encoded mask lies outside the alphabet.
    NotInAlphabet {
        /// Number of the string.
        string: usize,
        /// Where in the string.
        position: usize,
        /// The byte.
        byte: u8,
    },
    /// An encoded mask ends inside a count.
    TruncatedCount {
        /// Number of the string.
        string: usize,
    },
    /// A count of an encoded mask is longer than seven characters.
    CountTooLong {
        /// Number of the string.
        string: usize,
        /// Where the count starts.
        position: usize,
    },
    /// A count of an encoded mask is negative or too large.
    CountOutOfRange {
        /// Number of the string.
        string: usize,
        /// Number of the count.
        count: usize,
        /// Its value.
        value: i64,
    },
    /// A drawn scale makes an image larger than can be placed.
    SideTooLarge {
        /// Number of the source; none is the target.
        source: Option<usize>,
        /// Resized side in pixels.
        side: u64,
    },
    /// A paste takes a source that is not there.
    NoSuchSource {
        /// Number of the source.
        source: usize,
        /// How many there are.
        sources: usize,
    },
    /// A paste takes a row that its source does not have.
    NoSuchRow {
        /// Number of the row.
        row: usize,
        /// How many rows the source has.
        rows: usize,
    },
    /// An image, a mask or a canvas has another size than its placement says.
    SizeDiffers {
        /// Size by the placement.
        expected: Size,
        /// Size of what came.
        found: Size,
    },
    /// An array has another number of values, or of channels, than belongs to the others.
    LengthDiffers {
        /// Number that belongs to the others.
        expected: usize,
        /// Number of what came.
        found: usize,
    },
    /// There is not enough memory for the result.
    OutOfMemory {
        /// How many bytes were asked for.
        bytes: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunsDoNotFill { mask, sum, size: Size { h, w } } => {
                write!(f, "mask {mask} of size ({h}, {w}) has runs that sum to {sum}")
            }
            Self::TooManyPixels { size: Size { h, w } } => {
                write!(f, "size ({h}, {w}) has more than 4294967295 pixels")
            }
            Self::OffsetsDoNotFit => f.write_str("offsets do not ascend from 0 to the number of runs"),
            Self::NotInAlphabet { string, position, byte } => {
                write!(f, "byte {byte:#04x} at position {position} of string {string} is not in 0x30 to 0x6f")
            }
            Self::TruncatedCount { string } => write!(f, "string {string} ends inside a count"),
            Self::CountTooLong { string, position } => {
                write!(f, "the count at position {position} of string {string} has more than 7 characters")
            }
            Self::CountOutOfRange { string, count, value } => {
                write!(f, "count {count} of string {string} is {value}, not 0 to 4294967295")
            }
            Self::SideTooLarge { source, side } => match source {
                Some(source) => {
                    write!(f, "source {source} is resized to {side} pixels, more than 2147483647")
                }
                None => write!(f, "the target is resized to {side} pixels, more than 2147483647"),
            },
            Self::NoSuchSource { source, sources } => {
                write!(f, "there is no source {source} among {sources}")
            }
            Self::NoSuchRow { row, rows } => write!(f, "there is no row {row} among {rows}"),
            Self::SizeDiffers { expected, found } => write!(
                f,
                "the size is ({}, {}), not ({}, {}) as the placement says",
                found.h, found.w, expected.h, expected.w
            ),
            Self::LengthDiffers { expected, found } => write!(f, "there are {found} values, not {expected}"),
            Self::OutOfMemory { bytes } => write!(f, "not enough memory for {bytes} bytes"),
        }
    }
}

impl std::error::Error for Error {}
